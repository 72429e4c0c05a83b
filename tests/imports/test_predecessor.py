"""The predecessor's tables: each with its own unit, none with a guess."""

import json
from pathlib import Path
from typing import Any

import pytest

from fundwatch.exchanges.lighter_units import rate_from_fundings
from fundwatch.imports.rows import FileRefused, ImportedRow
from tests.imports.reading import EIGHT, read, written

Row = dict[str, Any]

LIGHTER_V2: Row = {
    "id": 1, "market_id": 0, "symbol": "ETH", "timestamp": EIGHT, "rate": 0.0012, "rate_hourly": 0.0012,
    "rate_annual": 10.512, "direction": "short", "cumulative_value": 0.02707872, "collected_at": EIGHT,
    "source": "api",
}  # fmt: skip
LIGHTER_RAW: Row = {
    "market_id": 0, "symbol": "ETH", "timestamp": EIGHT * 1000, "rate": -0.0012, "rate_annual": -10.512,
    "direction": "short", "cumulative_value": 0.02707872, "collected_at": EIGHT, "source": "import",
}  # fmt: skip
BINANCE_RAW: Row = {
    "symbol": "BTCUSDT", "base_asset": "BTC", "timestamp": EIGHT * 1000 + 7, "rate": 0.0001,
    "rate_percent": 0.01, "rate_hourly": 0.00125, "rate_annual": 10.95, "funding_interval_hours": 8,
    "collected_at": EIGHT, "source": "api",
}  # fmt: skip
ASTER_RAW: Row = {
    "symbol": "HYPEUSDT", "base_asset": "HYPE", "funding_time": EIGHT * 1000 + 1, "rate_raw": -0.00000578,
    "rate_raw_percent": -0.000578, "rate_hourly": -0.0001445, "rate_annual": -1.26582, "interval_hours": 4,
    "events_per_year": 2190, "collected_at": EIGHT * 1000, "source": "api",
}  # fmt: skip
EXTENDED_RAW: Row = {
    "symbol": "BTC-USD", "base_asset": "BTC", "timestamp": EIGHT * 1000 + 77, "rate": 0.000013,
    "rate_percent": 0.0013, "rate_annual": 0.11388, "collected_at": EIGHT, "source": "import",
}  # fmt: skip
HYPERLIQUID_RAW: Row = {
    "symbol": "BTC", "timestamp": EIGHT * 1000 + 28, "rate": 0.0000125, "rate_percent": 0.00125,
    "rate_annual": 10.95, "collected_at": EIGHT, "source": "api",
}  # fmt: skip
V3: Row = {
    "id": 1, "symbol": "BTC", "base_asset": "BTC", "funding_time": EIGHT, "rate_raw": 0.0000125,
    "rate_raw_percent": 0.00125, "interval_hours": 1, "rate_1h_percent": 0.00125, "rate_apr": 10.95,
    "collected_at": EIGHT, "source": "api",
}  # fmt: skip
LIGHTER_V3: Row = {
    **V3, "symbol": "ETH", "market_id": 0, "rate_raw": -0.0012, "rate_raw_percent": -0.12,
    "interval_hours": 8, "direction": "short", "cumulative_value": 0.02707872, "source": "import",
}  # fmt: skip
UNIFIED: Row = {
    "normalized_symbol": "BTC", "exchange": "hyperliquid", "funding_time": EIGHT, "original_symbol": "BTC",
    "base_asset": "BTC", "rate_raw": 0.0000125, "rate_raw_percent": 0.00125, "interval_hours": 1,
    "rate_1h_percent": 0.00125, "rate_apr": 10.95, "collected_at": EIGHT, "source": "api",
    "synced_at": EIGHT,
}  # fmt: skip

RESTING = rate_from_fundings(0.0012, "long")
ETH = ImportedRow(0, "lighter", "ETH", EIGHT, -RESTING, 1.0, payment_usd=-0.02707872)
TABLES = [
    (LIGHTER_V2, None, ETH),
    (LIGHTER_RAW, None, ETH),
    (LIGHTER_V3, None, ETH),
    (BINANCE_RAW, None, ImportedRow(0, "binance", "BTCUSDT", EIGHT, 0.0001, None)),
    (ASTER_RAW, None, ImportedRow(0, "aster", "HYPEUSDT", EIGHT, -0.00000578, None)),
    (EXTENDED_RAW, None, ImportedRow(0, "extended", "BTC-USD", EIGHT, 0.000013, 1.0)),
    (HYPERLIQUID_RAW, None, ImportedRow(0, "hyperliquid", "BTC", EIGHT, 0.0000125, 1.0)),
    (V3, "hyperliquid", ImportedRow(0, "hyperliquid", "BTC", EIGHT, 0.0000125, 1.0)),
    (V3, "aster", ImportedRow(0, "aster", "BTC", EIGHT, 0.0000125, None)),
    ({**V3, "source": "import"}, "extended", ImportedRow(0, "extended", "BTC", EIGHT, 0.0000125, 1.0)),
    (UNIFIED, None, ImportedRow(0, "hyperliquid", "BTC", EIGHT, 0.0000125, 1.0)),
]


def as_csv(rows: list[Row]) -> str:
    table = [list(rows[0]), *(list(row.values()) for row in rows)]
    return "".join(",".join(map(str, cells)) + "\n" for cells in table)


def as_wrangler(rows: list[Row]) -> str:
    return json.dumps([{"results": rows, "success": True, "meta": {"duration": 0.1}}], indent=2)


def as_lines(rows: list[Row]) -> str:
    return "".join(f"{json.dumps(row)}\n" for row in rows)


@pytest.mark.parametrize("text", [as_csv, as_wrangler, as_lines, json.dumps])
@pytest.mark.parametrize(("row", "exchange", "expected"), TABLES)
def test_each_table_has_its_own_repair(
    tmp_path: Path, row: Row, exchange: str | None, expected: ImportedRow, text: Any
) -> None:
    found = read(written(tmp_path, "table", text([row, row])), exchange=exchange)
    assert [found_row._replace(line=0) for found_row in found.rows] == [expected, expected]
    assert (found.bad, found.format) == ([], "predecessor")
    assert found.unit_note


def refused(tmp_path: Path, row: Row, exchange: str | None = None, name: str = "table.csv") -> str:
    """Why the row, or else the whole file, is not taken."""
    try:
        found = read(written(tmp_path, name, as_csv([row])), exchange=exchange)
    except FileRefused as refusal:
        return refusal.message
    assert found.rows == []
    return found.reasons[0]


@pytest.mark.parametrize("direction", ["", "LONG", "both"])
def test_lighter_without_a_payer_has_no_sign(tmp_path: Path, direction: str) -> None:
    assert "direction" in refused(tmp_path, {**LIGHTER_V2, "direction": direction})


def test_a_sign_against_the_direction_is_refused(tmp_path: Path) -> None:
    reason = refused(tmp_path, {**LIGHTER_V2, "rate": -0.0012, "direction": "long"})
    assert reason == "the rate is negative, and yet direction says that longs pay"


def test_both_signs_of_lighter_come_from_the_direction(tmp_path: Path) -> None:
    rows = [{**LIGHTER_V2, "direction": direction} for direction in ("long", "short")]
    found = read(written(tmp_path, "a.csv", as_csv(rows)))
    assert [row.rate for row in found.rows] == [RESTING, -RESTING]
    assert [row.payment_usd for row in found.rows] == [0.02707872, -0.02707872]


def test_money_in_the_time_column_is_no_time(tmp_path: Path) -> None:
    """Its V2 collector wrote `value` x 1000 where the time belongs."""
    assert "no time between" in refused(tmp_path, {**LIGHTER_RAW, "timestamp": 27})
    assert "not a whole number" in refused(tmp_path, {**LIGHTER_RAW, "timestamp": 27.07872})


@pytest.mark.parametrize("row", [LIGHTER_RAW, BINANCE_RAW, EXTENDED_RAW, HYPERLIQUID_RAW])
def test_seconds_in_a_table_of_milliseconds_are_refused(tmp_path: Path, row: Row) -> None:
    assert "it would be one in seconds" in refused(tmp_path, {**row, "timestamp": EIGHT})


@pytest.mark.parametrize(("row", "exchange"), [(V3, "hyperliquid"), (V3, "aster"), (UNIFIED, None)])
def test_milliseconds_in_a_table_of_seconds_are_refused(
    tmp_path: Path, row: Row, exchange: str | None
) -> None:
    reason = refused(tmp_path, {**row, "funding_time": EIGHT * 1000}, exchange)
    assert "it would be one in milliseconds" in reason


@pytest.mark.parametrize("row", [BINANCE_RAW, EXTENDED_RAW, HYPERLIQUID_RAW])
def test_a_rate_and_a_percent_that_disagree_leave_the_unit_unknown(tmp_path: Path, row: Row) -> None:
    assert "the unit of this row is not known" in refused(tmp_path, {**row, "rate": row["rate"] * 100})


def test_lighters_collector_stamped_the_hour_of_collection(tmp_path: Path) -> None:
    assert "export those with import only" in refused(tmp_path, {**LIGHTER_V3, "source": "api"})


def test_extendeds_collector_wrote_estimates(tmp_path: Path) -> None:
    assert "marks no payments of extended" in refused(tmp_path, V3, "extended")


def test_a_repaired_export_of_trackers_is_not_believed(tmp_path: Path) -> None:
    assert "tracker_export" in refused(tmp_path, {**UNIFIED, "source": "tracker_export"})


@pytest.mark.parametrize("exchange", ["paradex", "variational", "hyena", "edgex"])
def test_tables_of_estimates_are_refused(tmp_path: Path, exchange: str) -> None:
    assert "time of collection" in refused(tmp_path, V3, exchange)
    assert f"rows of {exchange} are no payments" in refused(tmp_path, {**UNIFIED, "exchange": exchange})


def test_the_unified_table_has_lost_lighters_signs(tmp_path: Path) -> None:
    assert "signs are not certain" in refused(tmp_path, {**UNIFIED, "exchange": "lighter"})


def test_a_builders_market_under_hyperliquid_was_stamped_at_collection(tmp_path: Path) -> None:
    assert "builders' dexes" in refused(tmp_path, {**V3, "symbol": "xyz:TSLA"}, "hyperliquid")


def test_a_v3_table_asks_whose_it_is_or_finds_it_in_its_name(tmp_path: Path) -> None:
    assert "name it with --exchange" in refused(tmp_path, V3)
    found = read(written(tmp_path, "hyperliquid_funding_v3.csv", as_csv([V3])))
    assert found.rows[0].exchange == "hyperliquid"


def test_another_exchanges_table_is_a_mistake(tmp_path: Path) -> None:
    assert "--exchange names 'binance'" in refused(tmp_path, LIGHTER_V2, "binance")
    assert "the file's name says 'hyena'" in refused(tmp_path, V3, "hyperliquid", "hyena_funding_v3.csv")


@pytest.mark.parametrize(
    ("columns", "what"),
    [
        ("exchange symbol hour_timestamp avg_funding_rate sample_count", "averages"),
        ("normalized_symbol exchange collected_at funding_rate_apr", "latest estimate"),
        ("exchange symbol trading_pair funding_rate annualized_rate collected_at", "mixed units"),
    ],
)
def test_tables_without_payments_are_refused(tmp_path: Path, columns: str, what: str) -> None:
    row = dict.fromkeys(columns.split(), 1)
    assert what in refused(tmp_path, row)


def test_an_sqlite_file_and_an_sql_dump_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match="SQLite database: export its table"):
        read(written(tmp_path, "a.db", b"SQLite format 3\0" + bytes(100)))
    with pytest.raises(FileRefused, match="SQL statements"):
        read(written(tmp_path, "a.sql", "-- dump\nBEGIN TRANSACTION;\nINSERT INTO x VALUES (1);"))
