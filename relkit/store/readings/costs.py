"""What calls used, by day and by why they were made: first try, retry, fallback, shadow, probe, canary."""

from typing import Final

from relkit.period import Period
from relkit.prices import Use
from relkit.slo import CostCell
from relkit.store.open import Store
from relkit.store.readings.folded import requests_once
from relkit.store.readings.log import within
from relkit.units import US_PER_DAY

_TOKENS: Final = "cost_microusd IS NULL AND (tokens_in IS NOT NULL OR tokens_out IS NOT NULL)"
# Only tries after the first are looked up: of most logs a small part.
_LINES: Final = """
    SELECT a.ts + coalesce(a.latency_us, 0) AS end_us, a.service, a.model, a.cost_microusd, a.tokens_in, a.tokens_out,
           CASE WHEN a.role <> 'user' THEN a.role WHEN a.attempt = 1 THEN 'first tries'
                WHEN f.model IS NOT NULL AND a.model IS DISTINCT FROM f.model THEN 'fallbacks' ELSE 'retries' END AS line
    FROM attempts a LEFT JOIN (
        SELECT source, request_id, any_value(model) AS model FROM attempts
        WHERE role = 'user' AND attempt = 1 AND request_id IS NOT NULL AND granularity = 'attempt'
          AND hash(source, request_id) IN (SELECT hash(source, request_id) FROM attempts WHERE role = 'user' AND attempt > 1)
        GROUP BY source, request_id
    ) f ON a.attempt > 1 AND a.role = 'user' AND f.source = a.source AND f.request_id = a.request_id
"""
# The pair of a mirrored request names the shadow's cost; its primary side is a user's call and stands in the attempts.
_PAIRS: Final = """
    SELECT ts AS end_us, CAST(NULL AS VARCHAR) AS service, shadow_variant AS model, shadow_cost_microusd AS cost_microusd,
           CAST(NULL AS BIGINT) AS tokens_in, CAST(NULL AS BIGINT) AS tokens_out, 'shadow' AS line
    FROM pairs WHERE state <> 'eligible' AND NOT EXISTS (SELECT 1 FROM attempts WHERE role = 'shadow')
"""


def cost_cells(store: Store, period: Period) -> tuple[CostCell, ...]:
    """Add up what calls used, by UTC day, line, service and model.

    A try counts on the day it ends. The shadow's calls come from attempts of role shadow, and from pairs where the log has
    no such attempts.

    Returns
    -------
    tuple of CostCell
        Lines are `first tries`, `retries` (the same model again), `fallbacks` (another model than the first try's),
        `shadow`, `probe` and `canary`; day 0 where there is no clock.
    """
    where, values = within(period, "end_us")
    rows = store.connection.execute(
        f"SELECT coalesce(end_us // {US_PER_DAY}, 0) AS day, line, service, model, count(*), count(cost_microusd), "
        f"coalesce(sum(cost_microusd), 0), count(*) FILTER ({_TOKENS}), coalesce(sum(tokens_in) FILTER ({_TOKENS}), 0), "
        f"coalesce(sum(tokens_out) FILTER ({_TOKENS}), 0) FROM ({_LINES} UNION ALL {_PAIRS}) WHERE {where} "
        "GROUP BY day, line, service, model ORDER BY day, line, service, model",
        values,
    ).fetchall()
    return tuple(CostCell(day, line, Use(service, model, *map(int, sums))) for day, line, service, model, *sums in rows)


def answers_by_day(store: Store, period: Period) -> dict[int, int]:
    """Count the requests of users that succeeded, by the UTC day in which they ended; day 0 without a clock."""
    where, values = within(period, "end_us")
    rows = store.connection.execute(
        f"SELECT coalesce(end_us // {US_PER_DAY}, 0) AS day, count(*) FROM {requests_once(store)} "
        f"WHERE ok AND {where} GROUP BY day ORDER BY day",
        values,
    ).fetchall()
    return dict(rows)
