-- The tables of a relkit database, schema version 1.
-- Integers only: *_us are microseconds, *_microusd are millionths of a US dollar, counts are counts.
-- ts columns are UTC microseconds since 1970-01-01 (BIGINT, not TIMESTAMP: plain integers sum and compare the same everywhere).

CREATE TABLE meta (
    key   VARCHAR PRIMARY KEY,  -- schema_version
    value VARCHAR NOT NULL
);

-- The ledger: one row a file (or sink) that added rows, in order. read_rows = kept + rejected + already there.
CREATE TABLE ingests (
    ingest_id          INTEGER PRIMARY KEY,
    source             VARCHAR NOT NULL,  -- the log the rows belong to; rows are told apart within a source
    lineage            INTEGER NOT NULL,  -- ingest_id that first saw this file: a file that grew keeps it
    is_overlap         BOOLEAN NOT NULL,  -- shares rows with another file of the source (an export that overlaps)
    name               VARCHAR NOT NULL,  -- file name without its folder
    kind               VARCHAR NOT NULL,  -- attempts | events | minutes | pairs | arms | faults | probes | journal | sink
    sha256             VARCHAR NOT NULL,  -- of the uncompressed content
    bytes              BIGINT NOT NULL,   -- of the uncompressed content
    lines              BIGINT NOT NULL,   -- ended lines in it
    records            BIGINT NOT NULL,   -- records that could be parsed
    tail_hash          UBIGINT,           -- line_hash of a last record whose line had no end yet, else NULL
    mapping_sha256     VARCHAR NOT NULL,
    read_rows          BIGINT NOT NULL,
    kept_rows          BIGINT NOT NULL,
    rejected_rows      BIGINT NOT NULL,
    already_there_rows BIGINT NOT NULL,
    left_out_rows      BIGINT NOT NULL    -- lines the mapping's `[rows] where` leaves out; not part of read_rows
);

-- One row per try. A request's outcome is its last attempt; its latency runs from first start to last end.
-- The table has the columns that some log has filled, the view `attempts` has them all: read the view, always.
CREATE TABLE attempt_rows (
    ts         BIGINT,
    latency_us BIGINT,
    ok         BOOLEAN,
    status     SMALLINT,
    fp         UBIGINT,
    ingest_id  INTEGER NOT NULL,
    line_hash  UBIGINT
);

CREATE VIEW attempts AS SELECT
    CAST(NULL AS VARCHAR) AS request_id,       -- NULL = the log names none: each row is a request of its own
    CAST(1 AS INTEGER) AS attempt,             -- 1, 2, ...
    r.ts AS ts,                                -- start, us since 1970 UTC; NULL = the log has no clock
    r.latency_us AS latency_us,                -- NULL = not measured
    CAST(TRUE AS BOOLEAN) AS ended,            -- false = censored: started, no end seen
    r.ok AS ok,                                -- NULL = unknown, neither good nor bad
    CAST('user' AS VARCHAR) AS role,           -- user | shadow | probe | canary; SLI, latency, cost and retry figures count user only
    CAST(NULL AS VARCHAR) AS service,
    CAST(NULL AS VARCHAR) AS model,
    CAST(NULL AS VARCHAR) AS operation,
    CAST(NULL AS VARCHAR) AS session_id,
    CAST(NULL AS VARCHAR) AS arm,
    r.status AS status,                        -- HTTP status, 100..599
    r.fp AS fp,                                -- fingerprint of the error signals; NULL = no error
    CAST(NULL AS BIGINT) AS retry_after_us,
    CAST(NULL AS BOOLEAN) AS maybe_executed,
    CAST(NULL AS VARCHAR) AS breaker_state,
    CAST(NULL AS BIGINT) AS budget_left,       -- retries left in the RetryBudget
    CAST(NULL AS BOOLEAN) AS cache_hit,
    CAST(NULL AS BOOLEAN) AS degraded,
    CAST(NULL AS BIGINT) AS tokens_in,
    CAST(NULL AS BIGINT) AS tokens_out,
    CAST(NULL AS BIGINT) AS cost_microusd,
    CAST(NULL AS VARCHAR) AS policy_hash,
    CAST(NULL AS VARCHAR) AS strategy,
    CAST('request' AS VARCHAR) AS granularity, -- attempt | request: is a row one try, or a whole request with its retries inside
    i.source AS source,
    r.ingest_id AS ingest_id,
    r.line_hash AS line_hash                   -- of the log line; NULL = came by a sink
FROM attempt_rows AS r JOIN ingests AS i USING (ingest_id);

-- Every distinct error, with each signal the classifier reads. Digits in the message are masked, secrets are gone.
CREATE TABLE fingerprints (
    fp             UBIGINT PRIMARY KEY,
    exception_type VARCHAR,
    status         SMALLINT,
    code           VARCHAR,
    body_type      VARCHAR,
    errno          INTEGER,
    sqlstate       VARCHAR,
    db_code        VARCHAR,
    grpc_code      VARCHAR,
    message        VARCHAR
);

CREATE TABLE classifications (
    ruleset  VARCHAR NOT NULL,  -- hash of the rule set
    fp       UBIGINT NOT NULL,
    kind     VARCHAR NOT NULL,  -- one of the 26 error kinds
    rule     VARCHAR NOT NULL,
    evidence VARCHAR NOT NULL,  -- the signal that decided
    PRIMARY KEY (ruleset, fp)
);

-- The rules behind the classifications, as TOML that `load_rules` reads.
CREATE TABLE rulesets (ruleset VARCHAR PRIMARY KEY, toml VARCHAR NOT NULL);

-- What a person says an error really was.
CREATE TABLE labels (fp UBIGINT NOT NULL, kind VARCHAR NOT NULL, labelled_by VARCHAR NOT NULL, ts BIGINT NOT NULL);

-- One row per request that primary and shadow both answered, or should have.
CREATE TABLE pairs (
    pair_id                VARCHAR NOT NULL,
    ts                     BIGINT,          -- us since 1970 UTC; NULL = no clock
    experiment             VARCHAR NOT NULL,
    request_id             VARCHAR,
    session_id             VARCHAR,
    turn                   INTEGER,         -- 1, 2, ... within the session
    segment                VARCHAR,
    primary_variant        VARCHAR,
    primary_action         VARCHAR,
    primary_ok             BOOLEAN,         -- NULL = no answer to judge
    primary_latency_us     BIGINT,
    primary_cost_microusd  BIGINT,
    primary_flags          VARCHAR,
    shadow_variant         VARCHAR,
    shadow_action          VARCHAR,
    shadow_ok              BOOLEAN,
    shadow_latency_us      BIGINT,
    shadow_cost_microusd   BIGINT,
    shadow_flags           VARCHAR,
    state                  VARCHAR NOT NULL, -- eligible | mirrored | answered | compared
    differs                BOOLEAN,
    differs_baseline       BOOLEAN,          -- primary against itself (A/A); NULL = not run
    primary_first          BOOLEAN,
    step                   INTEGER,          -- rollout step
    source                 VARCHAR NOT NULL,
    ingest_id              INTEGER NOT NULL,
    line_hash              UBIGINT
);

CREATE TABLE pair_bodies (pair_id VARCHAR NOT NULL, source VARCHAR NOT NULL, primary_body VARCHAR, shadow_body VARCHAR); -- redacted, capped

-- Append-only: what a rollout did and why.
CREATE TABLE rollouts (ts BIGINT NOT NULL, experiment VARCHAR NOT NULL, state VARCHAR NOT NULL, step INTEGER, share DOUBLE, reason VARCHAR);

-- Series that arrive already added up.
CREATE TABLE samples (
    ts        BIGINT NOT NULL,  -- start of the interval
    width_us  BIGINT NOT NULL,
    service   VARCHAR,
    name      VARCHAR NOT NULL, -- success_share, latency_p95_us, ...
    value     DOUBLE NOT NULL,
    n         BIGINT,           -- events behind the value; NULL = not told
    source    VARCHAR NOT NULL,
    ingest_id INTEGER NOT NULL,
    line_hash UBIGINT
);

CREATE TABLE probes (
    ts         BIGINT NOT NULL,
    service    VARCHAR NOT NULL,
    up         BOOLEAN NOT NULL,
    status     SMALLINT,
    latency_us BIGINT,
    source     VARCHAR NOT NULL,
    ingest_id  INTEGER NOT NULL,
    line_hash  UBIGINT
);

CREATE TABLE transitions (ts BIGINT NOT NULL, service VARCHAR NOT NULL, model VARCHAR, from_state VARCHAR NOT NULL, to_state VARCHAR NOT NULL, reason VARCHAR);

-- What was broken on purpose, or is known to have been broken.
CREATE TABLE faults (
    ts_start  BIGINT NOT NULL,
    ts_end    BIGINT,           -- NULL = end not told
    service   VARCHAR,
    label     VARCHAR NOT NULL,
    source    VARCHAR NOT NULL,
    ingest_id INTEGER NOT NULL,
    line_hash UBIGINT
);

CREATE TABLE exclusions (ts_start BIGINT NOT NULL, ts_end BIGINT NOT NULL, service VARCHAR, reason VARCHAR NOT NULL, decided_by VARCHAR NOT NULL);
CREATE TABLE sweeps (sweep_id VARCHAR NOT NULL, policy_hash VARCHAR NOT NULL, scenario VARCHAR NOT NULL, seed BIGINT NOT NULL, measure VARCHAR NOT NULL, value DOUBLE);
-- settings: the policy of policy_hash as the text of a relkit.toml; NULL of choices that schema 1 kept.
CREATE TABLE choices (sweep_id VARCHAR NOT NULL, policy_hash VARCHAR NOT NULL, code VARCHAR NOT NULL, sentence VARCHAR NOT NULL, ts BIGINT NOT NULL, settings VARCHAR);

-- Lines that could not become rows: where, why, and the redacted line.
CREATE TABLE rejects (ingest_id INTEGER NOT NULL, line BIGINT NOT NULL, reason VARCHAR NOT NULL, raw VARCHAR NOT NULL);
