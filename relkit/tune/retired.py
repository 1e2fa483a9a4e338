"""Models that their providers have switched off, with the day from which on no call was answered."""

from datetime import date
from types import MappingProxyType
from typing import Final

RETIRED: Final = MappingProxyType(
    {
        "llama-3.1-70b-versatile": (date(2025, 1, 24), "Groq answers 400 model_decommissioned (crewAI #1976)"),
        "mixtral-8x7b-32768": (date(2025, 3, 20), "Groq; notes of papi-ai/groq v0.15.2"),
        "llama-3.1-8b-instant": (date(2026, 8, 16), "Groq"),
    }
)
"""Model to its last day and where that is said. The plan's primary and both its fallbacks are among them."""
