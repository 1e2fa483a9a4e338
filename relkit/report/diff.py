"""What changed between two runs, told from their summaries."""

from collections.abc import Mapping
from typing import Any


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """List what differs between two summaries, one sentence each, verdicts first.

    Parameters
    ----------
    before, after : mapping
        Contents of two summary.json.

    Returns
    -------
    list of str
        Empty when nothing differs.

    Examples
    --------
    >>> changes({"verdicts": {"slo": {"code": "MET", "sentence": "a"}}}, {"verdicts": {"slo": {"code": "MISSED", "sentence": "b"}}})
    ['slo: MET before, MISSED now: b']
    """
    found = []
    old, new = before.get("verdicts", {}), after.get("verdicts", {})
    for area in sorted(set(old) | set(new)):
        was, now = old.get(area), new.get(area)
        if was is None or now is None:
            found.append(
                f"{area}: {'not reported' if was is None else was['code']} before, {'not reported' if now is None else now['code']} now"
            )
        elif was["code"] != now["code"]:
            found.append(f"{area}: {was['code']} before, {now['code']} now: {now['sentence']}")
        elif was["sentence"] != now["sentence"]:
            found.append(f"{area}: still {now['code']}, before: {was['sentence']} Now: {now['sentence']}")
    rails, railed = after.get("guardrails", {}), before.get("guardrails", {})
    found += [
        f"guardrail {name}: {railed[name]} before, {code} now"
        for name, code in rails.items()
        if railed.get(name, code) != code
    ]
    if before.get("data_hash") != after.get("data_hash") and "data_hash" in after:
        found.append("the data differ (other ingest ledger)")
    if before.get("parameters") != after.get("parameters") and "parameters" in after:
        found.append("the parameters differ")
    return found
