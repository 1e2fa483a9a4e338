"""OpenTelemetry spans as OTLP-JSON: one span per try under a parent, or one span per call.

Which spans are tries (HTTP and GenAI semantic conventions, newer and older names):

* a client span with HTTP attributes;
* a GenAI span of an inference (chat, text completion, content generation, embeddings) that has no such span below it.
  With one below it, it lends it model, session and tokens, and is left out: the call would be counted twice.
  `invoke_agent` and `execute_tool` spans hold calls and are none.

Which tries are one request: neighbours in time under one parent of one trace, of the same conversation of two services
or of the same kind of GenAI operation, where the later one says that it is a resend (`http.request.resend_count`) or
begins after the earlier one has failed. All HTTP spans below one GenAI span are one request's.

An unset status is the conventions' word for "no error": an HTTP span is then judged by its status code, and a GenAI span is good
where it tells of an answer; else the outcome is unknown.
"""

from typing import TYPE_CHECKING, Final

from relkit.store.ingest.importers.importer import LINES, Importer, first_of, record_sql
from relkit.store.text import quoted

if TYPE_CHECKING:
    from relkit.store.ingest.scan import Scan

_VALUE: Final = (
    '{"stringValue":"VARCHAR","intValue":"VARCHAR","doubleValue":"VARCHAR","boolValue":"VARCHAR",'
    '"arrayValue":{"values":[{"stringValue":"VARCHAR"}]}}'
)
_ATTRIBUTES: Final = f'[{{"key":"VARCHAR","value":{_VALUE}}}]'
_SPAN: Final = (
    '{"traceId":"VARCHAR","spanId":"VARCHAR","parentSpanId":"VARCHAR","kind":"VARCHAR","startTimeUnixNano":"VARCHAR",'
    f'"endTimeUnixNano":"VARCHAR","attributes":{_ATTRIBUTES},"status":{{"code":"VARCHAR","message":"VARCHAR"}},'
    f'"events":[{{"name":"VARCHAR","attributes":{_ATTRIBUTES}}}]}}'
)
_SCOPE: Final = f'[{{"spans":[{_SPAN}]}}]'
_SCHEMA: Final = (
    f'{{"resourceSpans":[{{"resource":{{"attributes":{_ATTRIBUTES}}},"scopeSpans":{_SCOPE},"instrumentationLibrarySpans":{_SCOPE}}}],'
    '"resourceMetrics":"VARCHAR","resourceLogs":"VARCHAR"}'
)
# Newer name first; a span has one of them.
_NAMES: Final[dict[str, tuple[str, ...]]] = {
    "method": ("http.request.method", "http.method"),
    "http_status": ("http.response.status_code", "http.status_code"),
    "resends": ("http.request.resend_count", "http.resend_count"),
    "url": ("url.full", "http.url"),
    "path": ("url.template", "http.route", "url.path", "http.target"),
    "host": ("server.address", "net.peer.name", "http.host", "peer.service"),
    "error_type": ("error.type",),
    "retry_after": ("http.response.header.retry-after", "http.response.header.retry_after"),
    "provider": ("gen_ai.provider.name", "gen_ai.system", "llm.vendor"),
    "model": ("gen_ai.request.model", "gen_ai.response.model", "llm.request.model"),
    "answered_by": ("gen_ai.response.model", "gen_ai.response.id"),
    "genai": ("gen_ai.operation.name", "llm.request.type"),
    "tokens_in": ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "llm.usage.prompt_tokens"),
    "tokens_out": ("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens", "llm.usage.completion_tokens"),
    "session": ("gen_ai.conversation.id", "session.id"),
}
_INFERENCES: Final = "('chat', 'text_completion', 'completion', 'generate_content', 'embeddings', 'embedding')"
_KINDS: Final = "'internal', 'server', 'client', 'producer', 'consumer'"
_CLASS: Final = "[.]|^_?[A-Z][A-Za-z]*[a-z][A-Za-z]*$"  # java.net.SocketException, ReadTimeout; not RESOURCE_EXHAUSTED
_STATUS: Final = "[1-5][0-9][0-9]"
_DATE: Final = "%a, %d %b %Y %H:%M:%S GMT"

COLUMNS: Final = (
    "request_id", "attempt", "start_ns", "duration_ns", "ended", "ok", "is_try", "kind", "caller", "service", "model", "operation", "session_id",
    "status", "exception_type", "code", "message", "retry_after_s", "tokens_in", "tokens_out",
)  # fmt: skip


def _lines(scan: "Scan", log_format: str) -> str:
    del log_format  # a form of nginx alone
    return f"SELECT TRY(from_json(line, {quoted(_SCHEMA)})) AS doc FROM {scan.text_lines}"


def _rows() -> str:
    return (
        f"WITH flat AS ({_spans()}), named AS (SELECT * EXCLUDE (keys, vals, event_keys, event_vals), {_named()} FROM flat), "
        f"told AS ({_told()}), joined AS ({_joined()}), tries AS ({_tries()}) {_records()}"
    )


def _spans() -> str:
    """One row a span; one for each line that holds none and should."""
    spans = first_of("r.scopeSpans", "r.instrumentationLibrarySpans")
    value = "coalesce(a.value.stringValue, a.value.intValue, a.value.doubleValue, a.value.boolValue, a.value.arrayValue.values[1].stringValue)"

    def keys(of: str) -> str:
        return f"list_transform({of}, lambda a: a.key)"

    def vals(of: str) -> str:
        return f"list_transform({of}, lambda a: {value})"

    event = "list_filter(span.events, lambda e: e.name = 'exception')[-1].attributes"
    caller = f"({vals('resource.attributes')})[list_position({keys('resource.attributes')}, 'service.name')]"
    problem = (
        "CASE WHEN doc IS NULL THEN 'not a JSON object' WHEN doc.resourceSpans IS NULL AND doc.resourceMetrics IS NULL AND doc.resourceLogs IS NULL "
        "THEN 'has no resourceSpans' END"
    )
    lines = f"SELECT rowid + 1 AS record, {problem} AS problem, doc FROM {LINES}"
    resources = "SELECT record, unnest(doc.resourceSpans) AS r FROM lines WHERE problem IS NULL"
    scopes = f"SELECT record, r.resource AS resource, unnest({spans}) AS s FROM ({resources})"
    found = f"SELECT record, resource, unnest(s.spans) AS span FROM ({scopes})"
    fields = "span.traceId, span.spanId, span.parentSpanId, span.kind, span.startTimeUnixNano, span.endTimeUnixNano, span.status"
    return (
        f"WITH lines AS ({lines}) SELECT record, NULL::VARCHAR AS problem, {fields}, {caller} AS caller, {keys('span.attributes')} AS keys, "
        f"{vals('span.attributes')} AS vals, {keys(event)} AS event_keys, {vals(event)} AS event_vals FROM ({found}) "
        "UNION ALL BY NAME SELECT record, problem FROM lines WHERE problem IS NOT NULL"
    )


def _named() -> str:
    def cell(name: str) -> str:
        return f"vals[list_position(keys, {quoted(name)})]"

    parts = [f"{first_of(*map(cell, names))} AS {ours}" for ours, names in _NAMES.items()]
    parts += [
        f"event_vals[list_position(event_keys, {quoted('exception.' + name)})] AS exception_{name}"
        for name in ("type", "message")
    ]
    return ", ".join(parts)


def _told() -> str:
    """What a span says of itself: kind, times, whether it failed; `copy` numbers spans that were exported twice."""
    start, end = (f"TRY_CAST({name} AS BIGINT)" for name in ("startTimeUnixNano", "endTimeUnixNano"))
    word, number = "lower(replace(kind, 'SPAN_KIND_', ''))", "TRY_CAST(kind AS INTEGER)"
    state = "coalesce(lower(replace(status.code, 'STATUS_CODE_', '')), '')"
    status = f"CASE WHEN http_status IS NOT NULL THEN http_status WHEN regexp_full_match(error_type, '{_STATUS}') THEN error_type END"
    is_http = "method IS NOT NULL OR http_status IS NOT NULL"
    is_genai = f"NOT ({is_http}) AND (provider IS NOT NULL OR genai IS NOT NULL)"
    nameless = (
        "CASE WHEN coalesce(traceId, '') = '' OR coalesce(spanId, '') = '' THEN 'has no traceId or no spanId' END"
    )
    return (
        f"SELECT * REPLACE (coalesce(problem, {nameless}) AS problem), row_number() OVER () AS place, {start} AS start_ns, "
        f"nullif({end}, 0) AS end_ns, {status} AS status_told, "
        f"CASE WHEN {number} BETWEEN 1 AND 5 THEN [{_KINDS}][{number}] WHEN {word} IN ({_KINDS}) THEN {word} ELSE 'unspecified' END AS kind_told, "
        f"{is_http} AS is_http, {is_genai} AS is_genai, {state} IN ('2', 'error') OR error_type IS NOT NULL AS says_failed, "
        f"{state} IN ('1', 'ok') AS says_good, coalesce(parentSpanId, '') AS parent FROM named"
    )


def _joined() -> str:
    """Lay each HTTP span beside the GenAI span above it, and find the tries."""
    lent = ", ".join(
        f"min({name}) AS up_{name}" for name in ("provider", "model", "genai", "session", "tokens_in", "tokens_out")
    )
    above = f"SELECT traceId AS up_trace, spanId AS up_span, {lent} FROM told WHERE is_genai GROUP BY ALL"
    below = "SELECT DISTINCT traceId AS down_trace, parent AS down_span FROM told WHERE is_http AND kind_told <> 'server' AND parent <> ''"
    inference = f"CASE WHEN genai IS NULL THEN model IS NOT NULL ELSE lower(genai) IN {_INFERENCES} END"
    again = "SELECT traceId AS again_trace, spanId AS again_span, min(place) AS first_place FROM told GROUP BY ALL HAVING count(*) > 1"
    url = "regexp_extract(url, '^[^?#]*')"
    return (
        "SELECT told.*, up_span IS NOT NULL AS is_below, up_provider, up_model, up_genai, up_session, up_tokens_in, up_tokens_out, "
        f"problem IS NULL AND (is_http OR (is_genai AND {inference} AND down_span IS NULL)) AS is_try, "
        f"CASE WHEN up_span IS NOT NULL THEN 'below' WHEN is_http THEN concat_ws(chr(31), 'http', method, host, {url}, path) "
        "ELSE concat_ws(chr(31), 'genai', genai) END AS peer, CASE WHEN place > first_place THEN place END AS copy FROM told "
        f"LEFT JOIN ({again}) ON again_trace = traceId AND again_span = spanId "
        f"LEFT JOIN ({above}) ON is_http AND up_trace = traceId AND up_span = parent "
        f"LEFT JOIN ({below}) ON is_genai AND down_trace = traceId AND down_span = spanId"
    )


def _tries() -> str:
    """Number the tries of each request; only those that have neighbours are looked at closely."""
    failed = "says_failed OR coalesce(TRY_CAST(status_told AS INTEGER) >= 400, FALSE)"
    marked = (
        f"SELECT place, spanId, start_ns, end_ns, is_below, {failed} AS has_failed, coalesce(TRY_CAST(resends AS INTEGER) > 0, FALSE) AS is_resend, "
        "hash(traceId, parent, kind_told, peer, copy) AS near FROM joined WHERE is_try"
    )
    before = "(PARTITION BY near ORDER BY start_ns, place)"
    # Where the resends are counted, a try that is none begins a request of its own, whatever failed before it.
    follows = (
        "is_below OR is_resend OR (NOT bool_or(is_resend) OVER (PARTITION BY near) "
        f"AND lag(has_failed) OVER {before} AND lag(end_ns) OVER {before} <= start_ns)"
    )
    neighbours = "SELECT * FROM marked WHERE near IN (SELECT near FROM marked GROUP BY near HAVING count(*) > 1)"
    looks = f"SELECT *, coalesce(lag(place) OVER {before} IS NOT NULL AND ({follows}), FALSE) AS is_again FROM ({neighbours})"
    calls = f"SELECT *, count(*) FILTER (NOT is_again) OVER {before} AS call FROM ({looks})"
    of_call = "(PARTITION BY near, call ORDER BY start_ns, place)"
    numbered = (
        f"SELECT place, row_number() OVER {of_call} AS nth, count(*) OVER (PARTITION BY near, call) AS tries_of_call, "
        f"first_value(spanId) OVER {of_call} AS first_span FROM ({calls})"
    )
    return (
        f"WITH marked AS ({marked}) SELECT joined.*, CASE WHEN is_try THEN coalesce(nth, 1) END AS nth, coalesce(tries_of_call, 1) AS tries_of_call, "
        "CASE WHEN is_try THEN concat_ws('-', traceId, coalesce(first_span, spanId)) END AS request_id "
        f"FROM joined LEFT JOIN ({numbered}) AS numbered USING (place)"
    )


def _records() -> str:
    host = "regexp_extract(url, '^[a-z]+://(?:[^/@]*@)?([^/:?#]+)', 1)"
    service = f"CASE WHEN is_http AND NOT is_below THEN coalesce(host, nullif({host}, '')) ELSE coalesce(up_provider, provider, host) END"
    path = "coalesce(nullif(regexp_extract(path, '^[^?#]*'), ''), nullif(regexp_extract(url, '^[a-z]+://[^/?#]*([^?#]*)', 1), ''))"
    number = "TRY_CAST(status_told AS DOUBLE)"
    ok = (
        f"CASE WHEN says_failed THEN FALSE WHEN {number} IS NOT NULL THEN {number} < 400 WHEN says_good THEN TRUE "
        "WHEN is_genai AND (answered_by IS NOT NULL OR tokens_out IS NOT NULL) THEN TRUE END"
    )
    odd = f"NOT regexp_full_match(error_type, '{_STATUS}') AND error_type <> '_OTHER'"
    is_class = f"regexp_matches(error_type, '{_CLASS}')"
    seconds, until = "TRY_CAST(retry_after AS DOUBLE)", f"epoch(try_strptime(retry_after, '{_DATE}')) - end_ns / 1e9"
    values = {
        "request_id": "request_id",
        "attempt": "nth",
        "start_ns": "CASE WHEN start_ns > 0 THEN start_ns END",
        "duration_ns": "end_ns - start_ns",
        "ended": "end_ns IS NOT NULL",
        "ok": ok,
        "is_try": "is_try",
        "kind": "kind_told",
        "caller": "caller",
        "service": service,
        "model": "coalesce(up_model, model)",
        "operation": f"CASE WHEN is_below THEN up_genai WHEN is_http THEN nullif(concat_ws(' ', method, {path}), '') ELSE genai END",
        "session_id": "coalesce(up_session, session)",
        "status": "status_told",
        "exception_type": f"coalesce(exception_type, CASE WHEN {odd} AND {is_class} THEN error_type END)",
        "code": f"CASE WHEN {odd} AND NOT {is_class} THEN error_type END",
        "message": f"coalesce(exception_message, status.message, CASE WHEN {odd} THEN error_type END)",
        "retry_after_s": f"CASE WHEN {seconds} >= 0 THEN {seconds} WHEN {until} >= 0 THEN {until} END",
        "tokens_in": "CASE WHEN nth = tries_of_call THEN coalesce(up_tokens_in, tokens_in) END",
        "tokens_out": "CASE WHEN nth = tries_of_call THEN coalesce(up_tokens_out, tokens_out) END",
    }
    return record_sql(
        {name: values[name] for name in COLUMNS},
        "tries",
        key="concat_ws('/', traceId, spanId)",
        record="record",
        problem="problem",
        order="record, place",
    )


OTLP: Final = Importer(
    "otlp", "OpenTelemetry spans as OTLP-JSON", COLUMNS, _lines, _rows, joins_lines=True, is_unique=True
)
