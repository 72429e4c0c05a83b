"""The rows of the best pairs."""

from typing import Any

from fundwatch.answers.spreads import Spread
from fundwatch.tui.rows.spread_rows import columns, held, pairs, rows, widths
from fundwatch.tui.snapshot import Snapshot
from fundwatch.tui.tables.columns import Row, lay_out
from fundwatch.tui.words import UNITS, Words
from tests.tui.markets import HOSTILE, market, snapshot, texts

KEYS = [column.key for column in columns(Words(), "now", 168.0)]


def spread(asset: str = "SOL", apr: float = 87.02, **fields: Any) -> Spread:
    """Long paradex, short lighter, trusted."""
    usual: dict[str, Any] = {
        "asset": asset,
        "asset_class": "crypto",
        "long_exchange": "paradex",
        "long_symbol": f"{asset}-paradex",
        "short_exchange": "lighter",
        "short_symbol": f"{asset}-lighter",
        "window": "now",
        "spread_apr_percent": apr,
        "net_apr_percent": apr - 5,
        "break_even_hours": 14.2,
        "share_positive": 0.97,
        "coverage": None,
        "price_gap_percent": 0.031,
        "min_open_interest_usd": 1.9e6,
        "oldest_leg_seconds": 75,
        "trusted": True,
        "reason": None,
    }
    return Spread(**usual | fields)


def made(shot: Snapshot, words: Words | None = None, width: int = 120) -> list[Row]:
    return rows(pairs(shot), shot, words or Words(), width=width)


def cells(row: Row) -> dict[str, str]:
    return dict(zip(KEYS, texts(row), strict=True))


def test_a_pair_is_one_row_with_its_numbers() -> None:
    (row,) = made(snapshot(spreads=[spread()]))
    shown = cells(row)
    assert (shown["asset"], shown["long"], shown["short"]) == ("SOL", "paradex", "lighter")
    assert (shown["spread"], shown["net"], shown["even"]) == ("+87.02", "+82.02", "14.2 h")
    assert (shown["positive"], shown["coverage"], shown["oi"]) == ("97", "-", "1.9")
    assert (shown["age"], shown["gap"], shown["note"]) == ("1 min", "+0.03", "")


def test_what_a_pair_was_paid_is_the_difference_of_its_legs() -> None:
    legs = (
        market("SOL", "paradex", apr_24h=-10.0, apr_7d=-10.0, apr_30d=None, coverage_30d=0.0),
        market("SOL", "lighter", apr_24h=30.0, apr_7d=20.0, coverage_7d=0.5),
    )
    (row,) = made(snapshot(*legs, spreads=[spread()]))
    shown = cells(row)
    assert (shown["of_24h"], shown["of_7d"], shown["of_30d"]) == ("+40.00", "(+30.00)", "-")
    ranks = {key: row.value(i) for i, key in enumerate(KEYS)}
    assert (ranks["of_24h"], ranks["of_7d"], ranks["of_30d"]) == (40.0, None, None)


def test_costs_that_are_not_known_are_a_dash() -> None:
    (row,) = made(
        snapshot(spreads=[spread(net_apr_percent=None, break_even_hours=None, share_positive=None)])
    )
    assert {cells(row)[key] for key in ("net", "even", "positive")} == {"-"}


def test_an_untrusted_pair_is_grey_in_parentheses_with_its_reason() -> None:
    (row,) = made(snapshot(spreads=[spread(trusted=False, reason="stale")]))
    assert (row.style, cells(row)["spread"], cells(row)["net"]) == ("stale", "(+87.02)", "(+82.02)")
    assert (cells(row)["note"], cells(row)["remarks"]) == ("!", "stale")


def test_a_spread_within_the_rounding_of_a_leg_says_so() -> None:
    (row,) = made(snapshot(spreads=[spread(apr=0.8)]))
    assert (cells(row)["note"], cells(row)["remarks"]) == ("~", "within the rounding of 0.88 % APR")
    (row,) = made(snapshot(spreads=[spread(apr=0.8, short_exchange="binance")]))
    assert cells(row)["note"] == ""


def test_a_closed_session_and_a_delisting_are_said() -> None:
    legs = (market("SOL", "paradex", session_open=0), market("SOL", "lighter", delisting_time=9))
    (row,) = made(snapshot(*legs, spreads=[spread()]))
    assert cells(row)["note"] == "Dc"
    assert cells(row)["remarks"] == "delists 01-01 00:00 UTC, session closed"


def test_a_row_stays_with_its_asset_while_the_legs_change() -> None:
    before = made(snapshot(spreads=[spread("SOL"), spread("BTC")]))
    after = made(snapshot(spreads=[spread("BTC"), spread("SOL", long_exchange="binance")]))
    assert (
        {row.key for row in before}
        == {row.key for row in after}
        == {("SOL", "crypto", 0), ("BTC", "crypto", 0)}
    )


def test_several_pairs_of_one_asset_have_keys_of_their_own() -> None:
    found = made(snapshot(spreads=[spread(), spread(trusted=False, reason="stale")]))
    assert [row.key for row in found] == [("SOL", "crypto", 0), ("SOL", "crypto", 1)]


def test_a_spread_has_no_payment_so_it_stays_in_apr() -> None:
    assert cells(made(snapshot(spreads=[spread()]), Words("payment"))[0])["spread"] == "+87.02"
    assert columns(Words("payment"), "7d", 24.0)[4].heading == "APR %"
    assert cells(made(snapshot(spreads=[spread(apr=36.5)]), Words("dollars"))[0])["spread"] == "+10.00"
    assert columns(Words("dollars"), "7d", 24.0)[4].heading == "$ a day"


def test_no_rate_is_wider_than_its_column() -> None:
    far = spread(apr=175_200.0, trusted=False, break_even_hours=123456.7, min_open_interest_usd=12_345.6e6)
    for unit in UNITS:
        for width in (80, 120):
            (row,) = made(snapshot(spreads=[far]), Words(unit), width)
            room = {column.key: column.width for column in columns(Words(unit), "now", 24.0, width)}
            for key in ("spread", "net", "even", "oi"):
                assert len(cells(row)[key]) <= room[key], (unit, width, key)
    assert widths(79) != widths(119)


def test_how_long_a_pair_is_held_reads_well() -> None:
    assert [held(hours) for hours in (24.0, 72.0, 168.0, 720.0)] == ["24 h", "3 days", "7 days", "30 days"]


def test_hostile_names_stay_as_they_are() -> None:
    found = made(snapshot(spreads=[spread(text, long_symbol=text) for text in HOSTILE]))
    assert [cells(row)["asset"] for row in found] == list(HOSTILE)


def test_a_pair_that_lost_in_most_hours_is_marked() -> None:
    for part, text, style in (
        (0.43, "▾43", "warn"),
        (0.5, "50", ""),
        (0.0, "▾0", "warn"),
        (None, "-", "muted"),
    ):
        (row,) = made(snapshot(spreads=[spread(share_positive=part)]))
        cell = row.cells[KEYS.index("positive")]
        assert (cells(row)["positive"], cell if isinstance(cell, str) else cell.style) == (text, style)


def test_marks_of_the_legs_are_marks_of_the_pair() -> None:
    legs = (
        market("SOL", "paradex", hourly_rate=-0.005, hourly_rate_cap=0.005),
        market("SOL", "lighter", delisting_time=9),
    )
    (row,) = made(snapshot(*legs, spreads=[spread(reason="recorded")]))
    assert cells(row)["note"] == "^Dr"
    assert cells(row)["remarks"].startswith("paradex at its cap, delists ")
    (row,) = made(snapshot(spreads=[spread(trusted=False, reason="not the same asset by price")]))
    assert cells(row)["note"] == "≠"


def test_costs_are_earned_after_hours_or_days() -> None:
    for hours, text in (
        (0.0, "0.0 h"),
        (99.94, "99.9 h"),
        (100.2, "100 h"),
        (12_345.6, "514 d"),
        (1e6, "never"),
    ):
        (row,) = made(snapshot(spreads=[spread(break_even_hours=hours)]))
        assert cells(row)["even"] == text


def test_the_window_asked_about_is_not_shown_twice_before_others_are() -> None:
    def shown(window: str, width: int = 120) -> list[str]:
        found = columns(Words(), window, 168.0, width)
        return [found[placed.column].key for placed in lay_out(found, width - 1, fixed=2).placed]

    assert "of_7d" in shown("now")
    assert "coverage" not in shown("now")
    assert "coverage" in shown("7d")
    assert "of_7d" not in shown("7d")
    assert set(shown("7d", 200)) == set(KEYS)


def test_two_classes_of_one_ticker_are_told_apart() -> None:
    shot = snapshot(
        *(market("BB", asset_class=name) for name in ("crypto", "equity")),
        spreads=[spread("BB"), spread("BB", asset_class="equity"), spread("SOL")],
    )
    assert [cells(row)["asset"] for row in made(shot)] == ["BB crypto", "BB equity", "SOL"]
