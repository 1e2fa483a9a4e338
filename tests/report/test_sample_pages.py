"""reports/sample holds the pages that the stored notebooks become: who changes one has to make the other anew."""

from pathlib import Path

from relkit.report.sample import write_sample

SAMPLE = Path(__file__).parents[2] / "reports/sample"


def test_the_sample_is_what_the_stored_notebooks_become(tmp_path: Path) -> None:
    write_sample(tmp_path)
    made = {str(path.relative_to(tmp_path)): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    kept = {str(path.relative_to(SAMPLE)): path.read_bytes() for path in SAMPLE.rglob("*") if path.is_file()}
    assert sorted(made) == sorted(kept)
    assert [name for name, content in made.items() if kept[name] != content] == [], "run make sample"
