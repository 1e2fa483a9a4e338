"""Texts that the tests of redaction share: with secrets, without, and built to meet the edges of the patterns."""

from hypothesis import strategies as st

CANARY = "Zx9Qw7Er5Ty3Ui1Op8As6"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl"
SECRETS = [
    f"password={CANARY}",
    f"PASSWORD: {CANARY}",
    f'"password": "{CANARY} with blanks"',
    f"{{'api_key': '{CANARY}', 'x': 1}}",
    f'{{\\"apiKey\\": \\"{CANARY}\\"}}',
    f'"secret": "say \\"{CANARY}\\" twice"',
    f"X-Api-Key: {CANARY}",
    f"openai_api_key={CANARY}",
    f"aws_secret_access_key => {CANARY}",
    f"refresh_token={CANARY}",
    f"session-token: {CANARY}",
    f"id_token={CANARY}",
    f"token={CANARY}",
    f"Authorization: Basic {CANARY}",
    f"authorization: Bearer {CANARY}",
    f"Bearer {CANARY}",
    f"Cookie: a=b; sid={CANARY}; c=d",
    f"Set-Cookie: sid={CANARY}; Path=/",
    f"dsn={CANARY}",
    f"db_pwd={CANARY}",
    f"ssn: {CANARY}",
    f"private key: {CANARY}",
    f"credentials={CANARY}",
    JWT.replace("c2lnbmF0dXJl", CANARY),
    f"Incorrect API key provided: sk-{CANARY}.",
    f"sk-proj-{CANARY}",
    f"sk-ant-api03-{CANARY}",
    f"gsk_{CANARY}",
    f"ghp_{CANARY}",
    f"gho_{CANARY}",
    f"ghs_{CANARY}",
    f"github_pat_{CANARY}",
    f"xoxb-{CANARY}",
    f"AIza{CANARY}",
    f"AKIA{CANARY.upper()}",
    f"ASIA{CANARY.upper()}",
    f"hf_{CANARY}",
    f"mail {CANARY}@example.org now",
    f"postgres://app:{CANARY}@db.example.org/x",
    f"https://api.example.org/v1?user={CANARY}&page=2",
    f"-----BEGIN RSA PRIVATE KEY-----\nMII{CANARY}\n-----END RSA PRIVATE KEY-----",
    f"-----BEGIN PRIVATE KEY-----\\nMII{CANARY}",
    "Basic dXNlcjpwYXNz",
]
KEPT = [
    "max_tokens=4096, prompt_tokens: 12, completion_tokens=7, total_tokens=19",
    '{"token_count": 33048, "tokens_used": 5, "max_completion_tokens": 100}',
    "Rate limit reached on tokens per min (TPM): Limit 30000, Used 29937, Requested 385.",
    "File content (33048 tokens) exceeds maximum allowed tokens (25000).",
    "basic authentication required; a bearer token is missing",
    "risk-averse-strategies-of-desk-workers",
    "react@18.2.0 needs node >= 20",
    "Incorrect API key provided. You can find your API key in the settings.",
    "Unexpected token < in JSON at position 0",
    "[Errno 111] Connection refused: 127.0.0.1:6379",
    "trace 123e4567-e89b-12d3-a456-426614174000 at 1700000000123, version 10.2.3.2",
    "order 4111111111111112 and 9111111111111111, isbn 978-3-16-148410-0, loss 0.4111111111111111",
    "000-12-3456, 666-12-3456, 912-34-5678, 123-00-4567, 123-45-0000",
    "GET /v1 200 512 1033, 2026-11-25T10:00:00+0100, span 1700000000123456 us",
]
# Pieces that meet the patterns' edges much oftener than random text does.
PIECES = st.sampled_from(
    [
        "password", "api_key", "Token", "token", "id_token", "pwd", "secret", "authorization", "Bearer ", "basic ",
        "Cookie", "=", ":", ": ", "=>", '"', "'", '\\"', "\\", " ", "\n", "\v", "\0", ",", ";", "&", "?", "?a=", "&b=",
        "://", "/", "@", "a@b.co", ".com", "sk-", "eyJ", "gsk_", "AKIA", "ghp_", "github_pat_", "xoxb-", "AIza", "hf_",
        "sk_live_", "xai-", "abcdefghijklmnop", "ABCDEFGHIJKLMNOP", "-----BEGIN KEY-----", "--", "-",
        "-----END KEY-----", "[redacted]", "[", "]", "{", "}", "(", ")", "<", "#", "é", "ſ", "\u212a", "İ", "x", "9",
        "_", "😀", "\x85", "1234567890123456789", "4111111111111111", "4111 1111 1111 1111", "3782-822463-10005", "4", "12", "123-45-",
        "6789", "415-555-2671", "+1 415 555 2671", "\ufdd0", "+49", "(415) ", "555-2671", ".", "+",
    ]
)  # fmt: skip
HOSTILE = st.lists(PIECES, max_size=25).map("".join)
PLAIN = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
