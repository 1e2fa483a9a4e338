"""Files that say how: relkit.toml, read into frozen records."""

from relkit.config.relkit_toml import Config, ReportSettings, ShadowPlan, load_config
from relkit.prices import Price

__all__ = ["Config", "Price", "ReportSettings", "ShadowPlan", "load_config"]
