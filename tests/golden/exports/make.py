"""Ask the real libraries what they took from the files that relkit wrote; run it where they are installed.

    python tests/golden/exports/make.py pybreaker > tests/golden/exports/pybreaker.json

One library an argument: pybreaker, tenacity, stamina, litellm (in its Python) or opossum (node with it in ./node_modules).
The files are read from tests/golden/exports/written/, which tests/config/test_libraries.py holds to what relkit writes.
"""

import contextlib
import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

WRITTEN = Path(__file__).parent / "written"
_NODE = """
const Breaker = require(require.resolve('opossum', {paths: [process.cwd()]}));
const given = JSON.parse(require('fs').readFileSync(process.argv[1], 'utf8'));
const keys = Object.keys(given);
const o = new Breaker(async () => 1, given);
const took = {};
for (const key of keys) took[key] = o.options[key];
took.volumeThreshold = o.volumeThreshold;
took.version = JSON.parse(require('fs').readFileSync('node_modules/opossum/package.json')).version;
console.log(JSON.stringify(took));
o.shutdown();
"""


def run_python(name: str) -> dict:
    found: dict = {}
    exec(compile((WRITTEN / name).read_text(encoding="utf-8"), name, "exec"), found)
    return found


def pybreaker() -> dict:
    breaker = run_python("pybreaker.py.txt")["breaker"]
    names = ("fail_max", "reset_timeout", "success_threshold", "name")
    return {name: getattr(breaker, name) for name in names}


def tenacity() -> dict:
    import tenacity as library

    waits = []

    def fails() -> None:
        raise OSError

    made = run_python("tenacity.py.txt")["retrying"](fails)
    made.retry.sleep = waits.append
    with contextlib.suppress(OSError):
        made()
    return {"waits_s": waits, "class": type(made.retry.wait).__name__, "ours": library.__name__}


def stamina() -> dict:
    import stamina as library

    given = run_python("stamina.py.txt")["retries"]
    library.retry(on=OSError, **given)
    caller = library.RetryingCaller(**given)
    waits = [
        library._core._compute_backoff(n, given["wait_max"], given["wait_initial"], given["wait_exp_base"], 0)
        for n in range(1, given["attempts"])
    ]
    return {"given": given, "made": type(caller).__name__, "waits_without_jitter_s": waits}


def litellm() -> dict:
    import yaml
    from litellm import Router

    given = yaml.safe_load((WRITTEN / "litellm.yaml").read_text(encoding="utf-8"))
    router = Router(model_list=given["model_list"], **given["router_settings"])
    return {
        "cooldown_time": router.cooldown_time,
        "num_retries": router.num_retries,
        "fallbacks": router.fallbacks,
        "models": router.get_model_names(),
        "costs": [each["model_info"]["input_cost_per_token"] for each in router.get_model_list() or []],
    }


def opossum() -> dict:
    out = subprocess.run(
        ["node", "-e", _NODE, str(WRITTEN / "opossum.json")], capture_output=True, text=True, check=True
    )
    return json.loads(out.stdout)


if __name__ == "__main__":
    library = sys.argv[1]
    took = {"pybreaker": pybreaker, "tenacity": tenacity, "stamina": stamina, "litellm": litellm, "opossum": opossum}[
        library
    ]()
    took.setdefault("version", None if library == "opossum" else version(library))
    print(json.dumps(took, indent=1, sort_keys=True))
