"""Points of tuning on real logs, and of the page of breakers: a recommendation or a refusal with reasons, never an exception."""

import json
from pathlib import Path

from .point import MAPPINGS, TRACES, Found, Skipped, ingest, must, point, relkit

LOGS = (
    ("aider-llm-events-a.csv", "events", "aider-events"),
    ("llmperf-2023-requests.csv", "attempts", "llmperf"),
    ("azure-llm-2023-code.csv", "attempts", "azure-llm-arrivals"),
)


@point("tune", "real logs: a recommendation or a refusal with its reason", slow=True)
def real_logs(folder: Path) -> Found:
    told, holds = [], True
    for name, kind, mapping in LOGS:
        if not (TRACES / name).is_file():
            raise Skipped(f"the trace {name} does not lie beside the project")
        place = folder / mapping
        place.mkdir()
        ingest(place, TRACES / name, kind, MAPPINGS / f"{mapping}.toml")
        answer = must(relkit(place, "tune", "--week", "all", "--points", "16", "--json"))
        verdict = json.loads(answer)["verdict"]
        holds &= verdict["code"] == "RECOMMENDED" or bool(verdict["why_not"] and verdict["would_change"])
        reason = "" if verdict["code"] == "RECOMMENDED" else f" Why: {verdict['why_not']}"
        told.append(f"{mapping}: {verdict['code']}. {verdict['sentence']}{reason}")
    return Found("each RECOMMENDED, or REFUSED with why and what would change it", " | ".join(told), holds)
