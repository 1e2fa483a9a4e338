"""What relkit writes is what the real libraries took: golden files made by tests/golden/exports/make.py."""

import json
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from relkit.config import exported
from relkit.policies.backoff import EXPONENTIAL
from relkit.policies.fallback import FallbackModel, FallbackSettings
from relkit.policies.policy import Policy
from relkit.policies.presets import changed, presets
from relkit.policies.retry_settings import Retry, RetrySettings

GOLDEN = Path(__file__).parents[1] / "golden/exports"
PLAIN = RetrySettings(
    max_attempts=4,
    backoff=EXPONENTIAL,
    first_delay_s=0.25,
    cap_s=0.75,
    jitter=0,
    hint=0,
    guard_repeats=False,
    retry_results=False,
)
CHAIN = FallbackSettings(
    (FallbackModel("a", "openai", 8192, 0.05, 0.08), FallbackModel("b", "groq", 32768, 0.59, 0.79))
)
LITELLM = changed(presets["litellm"], open_s=30.0, max_attempts=2)
WRITTEN: dict[str, tuple[Policy, str]] = {
    "pybreaker": (
        changed(presets["pybreaker"], failure_threshold=7, open_s=12.5, half_open_successes=2),
        "pybreaker.py.txt",
    ),
    "tenacity": (Policy("plain", "2026", "test", retry=Retry.of(PLAIN)), "tenacity.py.txt"),
    "stamina": (presets["stamina"], "stamina.py.txt"),
    "litellm": (
        Policy("chain", "2026", "test", breaker=LITELLM.breaker, retry=LITELLM.retry, fallback=CHAIN),
        "litellm.yaml",
    ),
    "opossum": (changed(presets["opossum-10"], failure_share=0.29, open_s=7.5, min_calls=12), "opossum.json"),
}


def golden(library: str) -> dict:
    return json.loads((GOLDEN / f"{library}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("library", WRITTEN)
def test_the_files_the_libraries_took_are_what_is_written(library: str) -> None:
    policy, name = WRITTEN[library]
    assert str(exported(policy, library)) == (GOLDEN / "written" / name).read_text(encoding="utf-8")


def test_pybreaker_took_every_number() -> None:
    took, cfg = golden("pybreaker"), WRITTEN["pybreaker"][0].breaker
    assert (took["fail_max"], took["reset_timeout"], took["success_threshold"]) == (
        cfg.failure_threshold,
        cfg.open_s,
        cfg.half_open_successes,
    )


def test_tenacity_waits_as_the_policy_does() -> None:
    assert golden("tenacity")["waits_s"] == [0.25, 0.5, 0.75]


def test_stamina_waits_as_the_policy_does() -> None:
    waits = golden("stamina")["waits_without_jitter_s"]
    assert waits == [min(5.0, 0.1 * 2.0**place) for place in range(9)]


def test_litellm_took_the_rule_the_retries_and_the_chain() -> None:
    took = golden("litellm")
    assert (took["cooldown_time"], took["num_retries"], took["fallbacks"]) == (30, 1, [{"a": ["b"]}])
    assert took["costs"] == [5e-08, 5.9e-07]  # numbers, and no texts


def test_opossum_took_milliseconds_and_percent() -> None:
    took = golden("opossum")
    assert (took["errorThresholdPercentage"], took["resetTimeout"], took["volumeThreshold"]) == (29, 7500, 12)


@pytest.mark.parametrize("library", ["pybreaker", "tenacity", "stamina", "litellm"])
def test_a_library_that_is_here_takes_the_same(library: str) -> None:
    if find_spec(library) is None:
        pytest.skip(f"{library} is not installed here; the golden file stands for it")
    told = subprocess.run([sys.executable, GOLDEN / "make.py", library], capture_output=True, text=True, check=True)
    assert json.loads(told.stdout) | {"version": 0} == golden(library) | {"version": 0}


def test_opossum_takes_the_same_where_it_is_here(tmp_path: Path) -> None:
    if shutil.which("node") is None or not Path("node_modules/opossum").is_dir():
        pytest.skip("opossum is not installed here; the golden file stands for it")
    told = subprocess.run([sys.executable, GOLDEN / "make.py", "opossum"], capture_output=True, text=True, check=True)
    assert json.loads(told.stdout) | {"version": 0} == golden("opossum") | {"version": 0}
