"""Which breaker settings are refused: values out of range, and settings that cannot work together."""

import math
from typing import TYPE_CHECKING, Final

from relkit.exceptions import ParameterError
from relkit.policies._checks import checked_code, checked_flag, checked_number, checked_whole
from relkit.policies.codes import ADAPTIVE, CHOICES, CONSECUTIVE, COUNT, EVIDENCE, OUTLIER

if TYPE_CHECKING:
    from relkit.policies.records import BreakerSettings, Peers

_MANY: Final = 1_000_000
_LONGEST_S: Final = 1e9  # 31 years
_OFF: Final = 2.0
_WHOLE: Final[dict[str, tuple[int, str]]] = {
    "failure_threshold": (0, "give failures in a row, e.g. 5"),
    "threshold_floor": (1, "give failures in a row, e.g. 2"),
    "threshold_ceiling": (1, "give failures in a row, e.g. 10"),
    "adapt_calls": (1, "give calls, e.g. 100"),
    "window_calls": (1, "give calls, e.g. 100"),
    "buckets": (1, "give parts of the window, e.g. 10"),
    "min_calls": (0, "give calls, e.g. 20"),
    "baseline_calls": (1, "give calls, e.g. 1000"),
    "min_peers": (0, "give members, e.g. 5"),
    "half_open_permits": (0, "give calls, e.g. 1"),
    "half_open_successes": (0, "give successes, or 0 to judge by share"),
}
_SECONDS: Final = (
    "slow_call_s",
    "timeout_s",
    "warm_up_s",
    "interval_s",
    "half_open_max_s",
    "open_max_s",
    "trips_kept_s",
)
_POSITIVE: Final = {
    "window_s": "give seconds, e.g. 10",
    "ema_s": "give seconds, e.g. 30",
    "failure_share": "give a share such as 0.5, no percentage, or 2 to switch the rule off",
    "slow_share": "give a share such as 0.5, no percentage, or 2 to switch the rule off",
    "open_s": "give seconds, e.g. 60",
    "open_factor": "give a factor, e.g. 2",
    "evidence_gap": "give a share, e.g. 0.2",
    "evidence_limit": "give natural-log units, e.g. 12",
    "accepts_factor": "give requests for one accepted, e.g. 2",
}
_SHARES: Final = (
    "lower_below_share",
    "raise_above_share",
    "baseline_low",
    "baseline_high",
    "ejected_share",
    "enforced_share",
    "reject_cap",
    "open_jitter",
)
_FLAGS: Final = (
    "caps_min_calls",
    "grid_from_start",
    "share_is_strict",
    "judges_success",
    "counts_at_start",
    "keeps_window",
    "permits_in_all",
    "half_open_expiry_closes",
    "open_is_strict",
    "waits_for_call",
    "ignored_is_success",
    "records_late",
)


def numbered(name: str, value: object) -> object:
    """Turn the word of a setting that is one of several into its number; leave everything else alone.

    >>> numbered("family", "count"), numbered("open_s", 5.0)
    (4, 5.0)
    """
    if name not in CHOICES or not isinstance(value, str):
        return value
    words = CHOICES[name]
    if value not in words:
        raise ParameterError.of(name, value, ", ".join(words), "use one of these words")
    return words.index(value)


def check_breaker(cfg: "BreakerSettings") -> None:
    """Refuse settings that are out of range or cannot work together."""
    for name, (low, remedy) in _WHOLE.items():
        checked_whole(name, getattr(cfg, name), low, _MANY, remedy)
    for name in _SECONDS:
        checked_number(name, getattr(cfg, name), 0.0, _LONGEST_S, "give seconds, or 0 for none")
    for name, remedy in _POSITIVE.items():
        most = _OFF if name in ("failure_share", "slow_share") else _LONGEST_S if name.endswith("_s") else math.inf
        checked_number(name, getattr(cfg, name), 0.0, most, remedy, open_low=True)
    for name in _SHARES:
        checked_number(name, getattr(cfg, name), 0.0, 1.0, "give a share in [0, 1]")
    for name in ("ema_calls", "baseline_doubt", "sd_factor"):
        checked_number(name, getattr(cfg, name), 0.0, math.inf, "give a number, or 0 for none")
    for name, words in CHOICES.items():
        checked_code(name, getattr(cfg, name), words)
    for name in _FLAGS:
        checked_flag(name, getattr(cfg, name))
    _check_together(cfg)


def check_peers(peers: "Peers") -> None:
    """Refuse a fleet that cannot be."""
    for name in ("members", "open_members"):
        checked_whole(name, getattr(peers, name), 0, _MANY, "give members, or 0 when none are known")
    for name in ("mean_share", "sd_share"):
        checked_number(name, getattr(peers, name), 0.0, 1.0, "give a share in [0, 1]")


def _check_together(cfg: "BreakerSettings") -> None:
    if cfg.family == COUNT and cfg.min_calls > cfg.window_calls and not cfg.caps_min_calls:
        remedy = "lower min_calls or lengthen the window: as it is, it can never open"
        raise ParameterError.of("min_calls", cfg.min_calls, f"at most window_calls, {cfg.window_calls}", remedy)
    if cfg.family in {CONSECUTIVE, ADAPTIVE} and cfg.failure_threshold == 0:
        remedy = "give failures in a row, e.g. 5: as it is, it can never open"
        raise ParameterError.of("failure_threshold", 0, "a whole number from 1", remedy)
    if cfg.family == ADAPTIVE:
        if not cfg.threshold_floor <= cfg.failure_threshold <= cfg.threshold_ceiling:
            allowed = f"from threshold_floor, {cfg.threshold_floor}, to threshold_ceiling, {cfg.threshold_ceiling}"
            raise ParameterError.of("failure_threshold", cfg.failure_threshold, allowed, "start between its bounds")
        if cfg.lower_below_share >= cfg.raise_above_share:
            allowed = f"below raise_above_share, {cfg.raise_above_share}"
            raise ParameterError.of("lower_below_share", cfg.lower_below_share, allowed, "leave a gap between the two")
    if cfg.family == EVIDENCE and not 0.0 < cfg.baseline_low <= cfg.baseline_high < 0.95:
        allowed = "0 < baseline_low <= baseline_high < 0.95"
        raise ParameterError.of("baseline_low", cfg.baseline_low, allowed, "leave room for worse than usual")
    if cfg.family == OUTLIER and cfg.interval_s == 0:
        remedy = "give the seconds between two sweeps: without them nothing is ever released"
        raise ParameterError.of("interval_s", cfg.interval_s, "a number above 0", remedy)
    if cfg.permits_in_all and cfg.half_open_successes > cfg.half_open_permits > 0:
        remedy = "raise half_open_permits: as it is, half open can never close"
        allowed = f"at most half_open_permits, {cfg.half_open_permits}, when these are given once"
        raise ParameterError.of("half_open_successes", cfg.half_open_successes, allowed, remedy)
    if cfg.half_open_permits > 0 and cfg.half_open_successes == 0 and (cfg.keeps_window or cfg.counts_at_start):
        name = "keeps_window" if cfg.keeps_window else "counts_at_start"
        remedy = f"give successes, e.g. 1: {name} would mix calls from before half open into its verdict"
        raise ParameterError.of("half_open_successes", 0, f"a whole number from 1 where {name} is set", remedy)
    if 0 < cfg.open_max_s < cfg.open_s:
        raise ParameterError.of("open_max_s", cfg.open_max_s, f"at least open_s, {cfg.open_s:g}, or 0", "raise it")
    if cfg.open_factor < 1:
        raise ParameterError.of("open_factor", cfg.open_factor, "a number from 1", "an open time should not shrink")
