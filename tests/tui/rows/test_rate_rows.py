"""The rows of the rates table."""

from dataclasses import replace

import pytest

from fundwatch.answers.trust import LOW_COVERAGE, STALE, Trust
from fundwatch.tui.rows import rate_rows
from fundwatch.tui.rows.overview_rows import top_columns
from fundwatch.tui.rows.rate_rows import RATE_WIDTH, RateRows, columns, squeezed
from fundwatch.tui.snapshot import Snapshot
from fundwatch.tui.tables.columns import Cell, Row, lay_out
from fundwatch.tui.tables.model import TableModel
from fundwatch.tui.words import UNITS, Words
from tests.tui.markets import HOSTILE, NOW, market, snapshot, texts

KEYS = [column.key for column in columns(Words())]


def made(shot: Snapshot, words: Words | None = None) -> list[Row]:
    rows = RateRows()
    rows.take(shot, words or Words())
    return rows.rows()


def cells(row: Row) -> dict[str, str]:
    return dict(zip(KEYS, texts(row), strict=True))


def sort(row: Row) -> dict[str, object]:
    return {key: row.value(i) for i, key in enumerate(KEYS)}


def test_a_market_is_one_row_with_its_units_in_the_headings() -> None:
    one = market(apr=-204.98, open_interest_usd=1_940_000.0, volume_24h_usd=9.96e6)
    (row,) = made(snapshot(one))
    assert row.key == one.market_id
    assert cells(row) == {
        "star": "",
        "asset": "BTC",
        "class": "crypto",
        "exchange": "lighter",
        "now": "-204.98",
        "24h": "-204.98",
        "3d": "-204.98",
        "7d": "-204.98",
        "30d": "-204.98",
        "pays": "8 h",
        "next": "40 min",
        "age": "30 s",
        "note": "",
        "oi": "1.9",
        "volume": "10.0",
        "spark": "",
        "symbol": "BTC-lighter",
        "remarks": "",
    }
    headings = {column.key: column.heading for column in columns(Words())}
    assert (headings["now"], headings["7d"], headings["oi"]) == ("APR %", "7d %", "OI $m")


def test_what_is_not_known_is_a_dash_and_never_zero() -> None:
    (row,) = made(snapshot(market(apr=None, observed_at=None, next_funding_time=None, volume_24h_usd=None)))
    shown = cells(row)
    assert {shown[key] for key in ("now", "24h", "30d", "next", "age", "oi", "volume")} == {"-"}
    assert {sort(row)[key] for key in ("now", "24h", "30d", "next", "age", "oi", "volume")} == {None}


def test_a_window_known_in_part_stands_in_parentheses_and_is_not_ranked() -> None:
    (row,) = made(snapshot(market(apr=50.0, coverage_7d=0.89, coverage_24h=0.9)))
    assert (cells(row)["7d"], cells(row)["24h"]) == ("(+50.00)", "+50.00")
    assert (sort(row)["7d"], sort(row)["24h"]) == (None, 50.0)


def test_a_stale_market_is_grey_with_the_reason_and_wins_nothing() -> None:
    one = market(apr=900.0)
    (row,) = made(snapshot(one, trust={one.market_id: Trust(False, STALE)}))
    assert row.style == "stale"
    assert (cells(row)["note"], cells(row)["remarks"]) == ("!", "stale")
    assert sort(row)["now"] is None
    assert {cells(row)[key] for key in ("now", "24h", "30d")} == {"(+900.00)"}


def test_a_window_that_lacks_hours_says_nothing_against_the_estimate() -> None:
    one = market(coverage_30d=0.2)
    (row,) = made(snapshot(one, window="30d", trust={one.market_id: Trust(False, LOW_COVERAGE)}))
    assert (row.style, sort(row)["now"], cells(row)["note"]) == ("", pytest.approx(10.95), "!")


def test_continuous_funding_has_no_next_payment() -> None:
    (row,) = made(snapshot(market(exchange="paradex", next_funding_time=None)))
    assert (cells(row)["pays"], cells(row)["next"]) == ("cont", "-")


def test_the_unit_changes_every_rate_and_the_headings() -> None:
    shot = snapshot(market(apr=10.95))
    (row,) = made(shot, Words("payment"))
    assert (cells(row)["now"], cells(row)["7d"]) == ("+0.01000", "+0.01000")
    (row,) = made(shot, Words("dollars"))
    assert cells(row)["now"] == "+3.00"
    assert columns(Words("dollars"))[KEYS.index("now")].heading == "$ a day"


def test_a_rate_too_long_for_its_column_loses_decimals_not_digits() -> None:
    assert squeezed(Cell("(+12,345.67)", "stale"), 12345.67, 9) == Cell("(+12,346)", "stale")
    assert squeezed(Cell("+0.01000"), 0.01, 7) == Cell("+0.0100")
    assert squeezed(Cell("(+175,200.00)"), 175_200.0, 8) == Cell("(+175k)")
    (row,) = made(snapshot(market(apr=87_600.0, coverage_7d=0.5)))
    assert (cells(row)["now"], cells(row)["7d"]) == ("+87,600.0", "(+87,600)")
    for unit in UNITS:
        (row,) = made(snapshot(market(apr=-87_600.0, coverage_7d=0.5)), Words(unit))
        assert all(len(cells(row)[key]) <= RATE_WIDTH for key in ("now", "24h", "7d"))


def test_starred_assets_and_sparklines_have_their_own_columns() -> None:
    one, other = market(), market("ETH")
    rows = RateRows()
    rows.take(snapshot(one, other), Words())
    first, second = rows.rows({("BTC", "crypto")}, {other.market_id: "▁▂▃"})
    assert (cells(first)["star"], cells(second)["star"]) == ("★", "")
    assert (cells(first)["spark"], cells(second)["spark"]) == ("", "▁▂▃")


def test_markets_of_one_asset_on_one_exchange_are_told_apart() -> None:
    rows = [
        market("BTC", "aster", symbol="BTCUSDT"),
        market("BTC", "aster", symbol="BTCUSDC"),
        market("BTC", "binance", symbol="BTCUSDT"),
        market("ETH", "aster", symbol="ETHUSDT"),
    ]
    assert [cells(row)["asset"] for row in made(snapshot(*rows))] == ["BTC USDT", "BTC USDC", "BTC", "ETH"]


def test_a_name_is_as_long_as_the_table_allows() -> None:
    rows = RateRows()
    shot = snapshot(*(market("FARTCOIN", symbol=f"FARTCOIN{quote}") for quote in ("USDT", "USDC")))
    rows.take(shot, Words(), width=80)
    assert cells(rows.rows()[0])["asset"] == "FART…USDT"
    rows.take(shot, Words(), width=120)
    assert cells(rows.rows()[0])["asset"] == "FARTCOIN USDT"


@pytest.mark.parametrize(
    ("width", "shown"),
    [
        (80, "star asset exchange now 24h 7d pays next age note"),
        (120, "star asset exchange now 24h 7d 30d pays next age note oi spark"),
        (200, " ".join(KEYS)),
    ],
)
def test_a_screen_shows_what_matters_and_leaves_little_room_unused(width: int, shown: str) -> None:
    found = columns(Words(), width)
    layout = lay_out(found, width - 1, fixed=2)
    assert [found[placed.column].key for placed in layout.placed] == shown.split()
    assert layout.placed[-1].x + layout.placed[-1].width >= width - 5


def test_only_rows_that_are_looked_at_are_formatted_and_only_once(monkeypatch: pytest.MonkeyPatch) -> None:
    formatted: list[float | None] = []
    rows = RateRows()
    rows.take(snapshot(market("A"), market("B")), Words())
    monkeypatch.setattr(rate_rows, "dollars", formatted.append)
    first, _ = rows.rows()
    assert not formatted
    assert first.cells is first.cells
    assert len(formatted) == 2


def test_where_only_time_has_passed_the_rows_are_the_same_and_their_ages_go_on() -> None:
    rows = RateRows()
    shot = snapshot(market())
    rows.take(shot, Words())
    before = rows.rows()
    assert cells(before[0])["age"] == "30 s"
    rows.take(replace(shot, taken_at=NOW + 60), Words())
    assert rows.rows() is before
    assert cells(before[0])["age"] == "1 min"


@pytest.mark.parametrize("what", ["trust", "words", "star", "spark", "market"])
def test_any_other_change_makes_other_rows(what: str) -> None:
    one = market()
    rows = RateRows()
    shot = snapshot(one)
    rows.take(shot, Words())
    before = rows.rows()
    other = replace(shot, taken_at=NOW + 60)
    if what == "trust":
        other = replace(other, trust={one.market_id: Trust(False, STALE)})
    if what == "market":
        other = replace(other, markets=(one._replace(hourly_rate=0.0),))
    rows.take(other, Words("dollars") if what == "words" else Words())
    starred = {("BTC", "crypto")} if what == "star" else set()
    after = rows.rows(starred, {one.market_id: "▁"} if what == "spark" else {})
    assert after is not before
    assert texts(after[0]) != texts(before[0])


def test_the_most_remarkable_markets_sort_together() -> None:
    quiet, capped = market("QUIET"), market("CAP", apr=10.95, hourly_rate_cap=1e-6)
    gone = capped._replace(market_id=99, identity_reason="another price")
    rows = {row.key: row for row in made(snapshot(quiet, gone, capped))}
    table = TableModel(columns(Words()))
    table.replace(list(rows.values()))
    table.sorted_by, table.descending = "note", True
    table.arrange()
    assert [row.key for row in table.visible] == [99, capped.market_id, quiet.market_id]


def test_what_changed_is_formatted_anew_and_ages_go_on() -> None:
    one = market()
    rows = RateRows()
    rows.take(snapshot(one), Words())
    changed = one._replace(hourly_rate=-1e-5)
    rows.take(snapshot(changed, now=NOW + 60, trust={one.market_id: Trust(False, STALE)}), Words())
    (row,) = rows.rows()
    assert (cells(row)["now"], cells(row)["age"], row.style) == ("(-8.76)", "1 min", "stale")


def test_hostile_text_reaches_the_cells_as_it_is() -> None:
    rows = made(snapshot(*(market(text, symbol=text, failure=text) for text in HOSTILE)))
    assert [cells(row)["asset"] for row in rows] == list(HOSTILE)


def test_a_filter_looks_into_symbol_and_reason_too() -> None:
    one = market("PEPE", symbol="1000PEPEUSDT")
    rows = RateRows()
    rows.take(snapshot(one, trust={one.market_id: Trust(False, STALE)}), Words())
    assert all(word in rows.searched(one.market_id) for word in ("pepe", "1000pepeusdt", "lighter", "stale"))
    assert rows.searched("nobody") == ""


def test_both_sparklines_are_explained_by_the_same_words() -> None:
    (ours,) = [column.tooltip for column in columns(Words()) if column.key == "spark"]
    (overview,) = [column.tooltip for column in top_columns(Words(), "now") if column.key == "spark"]
    assert ours == overview
    assert "longs" not in ours, "a shape says nothing of who pays"
