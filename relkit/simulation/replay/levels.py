"""The three levels of replay, and what each of them supposes: printed on every chart."""

from typing import Final

OPEN_LOOP: Final = "R0"
DRAWN: Final = "R1"
CLOSED_LOOP: Final = "R2"

LEVELS: Final[dict[str, str]] = {
    OPEN_LOOP: "R0, open loop on logged attempts: supposes that no outcome depends on the policy; missing calls stay missing",
    DRAWN: "R1, missing calls drawn from the calibration: supposes that the service does not feel our load",
    CLOSED_LOOP: "R2, closed loop with capacity: simulated service, replayed arrivals; supposes that the capacity is known",
}
