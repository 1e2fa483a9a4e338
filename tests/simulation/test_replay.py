"""A log through other breakers: the compiled loop is the live one, missing calls are never good, bounds hold the truth."""

from dataclasses import replace

import numpy as np
import pytest

from relkit import presets, replay
from relkit.errors.kinds import ADVICE, ErrorKind
from relkit.exceptions import DataError, ParameterError
from relkit.policies.breaker import allow, settle
from relkit.policies.codes import ADMIT, FAILURE, SUCCESS
from relkit.policies.policy import Policy
from relkit.policies.records import Peers
from relkit.policies.transitions import new_breaker
from relkit.policies.votes import outcome_of
from relkit.simulation.calibrate.calibration import Calibration, scenario_of
from relkit.simulation.calibrate.fit import fit
from relkit.simulation.calibrate.hidden import States
from relkit.simulation.draws import PERMIT, KeyedDraws
from relkit.simulation.replay import LEVELS, Incident
from relkit.simulation.replay.breaker_run import Outcomes, event_order, watch
from relkit.simulation.replay.missing import draw_states
from relkit.simulation.traffic import LoggedTraffic, traffic_of

LIVE = presets["pybreaker"]
TRIED = ("plan-fixed", "resilience4j-count", "polly-8", "sre-k2")
KIND = ADVICE[ErrorKind.API_SERVER_ERROR].int_code  # a failure to every preset


def world(seed: int, calls: int = 20_000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return starts, latencies and whether each call is good: bursts in which 70 % fail, a tenth of the time."""
    rng = np.random.default_rng(seed)
    ends = np.cumsum(np.column_stack([rng.exponential(270.0, 200), rng.exponential(30.0, 200)]).ravel())
    starts = np.sort(rng.uniform(0.0, calls / 5.0, calls))
    bad = np.searchsorted(ends, starts) % 2 == 1
    return starts, rng.lognormal(np.log(0.3), 0.4, calls), rng.random(calls) >= np.where(bad, 0.7, 0.005)


def censored(seed: int) -> tuple[LoggedTraffic, LoggedTraffic]:
    """Return the log of a client with a breaker, and what the log would be if nothing had been rejected."""
    starts, took, good = world(seed)
    kinds = np.where(good, 0, KIND)
    whole = traffic_of(starts, took, good, kind=kinds)
    told = Outcomes(whole.outcome, whole.kind, whole.latency_us / 1e6, np.full(starts.size, -1.0))
    let, _ = watch((whole.start_us - whole.start_us[0]) / 1e6, told, LIVE, 1)
    hidden = replace(
        whole,
        rejected=~let,
        outcome=np.where(let, whole.outcome, -1),
        latency_us=np.where(let, whole.latency_us, -1),
        kind=np.where(let, whole.kind, 0),
    )
    return hidden, whole


def unchecked(log: LoggedTraffic) -> Calibration:
    """Calibrate without the predictive checks, which cost most of the time and have tests of their own."""
    fitted = fit(log)
    return Calibration(scenario_of(fitted, "log", log.model), fitted.model, (), (), 0.0, 0.0, 0.0, 0.0, 0.0, fitted)


def plain_watch(starts_s: np.ndarray, told: Outcomes, policy: Policy, seed: int) -> list[bool]:
    """The same loop in plain Python, on the objects that run live."""
    cfg = policy.breaker
    assert cfg is not None
    state, window = new_breaker(cfg, 0.0)
    granted: dict[int, int] = {}
    size = starts_s.size
    for event in event_order(starts_s, told.latency_s).tolist():
        if event < size:
            draw = KeyedDraws(seed).at(event, 0, PERMIT)[0]
            code, generation, _ = allow(state, window, cfg, Peers(), float(starts_s[event]), draw)
            if code == ADMIT:
                granted[event] = generation
        elif event - size in granted:
            at = event - size
            outcome = SUCCESS if told.outcome[at] == 1 else outcome_of(cfg.votes, KIND, FAILURE)
            took = float(told.latency_s[at])
            settle(state, window, cfg, Peers(), float(starts_s[at]) + took, granted[at], outcome, took)
    return [at in granted for at in range(size)]


@pytest.mark.parametrize("name", TRIED)
def test_the_compiled_loop_decides_as_the_live_objects_do(name: str) -> None:
    starts, took, good = world(3, 3000)
    good[1000:1800] &= np.random.default_rng(4).random(800) < 0.1
    told = Outcomes(good.astype(np.int64), np.where(good, 0, KIND), took, np.full(3000, -1.0))
    let, _ = watch(starts, told, presets[name], 9)
    assert let.tolist() == plain_watch(starts, told, presets[name], 9)
    assert 0 < let.sum() < 3000


def test_ends_come_before_starts_of_the_same_moment_but_never_before_their_own() -> None:
    order = event_order(np.array([0.0, 1.0, 1.0]), np.array([1.0, 0.0, 2.0])).tolist()
    assert order.index(3) < order.index(1) < order.index(4)


def test_without_missing_calls_nothing_is_uncertain() -> None:
    _, whole = censored(1)
    arm = replay(whole, [presets["plan-fixed"]]).arms[0]
    for tally in (arm.let_through, arm.spared, arm.failures_avoided, arm.good_turned_away):
        assert tally.is_known
    assert arm.let_through.value + arm.spared.value == whole.attempts
    assert arm.failures_avoided.value + arm.good_turned_away.value == arm.spared.value


def test_an_incident_is_what_failed_in_it_less_what_is_spared() -> None:
    """Over the whole log as one incident: the log's failures, and those of them that a breaker lets through."""
    hidden, whole = censored(1)
    everything = (Incident(-1.0, 1e9),)
    found = replay(whole, [presets["plan-fixed"]], incidents=everything)
    arm = found.arms[0]
    assert arm.failed_within[0].value == found.logged[0].failed - arm.failures_avoided.value
    told = replay(hidden, [presets["plan-fixed"]], incidents=everything)
    assert told.logged[0].turned_away == np.count_nonzero(hidden.rejected)
    assert told.arms[0].failed_within[0].low < told.arms[0].failed_within[0].high


def test_the_breaker_of_the_log_itself_spares_just_what_it_spared() -> None:
    hidden, whole = censored(2)
    found = replay(whole, [LIVE]).arms[0]
    assert found.spared.value == np.count_nonzero(hidden.rejected)


def test_missing_calls_are_no_evidence_and_never_good() -> None:
    starts = np.arange(1000.0)
    rejected = (starts >= 500) & (starts < 600)
    good = (starts < 480) | (starts >= 600)
    log = replace(
        traffic_of(starts, np.full(1000, 0.1), good, rejected=rejected),
        outcome=np.where(rejected, -1, good.astype(np.int64)),
    )
    arm = replay(log, [LIVE]).arms[0]
    known_good = int(np.count_nonzero(~rejected & good))
    assert arm.good_turned_away.value <= known_good - 900 + 60  # at most one open minute after the end
    assert arm.failures_avoided.low < arm.failures_avoided.high
    assert arm.failures_avoided.low <= arm.failures_avoided.value <= arm.failures_avoided.high


def test_bounds_hold_the_truth_and_the_drawn_value_comes_near_it() -> None:
    """Five logs whose truth is known: all within the bounds, and the drawn value within a quarter in the median."""
    policy = presets["plan-fixed"]
    errors, inside = [], 0
    for seed in range(5):
        hidden, whole = censored(100 + seed)
        truth = replay(whole, [policy]).arms[0].failures_avoided.value
        tally = replay(hidden, [policy], "R1", calibration=unchecked(hidden), draws=5).arms[0].failures_avoided
        inside += tally.low <= truth <= tally.high
        errors.append(abs(tally.value - truth) / truth)
    assert inside == 5
    assert np.median(errors) < 0.25


def test_states_are_drawn_as_the_chain_says() -> None:
    """In a gap far from evidence the bad share is the chain's own: 400 draws, limits at 4 standard errors (1 in 16,000)."""
    states = States(90.0, 10.0, 0.01, 0.9, 0.0)
    times = np.array([0.0, 1e5, 2e5])
    rng = np.random.default_rng(1)
    bad = np.mean([draw_states(times, np.array([1, -1, 1]), states, rng)[1] for _ in range(400)])
    assert abs(bad - 0.1) < 4 * np.sqrt(0.09 / 400)


def test_detection_runs_from_the_start_of_the_incident() -> None:
    starts = np.arange(1000.0)
    log = traffic_of(starts, np.full(1000, 0.2), (starts < 400) | (starts >= 500))
    times = (Incident(400.0, 500.0), Incident(420.0, 460.0), Incident(700.0, 800.0))
    seen = replay(log, [LIVE], incidents=times).arms[0].detection_s
    assert seen == (pytest.approx(4.2), 0.0, None)


def test_a_breaker_that_opened_does_not_end_the_incident_it_opened_for() -> None:
    """The log's own breaker hides what follows; it must itself be seen to open in nine of ten of the incidents found."""
    hidden, _ = censored(7)
    found = replay(hidden, [LIVE], "R1", calibration=unchecked(hidden), draws=5)
    assert len(found.incidents) >= 5
    assert found.arms[0].detected >= 0.9 * len(found.incidents)


def test_the_closed_loop_feels_its_capacity() -> None:
    """With few servers the queue fills and calls time out, so the breaker spares more than with many."""
    _, whole = censored(5)
    part = whole.picked(np.arange(whole.start_us.size) < 6000)
    found = unchecked(part)
    scenario = found.scenario.changed(timeout_s=2.0)
    tight = replay(part, [LIVE], "R2", calibration=replace(found, scenario=scenario), servers=1, draws=3).arms[0]
    wide = replay(part, [LIVE], "R2", calibration=replace(found, scenario=scenario), servers=50, draws=3).arms[0]
    assert tight.spared.value > 2 * wide.spared.value
    assert wide.let_through.low <= wide.let_through.value <= wide.let_through.high
    whole_run = (Incident(0.0, 1e9),)
    all_of_it = replay(
        part, [LIVE], "R2", calibration=replace(found, scenario=scenario), servers=50, draws=3, incidents=whole_run
    ).arms[0]
    assert 0.0 < all_of_it.failed_within[0].value <= all_of_it.let_through.value


@pytest.mark.parametrize(
    ("arguments", "remedy"),
    [
        ({"level": "R3"}, "R0 needs the log alone"),
        ({"level": "R1"}, "relkit.calibrate"),
        ({"policies": []}, "name what to try"),
        ({"policies": [LIVE, LIVE]}, "another name"),
        ({"policies": [replace(LIVE, breaker=None)]}, "nothing to replay"),
        ({"draws": 0}, "20 is usual"),
    ],
)
def test_what_cannot_be_replayed_is_refused_with_a_remedy(arguments: dict[str, object], remedy: str) -> None:
    log = traffic_of(np.arange(300.0), np.full(300, 0.1), np.ones(300, bool))
    with pytest.raises(ParameterError, match=remedy):
        replay(**{"traffic": log, "policies": [LIVE], **arguments})  # type: ignore[arg-type]


def test_a_short_log_is_refused() -> None:
    with pytest.raises(DataError, match="longer period"):
        replay(traffic_of(np.arange(50.0), np.full(50, 0.1), np.ones(50, bool)), [LIVE])


def test_the_level_says_what_it_supposes() -> None:
    log = traffic_of(np.arange(300.0), np.full(300, 0.1), np.ones(300, bool))
    assert replay(log, [LIVE]).supposes == LEVELS["R0"]
