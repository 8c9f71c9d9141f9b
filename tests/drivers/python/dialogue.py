"""What an application written with the Python driver does, step by step.

    dialogue.py HOST PORT before|after

`before` fills a keyspace and checks every answer; `after` is run once the node was restarted and checks what stayed.
It speaks nothing that only one server understands: it passes against Apache Cassandra too.
"""

import datetime
import decimal
import ipaddress
import math
import sys
import threading
import uuid

from cassandra import ConsistencyLevel, InvalidRequest, Unavailable
from cassandra.cluster import Cluster, EXEC_PROFILE_DEFAULT, ExecutionProfile, NoHostAvailable
from cassandra.protocol import SyntaxException
from cassandra.query import BatchStatement, BatchType, SimpleStatement, ValueSequence, named_tuple_factory
from cassandra.util import Date, Duration, SortedSet, Time

KEYSPACE = "dialogue_python"
STEPS = []


def step(function):
    """Registers a step; steps run in the order in which they stand."""
    STEPS.append(function)
    return function


def rows(session, statement, *arguments):
    return list(session.execute(statement, *arguments))


@step
def metadata(session, cluster):
    host = cluster.metadata.all_hosts()[0]
    assert host.datacenter and host.rack and host.host_id, "the node says where it stands"
    assert host.release_version[0] in "45", host.release_version
    assert cluster.metadata.partitioner.endswith("Murmur3Partitioner")
    assert cluster.metadata.token_map is not None, "tokens are known"
    assert "system" in cluster.metadata.keyspaces
    assert session.execute("SELECT key FROM system.local").one().key == "local"


@step
def keyspace(session, cluster):
    session.execute(f"DROP KEYSPACE IF EXISTS {KEYSPACE}")
    session.execute(
        f"CREATE KEYSPACE {KEYSPACE} WITH replication = {{'class': 'SimpleStrategy', 'replication_factor': 1}}"
    )
    session.set_keyspace(KEYSPACE)
    assert KEYSPACE in cluster.metadata.keyspaces


TYPES = {
    "a": ("ascii", ["text", "", None]),
    "b": ("bigint", [2**63 - 1, -(2**63), 0, None]),
    "c": ("blob", [b"\xca\xfe", b"", bytes(range(256)), None]),
    "d": ("boolean", [True, False, None]),
    "e": ("date", [Date(0), Date(datetime.date(2015, 5, 3)), Date(-(2**31)), Date(2**31 - 1), None]),
    "f": ("decimal", [decimal.Decimal("1234.5678"), decimal.Decimal("-1E-40"), decimal.Decimal("0"), None]),
    "g": ("double", [3.141592653589793, -0.0, math.inf, -math.inf, 1e308, None]),
    "h": ("duration", [Duration(14, 3, 4_000_000_000), Duration(-1, -2, -3), Duration(0, 0, 0), None]),
    "i": ("float", [1.5, -2.25, math.inf, None]),
    "j": ("inet", ["127.0.0.1", "::1", "255.255.255.255", None]),
    "k": ("int", [2**31 - 1, -(2**31), 0, None]),
    "l": ("smallint", [2**15 - 1, -(2**15), 0, None]),
    "m": ("text", ["", "it's", "漢字 é 🙂", "x" * 100_000, None]),
    "n": ("time", [Time(0), Time(86_399_999_999_999), None]),
    "o": ("timestamp", [datetime.datetime(2011, 2, 3, 4, 5), datetime.datetime(1970, 1, 1), datetime.datetime(1969, 12, 31, 23, 59, 59, 999000), None]),
    "p": ("timeuuid", [uuid.UUID("50554d6e-29bb-11e5-b345-feff819cdc9f"), None]),
    "q": ("tinyint", [127, -128, 0, None]),
    "r": ("uuid", [uuid.UUID("123e4567-e89b-12d3-a456-426614174000"), uuid.UUID(int=0), None]),
    "s": ("varint", [0, -1, 127, 128, -129, 10**40, -(10**40), None]),
    "t": ("list<int>", [[1, 2, 2, -1], None]),
    "u": ("set<text>", [SortedSet(["b", "a"]), None]),
    "v": ("map<text, int>", [{"x": 1, "y": -2}, None]),
    "w": ("frozen<list<int>>", [[], [3, 1], None]),
    "x": ("tuple<int, text>", [(1, "one"), (None, "x"), None]),
    "y": ("frozen<map<int, frozen<set<int>>>>", [{1: SortedSet([2, 1])}, None]),
    "z": ("vector<float, 3>", [[1.0, 2.5, -3.0], None]),
}


@step
def all_types_prepared(session, cluster):
    columns = ", ".join(f"{name} {kind}" for name, (kind, _) in TYPES.items())
    session.execute(f"CREATE TABLE all_types (id int PRIMARY KEY, {columns})")
    for name, (kind, values) in TYPES.items():
        insert = session.prepare(f"INSERT INTO all_types (id, {name}) VALUES (?, ?)")
        select = session.prepare(f"SELECT {name} AS value FROM all_types WHERE id = ?")
        for number, value in enumerate(values):
            session.execute(insert, (number, value))
            (row,) = rows(session, select, (number,))
            got = row.value
            if kind.startswith(("map", "frozen<map")) and got is not None:
                got = {key: got[key] for key in got}
            if isinstance(value, str) and kind == "inet":
                got = str(ipaddress.ip_address(got))
            assert got == value, f"{kind}: wrote {value!r}, read {row.value!r}"
            if isinstance(value, float):
                assert math.copysign(1, got) == math.copysign(1, value), kind
        session.execute("TRUNCATE all_types")


@step
def nan(session, cluster):
    session.execute("INSERT INTO all_types (id, g, i) VALUES (1, NaN, NaN)")
    (row,) = rows(session, "SELECT g, i FROM all_types WHERE id = 1")
    assert math.isnan(row.g) and math.isnan(row.i)


@step
def simple_statements_with_parameters(session, cluster):
    session.execute("CREATE TABLE simple (id int PRIMARY KEY, name text, at timestamp)")
    session.execute("INSERT INTO simple (id, name) VALUES (%s, %s)", (1, "o'neil"))
    session.execute("INSERT INTO simple (id, name) VALUES (%(id)s, %(name)s)", {"id": 2, "name": "two"})
    assert [row.name for row in rows(session, "SELECT name FROM simple WHERE id IN %s", (ValueSequence((1, 2)),))] == ["o'neil", "two"]


@step
def named_markers_and_unset(session, cluster):
    from cassandra.query import UNSET_VALUE

    insert = session.prepare("INSERT INTO simple (id, name, at) VALUES (:id, :name, :at)")
    session.execute(insert, {"id": 3, "name": "three", "at": datetime.datetime(2020, 1, 1)})
    session.execute(insert, (3, UNSET_VALUE, None))
    (row,) = rows(session, "SELECT name, at FROM simple WHERE id = 3")
    assert row.name == "three" and row.at is None, row


@step
def clustering_and_order(session, cluster):
    session.execute("CREATE TABLE series (pk int, ck int, v text, PRIMARY KEY (pk, ck)) WITH CLUSTERING ORDER BY (ck DESC)")
    insert = session.prepare("INSERT INTO series (pk, ck, v) VALUES (?, ?, ?)")
    for ck in range(100):
        session.execute(insert, (1, ck, str(ck)))
    got = [row.ck for row in rows(session, "SELECT ck FROM series WHERE pk = 1 AND ck >= 10 AND ck < 13")]
    assert got == [12, 11, 10], got
    got = [row.ck for row in rows(session, "SELECT ck FROM series WHERE pk = 1 ORDER BY ck ASC LIMIT 3")]
    assert got == [0, 1, 2], got
    assert session.execute("SELECT count(*) FROM series WHERE pk = 1").one().count == 100


@step
def batches(session, cluster):
    session.execute("CREATE TABLE batched (pk int, ck int, v int, PRIMARY KEY (pk, ck))")
    insert = session.prepare("INSERT INTO batched (pk, ck, v) VALUES (?, ?, ?)")
    for kind in (BatchType.LOGGED, BatchType.UNLOGGED):
        batch = BatchStatement(batch_type=kind)
        for ck in range(50):
            batch.add(insert, (kind.value, ck, ck))
        batch.add(SimpleStatement(f"DELETE FROM batched WHERE pk = {kind.value} AND ck = 7"))
        batch.add("UPDATE batched SET v = %s WHERE pk = %s AND ck = %s", (1000, kind.value, 8))
        session.execute(batch)
        got = rows(session, "SELECT ck, v FROM batched WHERE pk = %s", (kind.value,))
        # Equal times: the deletion wins over the insert, the larger value over the smaller.
        assert [row.ck for row in got] == [ck for ck in range(50) if ck != 7]
        assert {row.ck: row.v for row in got}[8] == 1000


@step
def paging(session, cluster):
    session.execute("CREATE TABLE paged (pk int, ck int, v text, PRIMARY KEY (pk, ck))")
    insert = session.prepare("INSERT INTO paged (pk, ck, v) VALUES (?, ?, ?)")
    from cassandra.concurrent import execute_concurrent_with_args

    wanted = {(pk, ck) for pk in range(100) for ck in range(110)}
    results = execute_concurrent_with_args(session, insert, [(pk, ck, "v" * 20) for pk, ck in sorted(wanted)], concurrency=200)
    assert all(result.success for result in results)
    for size in (97, 1000, 5000):
        result = session.execute(SimpleStatement("SELECT pk, ck FROM paged", fetch_size=size))
        pages, got = 0, []
        while True:
            got.extend((row.pk, row.ck) for row in result.current_rows)
            pages += 1
            if not result.has_more_pages:
                break
            result.fetch_next_page()
        assert len(got) == len(wanted) and set(got) == wanted, (size, len(got))
        assert pages >= len(wanted) // size, (size, pages)
    got = [row.ck for row in session.execute(SimpleStatement("SELECT ck FROM paged WHERE pk = 5 ORDER BY ck DESC", fetch_size=10))]
    assert got == list(range(109, -1, -1))
    result = session.execute(SimpleStatement("SELECT ck FROM paged WHERE pk = 5", fetch_size=10))
    state = result.paging_state
    resumed = session.execute(SimpleStatement("SELECT ck FROM paged WHERE pk = 5", fetch_size=1000), paging_state=state)
    assert [row.ck for row in resumed] == list(range(10, 110))
    assert session.execute("SELECT count(*) FROM paged").one().count == len(wanted)
    assert len(rows(session, "SELECT DISTINCT pk FROM paged")) == 100

@step
def a_damaged_paging_state_is_refused(session, cluster):
    other = connect(cluster.endpoints_resolved[0].address, cluster.port)
    try:
        statement = SimpleStatement("SELECT ck FROM paged WHERE pk = 5", fetch_size=10)
        other.connect(KEYSPACE).execute(statement, paging_state=b"\x00garbage")
    except Exception:  # noqa: BLE001 - which error is the server's choice, that it is one is not
        return
    finally:
        other.shutdown()
    raise AssertionError("a damaged paging state must be refused")


@step
def collections(session, cluster):
    session.execute("CREATE TABLE collected (id int PRIMARY KEY, l list<int>, s set<int>, m map<text, int>)")
    session.execute("INSERT INTO collected (id, l, s, m) VALUES (1, [1, 2], {1, 2}, {'a': 1})")
    append = session.prepare("UPDATE collected SET l = l + ?, s = s + ?, m = m + ? WHERE id = ?")
    session.execute(append, ([3], {3}, {"b": 2}, 1))
    session.execute("UPDATE collected SET l = [0] + l, s = s - {1}, m['a'] = 10 WHERE id = 1")
    session.execute("DELETE m['b'] FROM collected WHERE id = 1")
    (row,) = rows(session, "SELECT l, s, m FROM collected WHERE id = 1")
    assert (row.l, list(row.s), dict(row.m)) == ([0, 1, 2, 3], [2, 3], {"a": 10}), row


@step
def user_types(session, cluster):
    session.execute("CREATE TYPE address (street text, zip int)")
    session.execute("CREATE TABLE people (id int PRIMARY KEY, home frozen<address>, work address, others list<frozen<address>>)")

    class Address:
        def __init__(self, street, zip):
            self.street, self.zip = street, zip

        def __eq__(self, other):
            return (self.street, self.zip) == (other.street, other.zip)

    cluster.register_user_type(KEYSPACE, "address", Address)
    insert = session.prepare("INSERT INTO people (id, home, work, others) VALUES (?, ?, ?, ?)")
    home, work = Address("Main", 1), Address("Side", None)
    session.execute(insert, (1, home, work, [home, work]))
    session.execute("UPDATE people SET work.zip = 7 WHERE id = 1")
    (row,) = rows(session, "SELECT * FROM people WHERE id = 1")
    assert row.home == home and row.work == Address("Side", 7) and row.others == [home, work]
    assert "address" in cluster.metadata.keyspaces[KEYSPACE].user_types


@step
def static_columns(session, cluster):
    session.execute("CREATE TABLE statics (pk int, ck int, s text static, v int, PRIMARY KEY (pk, ck))")
    session.execute("INSERT INTO statics (pk, s) VALUES (1, 'alone')")
    assert [(row.ck, row.s) for row in rows(session, "SELECT * FROM statics WHERE pk = 1")] == [(None, "alone")]
    session.execute("INSERT INTO statics (pk, ck, v) VALUES (1, 1, 1)")
    session.execute("INSERT INTO statics (pk, ck, v, s) VALUES (1, 2, 2, 'shared')")
    assert [(row.ck, row.s) for row in rows(session, "SELECT * FROM statics WHERE pk = 1")] == [(1, "shared"), (2, "shared")]


@step
def time_to_live(session, cluster):
    session.execute("CREATE TABLE expiring (id int PRIMARY KEY, v text, w text)")
    session.execute("INSERT INTO expiring (id, v, w) VALUES (1, 'short', 'long') USING TTL 100000")
    session.execute("UPDATE expiring USING TTL 1 SET v = 'short' WHERE id = 1")
    assert session.execute("SELECT ttl(w) FROM expiring WHERE id = 1").one()[0] > 99_000
    deadline = threading.Event()
    for _ in range(100):
        if session.execute("SELECT v FROM expiring WHERE id = 1").one().v is None:
            break
        deadline.wait(0.1)
    else:
        raise AssertionError("a cell with a TTL of one second is still there after ten")
    assert session.execute("SELECT w FROM expiring WHERE id = 1").one().w == "long"


@step
def write_timestamps(session, cluster):
    session.execute("CREATE TABLE timed (id int PRIMARY KEY, v int)")
    session.execute("INSERT INTO timed (id, v) VALUES (1, 1) USING TIMESTAMP 2000")
    session.execute("INSERT INTO timed (id, v) VALUES (1, 2) USING TIMESTAMP 1000")
    row = session.execute("SELECT v, writetime(v) AS at FROM timed WHERE id = 1").one()
    assert (row.v, row.at) == (1, 2000)


@step
def errors(session, cluster):
    for statement, kind in [
        ("SELEC 1", SyntaxException),
        ("SELECT nope FROM simple", InvalidRequest),
        ("SELECT * FROM nosuchtable", InvalidRequest),
        ("INSERT INTO simple (id) VALUES ('x')", InvalidRequest),
        ("SELECT * FROM system.peers_v3", InvalidRequest),
    ]:
        try:
            session.execute(statement)
        except kind:
            continue
        raise AssertionError(f"{statement}: no {kind.__name__}")


@step
def consistency(session, cluster):
    session.execute(
        "CREATE KEYSPACE IF NOT EXISTS dialogue_three WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 3}"
    )
    session.execute("CREATE TABLE IF NOT EXISTS dialogue_three.t (id int PRIMARY KEY)")
    session.execute(SimpleStatement("INSERT INTO dialogue_three.t (id) VALUES (1)", consistency_level=ConsistencyLevel.ONE))
    try:
        session.execute(SimpleStatement("INSERT INTO dialogue_three.t (id) VALUES (2)", consistency_level=ConsistencyLevel.QUORUM))
    except NoHostAvailable as refused:
        (error,) = refused.errors.values()
        assert isinstance(error, Unavailable) and (error.required_replicas, error.alive_replicas) == (2, 1), error
    else:
        raise AssertionError("QUORUM of three replicas on one node must be unavailable")
    session.execute("DROP KEYSPACE dialogue_three")


@step
def schema_changes_reach_an_open_connection(session, cluster):
    other = connect(cluster.endpoints_resolved[0].address, cluster.port)
    try:
        watcher = other.connect(KEYSPACE)
        select = watcher.prepare("SELECT * FROM simple WHERE id = 1")
        assert watcher.execute(select).one().name == "o'neil"
        session.execute("CREATE TABLE announced (id int PRIMARY KEY, v int)")
        wait_for(lambda: "announced" in other.metadata.keyspaces[KEYSPACE].tables)
        session.execute("ALTER TABLE announced ADD w text")
        wait_for(lambda: "w" in other.metadata.keyspaces[KEYSPACE].tables["announced"].columns)
        session.execute("DROP TABLE announced")
        wait_for(lambda: "announced" not in other.metadata.keyspaces[KEYSPACE].tables)
        session.execute("ALTER TABLE simple ADD extra int")
        session.execute("UPDATE simple SET extra = 5 WHERE id = 1")
        again = watcher.prepare("SELECT * FROM simple WHERE id = 1")
        assert watcher.execute(again).one().extra == 5
    finally:
        other.shutdown()


@step
def many_connections_at_once(session, cluster):
    session.execute("CREATE TABLE crowded (id int PRIMARY KEY, v int)")
    failures = []

    def work(number):
        try:
            own = connect(cluster.endpoints_resolved[0].address, cluster.port)
            try:
                mine = own.connect(KEYSPACE)
                mine.execute(f"CREATE TABLE IF NOT EXISTS crowd_{number % 2} (id int PRIMARY KEY)")
                insert = mine.prepare("INSERT INTO crowded (id, v) VALUES (?, ?)")
                for index in range(100):
                    mine.execute(insert, (number * 100 + index, number))
            finally:
                own.shutdown()
        except Exception as error:  # noqa: BLE001 - reported below
            failures.append(repr(error))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures
    assert session.execute("SELECT count(*) FROM crowded").one().count == 600


def wait_for(condition):
    pause = threading.Event()
    for _ in range(100):
        try:
            if condition():
                return
        except KeyError:
            pass
        pause.wait(0.1)
    raise AssertionError("it did not happen within ten seconds")


def after(session, cluster):
    """What a restart must not change."""
    session.set_keyspace(KEYSPACE)
    assert session.execute("SELECT count(*) FROM paged").one().count == 11_000
    assert session.execute("SELECT count(*) FROM crowded").one().count == 600
    (row,) = rows(session, "SELECT l, s, m FROM collected WHERE id = 1")
    assert (row.l, list(row.s), dict(row.m)) == ([0, 1, 2, 3], [2, 3], {"a": 10}), row
    assert session.execute("SELECT w FROM expiring WHERE id = 1").one().w == "long"
    assert session.execute("SELECT v FROM expiring WHERE id = 1").one().v is None
    assert session.execute("SELECT extra FROM simple WHERE id = 1").one().extra == 5
    row = session.execute("SELECT v, writetime(v) AS at FROM timed WHERE id = 1").one()
    assert (row.v, row.at) == (1, 2000)
    assert [row.ck for row in rows(session, "SELECT ck FROM batched WHERE pk = 1")] == [ck for ck in range(50) if ck != 7]
    assert len(cluster.metadata.keyspaces[KEYSPACE].tables) >= 12
    session.execute("INSERT INTO simple (id, name) VALUES (99, 'after')")
    assert session.execute("SELECT name FROM simple WHERE id = 99").one().name == "after"


def connect(host, port):
    profile = ExecutionProfile(request_timeout=60, row_factory=named_tuple_factory, consistency_level=ConsistencyLevel.LOCAL_ONE)
    return Cluster([host], port=port, execution_profiles={EXEC_PROFILE_DEFAULT: profile})


def main():
    host, port, phase = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    cluster = connect(host, port)
    session = cluster.connect()
    try:
        if phase == "before":
            for each in STEPS:
                each(session, cluster)
                print(f"python: {each.__name__} ok", flush=True)
        else:
            after(session, cluster)
            print("python: after the restart ok", flush=True)
    finally:
        cluster.shutdown()


if __name__ == "__main__":
    main()
