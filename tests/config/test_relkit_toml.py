import contextlib
import dataclasses
from fractions import Fraction
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relkit.config import Config, Price, ReportSettings, ShadowPlan, load_config
from relkit.errors import classify, load_rules
from relkit.exceptions import ParameterError
from relkit.policies.rollout import RolloutSchedule
from relkit.slo import DEFAULT_EXCLUDED, Objective

# 16 November 2026, 10:00 and 12:00 UTC
SCHEDULE = RolloutSchedule((1_794_823_200.0, 1_794_830_400.0), (0.1, 1.0))
WHOLE = """
[objective.availability]
target = "0.999"
window_days = 28
exclude = ["API_NOT_FOUND", "CANCELLED"]
service = "assistant"

[objective.latency]
target = "0.95"
threshold_ms = 2000

[shadow.new-model]
margin = 0.01

[shadow.newer]
margin = 0.02
schedule = [{ at = 2026-11-16T10:00:00Z, share = 0.1 }, { at = 2026-11-16T12:00:00Z, share = 1.0 }]
latency_margin = 0.05

[prices."llama-3.1-8b"]
input_usd_per_million = 0.05
output_usd_per_million = 1

[report]
zone = "Europe/Berlin"
guardrails = ["availability", "new-model", "shadow"]
"""


@pytest.fixture
def write(tmp_path):
    def make(text: str | bytes) -> Path:
        path = tmp_path / "relkit.toml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return make


def refusal(path) -> str:
    with pytest.raises(ParameterError) as caught:
        load_config(path)
    assert "relkit.toml" in str(caught.value)
    return str(caught.value)


def test_without_a_file_the_packaged_defaults_hold():
    config = load_config(None)
    assert config.objectives == (
        Objective("availability", "0.999", 30),
        Objective("latency", "0.95", 30, threshold_us=2_000_000),
    )
    assert (dict(config.shadow), dict(config.prices), config.report) == ({}, {}, ReportSettings("UTC", ()))


def test_every_table_is_read(write):
    config = load_config(write(WHOLE))
    availability, latency = config.objectives
    assert availability == Objective(
        "availability", "0.999", 28, excluded=frozenset({"API_NOT_FOUND", "CANCELLED"}), service="assistant"
    )
    assert (latency.target, latency.threshold_us, latency.excluded) == (Fraction(19, 20), 2_000_000, DEFAULT_EXCLUDED)
    assert config.shadow == {"new-model": ShadowPlan(0.01), "newer": ShadowPlan(0.02, SCHEDULE, latency_margin=0.05)}
    assert config.prices == {"llama-3.1-8b": Price(0.05, 1.0)}
    assert config.report == ReportSettings("Europe/Berlin", ("availability", "new-model", "shadow"))


def test_a_config_cannot_be_changed(write):
    config = load_config(write(WHOLE))
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.report = ReportSettings()
    with pytest.raises(TypeError):
        config.shadow["other"] = ShadowPlan(0.5)
    assert isinstance(config, Config)


def test_a_file_without_objectives_keeps_the_defaults_and_a_file_with_one_has_just_that(write):
    assert load_config(write("")).objectives == load_config(None).objectives
    assert load_config(write('[report]\nzone = "UTC"')).objectives == load_config(None).objectives
    assert [goal.name for goal in load_config(write('[objective.a]\ntarget = "0.9"')).objectives] == ["a"]


def test_every_kind_of_objective_is_read(write):
    text = """
[objective.minutes]
target = "0.99"
method = "time_slices"
slice_s = 300
slice_target = "0.95"
calendar = "month"

[objective.full]
target = "0.9"
method = "ratio_time_slices"
degraded = "bad"
"""
    minutes, full = load_config(write(text)).objectives
    assert minutes == Objective(
        "minutes", "0.99", calendar="month", method="time_slices", slice_minutes=5, slice_target="0.95"
    )
    assert (full.method, full.degraded, full.slice_target, full.calendar) == ("ratio_time_slices", "bad", None, None)


def test_an_empty_exclude_excludes_nothing(write):
    (goal,) = load_config(write('[objective.a]\ntarget = "0.9"\nexclude = []')).objectives
    assert goal.excluded == frozenset()


def test_a_float_target_is_refused_with_the_remedy(write):
    said = refusal(write("[objective.availability]\ntarget = 0.999"))
    assert 'objective.availability.target = 0.999 is not acceptable: write it as text, target = "0.999"' in said


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[objectives.a]\ntarget = '0.9'", "unknown key objectives (did you mean objective?)"),
        ("[objective.a]\ntarget = '0.9'\nwindow = 7", "unknown key objective.a.window (did you mean window_days?)"),
        ("[objective.a]\ntarget = '0.9'\ncalendar = 'year'", "objective.a.calendar = 'year' is not acceptable"),
        ("[objective.a]\ntarget = '0.9'\ncalendar = 'month'\nwindow_days = 30", "take one of the two out"),
        ("[objective.a]\ntarget = '0.9'\nmethod = 'time_slices'", "objective.a: slice_target = None"),
        ("[objective.a]\ntarget = '0.9'\nmethod = 'time_slices'\nslice_target = 0.9", 'slice_target = "0.9"'),
        ("[objective.a]\ntarget = '0.9'\nslice_s = 90", "objective.a.slice_s = 90 is not acceptable"),
        ("[objective.a]\ntarget = '0.9'\ndegraded = 'ugly'", "objective.a.degraded = 'ugly' is not acceptable"),
        ("[report]\ntimezone = 'UTC'", "unknown key report.timezone (did you mean zone?)"),
        ("[shadow.x]\nmargin = 0.1\nmargn = 0.1", "unknown key shadow.x.margn (did you mean margin?)"),
        ("[service.default]\nretri = {}", "service.default: unknown key retri (did you mean retry?)"),
        ("[objective.a]\nwindow_days = 7", "objective.a.target is missing"),
        ("[objective.a]\ntarget = true", "objective.a.target = True is not acceptable: input should be a valid string"),
        ("[objective.a]\ntarget = '0.9'\nthreshold_ms = 0", "objective.a.threshold_ms = 0"),
        ("[objective.a]\ntarget = '0.9'\nwindow_days = '7'", "objective.a.window_days = '7'"),
        ("[objective.a]\ntarget = '0.9'\nwindow_days = 0", "objective.a: window_days = 0 is not acceptable"),
        ("[objective.a]\ntarget = '99.9'", 'objective.a: target = \'99.9\' is not acceptable'),
        ("[objective.a]\ntarget = '0.9'\nexclude = ['API_RATE_LIMIT']", "total rate limiting would read as 100 %"),
        ("[objective.a]\ntarget = '0.9'\nexclude = ['API_NOT_FOND']", "'API_NOT_FOND' (did you mean API_NOT_FOUND?)"),
        ("[shadow.x]\nmargin = 1.5", "shadow.x.margin = 1.5"),
        ("[shadow.x]\nmargin = nan", "shadow.x.margin = nan"),
        ("[prices.m]\ninput_usd_per_million = -1\noutput_usd_per_million = 1", "prices.m.input_usd_per_million = -1"),
        ("[prices.m]\ninput_usd_per_million = 1\noutput_usd_per_million = inf", "output_usd_per_million = inf"),
        ("[report]\nzone = 'Mars/Olympus'", "report.zone = 'Mars/Olympus' is not acceptable: name an IANA time zone"),
        ("[report]\nzone = '../../etc/passwd'", "name an IANA time zone"),
        ("[report]\nzone = ''", "name an IANA time zone"),
        ("[report]\nguardrails = ['availabilty']", "nothing is called 'availabilty' (did you mean availability?)"),
        ("objective = 5", "objective = 5 is no section"),
        ("[shadow.x]\nmargin = 0.1\nschedule = []", "shadow.x.schedule = []"),
        ("[shadow.x]\nmargin = 0.1\nschedule = [{ at = 2026-11-16T10:00:00, share = 0.1 }]", "say which zone"),
        ("[shadow.x]\nmargin = 0.1\nschedule = [{ at = 2026-11-16T10:00:00Z, percent = 10 }]", "known: at, share"),
        (
            "[shadow.x]\nmargin = 0.1\nschedule = [{ at = 2026-11-16T10:00:00Z, share = 0.5 }, { at = 2026-11-16T11:00:00Z, share = 0.1 }]",
            "shadow.x.schedule: share",
        ),
        ("[shadow]\nmargin = 0.01", "shadow.margin = 0.01 is no section; write [shadow.NAME]"),
    ],
)  # fmt: skip
def test_a_fault_names_the_file_the_key_and_the_remedy(write, text, expected):
    assert expected in refusal(write(text))


def test_all_faults_are_told_at_once(write):
    said = refusal(write("[report]\nzne = 'UTC'\n[shadow.x]\nmargin = 7"))
    assert "report.zne" in said
    assert "shadow.x.margin" in said


def test_broken_toml_names_file_and_line(write):
    assert "at line 2, column" in refusal(write("[report]\nzone == 1\n"))
    assert "at line 2, the end of the file" in refusal(write('[report]\nzone = "UTC'))


def test_a_file_that_is_not_text_names_the_line(write):
    assert "line 2: not UTF-8 text" in refusal(write(b"# fine\n# \xe9t\xe9\n"))


def test_a_byte_order_mark_is_no_fault(write):
    assert load_config(write("\ufeff[report]\nzone = 'UTC'")).report.zone == "UTC"


def test_a_file_that_is_not_there_is_told(tmp_path):
    assert "cannot be read" in refusal(tmp_path / "relkit.toml")
    (tmp_path / "as-folder").mkdir()
    with pytest.raises(ParameterError, match="cannot be read"):
        load_config(tmp_path / "as-folder")


def test_the_corrected_plan_loads_and_the_plan_is_refused_with_its_reason():
    room = Path(str(files("relkit.slo")))
    assert [goal.name for goal in load_config(room / "plan-fixed.toml").objectives] == [
        "availability",
        "latency",
        "latency_tail",
    ]
    with pytest.raises(ParameterError, match=r"plan\.toml: objective\.success: .*API_AUTH_ERROR"):
        load_config(room / "plan.toml")


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_no_file_raises_anything_but_a_parameter_error(tmp_path_factory, written):
    path = tmp_path_factory.mktemp("any") / "relkit.toml"
    path.write_bytes(written)
    with contextlib.suppress(ParameterError):
        load_config(path)


RULE = """
[[rule]]
id = "shop.closed"
kind = "API_INVALID_REQUEST"
when = { status = 503, code = "SHOP_CLOSED" }
before = "code.capacity"
examples = [{ status = 503, code = "SHOP_CLOSED" }]
counterexamples = [{ status = 503 }]
"""


def test_rules_of_the_file_are_laid_over_relkits_own(tmp_path):
    place = tmp_path / "relkit.toml"
    place.write_text(WHOLE + RULE, encoding="utf-8")
    mine = load_config(place).rules
    assert classify({"status": 503, "code": "SHOP_CLOSED"}, mine).rule == "shop.closed"
    assert len(mine.rules) == len(load_rules().rules) + 1
    assert mine.layers[-1] == str(place)
    assert load_config(None).rules.hash == load_rules().hash != mine.hash


def test_a_rule_with_faults_is_refused_with_file_and_line(tmp_path):
    place = tmp_path / "relkit.toml"
    place.write_text(RULE.replace("kind =", "knd =").replace("SHOP_CLOSED", "SHOP_OPEN", 1), encoding="utf-8")
    with pytest.raises(ParameterError) as caught:
        load_config(place)
    told = str(caught.value).splitlines()[1:]
    assert told[0].startswith(f"{place}, line 3, rule shop.closed: unknown kind None")
    assert told[1].startswith(f"{place}, line 4, rule shop.closed: unknown key knd; did you mean kind?")


def test_rules_that_are_no_list_of_tables_are_refused(tmp_path):
    place = tmp_path / "relkit.toml"
    place.write_text("rule = 3", encoding="utf-8")
    with pytest.raises(ParameterError, match="rule = 3"):
        load_config(place)
