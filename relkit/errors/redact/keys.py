"""What the name of a field tells: a secret, an identity, a header, a query."""

import enum
import re
from functools import lru_cache
from itertools import pairwise
from typing import Final

_SECRET_WORDS = frozenset(
    (
        "password", "passwords", "passwd", "passphrase", "pwd", "pw", "passcode", "secret", "secrets", "credential",
        "credentials", "authorization", "cookie", "cookies", "dsn", "ssn", "apikey", "privatekey", "accesskey",
        "secretkey", "token", "accesstoken", "refreshtoken", "idtoken", "authtoken", "sessiontoken", "jwt", "bearer",
    )
)  # fmt: skip
_SECRET_PAIRS = frozenset(
    [
        *((owner, "key") for owner in ("api", "private", "access", "signing", "encryption", "secret", "account")),
        *((owner, "string") for owner in ("connection", "conn")),
        *((owner, "tokens") for owner in ("access", "refresh", "auth", "session", "api", "bearer")),
        *((owner, "keys") for owner in ("api", "private", "access", "secret")),
    ]
)  # fmt: skip
_COUNTS = frozenset(
    (
        "count", "counts", "length", "len", "size", "used", "limit", "left", "total", "budget", "age", "expiry",
        "expires", "per", "max", "min", "ms", "s", "remaining", "rate", "price", "cost", "usage", "num", "number",
    )
)  # fmt: skip
# Who it is by id; who of them is a person, so that a name tells too.
_BY_ID = frozenset(("user", "session", "conversation", "customer", "client", "account", "member", "person", "patient"))
_BY_NAME = frozenset(("user", "customer", "member", "person", "patient"))
_ALONE = frozenset(("user", "session", "conversation", "customer", "mail"))
_PERSONAL = frozenset(
    (
        "email", "phone", "mobile", "msisdn", "username", "userid", "sessionid", "conversationid", "customerid", "ip", "sid",
        "login", "fullname",
    )
)  # fmt: skip
_ADDRESSES = frozenset((("remote", "addr"), ("remote", "address"), ("peer", "address"), ("forwarded", "for")))
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")

# Azure's way round: what is not known to be harmless is not kept.
_ALLOWED_HEADERS = frozenset(
    (
        "accept", "accept-encoding", "accept-language", "age", "allow", "cache-control", "cf-ray", "connection",
        "content-encoding", "content-language", "content-length", "content-type", "date", "expect", "expires",
        "host", "keep-alive", "openai-model", "openai-processing-ms", "openai-version", "retry-after", "retry-after-ms",
        "server", "traceparent", "transfer-encoding", "user-agent", "vary", "via", "x-amz-retry-after",
        "x-ms-retry-after-ms", "x-should-retry", "grpc-status", "grpc-retry-pushback-ms",
    )
)  # fmt: skip
REQUEST_ID_HEADERS: Final = (
    "x-request-id", "request-id", "x-amzn-requestid", "x-amzn-request-id", "x-amz-request-id", "x-ms-request-id",
    "apim-request-id", "x-goog-request-id", "x-correlation-id", "x-trace-id", "cf-ray",
)  # fmt: skip


def words_of(name: str) -> list[str]:
    """Split a name into its words, in lower case.

    >>> words_of("openaiApiKey"), words_of("X-API-Key")
    (['openai', 'api', 'key'], ['x', 'api', 'key'])
    """
    return [word.lower() for word in _WORDS.findall(name)]


def is_secret_key(name: str) -> bool:
    """Say whether a column, field or header of this name holds a secret.

    Looks at the words of the name, in any case and with any separator; counters are never secret.

    >>> [is_secret_key(name) for name in ("X-Api-Key", "openaiApiKey", "refresh_token", "max_tokens", "token_count")]
    [True, True, True, False, False]
    """
    words = words_of(name)
    if not words or words[-1] in _COUNTS or (words[-1] == "token" and set(words) & _COUNTS):
        return False
    return bool(_SECRET_WORDS & set(words)) or any(pair in _SECRET_PAIRS for pair in pairwise(words))


def is_identity_key(name: str) -> bool:
    """Say whether a field of this name tells who somebody is: user, session, conversation, mail or network address.

    Ids of requests are none: they are asked about at the provider, and name nobody.

    >>> [is_identity_key(name) for name in ("userId", "session_id", "client_ip", "request_id", "user_agent", "ip_version")]
    [True, True, True, False, False, False]
    """
    words = words_of(name)
    if not words or "per" in words:
        return False
    if words[-1] in _PERSONAL or (len(words) == 1 and words[0] in _ALONE):
        return True
    return any(
        (owner in _BY_ID and what == "id") or (owner in _BY_NAME and what == "name") or (owner, what) in _ADDRESSES
        for owner, what in pairwise(words)
    )


def is_allowed_header(name: str) -> bool:
    """Say whether the value of a header may be kept.

    >>> [is_allowed_header(name) for name in ("Retry-After", "X-RateLimit-Reset", "Authorization", "X-Custom")]
    [True, True, False, False]
    """
    low = name.lower()
    return low in _ALLOWED_HEADERS or low in REQUEST_ID_HEADERS or "ratelimit-" in low


def is_headers_key(name: str) -> bool:
    """Say whether a field of this name holds headers.

    >>> is_headers_key("requestHeaders"), is_headers_key("header_count")
    (True, False)
    """
    words = words_of(name)
    return bool(words) and words[-1] in {"headers", "header", "httpheaders"}


def is_query_key(name: str) -> bool:
    """Say whether a field of this name holds the parameters of a URL.

    >>> is_query_key("queryString"), is_query_key("params")
    (True, False)
    """
    return words_of(name)[-2:] in (
        ["query"],
        ["query", "string"],
        ["query", "params"],
        ["querystring"],
        ["url", "params"],
    )


class Meaning(enum.Enum):
    """What the name of a field says about its value."""

    NONE = enum.auto()
    SECRET = enum.auto()
    HEADERS = enum.auto()
    IDENTITY = enum.auto()
    QUERY = enum.auto()


@lru_cache(maxsize=4_096)
def meaning_of(name: str) -> Meaning:
    """Return the first meaning that fits a name.

    >>> meaning_of("userId").name, meaning_of("max_tokens").name
    ('IDENTITY', 'NONE')
    """
    if is_secret_key(name):
        return Meaning.SECRET
    if is_headers_key(name):
        return Meaning.HEADERS
    if is_identity_key(name):
        return Meaning.IDENTITY
    return Meaning.QUERY if is_query_key(name) else Meaning.NONE
