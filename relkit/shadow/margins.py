"""What a shadow may lose, endpoint by endpoint."""

from dataclasses import dataclass, fields

from relkit.exceptions import ParameterError


@dataclass(frozen=True, slots=True)
class Margins:
    """What the shadow may lose, endpoint by endpoint.

    Parameters
    ----------
    errors, differences, flags : float
        Shares, in (0, 1): 0.01 is one point. Differences are those beyond what the primary differs from itself.
    latency, cost : float
        Shares of the primary's: 0.10 is ten per cent slower or dearer.

    Examples
    --------
    >>> Margins(latency=0.2).latency
    0.2
    """

    errors: float = 0.01
    differences: float = 0.05
    latency: float = 0.10
    cost: float = 0.20
    flags: float = 0.002

    def __post_init__(self) -> None:
        for field in fields(self):
            got = getattr(self, field.name)
            if not 0 < got < 1:
                raise ParameterError.of(f"margin of {field.name}", got, "0 < margin < 1", "give a share: 0.01 is 1 %")
