"""Scenario files: read strictly, written without loss, refused with file, key and remedy before anything runs."""

from pathlib import Path
from random import Random

import pytest
from random_runs import scenario as random_scenario

from relkit.exceptions import ParameterError
from relkit.simulation.run import simulate
from relkit.simulation.scenario import Scenario
from relkit.simulation.scenario_toml import packaged, packaged_names, read_scenario, scenario_text, write_scenario
from relkit.simulation.suite import SUITE, metastable, policy_for, retrying, w1

SOUND = """
name = "mine"
requests = 1000
timeout_s = 5.0
[arrivals]
kind = "poisson"
rate = 50.0
[[model]]
name = "small"
provider = "a"
latency = { kind = "lognormal", median_s = 0.45, sigma = 0.6 }
servers = 28
errors = { API_SERVER_ERROR = 0.01 }
[[episode]]
kind = "outage"
where = "small"
start_s = 5.0
end_s = 9.0
"""

# What is changed in the sound file, into what, and what must be said of it.
REFUSED = {
    "unknown key": ("timeout_s = 5.0", "timeout_ms = 5.0", "unknown key timeout_ms (did you mean timeout_s?)"),
    "unknown key of a model": ("servers", "server", "unknown key model 1 server (did you mean servers?)"),
    "unknown key of a latency": ("sigma", "spread", "unknown key model 1 latency spread (known: kind, median_s"),
    "unknown key of an episode": ("end_s = 9.0", "end_s = 9.0\nfactor = 3", "unknown key episode 1 factor"),
    "unknown section": ("[[episode]]", "[[episodes]]", "unknown key episodes (did you mean episode?)"),
    "text for a number": ("rate = 50.0", 'rate = "50"', "arrivals rate = '50' is not acceptable"),
    "broken number of requests": ("requests = 1000", "requests = 10.5", "requests = 10.5 is not acceptable"),
    "nothing said": ("rate = 50.0", "", "arrivals rate is missing"),
    "no requests": ("requests = 1000", "", "requests is missing; say how many come"),
    "no arrivals": ('kind = "poisson"', "", "arrivals"),
    "unknown arrivals": ("poisson", "steady", "'poisson', 'varying'"),
    "negative rate": ("rate = 50.0", "rate = -50.0", "arrivals: rate = -50.0"),
    "infinite rate": ("rate = 50.0", "rate = inf", "arrivals: rate = inf"),
    "zero capacity": ("servers = 28", "servers = 0", "model 1: servers = 0 is not acceptable"),
    "negative share": ("API_SERVER_ERROR = 0.01", "API_SERVER_ERROR = -0.01", "model 1: share = -0.01"),
    "unknown error": ("API_SERVER_ERROR", "API_SERVER_EROR", "did you mean API_SERVER_ERROR?"),
    "unknown episode": ('"outage"', '"outrage"', "episode 1: kind = 'outrage' is not acceptable"),
    "episode without its share": ('"outage"', '"brownout"', "episode 1: share is missing; a brownout episode says it"),
    "episode that ends first": ("end_s = 9.0", "end_s = 5.0", "episode 1: episode = (5.0, 5.0)"),
    "episode of nobody": ('where = "small"', 'where = "large"', "where = 'large' is not acceptable"),
    "overlapping episodes": (
        "end_s = 9.0",
        'end_s = 9.0\n[[episode]]\nkind = "slow"\nwhere = "a"\nstart_s = 8.0\nend_s = 20.0\nslow_factor = 3.0',
        "episodes of small = 'slow [8, 20) during outage [5, 9)'",
    ),
    "a billion requests": ("requests = 1000", "requests = 1_000_000_000_000", "ask for fewer requests"),
    "unknown policy": ("requests = 1000", 'requests = 1000\npolicy = "plann"', "policy = 'plann'"),
    "broken TOML": ("rate = 50.0", "rate = ", "mend the TOML"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_is_refused_with_file_key_and_remedy(case: str, tmp_path: Path) -> None:
    old, new, words = REFUSED[case]
    assert old in SOUND
    path = tmp_path / "mine.toml"
    path.write_text(SOUND.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ParameterError) as told:
        read_scenario(path)
    assert str(told.value).startswith(f"{path}: ")
    assert words in str(told.value)


def test_a_billion_requests_are_refused_where_the_memory_is_too_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("relkit.simulation.scenario.free_bytes", lambda: 8 * 10**9)
    with pytest.raises(ParameterError, match=r"it would need 64\.0 GB"):
        packaged("healthy").changed(requests=10**9)


def test_a_file_that_is_not_there_or_no_text_is_said_to_be(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="cannot be read"):
        read_scenario(tmp_path / "none.toml")
    (tmp_path / "odd.toml").write_bytes(b'name = "\xff"')
    with pytest.raises(ParameterError, match="line 1: not UTF-8"):
        read_scenario(tmp_path / "odd.toml")
    with pytest.raises(ParameterError, match="cannot be written"):
        write_scenario(w1(), tmp_path / "no" / "folder.toml")


@pytest.mark.parametrize("name", packaged_names())
def test_a_packaged_scenario_is_told_about_runs_and_reads_back_as_it_was(name: str, tmp_path: Path) -> None:
    scenario = packaged(name)
    assert scenario.about.endswith(".")
    assert read_scenario(write_scenario(scenario, tmp_path / "again.toml", note="a copy")) == scenario
    policy = policy_for(scenario) if scenario.policy else retrying(3)
    few = scenario.changed(requests=min(scenario.requests, 300))
    assert len(simulate(few, policy, 1, engine="oracle").requests) == few.requests


def test_random_scenarios_read_back_as_they_were_to_the_last_bit(tmp_path: Path) -> None:
    for seed in range(60):
        scenario: Scenario = random_scenario(Random(seed), 50)
        path = write_scenario(scenario, tmp_path / "random.toml")
        assert read_scenario(path) == scenario
        assert scenario_text(read_scenario(path)) == path.read_text(encoding="utf-8")


def test_the_suite_and_the_family_are_what_the_files_say() -> None:
    assert set(SUITE) < set(packaged_names())
    unnamed = packaged("metastable").changed(name="metastable 0.7", about="", policy="")
    ours = metastable(0.7)
    assert unnamed.changed(models=ours.models) == ours
    assert unnamed.models[0].capacity_per_s == pytest.approx(40.0)


def test_an_unknown_name_is_told_the_nearest() -> None:
    with pytest.raises(ParameterError, match="did you mean outage"):
        packaged("outgae")
    with pytest.raises(ParameterError, match="choose a policy yourself"):
        policy_for(packaged("healthy"))
