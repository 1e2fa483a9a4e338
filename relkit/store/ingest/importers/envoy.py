"""Envoy and Istio access logs as JSON: one line per request, the response flags say what failed.

A line tells of its last try alone. Where it counts the tries (`%UPSTREAM_REQUEST_ATTEMPT_COUNT%`) the earlier ones
become rows that failed, because Envoy tries again after failures alone, in an unknown way after an unknown time; all of
them stand at the start of the request, and the last one carries the whole duration. `x-request-id` is handed on from
hop to hop, so a request is named by it and its line.
"""

from typing import TYPE_CHECKING, Final

from relkit.store.ingest.importers.importer import LINES, Importer, cells_sql, first_of, moment_us, record_sql

if TYPE_CHECKING:
    from relkit.store.ingest.scan import Scan

_CELLS: Final = (
    "start_time", "method", "path", "response_code", "response_flags", "response_code_details", "connection_termination_details",
    "upstream_transport_failure_reason", "duration", "request_id", "authority", "upstream_cluster", "upstream_host", "route_name",
    "upstream_request_attempt_count", "attempt_count", "grpc_status", "grpc_status_number",
)  # fmt: skip
COLUMNS: Final = (
    "request_id", "attempt", "start_us", "duration_ms", "ok", "direction", "service", "route", "operation", "status", "code", "grpc_code", "message",
)  # fmt: skip
MOST_TRIES: Final = 100

# The first flag of this list that a line has says the kind. URX (no more tries) and DI, which stand beside an answer, say
# nothing of it; FI, UH, NR, NC, LH, OM, IH, DPE come with the status that says it.
_KINDS: Final[dict[str, str]] = {
    "UO": "CIRCUIT_OPEN",
    "RL": "API_RATE_LIMIT",
    "UAEX": "API_AUTH_ERROR",
    "DC": "CANCELLED",
    "UT": "NETWORK_TIMEOUT",
    "SI": "NETWORK_TIMEOUT",
    "DT": "NETWORK_TIMEOUT",
    "UMSDR": "NETWORK_TIMEOUT",
    "UF": "NETWORK_ERROR",
    "DF": "NETWORK_ERROR",
    "UC": "NETWORK_ERROR",
    "UR": "NETWORK_ERROR",
    "LR": "NETWORK_ERROR",
    "UPE": "NETWORK_ERROR",
    "RLSE": "API_SERVER_ERROR",
    "NR": "API_NOT_FOUND",
    "NC": "API_NOT_FOUND",
    "UH": "MODEL_OVERLOADED",
    "OM": "MODEL_OVERLOADED",
    "DO": "MODEL_OVERLOADED",
}
_REFUSED: Final = "refused|error: 111"
_TLS: Final = "TLS|SSL|certificate"


def _lines(scan: "Scan", log_format: str) -> str:
    del log_format  # a form of nginx alone
    return cells_sql(scan, _CELLS, ", md5(line) AS line_md5")


def _rows() -> str:
    flags = "string_split(upper(coalesce(response_flags, '')), ',')"
    failure = "coalesce(upstream_transport_failure_reason, '')"
    tests = " ".join(
        f"WHEN list_contains(flags, '{flag}') THEN {_kind(flag, kind, failure)}" for flag, kind in _KINDS.items()
    )
    tries = f"least(greatest(coalesce(TRY_CAST({first_of('upstream_request_attempt_count', 'attempt_count')} AS INTEGER), 1), 1), {MOST_TRIES})"
    read = (
        f"SELECT rowid + 1 AS record, *, list_transform({flags}, lambda f: trim(f)) AS flags, {tries} AS tries, {moment_us('start_time')} AS start_us, "
        f"TRY_CAST(response_code AS DOUBLE) AS code_told FROM {LINES}"
    )
    judged = f"SELECT *, CASE {tests} END AS kind, code_told >= 100 AS has_answer FROM ({read})"
    each = f"SELECT *, unnest(range(1, tries + 1)) AS nth FROM ({judged})"
    looks = f"SELECT *, nth = tries AS is_last FROM ({each})"
    grpc = first_of("grpc_status", "grpc_status_number")
    cut = (
        "list_has_any(flags, ['UC', 'UR', 'LR', 'UPE', 'UT', 'SI', 'DT', 'UMSDR', 'DC'])"  # after the answer had begun
    )
    good = (
        f"CASE WHEN {cut} OR NOT coalesce(has_answer, FALSE) AND kind IS NOT NULL THEN FALSE "
        f"WHEN lower({grpc}) NOT IN ('0', 'ok') THEN FALSE WHEN has_answer THEN code_told < 400 END"
    )
    cluster = "split_part(upstream_cluster, '|', {})"
    is_mesh = "contains(upstream_cluster, '|')"
    service = f"CASE WHEN {is_mesh} THEN coalesce(nullif({cluster.format(4)}, ''), nullif({cluster.format(1)}, '')) ELSE upstream_cluster END"
    said = "concat_ws('; ', response_code_details, upstream_transport_failure_reason, connection_termination_details)"
    values = {
        "request_id": "CASE WHEN request_id IS NOT NULL OR tries > 1 THEN concat_ws(':', request_id, left(line_md5, 16)) END",
        "attempt": "nth",
        "start_us": "start_us",
        "duration_ms": "CASE WHEN is_last THEN duration END",
        "ok": f"CASE WHEN is_last THEN {good} ELSE FALSE END",
        "direction": f"CASE WHEN {is_mesh} THEN {cluster.format(1)} ELSE 'outbound' END",
        "service": first_of(service, "authority"),
        "route": "route_name",
        "operation": "nullif(concat_ws(' ', method, nullif(regexp_extract(path, '^[^?#]*'), '')), '')",
        "status": "CASE WHEN is_last AND code_told <> 0 THEN response_code END",
        "code": f"CASE WHEN is_last AND NOT coalesce({good}, FALSE) THEN kind END",
        "grpc_code": f"CASE WHEN is_last AND lower({grpc}) NOT IN ('0', 'ok') THEN upper(regexp_replace({grpc}, '([a-z])([A-Z])', '\\1_\\2', 'g')) END",
        "message": f"CASE WHEN is_last AND NOT coalesce({good}, FALSE) THEN {said} END",
    }
    return record_sql(
        {name: values[name] for name in COLUMNS},
        f"({looks})",
        key="concat_ws('/', line_md5, nth)",
        record="record",
        problem="relkit__problem",
    )


def _kind(flag: str, kind: str, failure: str) -> str:
    if flag != "UF":
        return f"'{kind}'"
    return (
        f"CASE WHEN regexp_matches({failure}, '{_TLS}') THEN 'NETWORK_TLS' WHEN regexp_matches({failure}, '{_REFUSED}', 'i') "
        f"THEN 'NETWORK_REFUSED' WHEN regexp_matches({failure}, 'timeout', 'i') THEN 'NETWORK_TIMEOUT' ELSE '{kind}' END"
    )


ENVOY: Final = Importer("envoy", "an Envoy or Istio access log", COLUMNS, _lines, _rows)
