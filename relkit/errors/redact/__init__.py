"""Secrets and people out of what is written down: patterns for texts, names of fields, and a walk through whole records."""

from relkit.errors.redact.deep import RedactedError, redact
from relkit.errors.redact.keys import REQUEST_ID_HEADERS, is_allowed_header, is_identity_key, is_secret_key
from relkit.errors.redact.patterns import ADDRESS, NUMBERS, NUMBERS_PREFILTER, PATTERNS, PREFILTER, Pattern, any_case
from relkit.errors.redact.pseudonyms import PSEUDONYM, new_key, process_key, pseudonym
from relkit.errors.redact.text import passes_luhn, redact_text

__all__ = [
    "ADDRESS",
    "NUMBERS",
    "NUMBERS_PREFILTER",
    "PATTERNS",
    "PREFILTER",
    "PSEUDONYM",
    "REQUEST_ID_HEADERS",
    "Pattern",
    "RedactedError",
    "any_case",
    "is_allowed_header",
    "is_identity_key",
    "is_secret_key",
    "new_key",
    "passes_luhn",
    "process_key",
    "pseudonym",
    "redact",
    "redact_text",
]
