"""Names of fields: which hold secrets, which name people, which headers may stay."""

import pytest

from relkit.errors import is_secret_key
from relkit.errors.redact.keys import is_allowed_header, is_headers_key, is_identity_key, is_query_key


@pytest.mark.parametrize(
    "name",
    ["password", "DB_PASSWORD", "X-Api-Key", "x-goog-api-key", "openaiApiKey", "access_token", "refreshToken",
     "Authorization", "Set-Cookie", "client_secret", "private_key", "dsn", "ssn", "token", "aws_secret_access_key"],
)  # fmt: skip
def test_secret_names_are_known(name):
    assert is_secret_key(name)


@pytest.mark.parametrize(
    "name",
    ["max_tokens", "prompt_tokens", "completion_tokens", "token_count", "tokens_used", "max_token", "cost_per_token",
     "tokens", "session_id", "request_id", "key", "monkey", "assessment", "secret_count", "author", ""],
)  # fmt: skip
def test_counters_and_ids_are_no_secrets(name):
    assert not is_secret_key(name)


@pytest.mark.parametrize("name", ["userId", "user_id", "session_id", "conversationId", "customer-id", "email", "client_ip",
                                  "remoteAddr", "X-Forwarded-For", "username", "session", "phone"])  # fmt: skip
def test_names_of_identities_are_known(name):
    assert is_identity_key(name)


@pytest.mark.parametrize("name", ["request_id", "trace_id", "model", "user_agent", "tokens_per_user", "ip_version",
                                  "session_count", "service", "users", "", "arm"])  # fmt: skip
def test_ids_of_calls_and_counts_are_no_identities(name):
    assert not is_identity_key(name)


@pytest.mark.parametrize("name", ["Content-Type", "retry-after", "X-RateLimit-Remaining-Tokens", "anthropic-ratelimit-requests-reset",
                                  "x-request-id", "User-Agent"])  # fmt: skip
def test_harmless_headers_may_stay(name):
    assert is_allowed_header(name)


@pytest.mark.parametrize("name", ["Authorization", "Cookie", "Set-Cookie", "x-api-key", "x-goog-api-key", "X-Amz-Security-Token",
                                  "Location", "Referer", "X-Anything", "openai-organization", ""])  # fmt: skip
def test_every_other_header_goes(name):
    assert not is_allowed_header(name)


def test_fields_of_headers_and_queries_are_known():
    assert all(map(is_headers_key, ["headers", "requestHeaders", "response_headers", "HTTPHeaders"]))
    assert not any(map(is_headers_key, ["header_size", "model", ""]))
    assert all(map(is_query_key, ["query", "queryString", "query_params"]))
    assert not any(map(is_query_key, ["params", "query_ms", ""]))
