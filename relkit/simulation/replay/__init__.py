"""The same log under other policies: three named levels, and bounds for what the log does not show."""

from relkit.simulation.replay.incidents import Incident
from relkit.simulation.replay.levels import LEVELS
from relkit.simulation.replay.records import Arm, Change, Logged, Replay, Tally
from relkit.simulation.replay.study import replay

__all__ = ["LEVELS", "Arm", "Change", "Incident", "Logged", "Replay", "Tally", "replay"]
