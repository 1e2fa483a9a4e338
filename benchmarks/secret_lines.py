"""Log lines with and without secrets, labelled; the same lines for the same seed on every machine.

Written from the formats the providers document, not from relkit's patterns. Nothing in them is real.
"""

import random
import string
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

_ALNUM: Final = string.ascii_letters + string.digits
_BASE64: Final = _ALNUM + "+/"
_URL64: Final = _ALNUM + "-_"
_UPPER: Final = string.ascii_uppercase + string.digits
SHARE_WITH_SECRET: Final = 0.3


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its text, what kind of secret it holds (empty: none), and the secret itself."""

    text: str
    kind: str
    secret: str


def _text(draw: random.Random, letters: str, length: int) -> str:
    return "".join(draw.choices(letters, k=length))


def _email(draw: random.Random) -> str:
    name = _text(draw, string.ascii_lowercase, draw.randint(3, 9))
    tail = draw.choice(["", ".", "_", "+", "-"]) + _text(draw, _ALNUM.lower(), draw.randint(1, 6))
    host = _text(draw, string.ascii_lowercase, draw.randint(3, 10))
    return f"{name}{tail}@{draw.choice(['', 'mail.', 'eu-west.'])}{host}.{draw.choice(['com', 'org', 'co.uk', 'test', 'io', 'example'])}"


def _jwt(draw: random.Random) -> str:
    return f"eyJhbGciOi{_text(draw, _URL64, 17)}.eyJ{_text(draw, _URL64, 30)}.{_text(draw, _URL64, 43)}"


def _card(draw: random.Random) -> str:
    prefix, length = draw.choice(
        [
            ("4", 16),
            ("51", 16),
            ("55", 16),
            ("2223", 16),
            ("34", 15),
            ("37", 15),
            ("6011", 16),
            ("65", 16),
            ("3528", 16),
            ("36", 14),
        ]
    )
    body = prefix + _text(draw, string.digits, length - len(prefix) - 1)
    number = body + str(-_luhn_sum(body + "0") % 10)
    if length == 16 and draw.random() < 0.5:
        mark = draw.choice([" ", "-"])
        return mark.join(number[i : i + 4] for i in range(0, 16, 4))
    if length == 15 and draw.random() < 0.3:
        return f"{number[:4]} {number[4:10]} {number[10:]}"
    return number


def _luhn_sum(digits: str) -> int:
    doubled = (int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits)))
    return sum(value - 9 if value > 9 else value for value in doubled)


def _ssn(draw: random.Random) -> str:
    area = draw.choice([*range(1, 666), *range(667, 900)])
    return f"{area:03d}-{draw.randint(1, 99):02d}-{draw.randint(1, 9999):04d}"


def _phone(draw: random.Random) -> str:
    area, office, line = draw.randint(200, 989), draw.randint(200, 999), draw.randint(0, 9999)
    return draw.choice(
        [
            f"({area}) {office}-{line:04d}",
            f"{area}-{office}-{line:04d}",
            f"+1 {area} {office} {line:04d}",
            f"+1-{area}-{office}-{line:04d}",
            f"+1{area}{office}{line:04d}",
            f"{area}.{office}.{line:04d}",
            f"1-{area}-{office}-{line:04d}",
            f"+49 {draw.randint(30, 89)} {draw.randint(1_000_000, 99_999_999)}",
            f"+44 20 {draw.randint(1000, 9999)} {draw.randint(1000, 9999)}",
        ]
    )


def _provider(draw: random.Random) -> str:
    return draw.choice(
        [
            f"sk-{_text(draw, _ALNUM, 48)}",
            f"sk-proj-{_text(draw, _URL64, 60)}",
            f"sk-ant-api03-{_text(draw, _URL64, 60)}AA",
        ]
    )


SECRETS: Final[dict[str, Callable[[random.Random], str]]] = {
    "email": _email,
    "bearer": lambda draw: "Bearer " + _text(draw, _URL64 + ".", draw.randint(20, 50)),
    "basic": lambda draw: "Basic " + _text(draw, _BASE64, draw.randint(20, 40)) + draw.choice(["", "=", "=="]),
    "jwt": _jwt,
    "provider": _provider,
    "groq": lambda draw: "gsk_" + _text(draw, _ALNUM, 52),
    "github": lambda draw: draw.choice(["ghp_", "gho_", "ghu_", "ghs_"]) + _text(draw, _ALNUM, 36),
    "slack": lambda draw: f"xox{draw.choice('bpas')}-{_text(draw, string.digits, 12)}-{_text(draw, _ALNUM, 24)}",
    "google": lambda draw: "AIza" + _text(draw, _URL64, 35),
    "aws": lambda draw: draw.choice(["AKIA", "ASIA"]) + _text(draw, _UPPER, 16),
    "url_credentials": lambda draw: f"{draw.choice(['postgres', 'redis', 'amqp', 'https'])}://{_text(draw, _ALNUM, 6)}:{_text(draw, _ALNUM, 14)}@db{draw.randint(1, 9)}.internal",  # noqa: E501
    "url_parameter": lambda draw: f"https://api.example.com/v1/items?{draw.choice(['key', 'token', 'api_key', 'access_token'])}={_text(draw, _ALNUM, 24)}",
    "card": _card,
    "ssn": _ssn,
    "phone": _phone,
}  # fmt: skip
_AROUND: Final = (
    "{} failed with status 401",
    "request for {} took 812 ms",
    "upstream said: invalid credentials ({})",
    "retry 2/5 after 1.5s user={}",
    'payload rejected: "{}"',
    "[worker-7] got {} from client, closing",
    "ERROR auth: {}",
    "{}",
)


def _benign(draw: random.Random) -> str:
    """Lines that look like secrets and are none."""
    digits = string.digits
    number = draw.randint
    return draw.choice(
        [
            lambda: f"trace {uuid.UUID(int=draw.getrandbits(128))} finished in {number(1, 9999)} ms",
            lambda: f"commit {_text(draw, '0123456789abcdef', 40)} deployed to eu-west-{number(1, 3)}",
            lambda: f"object etag {_text(draw, '0123456789abcdef', 32)} size {number(1, 10**7)}",
            lambda: f"sha256:{_text(draw, '0123456789abcdef', 64)} verified",
            lambda: f"event at {number(1_500_000_000, 1_800_000_000)} seq {number(0, 10**6)}",
            lambda: f"event at {number(1_500_000_000_000, 1_800_000_000_000)} lag {number(0, 900)}",
            lambda: f"span start {number(1_500_000_000_000_000, 1_800_000_000_000_000)} us",
            lambda: f"started {number(1_500_000_000_000_000_000, 1_800_000_000_000_000_000)} ns",
            lambda: f"agent version {number(0, 30)}.{number(0, 40)}.{number(0, 20)}.{number(0, 9)} ready",
            lambda: f"order {_text(draw, digits[1:], 1)}{_text(draw, digits, number(11, 18))} accepted",
            lambda: f"order {number(100, 999)}-{_text(draw, digits, 7)}-{_text(draw, digits, 7)} shipped",
            lambda: f"loss {draw.random()!r} at step {number(1, 10**6)} lr {draw.random() / 1000!r}",
            lambda: f"max_tokens={number(1, 8192)} prompt_tokens={number(1, 9000)} completion_tokens={number(1, 900)}",
            lambda: f'{{"token_count": {number(1, 9999)}, "tokens_used": {number(1, 9999)}, "model": "gpt-4o-2024-08-06"}}',
            lambda: f"GET /v1/items/{number(1, 10**9)} HTTP/1.1 {number(200, 599)} {number(100, 999)} {number(1000, 9999)}",
            lambda: f"2026-{number(1, 12):02d}-{number(1, 28):02d}T{number(0, 23):02d}:{number(0, 59):02d}:{number(0, 59):02d}.{number(0, 999999):06d}+0200 job ok",  # noqa: E501
            lambda: f"pip install pkg=={number(0, 9)}.{number(0, 99)}.{number(0, 9)}rc{number(1, 9)} from cache",
            lambda: f"Rate limit reached on tokens per min (TPM): Limit {number(1000, 90000)}, Used {number(1, 90000)}",
            lambda: f"basic authentication is off; bearer scheme required for tenant {number(1, 999)}",
            lambda: f"node ip-10-{number(0, 255)}-{number(0, 255)}-{number(0, 255)} risk-averse-scheduler task-{number(1, 9999)}",
            lambda: f"arn:aws:lambda:eu-west-1:{_text(draw, digits, 12)}:function:book-{number(1, 99)}",
            lambda: f"isbn 978-{number(0, 9)}-{number(10, 99)}-{number(100000, 999999)}-{number(0, 9)} lot {number(10000, 99999)}-{number(10, 99)}",
            lambda: f"req_{_text(draw, _ALNUM, 24)} chatcmpl-{_text(draw, _ALNUM, 29)} done",
            lambda: f"mem {number(10**6, 10**9)} {number(10**6, 10**9)} {number(10**6, 10**9)} kB",
        ]
    )()  # fmt: skip


def lines(count: int, seed: int) -> list[Line]:
    """Draw labelled lines: three in ten hold one secret of fifteen kinds, the others are hard to tell from secrets."""
    draw = random.Random(seed)
    kinds = list(SECRETS)
    drawn = []
    for _ in range(count):
        if draw.random() < SHARE_WITH_SECRET:
            kind = draw.choice(kinds)
            secret = SECRETS[kind](draw)
            drawn.append(Line(draw.choice(_AROUND).format(secret), kind, secret))
        else:
            drawn.append(Line(_benign(draw), "", ""))
    return drawn
