from pathlib import Path

import pytest

from fundwatch.models import Asset, AssetClass, Kind, Market, Source
from fundwatch.storage import imports, markets, settlements, undo
from fundwatch.storage.database import Database, reader
from fundwatch.storage.scratch import scratch_copy
from tests.storage.ledger import LATER, START, Ledger, hour, paid


@pytest.fixture
def ledger(path: Path) -> Ledger:
    return Ledger(path, "BTC", "ETH")


OLD = Market("lighter", "OLD", Asset("OLD", AssetClass.CRYPTO, 1000.0))


def add(ledger: Ledger, market: Market = OLD, first: float = 10, last: float = 20) -> None:
    with ledger.writer.transaction():
        imports.add_markets(ledger.writer, "lighter", [(market, hour(first), hour(last))])


def test_a_market_of_a_file_is_not_listed_and_lived_as_long_as_its_rows(ledger: Ledger) -> None:
    add(ledger)
    columns = "ticker, multiplier, status, first_seen, last_seen"
    assert ledger.writer.rows(f"SELECT {columns} FROM market WHERE symbol = 'OLD'") == [
        ("OLD", 1000.0, "delisted", hour(10), hour(20))
    ]
    assert imports.known_markets(ledger.writer, "lighter")["OLD"] == ("", AssetClass.CRYPTO)
    with ledger.writer.transaction():
        imports.seen_until(ledger.writer, "lighter", [("OLD", hour(5), hour(9)), ("BTC", hour(5), hour(9))])
    seen = "SELECT first_seen, last_seen FROM market WHERE symbol = ?"
    assert ledger.writer.rows(seen, "OLD") == [(hour(5), hour(20))]
    assert ledger.writer.rows(seen, "BTC") == [(START, START)], "a listed market is seen by lists"


def test_a_market_that_is_known_stays_as_it_is(ledger: Ledger) -> None:
    add(ledger, Market("lighter", "BTC", Asset("WRONG", AssetClass.FX)))
    assert ledger.writer.value("SELECT ticker FROM market WHERE symbol = 'BTC'") == "BTC"


def test_only_markets_that_nothing_else_knows_are_removed(ledger: Ledger) -> None:
    for symbol in ("EMPTY", "PAID", "QUOTED", "LISTED"):
        add(ledger, Market("lighter", symbol, Asset(symbol, AssetClass.CRYPTO)))
    ledger.save(paid(15, symbol="PAID"), source=Source.IMPORT)
    ids = markets.market_ids(ledger.writer, "lighter")
    ledger.quote(ids["QUOTED"])
    with ledger.writer.transaction():
        markets.save_listing(
            ledger.writer, "lighter", [Market("lighter", "LISTED", Asset("L", AssetClass.CRYPTO))], (), LATER
        )
        assert imports.remove_empty_markets(ledger.writer, "lighter") == 1
    assert set(ids) - set(markets.market_ids(ledger.writer, "lighter")) == {"EMPTY"}


def test_a_market_that_a_list_names_for_the_first_time_is_no_event(ledger: Ledger) -> None:
    add(ledger)
    listed = [Market("lighter", symbol, Asset(symbol, AssetClass.CRYPTO)) for symbol in ("BTC", "ETH", "OLD")]
    with ledger.writer.transaction():
        change = markets.save_listing(ledger.writer, "lighter", listed, (), LATER)
        assert change.returned == ("OLD",)
        assert ledger.writer.rows("SELECT * FROM event") == []
        markets.save_listing(ledger.writer, "lighter", listed[:2], ["OLD"], LATER + 1)
        markets.save_listing(ledger.writer, "lighter", listed, (), LATER + 2)
    assert [kind for (kind,) in ledger.writer.rows("SELECT kind FROM event ORDER BY id")] == [
        "delisted",
        "returned",
    ]


def test_the_row_that_covers_both_sides_of_a_time_is_found(ledger: Ledger) -> None:
    ledger.save(paid(8, hours=8), paid(9, hours=1), paid(16, kind=Kind.SPECIAL, hours=None))
    market = ledger.writer.value("SELECT id FROM market WHERE symbol = 'BTC'")
    found = [imports.reaches_over(ledger.writer, market, hour(at)) for at in (-1, 0, 1, 7, 8, 9, 12)]
    assert found == [None, None, hour(8), hour(8), None, None, None]


def test_an_earlier_import_is_known_by_its_bytes_until_it_is_undone(ledger: Ledger) -> None:
    run_id = ledger.run(Source.IMPORT, kind="import")
    with ledger.writer.transaction():
        ledger.writer.change("UPDATE run SET file_sha256 = 'abc' WHERE id = ?", run_id)
    assert imports.earlier_import(ledger.writer, "lighter", "abc") == (run_id, START, "ok")
    assert imports.earlier_import(ledger.writer, "lighter", "abd") is None
    assert imports.earlier_import(ledger.writer, "aster", "abc") is None
    with ledger.writer.transaction():
        undo.undo_import(ledger.writer, run_id, LATER)
    assert imports.earlier_import(ledger.writer, "lighter", "abc") is None


def test_only_known_intervals_are_witnesses_and_only_regular_rows(ledger: Ledger) -> None:
    ledger.save(paid(1, hours=None), paid(2), paid(3, kind=Kind.SPECIAL, hours=None), paid(400), paid(900))
    market = ledger.writer.value("SELECT id FROM market WHERE symbol = 'BTC'")
    ledger.event(time=hour(2), kind="interval", market_id=market, value=1.0)
    rows, seen = imports.interval_witnesses(ledger.writer, "lighter", "BTC", hour(100), hour(300))
    assert [row.funding_time for row in rows] == [hour(2), hour(400)]
    assert seen == [(hour(2), 1.0)]


def test_a_batch_and_its_counters_are_stored_together(ledger: Ledger) -> None:
    run_id = ledger.run(Source.IMPORT, kind="import")
    known, unknown = [paid(2), paid(3)], [paid(1, hours=None)]
    stored = imports.save_batch(ledger.writer, run_id, "lighter", known, unknown, LATER, recent=0)
    assert (stored.inserted, len(stored.market_ids)) == (3, 1)
    assert ledger.writer.value("SELECT inserted FROM run WHERE id = ?", run_id) == 3
    assert ledger.writer.value("SELECT COUNT(*) FROM summary") == 1
    again = imports.save_batch(ledger.writer, run_id, "lighter", known, unknown, LATER, recent=LATER)
    assert (again.inserted, again.unchanged) == (0, 3)


def test_reasons_of_both_parts_of_a_batch_are_counted(ledger: Ledger) -> None:
    run_id = ledger.run(Source.IMPORT, kind="import")
    strangers = [paid(1, symbol="X")], [paid(2, symbol="Y", hours=None), paid(3, rate=9.0, hours=None)]
    stored = imports.save_batch(ledger.writer, run_id, "lighter", *strangers, LATER, recent=0)
    assert stored.reasons == {"its market is not known": 2, "its rate is absurd": 1}
    assert stored.refused == 3


# A copy to try things in


def content(db: Database) -> list[tuple[object, ...]]:
    return db.rows("SELECT market_id, funding_time, kind, rate, interval_hours, run_id FROM settlement")


def test_a_scratch_copy_has_what_can_matter_and_changes_nothing(ledger: Ledger, path: Path) -> None:
    ledger.save(*(paid(end) for end in range(1, 2000)), paid(5, symbol="ETH"))
    with ledger.writer.transaction():
        ledger.writer.change("DELETE FROM event")
    before = content(ledger.writer)
    with (
        reader(path) as db,
        scratch_copy(db, "lighter", {"BTC": (hour(500), hour(510))}, path.parent) as copy,
    ):
        assert len(content(copy)) == 168 + 11 + 168
        assert set(content(copy)) < set(before)
        assert copy.rows("SELECT * FROM market") == ledger.writer.rows("SELECT * FROM market")
        with copy.transaction():
            copy.change("DELETE FROM settlement")
            run_id = copy.value("SELECT MAX(id) FROM run")
            settlements.save_settlements(copy, run_id, "lighter", [paid(7)], LATER)
        assert len(content(copy)) == 1
        assert not [name for name in path.parent.iterdir() if name.name.startswith(".")]
    assert content(ledger.writer) == before


@pytest.mark.parametrize("folder", ["", "not there"])
def test_a_scratch_copy_of_nothing_is_a_new_database(tmp_path: Path, folder: str) -> None:
    with scratch_copy(None, "lighter", {}, tmp_path / folder) as copy:
        assert copy.value("SELECT COUNT(*) FROM exchange") == 0
        with copy.transaction():
            imports.add_markets(copy, "lighter", [(OLD, hour(1), hour(2))])
    assert list(tmp_path.iterdir()) == []
