"""Which form of an answer is wanted: JSON, text for Prometheus, or OpenMetrics."""

from typing import Final

JSON: Final = "json"
PROMETHEUS: Final = "prometheus"
OPENMETRICS: Final = "openmetrics"
_RANGES: Final = {
    "application/json": JSON,
    "application/*": JSON,
    "*/*": JSON,
    "application/openmetrics-text": OPENMETRICS,
    "text/plain": PROMETHEUS,
    "text/*": PROMETHEUS,
}
_LONGEST: Final = 1_000


def wanted(accept: str) -> str:
    """Choose by an Accept header; JSON when it names nothing that there is.

    Examples
    --------
    >>> wanted("application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.2,*/*;q=0.1")
    'openmetrics'
    >>> wanted("text/plain"), wanted("text/html,*/*;q=0.8"), wanted("")
    ('prometheus', 'json', 'json')
    """
    best, form = 0.0, JSON
    for part in accept[:_LONGEST].split(","):
        name, *parameters = (word.strip().lower() for word in part.split(";"))
        quality = _quality(parameters)
        if name in _RANGES and quality > best:
            best, form = quality, _RANGES[name]
    return form


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "q":
            try:
                return min(float(value), 1.0)
            except ValueError:
                return 0.0
    return 1.0
