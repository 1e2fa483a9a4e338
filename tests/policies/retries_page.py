"""The tables of docs/retries.md, made from the presets: `python -m tests.policies.retries_page` writes them."""

import re
from pathlib import Path
from typing import Final

from relkit.policies.backoff import BACKOFFS, EXPONENTIAL, EXPONENTIAL_LESS_ONE, JITTERS
from relkit.policies.retry import RETRY_CODES
from relkit.policies.retry_budget import AWS, BUDGETS, ENVOY, FINAGLE, NO_BUDGET, RetryBudgetSettings
from relkit.policies.retry_presets import RETRY_PRESETS, WAIT_CASES, case_waits
from relkit.policies.retry_settings import HINTS, RetrySettings

PAGE: Final = Path(__file__).parents[2] / "docs/retries.md"


def _wait(cfg: RetrySettings) -> str:
    if cfg.max_attempts == 1:
        return "none"
    told = f"{cfg.first_delay_s:g} s" if cfg.backoff else "none"
    if cfg.backoff in {EXPONENTIAL, EXPONENTIAL_LESS_ONE}:
        told += f" × {cfg.growth:g}"
    words = [told, BACKOFFS[cfg.backoff]] if cfg.backoff else [told]
    if cfg.jitter:
        words.append(JITTERS[cfg.jitter])
    if cfg.backoff > 1 and cfg.cap_s < float("inf"):
        words.append(f"at most {cfg.cap_s:g} s")
    return ", ".join(words)


def _budget(cfg: RetryBudgetSettings) -> str:
    word = BUDGETS[cfg.budget_family]
    if cfg.budget_family == NO_BUDGET:
        return ""
    if cfg.budget_family == ENVOY:
        return f"{word}: {cfg.retry_share:g} of the active, at least {cfg.least_retries}"
    if cfg.budget_family == FINAGLE:
        return f"{word}: {cfg.retry_share:g} of the requests of {cfg.deposit_s:g} s, and {cfg.reserve_per_s} a second"
    cost = f"{cfg.cost:g}"
    if cfg.budget_family == AWS:
        cost += f" (timeout {cfg.timeout_cost:g}, rate limit {cfg.rate_limit_cost:g})"
    return f"{word}: {cfg.capacity:g} tokens, {cfg.earn:g} earned, {cost} a retry"


def presets_table() -> str:
    """One row a preset; for a rate limit where that differs."""
    rows = [
        "| preset | from | tries | wait | Retry-After | deadline | budget | source |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, preset in RETRY_PRESETS.items():
        cfg, limited = preset.retry.transient, preset.retry.rate_limited
        wait = _wait(cfg) if _wait(cfg) == _wait(limited) else f"{_wait(cfg)}; rate limit {_wait(limited)}"
        tries = f"{cfg.max_attempts}" if cfg.max_attempts else "no limit"
        deadline = f"{cfg.deadline_s:g} s" if cfg.deadline_s < float("inf") else ""
        cells = (
            f"`{name}`",
            preset.dated,
            tries,
            wait,
            HINTS[cfg.hint],
            deadline,
            _budget(preset.retry_budget),
            preset.source,
        )
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def waits_table() -> str:
    """One row a failure: what the plan does, and what plan-fixed does."""
    rows = ["| what fails | plan | plan-fixed |", "|---|---|---|"]
    for case in WAIT_CASES:
        cells = []
        for name in ("plan", "plan-fixed"):
            code, found = case_waits(RETRY_PRESETS[name].retry, case)
            cells.append(f"{len(found)} in {sum(found):.5g} s, {RETRY_CODES[code].replace('_', ' ')}")
        rows.append(f"| {case.name} | {' | '.join(cells)} |")
    return "\n".join(rows)


def written(page: str) -> str:
    """Return the page with both tables as they should be."""
    for name, table in (("presets", presets_table()), ("waits", waits_table())):
        begin = f"<!-- table of {name}: python -m tests.policies.retries_page -->\n"
        end = f"<!-- end of the table of {name} -->"
        page = re.sub(
            f"{re.escape(begin)}.*?{re.escape(end)}",
            lambda _, t=table, b=begin, e=end: f"{b}\n{t}\n\n{e}",
            page,
            flags=re.DOTALL,
        )
    return page


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
