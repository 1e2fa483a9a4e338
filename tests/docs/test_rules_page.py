"""docs/rules.md tells what the loader takes: its examples run, and its table is a relkit.toml."""

import doctest
import re
from pathlib import Path

from relkit.config import load_config
from relkit.errors import classify

PAGE = Path(__file__).parents[2] / "docs/rules.md"


def test_the_examples_run() -> None:
    failed, tried = doctest.testfile(str(PAGE), module_relative=False, encoding="utf-8")
    assert tried
    assert not failed


def test_its_toml_is_a_configuration_that_counts(tmp_path: Path) -> None:
    (block,) = re.findall(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "relkit.toml").write_text(block, encoding="utf-8")
    answer = classify({"message": "inventory shard 12 locked"}, load_config(tmp_path / "relkit.toml").rules)
    assert (answer.kind, answer.rule) == ("DATABASE_ERROR", "shop.shard_locked")
