"""sqlite3, DuckDB, psycopg, PyMySQL, redis, SQLAlchemy, PyMongo."""

import multiprocessing
import sqlite3

import duckdb
import psycopg
import pymongo
import pymysql
import redis
import sqlalchemy

from .case import Cases
from .loopback import Server, mysql_says, postgres_says, redis_says

cases = Cases()

# --- sqlite3 ---------------------------------------------------------------------------------------------------------


def sqlite(name, sql, kinds, retry, executed=False):
    def provoke(net):
        with sqlite3.connect(":memory:") as connection:
            connection.execute("CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT NOT NULL CHECK (b <> ''))")
            connection.execute("INSERT INTO t VALUES (1, 'x')")
            connection.execute(*sql) if isinstance(sql, tuple) else connection.execute(sql)

    cases.add(f"sqlite3: {name}", provoke, kinds, retry, executed)


sqlite("syntax", "SELEC 1", "DATABASE_QUERY_ERROR", False)
sqlite("no table", "SELECT * FROM bookings", "DATABASE_QUERY_ERROR", False)
sqlite("unique", "INSERT INTO t VALUES (1, 'y')", "DATABASE_QUERY_ERROR|BOOKING_CONFLICT", False)
sqlite("not null", "INSERT INTO t VALUES (2, NULL)", "DATABASE_QUERY_ERROR", False)
sqlite("check", "INSERT INTO t VALUES (2, '')", "DATABASE_QUERY_ERROR", False)
sqlite("bindings", ("SELECT ?", (1, 2)), "DATABASE_QUERY_ERROR|PROGRAMMING_ERROR", False)
sqlite("type of binding", ("SELECT ?", (object(),)), "DATABASE_QUERY_ERROR|PROGRAMMING_ERROR", False)


@cases.case("sqlite3: locked", "DATABASE_ERROR", True, False)
def _(net):
    path = net.folder / "locked.db"
    holder, other = sqlite3.connect(path, isolation_level=None), sqlite3.connect(path, timeout=0.05)
    holder.execute("CREATE TABLE IF NOT EXISTS t (a)")
    holder.execute("BEGIN EXCLUSIVE")
    try:
        other.execute("INSERT INTO t VALUES (1)")
    finally:
        holder.execute("ROLLBACK")


@cases.case("sqlite3: full", "LOCAL_RESOURCE", False, False)
def _(net):
    connection = sqlite3.connect(net.folder / "full.db")
    connection.execute("PRAGMA max_page_count = 2")
    connection.execute("CREATE TABLE IF NOT EXISTS t (a)")
    connection.executemany("INSERT INTO t VALUES (?)", [("x" * 1000,)] * 100)


@cases.case("sqlite3: read only", "DATABASE_QUERY_ERROR", False, False)
def _(net):
    path = net.folder / "readonly.db"
    sqlite3.connect(path).execute("CREATE TABLE IF NOT EXISTS t (a)")
    sqlite3.connect(f"file:{path}?mode=ro", uri=True).execute("INSERT INTO t VALUES (1)")


@cases.case("sqlite3: no database", "DATABASE_QUERY_ERROR", False, False)
def _(net):
    path = net.folder / "text.db"
    path.write_text("this is no database, whatever its name says. " * 100)
    sqlite3.connect(path).execute("SELECT * FROM sqlite_master")


@cases.case("sqlite3: cannot open", "DATABASE_QUERY_ERROR|LOCAL_RESOURCE", False, False)
def _(net):
    sqlite3.connect(net.folder / "no" / "such" / "folder.db")


@cases.case("sqlite3: closed", "DATABASE_QUERY_ERROR|PROGRAMMING_ERROR", False, False)
def _(net):
    connection = sqlite3.connect(":memory:")
    connection.close()
    connection.execute("SELECT 1")


@cases.case("sqlite3: interrupted", "CANCELLED", False, None)
def _(net):
    connection = sqlite3.connect(":memory:")
    connection.set_progress_handler(lambda: 1, 10)
    connection.execute(
        "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 100000) SELECT count(*) FROM n"
    ).fetchall()


# --- DuckDB ----------------------------------------------------------------------------------------------------------


def duck(name, *statements, kinds="DATABASE_QUERY_ERROR", retry=False, executed=False):
    def provoke(net):
        with duckdb.connect() as connection:
            for statement in statements:
                connection.execute(statement)

    cases.add(f"duckdb: {name}", provoke, kinds, retry, executed)


duck("syntax", "SELEC 1")
duck("no table", "SELECT * FROM bookings")
duck("no column", "SELECT a FROM (SELECT 1 AS b)")
duck(
    "unique",
    "CREATE TABLE t (a INTEGER PRIMARY KEY)",
    "INSERT INTO t VALUES (1), (1)",
    kinds="DATABASE_QUERY_ERROR|BOOKING_CONFLICT",
)
duck("conversion", "SELECT CAST('x' AS INTEGER)")
duck("missing file", "SELECT * FROM 'no/such.csv'", kinds="DATABASE_QUERY_ERROR|LOCAL_RESOURCE")
duck(
    "memory",
    "SET memory_limit = '10MB'",
    "SET temp_directory = ''",
    "CREATE TABLE t AS SELECT i, repeat('x', 500) || i AS x FROM range(300000) r(i)",
    kinds="LOCAL_RESOURCE",
)
duck("no transaction", "COMMIT")


@cases.case("duckdb: write conflict", "DATABASE_ERROR", True, False)
def _(net):
    with duckdb.connect() as one:
        one.execute("CREATE TABLE t AS SELECT 1 AS a")
        two = one.cursor()
        one.execute("BEGIN")
        two.execute("BEGIN")
        one.execute("UPDATE t SET a = 2")
        two.execute("UPDATE t SET a = 3")


def _hold(path, ready, done):
    with duckdb.connect(path):
        ready.set()
        done.wait(10)


@cases.case("duckdb: locked by another process", "DATABASE_ERROR", True, False)
def _(net):
    path = str(net.folder / "locked.duckdb")
    context = multiprocessing.get_context("fork")
    ready, done = context.Event(), context.Event()
    other = context.Process(target=_hold, args=(path, ready, done))
    other.start()
    ready.wait(10)
    try:
        duckdb.connect(path)
    finally:
        done.set()
        other.join()


@cases.case("duckdb: closed", "DATABASE_QUERY_ERROR|PROGRAMMING_ERROR|DATABASE_ERROR", False, False)
def _(net):
    connection = duckdb.connect()
    connection.close()
    connection.execute("SELECT 1")


# --- psycopg ---------------------------------------------------------------------------------------------------------


def postgres(port):
    with psycopg.connect(
        f"host=127.0.0.1 port={port} user=u dbname=d connect_timeout=2", autocommit=True
    ) as connection:
        connection.execute("SELECT 1")


def pg(state, text, kinds, retry, executed, **words):
    cases.add(
        f"psycopg: {state} {text[:40]}",
        lambda net: postgres(Server(postgres_says(state, text, **words)).port),
        kinds,
        retry,
        executed,
    )


pg("40P01", "deadlock detected", "DATABASE_ERROR", True, False)
pg("40001", "could not serialize access due to concurrent update", "DATABASE_ERROR", True, False)
pg("55P03", "could not obtain lock on row", "DATABASE_ERROR", True, False)
pg("23505", 'duplicate key value violates unique constraint "k"', "DATABASE_QUERY_ERROR|BOOKING_CONFLICT", False, False)
pg("23P01", 'conflicting key value violates exclusion constraint "no_overlap"', "BOOKING_CONFLICT", False, False)
pg("23503", "insert violates foreign key constraint", "DATABASE_QUERY_ERROR", False, False)
pg("42P01", 'relation "bookings" does not exist', "DATABASE_QUERY_ERROR", False, False)
pg("42601", 'syntax error at or near "selec"', "DATABASE_QUERY_ERROR", False, False)
pg("42501", "permission denied for table t", "DATABASE_QUERY_ERROR|API_AUTH_ERROR", False, False)
pg("22P02", "invalid input syntax for type integer", "DATABASE_QUERY_ERROR|VALIDATION_ERROR", False, False)
pg("25006", "cannot execute INSERT in a read-only transaction", "DATABASE_QUERY_ERROR", False, False)
pg("57014", "canceling statement due to statement timeout", "DATABASE_ERROR|NETWORK_TIMEOUT", None, None)
pg("57014", "canceling statement due to user request", "CANCELLED", False, None)
pg("57P01", "terminating connection due to administrator command", "DATABASE_ERROR", True, True, then_close=True)
pg("53300", "sorry, too many clients already", "DATABASE_ERROR", True, False, at_login=True)
pg("57P03", "the database system is starting up", "DATABASE_ERROR", True, False, at_login=True)
pg("28P01", 'password authentication failed for user "u"', "API_AUTH_ERROR", False, False, at_login=True)
pg("53100", "could not extend file: No space left on device", "DATABASE_ERROR|LOCAL_RESOURCE", False, None)
pg("drop", "close", "DATABASE_ERROR", True, True)
pg("drop", "reset", "DATABASE_ERROR", True, True)
cases.add(
    "psycopg: refused",
    lambda net: postgres(net.refused.rpartition(":")[2]),
    "DATABASE_ERROR|NETWORK_REFUSED",
    True,
    False,
)
cases.add(
    "psycopg: connect timeout", lambda net: postgres(net.mute_port), "DATABASE_ERROR|NETWORK_TIMEOUT", True, False
)


@cases.case("psycopg: name not found", "DATABASE_ERROR|NETWORK_ERROR", True, False)
def _(net):
    psycopg.connect("host=nowhere.invalid user=u dbname=d connect_timeout=2")


# --- PyMySQL ---------------------------------------------------------------------------------------------------------


def mysql(port):
    with pymysql.connect(host="127.0.0.1", port=int(port), user="u", password="p", connect_timeout=2) as connection:
        connection.cursor().execute("SELECT 1")


def my(number, state, text, kinds, retry, executed, **words):
    cases.add(
        f"pymysql: {number} {text[:20]}",
        lambda net: mysql(Server(mysql_says(number, state, text, **words)).port),
        kinds,
        retry,
        executed,
    )


my(1213, "40001", "Deadlock found when trying to get lock; try restarting transaction", "DATABASE_ERROR", True, False)
my(1205, "HY000", "Lock wait timeout exceeded; try restarting transaction", "DATABASE_ERROR", True, False)
my(1062, "23000", "Duplicate entry '1' for key 'PRIMARY'", "DATABASE_QUERY_ERROR|BOOKING_CONFLICT", False, False)
my(1146, "42S02", "Table 'd.t' doesn't exist", "DATABASE_QUERY_ERROR", False, False)
my(1064, "42000", "You have an error in your SQL syntax", "DATABASE_QUERY_ERROR", False, False)
my(1040, "08004", "Too many connections", "DATABASE_ERROR", True, False, at_login=True)
my(1045, "28000", "Access denied for user 'u'", "API_AUTH_ERROR", False, False, at_login=True)
my(0, "00000", "lost in mid-query", "DATABASE_ERROR", True, True)
cases.add(
    "pymysql: refused", lambda net: mysql(net.refused.rpartition(":")[2]), "DATABASE_ERROR|NETWORK_REFUSED", True, False
)

# --- redis -----------------------------------------------------------------------------------------------------------


def cache(port, timeout=2.0, host="127.0.0.1", **words):
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    client = redis.Redis(
        host=host,
        port=int(port),
        socket_timeout=timeout,
        socket_connect_timeout=timeout,
        retry=Retry(NoBackoff(), 0),
        protocol=2,
        **words,
    )
    client.set("a", "b")


def rd(reply, kinds, retry, executed, **words):
    cases.add(
        f"redis: {reply.strip()[:28]}",
        lambda net: cache(Server(redis_says(reply.encode())).port, **words),
        kinds,
        retry,
        executed,
    )


rd("-LOADING Redis is loading the dataset in memory\r\n", "CACHE_UNAVAILABLE", False, None)
rd("-OOM command not allowed when used memory > 'maxmemory'.\r\n", "CACHE_UNAVAILABLE", False, None)
rd("-READONLY You can't write against a read only replica.\r\n", "CACHE_UNAVAILABLE|DATABASE_QUERY_ERROR", False, None)
rd(
    "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
    "DATABASE_QUERY_ERROR|PROGRAMMING_ERROR",
    False,
    None,
)
rd("-ERR unknown command 'FOO'\r\n", "DATABASE_QUERY_ERROR|PROGRAMMING_ERROR", False, None)
rd("-NOAUTH Authentication required.\r\n", "API_AUTH_ERROR", False, False)
rd("-NOPERM this user has no permissions to run the 'set' command\r\n", "API_AUTH_ERROR", False, False)
rd(
    "-MISCONF Redis is configured to save RDB snapshots, but is unable to persist on disk.\r\n",
    "CACHE_UNAVAILABLE",
    False,
    None,
)
cases.add("redis: refused", lambda net: cache(net.refused.rpartition(":")[2]), "CACHE_UNAVAILABLE", False, None)
cases.add("redis: name not found", lambda net: cache(6379, host="nowhere.invalid"), "CACHE_UNAVAILABLE", False, None)
cases.add("redis: timeout", lambda net: cache(net.mute_port, timeout=0.3), "CACHE_UNAVAILABLE", False, None)
cases.add("redis: hung up", lambda net: cache(Server(lambda sock: sock.close()).port), "CACHE_UNAVAILABLE", False, None)

# --- SQLAlchemy, PyMongo ---------------------------------------------------------------------------------------------


@cases.case("sqlalchemy: unique", "DATABASE_QUERY_ERROR|BOOKING_CONFLICT", False, False)
def _(net):
    with sqlalchemy.create_engine("sqlite://").begin() as connection:
        connection.execute(sqlalchemy.text("CREATE TABLE t (a INTEGER PRIMARY KEY)"))
        for _ in range(2):
            connection.execute(sqlalchemy.text("INSERT INTO t VALUES (1)"))


@cases.case("sqlalchemy: locked", "DATABASE_ERROR", True, False)
def _(net):
    path = net.folder / "sa.db"
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("CREATE TABLE IF NOT EXISTS t (a)")
    holder.execute("BEGIN EXCLUSIVE")
    try:
        with sqlalchemy.create_engine(f"sqlite:///{path}", connect_args={"timeout": 0.05}).begin() as connection:
            connection.execute(sqlalchemy.text("INSERT INTO t VALUES (1)"))
    finally:
        holder.execute("ROLLBACK")


@cases.case("sqlalchemy: pool is empty", "DATABASE_ERROR", True, False)
def _(net):
    engine = sqlalchemy.create_engine(
        f"sqlite:///{net.folder / 'pool.db'}",
        pool_size=1,
        max_overflow=0,
        pool_timeout=0.1,
        poolclass=sqlalchemy.pool.QueuePool,
    )
    with engine.connect(), engine.connect():
        pass


@cases.case("sqlalchemy: deadlock through psycopg", "DATABASE_ERROR", True, False)
def _(net):
    port = Server(postgres_says("40P01", "deadlock detected")).port
    try:
        postgres(port)
    except psycopg.Error as error:
        raise sqlalchemy.exc.DBAPIError.instance("SELECT 1", {}, error, psycopg.Error) from error


@cases.case("sqlalchemy: no driver", "PROGRAMMING_ERROR", False, None)
def _(net):
    sqlalchemy.create_engine("oracle+oracledb://u:p@h/d")


@cases.case("pymongo: no server", "DATABASE_ERROR|NETWORK_REFUSED", True, False)
def _(net):
    pymongo.MongoClient(net.refused.replace("http", "mongodb"), serverSelectionTimeoutMS=300).admin.command("ping")
