"""LiteLLM: rows of LiteLLM_SpendLogs and LiteLLM_ErrorLogs (JSON or CSV), and logging payloads; one row per try.

Retries and fallbacks of one call share `trace_id` (in the spend log: `session_id`), and so do the calls of a session.
A try belongs to the call of the one before it where that one failed, had ended, and ended no longer than JOINED_WITHIN_S ago.
Both tables write UTC without saying so. `cache_hit` is a text. Money is US dollars, of which failures cost none.
"""

from typing import TYPE_CHECKING, Final

from relkit.store.ingest.importers.importer import LINES, Importer, cells_sql, first_of, moment_us, record_sql

if TYPE_CHECKING:
    from relkit.store.ingest.scan import Scan

JOINED_WITHIN_S: Final = 60
_CELLS: Final = (
    "request_id", "id", "trace_id", "session_id", "call_type", "startTime", "endTime", "request_duration_ms", "model", "model_group",
    "litellm_model_name", "custom_llm_provider", "spend", "response_cost", "prompt_tokens", "completion_tokens", "cache_hit", "status", "metadata",
    "error_str", "error_information", "exception_type", "exception_string", "status_code",
)  # fmt: skip
COLUMNS: Final = (
    "request_id", "attempt", "start_us", "duration_us", "ok", "service", "model", "model_group", "operation", "session_id", "status",
    "exception_type", "message", "cache_hit", "tokens_in", "tokens_out", "cost_usd",
)  # fmt: skip


def _lines(scan: "Scan", log_format: str) -> str:
    del log_format  # a form of nginx alone
    return cells_sql(scan, _CELLS)


def _rows() -> str:
    def inside(text: str, *path: str) -> str:
        return f"json_extract_string(TRY_CAST({text} AS JSON), '$.{'.'.join(path)}')"

    told = first_of(inside("metadata", "error_information"), "error_information")
    error = f"CASE WHEN metadata IS NOT NULL OR error_information IS NOT NULL THEN {told} END"
    said = "lower(coalesce(status, " + inside("metadata", "status") + "))"
    failed = f"CASE WHEN {said} = 'success' THEN FALSE WHEN {said} = 'failure' OR exception_type IS NOT NULL OR exception_string IS NOT NULL THEN TRUE END"
    nameless = "CASE WHEN coalesce(request_id, id) IS NULL THEN 'has no request_id' END"
    read = (
        f"SELECT rowid + 1 AS record, * REPLACE (coalesce(relkit__problem, {nameless}) AS relkit__problem, {error} AS error_information), "
        f"coalesce(request_id, id) AS try_id, {moment_us('startTime')} AS start_us, {moment_us('endTime')} AS end_us, {failed} AS has_failed, "
        f"{first_of('trace_id', 'session_id', inside('metadata', 'trace_id'))} AS call_session FROM {LINES}"
    )
    counted = f"SELECT *, row_number() OVER (PARTITION BY try_id ORDER BY record) AS copy FROM ({read})"
    near = "PARTITION BY coalesce(call_session, try_id), call_type IS NULL OR call_type LIKE '%embedding%', copy"
    before = f"({near} ORDER BY start_us, record)"
    follows = (
        f"lag(has_failed) OVER {before} AND lag(end_us) OVER {before} <= start_us "
        f"AND start_us - lag(end_us) OVER {before} <= {JOINED_WITHIN_S * 1_000_000}"
    )
    looks = f"SELECT *, coalesce({follows}, FALSE) AS is_again FROM ({counted})"
    calls = f"SELECT *, count(*) FILTER (NOT is_again) OVER {before} AS call FROM ({looks})"
    of_call = f"({near}, call ORDER BY start_us, record)"
    tries = (
        f"SELECT *, row_number() OVER {of_call} AS nth, first_value(try_id) OVER {of_call} AS first_try FROM ({calls})"
    )
    status = first_of("status_code", inside("error_information", "error_code"))
    values = {
        "request_id": "first_try",
        "attempt": "nth",
        "start_us": "start_us",
        "duration_us": "coalesce(end_us - start_us, TRY_CAST(request_duration_ms AS DOUBLE) * 1000)",
        "ok": "NOT has_failed",
        "service": first_of("custom_llm_provider", inside("error_information", "llm_provider")),
        "model": first_of("model", "litellm_model_name", "model_group"),
        "model_group": "model_group",
        "operation": "call_type",
        "session_id": "call_session",
        "status": f"CASE WHEN has_failed AND TRY_CAST({status} AS INTEGER) BETWEEN 100 AND 599 THEN {status} END",
        "exception_type": f"CASE WHEN has_failed THEN {first_of('exception_type', inside('error_information', 'error_class'))} END",
        "message": f"CASE WHEN has_failed THEN {first_of('exception_string', inside('error_information', 'error_message'), 'error_str')} END",
        "cache_hit": "cache_hit",
        "tokens_in": "CASE WHEN NOT coalesce(has_failed, FALSE) OR TRY_CAST(prompt_tokens AS DOUBLE) > 0 THEN prompt_tokens END",
        "tokens_out": "CASE WHEN NOT coalesce(has_failed, FALSE) OR TRY_CAST(completion_tokens AS DOUBLE) > 0 THEN completion_tokens END",
        "cost_usd": first_of("spend", "response_cost"),
    }
    return record_sql(
        {name: values[name] for name in COLUMNS},
        f"({tries})",
        key="try_id",
        record="record",
        problem="relkit__problem",
        order="record",
    )


LITELLM: Final = Importer(
    "litellm", "LiteLLM spend or error logs", COLUMNS, _lines, _rows, joins_lines=True, is_unique=True
)
