"""From a log to a scenario: arrivals, latency, errors and bad times, and whether what is drawn from them looks like the log."""

from relkit.simulation.calibrate.calibration import Calibration, calibrate
from relkit.simulation.calibrate.checks import Check
from relkit.simulation.calibrate.model import TrafficModel

__all__ = ["Calibration", "Check", "TrafficModel", "calibrate"]
