"""Files that say how: relkit.toml, read into frozen records."""

from relkit.config.relkit_toml import Config, Price, ReportSettings, ShadowPlan, load_config

__all__ = ["Config", "Price", "ReportSettings", "ShadowPlan", "load_config"]
