"""The plan's chain of models, played: layers multiply, and a dead first model costs every request its retries."""

import pytest

from relkit.errors import ErrorKind
from relkit.errors.kinds import ADVICE
from relkit.policies.loop import waits
from relkit.policies.presets import presets
from relkit.simulation.drive_retry import failure_of
from relkit.simulation.plan_runs import calls_a_request, chained, first_model_delay_s


@pytest.mark.parametrize("name", ["plan", "plan-critical", "plan-no-retry", "plan-transient"])
def test_layers_multiply(name: str) -> None:
    """Three models, each with the tries that the loop makes on one."""
    retry = presets[name].retry
    assert retry is not None
    tries = 1 + len(waits(retry, failure_of(ADVICE[ErrorKind.NETWORK_REFUSED]))[1])
    assert calls_a_request(name) == 3 * tries


def test_one_limit_spans_all_models() -> None:
    assert calls_a_request("plan-fixed") == 6


def test_a_wrong_key_is_tried_on_every_model_by_the_plan_alone() -> None:
    assert [calls_a_request(name, ErrorKind.API_AUTH_ERROR) for name in ("plan", "plan-fixed")] == [3, 1]


def test_the_plan_asks_no_breaker_before_the_first_model() -> None:
    assert chained("plan").breaker is None
    assert first_model_delay_s("plan") > 1.3
    assert first_model_delay_s("plan-fixed") == 0.0
