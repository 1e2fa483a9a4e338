"""Files that say how: relkit.toml, read into frozen records, and policies as files of other libraries."""

from relkit.config.exports import SOURCES, TARGETS, Exported, exported, imported, refused
from relkit.config.foreign import Refusal, RefusedExportError
from relkit.config.relkit_toml import Config, ReportSettings, ShadowPlan, load_config
from relkit.prices import Price

__all__ = [
    "SOURCES",
    "TARGETS",
    "Config",
    "Exported",
    "Price",
    "Refusal",
    "RefusedExportError",
    "ReportSettings",
    "ShadowPlan",
    "exported",
    "imported",
    "load_config",
    "refused",
]
