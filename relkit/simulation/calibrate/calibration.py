"""`calibrate`: logged traffic in, a scenario that `relkit.simulate` runs out, with what it rests on."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from relkit.errors.kinds import ADVICE, ErrorKind
from relkit.simulation.calibrate.checks import Check, check_model
from relkit.simulation.calibrate.fit import Fitted, fit
from relkit.simulation.calibrate.model import TrafficModel
from relkit.simulation.episodes import Episode, bursts
from relkit.simulation.latency import mixture
from relkit.simulation.scenario import ErrorShare, Scenario, ServedModel
from relkit.simulation.traffic import LoggedTraffic
from relkit.units import count, duration, percent, several

_KINDS: Final = {advice.int_code: kind for kind, advice in ADVICE.items()}
_USUAL: Final = ErrorKind.API_SERVER_ERROR
_LEAST_S: Final = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """What a log says of its traffic, as a scenario, and how far it is to be trusted.

    Parameters
    ----------
    scenario : Scenario
        For `relkit.simulate`.
    model : TrafficModel
        The same as numbers.
    checks : tuple of Check
        Properties of the log beside those of logs drawn from the model.
    diagnostics : tuple of str
        What was found and chosen, a sentence each.
    failed_share : float
        Share of the attempts seen that failed.
    error_share : float
        Share of time-weighted attempts that fail by the model: larger, where the client's own breaker hid failures.
    hidden_share : float
        Share of the attempts that were never sent because a breaker was open.
    error_share_low, error_share_high : float
        Share that failed if every hidden call had been good, and if every one had failed.
    fitted : Fitted
        All parts, for pages.
    """

    scenario: Scenario
    model: TrafficModel
    checks: tuple[Check, ...]
    diagnostics: tuple[str, ...]
    failed_share: float
    error_share: float
    hidden_share: float
    error_share_low: float
    error_share_high: float
    fitted: Fitted

    @property
    def is_trusted(self) -> bool:
        """Whether no predictive check failed."""
        return all(check.passed for check in self.checks)

    @property
    def stamp(self) -> str:
        """What every page that uses the scenario says when a check failed; empty when none did."""
        failed = [check.name for check in self.checks if not check.passed]
        if not failed:
            return ""
        return (
            f"Not to be trusted: traffic drawn from this calibration does not look like the log in {', '.join(failed)}. "
            "What is computed from it may be wrong."
        )


def calibrate(traffic: LoggedTraffic, *, name: str = "calibrated", seed: int = 0) -> Calibration:
    """Turn logged traffic into a scenario, and check that it looks like the log.

    Parameters
    ----------
    traffic : LoggedTraffic
        Attempts on one model, as `relkit.store.readings.traffic` reads them.
    name : str
        Name of the scenario.
    seed : int
        Of the logs that are drawn for the checks.

    Returns
    -------
    Calibration

    Raises
    ------
    DataError
        The log is too short, or no call has a latency.

    Examples
    --------
    >>> from relkit.simulation.traffic import traffic_of
    >>> rng = np.random.default_rng(1)
    >>> found = calibrate(traffic_of(rng.uniform(0, 3600, 3000), 0.4 * np.exp(0.5 * rng.standard_normal(3000)), rng.random(3000) > 0.02))
    >>> found.is_trusted, found.scenario.requests, round(found.error_share, 2)
    (True, 3000, 0.02)
    """
    fitted = fit(traffic)
    hidden = fitted.rejected / max(fitted.rejected + traffic.attempts, 1)
    blind = f"the log's own breaker hid {percent(hidden, 1)} of the calls" if hidden > 0.0 else ""
    checks = check_model(fitted.model, fitted.log, np.random.default_rng(seed), blind=blind)
    return Calibration(
        scenario_of(fitted, name, traffic.model),
        fitted.model,
        checks,
        tuple(_diagnostics(fitted, traffic, hidden)),
        fitted.failed_share,
        fitted.error_share,
        hidden,
        fitted.failed_share * (1.0 - hidden),
        fitted.failed_share * (1.0 - hidden) + hidden,
        fitted,
    )


def scenario_of(fitted: Fitted, name: str, model_name: str) -> Scenario:
    """Build the scenario of a fit: one model without a limit of capacity, which a log cannot tell."""
    model = fitted.model
    return Scenario(
        name,
        requests=max(int(fitted.log.arrived_s.size), 1),
        arrivals=model.arrivals,
        models=(
            ServedModel(
                model_name or "model",
                "logged",
                mixture(model.latency),
                errors=_usual_errors(fitted),
                error_s=model.error_s,
            ),
        ),
        episodes=tuple(_episodes(fitted, model_name or "model")),
        timeout_s=model.timeout_s,
        about=f"Calibrated on {count(traffic_size(fitted))} logged attempts.",
    )


def traffic_size(fitted: Fitted) -> int:
    """Attempts that the fit rests on."""
    return int(fitted.log.start_s.size)


def _usual_errors(fitted: Fitted) -> tuple[ErrorShare, ...]:
    told = {code: number for code, number in fitted.kinds.items() if code in _KINDS}
    total = sum(told.values())
    failing = fitted.model.failing
    if not failing:
        return ()
    if not total:
        return (ErrorShare(_USUAL, failing),)
    return tuple(ErrorShare(_KINDS[code], failing * number / total) for code, number in sorted(told.items()))


def _episodes(fitted: Fitted, where: str) -> list[Episode]:
    model, found = fitted.model, []
    at_s = 0.0
    for time in (*model.bad_times, None):
        end_s = model.span_s if time is None else time.start_s
        if model.states is not None and end_s - at_s > _LEAST_S:
            share = _extra(model.states.bad_level, model.failing)
            burst = bursts(
                where, at_s, end_s, model.states.good_s, model.states.bad_s, share, _KINDS.get(fitted.bad_kind, _USUAL)
            )
            found.append(replace(burst, slow_factor=model.slow_factor, retry_after_s=_hint(fitted, burst.error)))
        if time is not None:
            kind = _KINDS.get(time.kind, _USUAL)
            end_s = max(time.end_s, time.start_s + _LEAST_S)
            found.append(
                Episode(
                    "bad time",
                    where,
                    time.start_s,
                    end_s,
                    kind,
                    _extra(time.lost, model.failing),
                    _hint(fitted, kind),
                    time.slow_factor,
                )
            )
            at_s = end_s
    return found


def _extra(level: float, usual: float) -> float:
    """Share that an episode must fail on top of the usual errors, for both together to fail `level`."""
    return min(max((level - usual) / (1.0 - usual), 0.0), 1.0) if usual < 1.0 else 1.0


def _hint(fitted: Fitted, kind: ErrorKind) -> float | None:
    return fitted.retry_after_s if kind is ErrorKind.API_RATE_LIMIT else None


def _diagnostics(fitted: Fitted, traffic: LoggedTraffic, hidden: float) -> list[str]:
    model, arriving = fitted.model, fitted.arriving
    told = [arriving.sentence]
    if arriving.tie_share > 0.01:
        step = f"the clock's step is {arriving.resolution_s:g} s" if arriving.resolution_s else "the clock is fine"
        told.append(f"{percent(arriving.tie_share, 1)} of requests come at the very time of another; {step}.")
    if model.states is None:
        told.append("Failures outside bad times come independently of one another, as far as the log can tell.")
    else:
        told.append(
            f"Failures come in bursts: {percent(model.states.bad_level, 0)} fail for {duration(model.states.bad_s)} on average, "
            f"about every {duration(model.states.good_s + model.states.bad_s)}; {percent(model.failing, 2)} fail otherwise."
        )
    if model.bad_times:
        told.append(
            f"{several(len(model.bad_times), 'long bad time')} kept at their own times, because they stand alone."
        )
    told += [
        f"For {duration(time.end_s - time.start_s)} calls took {time.slow_factor:.2g} times as long as usual, and "
        f"{percent(time.hanging, 1)} hung until they were given up."
        for time in model.bad_times
        if time.slow_factor != 1.0 or time.hanging > 0.0
    ]
    if hidden > 0.0:
        told.append(
            f"{count(fitted.rejected)} calls ({percent(hidden, 1)}) were never sent, because a breaker was open: they are missing, not good. "
            f"Of those sent {percent(fitted.failed_share, 2)} failed; over the whole time {percent(fitted.error_share, 2)} would have."
        )
    if fitted.censored:
        told.append(
            f"{count(fitted.censored)} calls were given up after {model.timeout_s:.3g} s: they took longer, by how much is not in the log."
        )
    if fitted.unfinished:
        told.append(
            f"{count(fitted.unfinished)} calls have no end in the log ({percent(fitted.unfinished / max(traffic.attempts, 1), 1)}): "
            "censored at an unknown time, they count neither as good nor as failed. Those that name no model may have been on another."
        )
    if traffic.others:
        told.append(f"{count(traffic.others)} attempts on other models are left out.")
    return told
