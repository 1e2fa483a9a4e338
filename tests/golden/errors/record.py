"""Raise every case with the real libraries, and record what the exceptions say of themselves.

    make test-clients                      compare the answers with what is expected
    make test-clients CLIENTS=--write      and record the chains into *.json

The expectations stand in the cases and are never taken from an answer.
"""

import argparse
import importlib
import json
import sys
from dataclasses import asdict
from pathlib import Path

from relkit.errors.classifier import classify
from relkit.errors.reading.chain import Link, links
from tests.golden.errors.case import Case
from tests.golden.errors.judge import Score, judged
from tests.golden.errors.net import Net

HERE = Path(__file__).parent
AREAS = ("llm", "http", "cloud", "data", "local", "second", "third")


def raised(case: Case, net: Net) -> BaseException:
    """Return the exception of a case."""
    try:
        case.provoke(net)
    except BaseException as error:  # noqa: BLE001  the point of it; one case is a KeyboardInterrupt
        return error
    raise AssertionError(f"{case.name} raised nothing")


def recorded(case: Case, found: tuple[Link, ...]) -> dict:
    """Return the record of a case: what is expected, and the links as they were read."""
    expected = {
        "kinds": case.kinds,
        "retryable": case.retryable,
        "maybe_executed": case.maybe_executed,
        "retry_after_s": case.retry_after_s,
        "wave": case.wave,
    }
    return {"name": case.name, "expected": expected, "links": [flat(link) for link in found]}


def flat(link: Link) -> dict:
    """Return a link as JSON can hold it."""
    read = link.evidence
    return {
        "names": read.names, "above": read.above, "signals": read.signals, "headers": read.headers, "body": read.body,
        "text": read.text, "branch": link.branch, "explicit": link.explicit,
    }  # fmt: skip


def main() -> int:
    """Run all areas, or those named; 1 where an answer is not what is expected."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--wave", type=int)
    parser.add_argument("--only", default="")
    parser.add_argument("areas", nargs="*", default=AREAS)
    arguments = parser.parse_args()
    net, total, wrong = Net(), {}, 0
    for area in arguments.areas:
        rows = []
        for case in importlib.import_module(f"tests.golden.errors.cases_{area}").cases.found:
            if arguments.only not in case.name or (arguments.wave and case.wave != arguments.wave):
                continue
            error = raised(case, net)
            answer = classify(error)
            verdict = judged(asdict(case), answer)
            score = total.setdefault(case.wave, Score())
            score.count(verdict)
            wrong += bool(verdict.wrong)
            if verdict.wrong or arguments.only:
                chain = " <- ".join(link.evidence.names[0] for link in links(error) if link.evidence.names)
                print(f"{case.name}: {', '.join(verdict.wrong)}; rule {answer.rule}, {chain}: {str(error)[:160]!r}")
            rows.append(recorded(case, links(error)))
        if arguments.write:
            lines = ",\n".join(json.dumps(row, ensure_ascii=False, sort_keys=True, default=str) for row in rows)
            for place, word in (
                (str(net.folder), "/folder"),
                (str(HERE), "/here"),
                (sys.prefix, "/venv"),
                (sys.base_prefix, "/python"),
            ):
                lines = lines.replace(place, word)
            (HERE / f"{area}.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    for wave, score in sorted(total.items()):
        print(f"wave {wave}: {score}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
