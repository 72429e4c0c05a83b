"""The map of all exchanges."""

from typing import Any

import pytest
from rich.cells import cell_len

from fundwatch.answers.trust import STALE, Trust
from fundwatch.storage.queries import MarketRow
from fundwatch.tui.rows.heat_rows import HeatRows, cell_width, columns, legend
from fundwatch.tui.snapshot import Snapshot
from fundwatch.tui.tables.columns import Cell, Row, lay_out
from fundwatch.tui.tables.table_styles import SHADES
from fundwatch.tui.words import UNITS, Unit, Words
from tests.tui.markets import HOSTILE, market, snapshot, texts

NAMES = ["lighter", "binance", "paradex", "variational"]


KEYS = ["asset", "class", *NAMES, "range", "oi", "volume", "lowest", "highest"]


def made(
    shot: Snapshot, words: Words | None = None, starred: set[tuple[str, str]] | None = None, width: int = 80
) -> list[Row]:
    return HeatRows().rows(shot, NAMES, words or Words(), starred or set(), width)


def cells(row: Row) -> dict[str, str]:
    return dict(zip(KEYS, texts(row), strict=True))


def ranks(row: Row) -> dict[str, Any]:
    return {key: row.value(i) for i, key in enumerate(KEYS)}


def row(*markets: MarketRow, trust: dict[int, Trust] | None = None, window: str = "now") -> Row:
    (one,) = made(snapshot(*markets, trust=trust, window=window))
    return one


def test_an_asset_is_a_row_and_an_exchange_a_column() -> None:
    one = row(
        market(apr=-27.16), market(exchange="binance", apr=10.95), market(exchange="paradex", apr=11.39)
    )
    assert one.key == ("BTC", "crypto")
    shown = {key: text.replace(" ", "") for key, text in cells(one).items()}
    assert [shown[name] for name in NAMES] == ["▾-27.16", "+10.95", "▴+11.39", "-"]
    assert (shown["range"], shown["lowest"], shown["highest"]) == ("38.55", "lighter", "paradex")
    assert [round(ranks(one)[name] or 0, 2) for name in NAMES] == [-27.16, 10.95, 11.39, 0]
    assert ranks(one)["range"] == pytest.approx(38.55)


def test_the_marks_of_highest_and_lowest_stand_at_the_left_edge_of_their_cells() -> None:
    one = made(snapshot(market(apr=-5.0), market(exchange="binance", apr=5.0)), width=120)[0]
    size = cell_width(len(NAMES), 120)
    assert cells(one)["lighter"] == "▾" + "-5.00".rjust(size - 1)
    assert cells(one)["binance"] == "▴" + "+5.00".rjust(size - 1)


def test_rates_that_are_nearly_alike_have_no_highest() -> None:
    one = row(market(apr=10.95), market(exchange="binance", apr=11.39))
    assert [cells(one)[key] for key in ("lighter", "binance", "lowest", "highest")] == [
        "+10.95",
        "+11.39",
        "",
        "",
    ]


def test_amounts_are_those_of_the_markets_in_the_row_as_far_as_they_are_known() -> None:
    one = row(
        market(open_interest_usd=1e6, volume_24h_usd=None),
        market(exchange="binance", open_interest_usd=None, volume_24h_usd=None),
        market(exchange="paradex", open_interest_usd=7e6, same_as_group=1),
    )
    assert (cells(one)["oi"], cells(one)["volume"]) == ("1.0", "-")
    assert (ranks(one)["oi"], ranks(one)["volume"]) == (1e6, None)


def test_the_market_with_the_largest_volume_stands_for_its_exchange() -> None:
    one = row(
        market(apr=1.0, volume_24h_usd=None, symbol="A"),
        market(apr=2.0, volume_24h_usd=5.0, symbol="B"),
        market(apr=3.0, volume_24h_usd=4.0, symbol="C"),
    )
    assert cells(one)["lighter"] == "+2.00"


def test_cells_are_shaded_by_their_distance_from_the_median() -> None:
    aprs = {"lighter": -60.0, "binance": 10.0, "paradex": 13.0, "variational": 100.0}
    one = row(*(market(exchange=name, apr=apr) for name, apr in aprs.items()))
    styles = [cell.style for cell in one.cells[2:6] if isinstance(cell, Cell)]
    assert styles == ["below-4", "", "", "above-4"]
    assert all(text.strip("▴▾ ")[0] in "+-" for text in texts(one)[2:6])


def test_one_exchange_alone_has_no_median_and_no_difference() -> None:
    one = row(market(apr=90.0))
    assert (one.cells[2], cells(one)["range"], ranks(one)["range"]) == (Cell("+90.00"), "-", None)


def test_a_stale_cell_stands_in_parentheses_outside_the_difference() -> None:
    stale = market(exchange="variational", apr=900.0)
    one = row(
        *(market(exchange=name) for name in ("lighter", "binance")),
        stale,
        trust={stale.market_id: Trust(False, STALE)},
    )
    assert (texts(one)[5], texts(one)[6], one.value(5)) == ("(+900.00)", "0.00", None)


def test_a_window_known_in_part_stands_in_parentheses() -> None:
    one = row(market(apr=5.0, coverage_7d=0.5), market(exchange="binance", apr=6.0), window="7d")
    assert texts(one)[2:4] == ["(+5.00)", "+6.00"]


def test_another_price_is_another_asset_and_out_of_the_difference() -> None:
    one = row(
        market(apr=5.0),
        market(exchange="binance", apr=6.0),
        market(exchange="paradex", apr=-43.80, same_as_group=1),
    )
    assert (texts(one)[4], texts(one)[6]) == ("≠-43.80", "1.00")


def test_two_things_of_one_name_have_no_difference() -> None:
    one = row(market(apr=10.95), market(exchange="binance", apr=-43.80, same_as_group=1))
    assert (cells(one)["range"], ranks(one)["range"]) == ("not same", None)


def test_without_prices_nothing_is_compared() -> None:
    unpriced: dict[str, Any] = {"same_as_group": None, "mark_price": None}
    one = row(market(**unpriced), market(exchange="binance", **unpriced))
    assert cells(one)["range"] == "no price"


def test_prices_that_were_just_learned_are_not_called_missing() -> None:
    one = row(market(same_as_group=None), market(exchange="binance", same_as_group=None))
    assert cells(one)["range"] == "not yet"


def test_one_ticker_of_two_classes_is_two_rows() -> None:
    found = made(snapshot(market("BB"), market("BB", exchange="binance", asset_class="equity")))
    assert [one.key for one in found] == [("BB", "crypto"), ("BB", "equity")]
    assert [texts(one)[0] for one in found] == ["BB crypto", "BB equity"]


def test_a_difference_of_payments_is_said_in_apr() -> None:
    words = Words("payment")
    shot = snapshot(market(apr=10.95, interval_hours=2.0), market(exchange="binance", apr=21.9))
    (one,) = made(shot, words)
    assert [text.replace(" ", "") for text in texts(one)[2:4]] == ["▾+0.00250", "▴+0.02000"]
    heading = {column.key: column.heading for column in columns(NAMES, words, "now")}["range"]
    assert (heading, cells(one)["range"]) == ("APR dif", "10.95")


def test_a_starred_asset_says_so() -> None:
    (one,) = made(snapshot(market()), starred={("BTC", "crypto")})
    assert texts(one)[0] == "★BTC"


SEVEN = ["lighter", "hyperliquid", "binance", "aster", "extended", "paradex", "variational"]


def test_seven_exchanges_fit_into_eighty_cells_beside_a_scroll_bar() -> None:
    made_for = columns(SEVEN, Words(), "now", 80)
    layout = lay_out(made_for, 79)
    assert not layout.more_right
    assert [placed.column for placed in layout.placed] == [0, *range(2, 10)]
    assert "hyperl." in [column.heading for column in made_for]
    assert made_for[0].width >= 10


def test_a_wide_screen_has_whole_names_and_a_huge_one_everything() -> None:
    wide, huge = columns(SEVEN, Words(), "now", 120), columns(SEVEN, Words(), "now", 200)
    assert [column.heading for column in wide[2:9]] == SEVEN
    shown = lay_out(wide, 119)
    assert "range" in [wide[placed.column].key for placed in shown.placed]
    assert not shown.more_right
    assert lay_out(huge, 199).hidden == ()


@pytest.mark.parametrize("width", [80, 120, 200])
@pytest.mark.parametrize("unit", UNITS)
def test_no_cell_is_wider_than_its_column(width: int, unit: Unit) -> None:
    stale = market(exchange="binance", apr=-87_600.0)
    shot = snapshot(
        market(apr=87_600.0),
        stale,
        market(exchange="paradex", apr=-87_600.0, same_as_group=4),
        market(exchange="variational", apr=-87_600.0),
        trust={stale.market_id: Trust(False, STALE)},
    )
    heat = HeatRows()
    (one,) = heat.rows(shot, [*NAMES, "a", "b", "c"], Words(unit), set(), width)
    room = [column.width for column in columns([*NAMES, "a", "b", "c"], Words(unit), "now", width)]
    assert all(cell_len(text) <= size for text, size in list(zip(texts(one), room, strict=True))[2:])


def test_the_legend_names_every_sign_and_shade() -> None:
    words = ["".join(text for text, _ in item) for item in legend()]
    assert words[0] == "▴ highest ▾ lowest of the row"
    assert {style for item in legend() for _, style in item} == {*SHADES, "muted"}


def test_hostile_names_stay_as_they_are() -> None:
    assert [texts(one)[0] for one in made(snapshot(*(market(text) for text in HOSTILE)))] == list(HOSTILE)


def test_only_what_changed_is_made_anew() -> None:
    one, other = market("BTC"), market("ETH")
    heat = HeatRows()
    before = heat.rows(snapshot(one, other), NAMES, Words())
    after = heat.rows(snapshot(one._replace(hourly_rate=-1e-5), other), NAMES, Words())
    assert [texts(row)[2] for row in after] == ["-8.76", "+10.95"]
    assert (after[0] is before[0], after[1] is before[1]) == (False, True)
    stale = heat.rows(snapshot(one, other, trust={other.market_id: Trust(False, STALE)}), NAMES, Words())
    assert texts(stale[1])[2] == "(+10.95)"
    assert texts(heat.rows(snapshot(one, other, window="7d"), NAMES, Words("8h"))[0])[2] == "+0.0100"
    starred = heat.rows(snapshot(one, other, window="7d"), NAMES, Words("8h"), {("ETH", "crypto")})
    assert [texts(row)[0] for row in starred] == ["BTC", "★ETH"]
    assert heat.places(("BTC", "crypto"))["lighter"].market.ticker == "BTC"
    assert (heat.places(("X", "crypto")), heat.markets(("X", "crypto"))) == ({}, ())
