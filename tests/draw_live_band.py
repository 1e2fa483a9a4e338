"""`python -m tests.draw_live_band [--measure]`: draw docs/figures/live_band.svg from docs/figures/live_band.json, measured anew when asked."""

import argparse
import json
from pathlib import Path
from typing import Final

from relkit.plates.live_band import live_band
from relkit.plates.plate import Plate

FOLDER: Final = Path(__file__).resolve().parents[1] / "docs/figures"
FIGURES: Final = FOLDER / "live_band.json"
PICTURE: Final = FOLDER / "live_band.svg"


def drawn() -> Plate:
    """Return the picture of the stored figures."""
    from tests.fault_scripts import bands  # noqa: PLC0415  pytest collects this module and must not pay for it

    return live_band(bands(json.loads(FIGURES.read_text(encoding="utf-8"))))


def main() -> None:
    """Measure where that is asked, some four minutes; draw; say what was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.draw_live_band", description=__doc__)
    parser.add_argument("--measure", action="store_true", help="play the scripts anew, live and simulated")
    if parser.parse_args().measure:
        from tests.fault_scripts import chosen, measured  # noqa: PLC0415

        FIGURES.write_text(json.dumps(measured(chosen())) + "\n", encoding="utf-8")
    picture = drawn()
    PICTURE.write_text(picture.svg, encoding="utf-8")
    print(picture.caption)


if __name__ == "__main__":
    main()
