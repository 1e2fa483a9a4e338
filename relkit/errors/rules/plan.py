"""The rule set `plan`: the classifier of the plan, read literally, to be compared with ours and never followed."""

from functools import cache
from importlib.resources import files
from typing import Final

from relkit.errors.rules import RuleSet, load_rules
from relkit.errors.signals import Signals, read_signals

_NOTHING: Final = object()


@cache
def plan_rules() -> RuleSet:
    """Load the rule set `plan`.

    On a row of a log it is given the favour of the status: the row does not say whether the error carried it as
    `error.response.status`, the only place the plan looks. `plan_signals` reads a live error without that favour.

    Returns
    -------
    RuleSet
        Ten rules and the default: what none of them knows is UNKNOWN and is retried.

    Examples
    --------
    >>> rule, _ = plan_rules().first(Signals(status=400, message="invalid value for parameter 'timeout'"))
    >>> print(rule.kind, rule.advice.retryable)
    NETWORK_TIMEOUT True
    """
    return load_rules(files("relkit.errors.rules").joinpath("plan.toml").read_text(encoding="utf-8"), layer="plan.toml")


def plan_signals(error: object, status_name: str = "status") -> Signals:
    """Read from a live error what the plan's classifier reads: its code, its message, the status of its response.

    Parameters
    ----------
    error : object
        Whatever was raised; an attribute that raises is not there.
    status_name : str
        Attribute of `error.response` that holds the status: "status" as the plan has it, "status_code" as a port to
        Python would do it the favour.

    Returns
    -------
    Signals
        Nothing but code, message and status; the message cleaned like any other, so only its first 500 characters.

    Examples
    --------
    >>> plan_signals(ConnectionRefusedError(111, "Connection refused"))
    Signals(exception_type=None, status=None, code=None, ..., message='[Errno #] Connection refused')
    """
    response = _attribute(error, "response")
    row = {
        "code": _attribute(error, "code"),
        "message": _text(error),
        "status": _attribute(response, status_name),
    }
    return read_signals({name: value for name, value in row.items() if value is not _NOTHING and not callable(value)})


def _attribute(holder: object, name: str) -> object:
    try:
        return getattr(holder, name, _NOTHING)
    except Exception:  # noqa: BLE001 - errors are strangers; an error path that raises hides the error
        return _NOTHING


def _text(error: object) -> object:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - see _attribute
        return _NOTHING
