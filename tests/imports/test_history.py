"""Real histories, where a folder of them lies beside the checkout, against a reading of their own."""

import csv
import json
import os
from collections.abc import Iterator
from datetime import datetime
from fractions import Fraction
from pathlib import Path

import pytest

from fundwatch.imports.cells import TimeUnit
from fundwatch.imports.rows import FileRefused
from tests.imports.reading import read

BESIDE = Path(__file__).parents[3] / "shared" / "recorded"
HISTORY = Path(os.environ.get("FUNDWATCH_RECORDED") or BESIDE) / "history"
NOW = 1_800_000_000.0

needs_history = pytest.mark.skipif(
    not HISTORY.is_dir(),
    reason="no recorded histories beside the checkout, and FUNDWATCH_RECORDED names none",
)


def table(name: str) -> Iterator[dict[str, str]]:
    with (HISTORY / name).open(newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file)


def nearest_hour(milliseconds: float) -> int:
    return round(milliseconds / 3_600_000) * 3600


def names(pattern: str) -> list[str]:
    return sorted(path.name for path in HISTORY.glob(pattern))


@needs_history
@pytest.mark.parametrize("name", names("binance_2026Q1_*.csv"))
def test_a_quarter_of_a_binance_market_is_what_its_file_says(name: str) -> None:
    found = read(HISTORY / name, exchange="binance", now=NOW)
    raw = list(table(name))
    assert found.bad == []
    assert [(row.symbol, row.funding_time, Fraction(row.rate)) for row in found.rows] == [
        (row["symbol"], nearest_hour(int(row["timestamp"])), Fraction(float(row["funding_rate"])))
        for row in raw
    ]
    assert {row.interval_hours for row in found.rows} == {None}
    assert sum(row.rate for row in found.rows) == pytest.approx(
        float(sum(Fraction(row["funding_rate"]) for row in raw)), abs=1e-15
    )


@needs_history
def test_there_are_forty_one_markets_of_two_hundred_payments() -> None:
    assert len(names("binance_2026Q1_*.csv")) == 41
    for name in names("binance_2026Q1_*.csv"):
        assert len(list(table(name))) == 200


@needs_history
@pytest.mark.parametrize("name", names("hyperliquid_2026_namanhzz__*.csv"))
def test_hyperliquids_hours_are_what_their_file_says(name: str) -> None:
    found = read(HISTORY / name, exchange="hyperliquid", now=NOW)
    raw = list(table(name))
    assert found.bad == []
    assert [(row.symbol, row.funding_time, row.rate) for row in found.rows] == [
        (row["coin"], nearest_hour(int(row["time_ms"])), float(row["funding_rate"])) for row in raw
    ]
    assert len(found.rows) == 4752


@needs_history
def test_times_of_text_are_read() -> None:
    name = "hyperliquid_2026_rishisidhu__HYPE_funding_history.csv"
    found = read(HISTORY / name, exchange="hyperliquid", now=NOW)
    assert found.bad == []
    assert [(row.symbol, row.funding_time, row.rate) for row in found.rows] == [
        (
            row["coin"],
            nearest_hour(datetime.fromisoformat(row["time"]).timestamp() * 1000),
            float(row["funding_rate"]),
        )
        for row in table(name)
    ]


@needs_history
@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("yuchengzhang__binance_BTC_funding_rates.json", 4377),
        ("yuchengzhang__hl_BTC_funding_rates.json", 12192),
    ],
)
def test_an_array_of_years_asks_for_its_unit_and_is_then_read(name: str, rows: int) -> None:
    with pytest.raises(FileRefused, match="time_s or time_ms"):
        read(HISTORY / name, now=NOW)
    found = read(HISTORY / name, now=NOW, time_unit=TimeUnit.MILLISECONDS)
    raw = json.loads((HISTORY / name).read_text())
    assert (len(found.rows), found.bad) == (rows, [])
    assert [(row.funding_time, row.rate) for row in found.rows] == [
        (nearest_hour(row["time"]), float(row["funding_rate"])) for row in raw
    ]


@needs_history
@pytest.mark.parametrize("name", names("lighter_*.csv"))
def test_what_says_no_unit_or_is_no_payment_is_refused(name: str) -> None:
    with pytest.raises(FileRefused, match="a guess could be wrong"):
        read(HISTORY / name, exchange="lighter", now=NOW)
