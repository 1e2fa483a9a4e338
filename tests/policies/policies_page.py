"""The table of docs/policies.md, made from the records and the presets: `python -m tests.policies.policies_page` writes it."""

import re
from dataclasses import fields
from pathlib import Path
from typing import Final

from relkit.policies.breaker_presets import BREAKER_PRESETS
from relkit.policies.codes import CHOICES
from relkit.policies.records import BreakerSettings

PAGE: Final = Path(__file__).parents[2] / "docs/policies.md"
BEGIN: Final = "<!-- the table is made: python -m tests.policies.policies_page -->"
END: Final = "<!-- end of the table -->"
_UNITS: Final = {
    "_s": "s", "_share": "share", "_calls": "calls", "_factor": "factor", "_peers": "members", "_cap": "share",
    "_threshold": "failures", "_floor": "failures", "_ceiling": "failures", "_permits": "calls", "_successes": "calls",
    "_jitter": "share", "_gap": "share", "_limit": "nats", "_doubt": "std errors", "_low": "share", "_high": "share",
}  # fmt: skip


def meanings() -> dict[str, str]:
    """Say what each field means, in the words of the record's docstring."""
    text = (BreakerSettings.__doc__ or "").split("----------\n")[1].split("    Raises")[0]
    found: dict[str, str] = {}
    for names, body in re.findall(r"^    (\w[\w, ]*) : [^\n]*\n((?:        [^\n]*\n)+)", text, re.MULTILINE):
        for name in names.split(", "):
            found[name] = " ".join(body.split())
    return found


def _shown(name: str, value: object) -> str:
    if name in CHOICES:
        assert isinstance(value, int)
        return CHOICES[name][value]
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}"


def _unit(name: str, value: object) -> str:
    if name in CHOICES:
        return "word"
    if isinstance(value, bool):
        return "yes or no"
    return next((unit for end, unit in _UNITS.items() if name.endswith(end)), "number")


def table() -> str:
    """Write the table: one row a field, with its default and the value of each preset that differs."""
    said = meanings()
    lines = ["| field | unit | default | presets that differ | meaning |", "|---|---|---|---|---|"]
    for field in fields(BreakerSettings):
        name, default = field.name, field.default
        values: dict[str, list[str]] = {}
        for preset, row in BREAKER_PRESETS.items():
            value = getattr(row.breaker, name)
            if value != default:
                values.setdefault(_shown(name, value), []).append(preset)
        differ = "; ".join(f"**{value}** {', '.join(names)}" for value, names in values.items())
        unit = _unit(name, default)
        lines.append(f"| `{name}` | {unit} | {_shown(name, default)} | {differ} | {said[name]} |")
    return "\n".join(lines)


def written(page: str) -> str:
    """Put the table into a page, between its marks."""
    head, rest = page.split(BEGIN)
    return f"{head}{BEGIN}\n\n{table()}\n\n{END}{rest.split(END)[1]}"


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
