"""nginx access logs: retries stand as lists in one line, and become one row per upstream server that was tried.

`$upstream_status`, `$upstream_response_time` and the like hold an element for each server, parted by ", ", and by " : "
after an internal redirect; "-" is nothing. The log is written when a request ends, so its time is the end: the request
began `$request_time` before, and each try when the one before it was over.

* Without an upstream (a file, a cache hit, a client that left early) the line is one row with the request's own status.
* 499 is nginx's word for a client that gave up: the last try is cancelled, whatever the upstream said.
* Where the client got something better or worse than the last server gave (error_page, a stale copy), a further row says so, marked
  `degraded`: nginx's own answer, which took no time.
* An upstream that sent no header by the time nginx answered 504 for it has timed out, one that sent none before a 502 hung up;
  only `$upstream_header_time` can tell these from an upstream that said so itself.
"""

import re
from typing import TYPE_CHECKING, Final

from relkit.exceptions import DataError
from relkit.store.ingest.importers.importer import LINES, Importer, cells_sql, first_of, moment_us, record_sql
from relkit.store.text import identifier, quoted

if TYPE_CHECKING:
    from relkit.store.ingest.scan import Scan

COMBINED: Final = (
    '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"'
)
_INGRESS: Final = (
    "$request_length $request_time [$proxy_upstream_name] [$proxy_alternative_upstream_name] "
    "$upstream_addr $upstream_response_length $upstream_response_time $upstream_status $req_id"
)
_KEYED: Final = (
    'rt=$request_time ua="$upstream_addr" us="$upstream_status" ut="$upstream_response_time" ul="$upstream_response_length" '
    "cs=$upstream_cache_status"
)
# Tried in this order on a log whose format nobody told.
LOG_FORMATS: Final[tuple[str, ...]] = (
    f"{COMBINED} {_INGRESS}",
    f'{COMBINED} rt=$request_time uct="$upstream_connect_time" uht="$upstream_header_time" urt="$upstream_response_time"',
    f"{COMBINED} {_KEYED}",
    f'{COMBINED} "$http_x_forwarded_for" $request_time $upstream_response_time $upstream_status',
    f"{COMBINED} $request_time $upstream_response_time $upstream_status",
)
CELLS: Final = (
    "msec", "time_iso8601", "time_local", "request", "request_method", "request_uri", "uri", "host", "server_name", "status", "request_time",
    "proxy_upstream_name", "upstream_addr", "upstream_status", "upstream_response_time", "upstream_header_time", "upstream_cache_status",
    "request_id", "req_id",
)  # fmt: skip
COLUMNS: Final = (
    "request_id",
    "attempt",
    "start_us",
    "latency_s",
    "ok",
    "service",
    "operation",
    "status",
    "code",
    "cache_hit",
    "degraded",
)
_HITS: Final = "('HIT', 'STALE', 'UPDATING', 'REVALIDATED')"
_LIST: Final = r"(?:-|[^\s,]+(?:(?:, | : )[^\s,]+)*)"
MOST_TRIES: Final = 1_000
_BETWEEN: Final = r"\s*,\s*|\s+:\s+"
_VARIABLE: Final = re.compile(r"\$(?:\{([a-z0-9_]+)\}|([a-z0-9_]+))")


def pattern_of(log_format: str) -> tuple[str, tuple[str, ...]]:
    """Write nginx's `log_format` as a regular expression and the names of its groups.

    Parameters
    ----------
    log_format : str
        The text of the directive, as one string.

    Raises
    ------
    DataError
        It has no variable, or two that nothing parts.

    Examples
    --------
    >>> pattern_of('$status "$request"')
    ('^([^ ]*) "([^"]*)"', ('status', 'request'))
    """
    places = list(_VARIABLE.finditer(log_format))
    if not places:
        raise DataError(f"log_format {log_format!r} has no variable such as $status; copy it from nginx.conf")
    names = tuple(place[1] or place[2] for place in places)
    if len(set(names)) < len(names):
        raise DataError(f"log_format {log_format!r} names a variable twice; leave one of them out there and in the log")
    parts, upto = ["^"], 0
    for place, name in zip(places, names, strict=True):
        literal = log_format[upto : place.start()]
        if upto and not literal:
            raise DataError(
                f"log_format {log_format!r}: nothing parts ${name} from the variable before it; such lines cannot be taken apart"
            )
        parts.append(re.sub(r"([^\w\s\"'=/:,;<>@&%-])", r"\\\1", literal))
        after = log_format[place.end() : place.end() + 1]
        upto = place.end()
        if name.startswith("upstream_") and after not in {'"', "]"}:
            parts.append(f"({_LIST})")
        elif not after:
            parts.append("(.*?)")
        else:
            parts.append(f"([^{re.escape(after)}]*)" if after != "-" else "(.*?)")
    tail = log_format[upto:]
    parts.append(re.sub(r"([^\w\s\"'=/:,;<>@&%-])", r"\\\1", tail) if tail else r"\s*$")
    return "".join(parts), names


def _lines(scan: "Scan", log_format: str) -> str:
    digest = ", md5(line) AS line_md5"
    if scan.file.format != "text":
        return cells_sql(scan, CELLS, digest)
    pattern, names = pattern_of(log_format)
    groups = ", ".join(quoted(name) for name in ("relkit__whole", *names))
    read = f"SELECT line, regexp_extract(line, {quoted('(' + pattern + ')')}, [{groups}]) AS doc FROM {scan.text_lines}"
    cells = ", ".join(
        f"CASE WHEN doc.{identifier(name)} NOT IN ('', '-') THEN doc.{identifier(name)} END AS {identifier(name)}"
        if name in names
        else f"NULL::VARCHAR AS {identifier(name)}"
        for name in CELLS
    )
    problem = "CASE WHEN doc.relkit__whole = '' THEN 'is no line of the log_format' END AS relkit__problem"
    return f"SELECT {cells}, {problem}{digest} FROM ({read})"


def _rows() -> str:
    def elements(name: str) -> str:
        parts = f"regexp_split_to_array({name}, {quoted(_BETWEEN)})"
        known = "CASE WHEN trim(e) NOT IN ('', '-') THEN trim(e) END"
        return f"CASE WHEN {name} IS NULL THEN []::VARCHAR[] ELSE list_transform({parts}, lambda e: {known}) END"

    lists = {
        "statuses": "upstream_status",
        "spans": "upstream_response_time",
        "headers": "upstream_header_time",
        "servers": "upstream_addr",
    }
    local = "epoch_us(try_strptime(time_local, '%d/%b/%Y:%H:%M:%S %z'))"
    end = f"CASE WHEN msec IS NOT NULL THEN {moment_us('msec')} WHEN time_iso8601 IS NOT NULL THEN {moment_us('time_iso8601')} ELSE {local} END"
    read = (
        f"SELECT rowid + 1 AS record, *, {', '.join(f'{elements(name)} AS {ours}' for ours, name in lists.items())}, {end} AS end_us, "
        f"TRY_CAST(request_time AS DOUBLE) AS took_s, TRY_CAST(status AS INTEGER) AS final FROM {LINES}"
    )
    # without statuses (a log_format that leaves them out) the times count the tries, else the addresses
    number = "CASE WHEN len(statuses) > 0 THEN len(statuses) WHEN len(spans) > 0 THEN len(spans) ELSE len(servers) END"
    uneven = (
        f"CASE WHEN greatest(len(statuses), len(spans), len(servers)) > {MOST_TRIES} THEN 'tells of more than {MOST_TRIES} tries' "
        "WHEN len(statuses) > 0 AND len(spans) > 0 AND len(statuses) <> len(spans) "
        "THEN concat('upstream_status tells of ', len(statuses), ' tries, upstream_response_time of ', len(spans)) END"
    )
    known = f"CASE WHEN {uneven} IS NULL THEN {number} ELSE 0 END AS sent"
    counted = f"SELECT * REPLACE (coalesce(relkit__problem, {uneven}) AS relkit__problem), {known} FROM ({read})"
    told = "TRY_CAST(statuses[-1] AS INTEGER)"
    own = f"coalesce(final <> 499 AND sent > 0 AND ({told} < 400) <> (final < 400), FALSE)"
    lengths = "list_transform(spans, lambda e: TRY_CAST(e AS DOUBLE))"
    judged = f"SELECT *, {lengths} AS took, greatest(sent, 1) + {own}::INTEGER AS tries FROM ({counted})"
    # Lines that name no request are one each; only where such a line has several tries they need a name in common.
    copies = (
        "SELECT record, row_number() OVER (PARTITION BY line_md5 ORDER BY record) AS copy FROM judged "
        "WHERE tries > 1 AND request_id IS NULL AND req_id IS NULL"
    )
    each = f"SELECT *, unnest(range(1, tries + 1)) AS nth FROM judged LEFT JOIN ({copies}) AS copies USING (record)"
    looks = (
        "SELECT *, nth > sent AND sent > 0 AS is_here, nth = tries AND final = 499 AS gave_up, "
        "list_sum(list_transform(took[:nth - 1], lambda s: coalesce(s, 0))) AS before_s "
        f"FROM ({each})"
    )
    status = "CASE WHEN sent = 0 OR is_here THEN status WHEN gave_up THEN '499' WHEN len(statuses) = 0 AND nth = tries THEN status ELSE statuses[nth] END"
    silent = "upstream_header_time IS NOT NULL AND headers[nth] IS NULL AND NOT is_here AND NOT gave_up"
    in_all = "coalesce(took_s, list_sum(took), 0)"
    values = {
        "request_id": "coalesce(request_id, req_id, CASE WHEN tries > 1 THEN concat_ws('-', line_md5, copy) END)",
        "attempt": "nth",
        "start_us": f"end_us - CAST(round(({in_all} - coalesce(before_s, 0)) * 1e6) AS BIGINT)",
        "latency_s": "CASE WHEN is_here THEN 0 WHEN sent = 0 THEN took_s ELSE took[nth] END",
        "ok": "CASE WHEN gave_up THEN FALSE ELSE TRY_CAST(status_told AS DOUBLE) < 400 END",
        "service": first_of("proxy_upstream_name", "host", "server_name"),
        "operation": "coalesce(nullif(concat_ws(' ', request_method, nullif(regexp_extract(coalesce(request_uri, uri), '^[^?#]*'), '')), ''), "
        "nullif(regexp_extract(request, '^([A-Z]+ [^ ?#]*)', 1), ''))",
        "status": "status_told",
        "code": f"CASE WHEN {silent} AND status_told = '504' THEN 'NETWORK_TIMEOUT' WHEN {silent} AND status_told = '502' THEN 'NETWORK_ERROR' END",
        "cache_hit": f"CASE WHEN upstream_cache_status IS NOT NULL THEN is_last_row AND upstream_cache_status IN {_HITS} END",
        "degraded": "CASE WHEN is_here OR (upstream_cache_status IN ('STALE', 'UPDATING') AND is_last_row) THEN TRUE END",
    }
    whole = f"SELECT *, {status} AS status_told, nth = tries AS is_last_row FROM ({looks})"
    return record_sql(
        {name: values[name] for name in COLUMNS},
        f"(WITH judged AS ({judged}) {whole})",
        key="concat_ws('/', line_md5, nth)",
        record="record",
        problem="relkit__problem",
        order="record, nth",
    )


NGINX: Final = Importer("nginx", "an nginx access log with upstream lists", COLUMNS, _lines, _rows)
