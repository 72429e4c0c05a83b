"""Reading column by column gives what reading row by row gives, or nothing."""

import random
from collections.abc import Sequence

import pytest

from fundwatch.exchanges.decode import BadNumber
from fundwatch.exports.columns import bare
from fundwatch.imports.cells import TimeUnit
from fundwatch.imports.columnwise import many_reader
from fundwatch.imports.layouts import Measure, Places, reader
from fundwatch.imports.rows import ImportedRow
from tests.imports.reading import EIGHT, NOW

COLUMNS = ("exchange", "symbol", "time", "rate", "interval_hours", "kind", "payment_usd", "source", "other")
HOUR_MS = 3_600_000
ODD = (
    "", " ", "nan", "inf", "-inf", "1e999", "1e-0005", "1_0", "٣", "+1", "-0.0", ".5", "5.", "1e-5", "0x1",
    "1E3", "'BTC", "=x", "a b", "\x00", "\x1c1", "9" * 90, "0", "-1", "24", "25", "8.0", "8.5", "special",
    "Regular", "Binance", "exchange", "none", "1.7e12", "é", "中", "0.8", "0.81", "1e400", "--1", "1e", "e5",
)  # fmt: skip


def places(measure: Measure, unit: TimeUnit) -> Places:
    return Places(
        exchange=0,
        symbol=1,
        time=2,
        unit=unit,
        rate=3,
        measure=measure,
        interval=4,
        kind=5,
        payment=6,
        origin=7,
    )


def line(choice: random.Random, unit: TimeUnit, measure: Measure) -> list[str]:
    scale = {Measure.FRACTION: 1e-4, Measure.PERCENT: 1e-2, Measure.HOURLY: 1e-5, Measure.APR: 10.0}[measure]
    stamp = (EIGHT - choice.randrange(5000) * 3600) * 1000 + choice.randrange(-60_000, 900_001)
    interval = choice.choice(
        ["1", "4", "8", "8.0"] if measure in (Measure.HOURLY, Measure.APR) else ["", "1", "8"]
    )
    return [
        choice.choice(["binance", "aster", ""]),
        choice.choice(["BTCUSDT", "1000PEPE", "'-X", "xyz:TSLA"]),
        str(stamp if unit is TimeUnit.MILLISECONDS else stamp // 1000),
        choice.choice([f"{choice.gauss(0, 1) * scale:.9f}", repr(choice.gauss(0, 1) * scale), "0", "-0.0"]),
        interval,
        choice.choice(["regular", ""]),
        choice.choice(["", "0.5", "-1e-3"]),
        choice.choice(["", "exchange", "recorded"]),
        "x",
    ]


def one_by_one(at: Places, lines: Sequence[str]) -> list[ImportedRow] | None:
    """What the slow way makes of the lines; None when it refuses one."""
    read = reader(COLUMNS, at, NOW, bare)
    try:
        return [read(7 + n, cells.split(",")) for n, cells in enumerate(lines)]
    except BadNumber:
        return None


@pytest.mark.parametrize("unit", [TimeUnit.SECONDS, TimeUnit.MILLISECONDS])
@pytest.mark.parametrize("measure", Measure)
def test_what_is_usual_goes_the_fast_way_and_is_the_same(measure: Measure, unit: TimeUnit) -> None:
    choice = random.Random(f"{measure}{unit}")
    at = places(measure, unit)
    many = many_reader(COLUMNS, at, NOW, bare)
    assert many is not None
    decimals = [line(choice, unit, measure) for _ in range(500)]
    if measure is Measure.PERCENT:  # exponents take the slow way there
        decimals = [cells for cells in decimals if "e" not in cells[3]]
    lines = [",".join(cells) for cells in decimals]
    fast, slow = many(7, lines), one_by_one(at, lines)
    assert slow is not None
    assert fast == slow
    assert [repr(row) for row in fast] == [repr(row) for row in slow]  # -0.0 == 0.0
    assert {type(row) for row in fast} == {ImportedRow}


@pytest.mark.parametrize("seed", range(150))
def test_what_is_odd_is_never_taken_otherwise_than_the_slow_way_takes_it(seed: int) -> None:
    choice = random.Random(seed)
    unit = choice.choice([TimeUnit.SECONDS, TimeUnit.MILLISECONDS])
    at = places(choice.choice(list(Measure)), unit)
    many = many_reader(COLUMNS, at, NOW, bare)
    assert many is not None
    for _ in range(20):
        rows = [line(choice, unit, at.measure) for _ in range(3)]
        choice.choice(rows)[choice.randrange(len(COLUMNS) - 1)] = choice.choice(ODD)
        lines = [",".join(cells) for cells in rows]
        fast = many(7, lines)
        if fast is not None:
            assert repr(fast) == repr(one_by_one(at, lines)), lines


@pytest.mark.parametrize("stamp", [-60_001, -60_000, -1, 0, 900_000, 900_001, 1_800_000])
def test_the_hour_of_a_stamp_is_the_same_at_its_edges(stamp: int) -> None:
    at = Places(time=0, unit=TimeUnit.MILLISECONDS, rate=1, symbol="BTC")
    many = many_reader(("time", "rate"), at, NOW)
    assert many is not None
    fast = many(1, [f"{EIGHT * 1000 + stamp},0.1"] * 2)
    assert (fast is not None) == (-60_000 <= stamp <= 900_000)
    assert fast is None or [row.funding_time for row in fast] == [EIGHT, EIGHT]


def test_lines_of_different_width_are_left_to_the_slow_way() -> None:
    many = many_reader(("time", "rate"), Places(time=0, unit=TimeUnit.SECONDS, rate=1, symbol="BTC"), NOW)
    assert many is not None
    assert many(1, [f"{EIGHT},0.1", f"{EIGHT}"]) is None
    assert many(1, [f"{EIGHT},0.1,2"] * 2) is None
    assert many(1, [f"{EIGHT},0.1", ""]) is None


def test_text_times_have_no_fast_way() -> None:
    assert many_reader(("time", "rate"), Places(time=0, unit=TimeUnit.ISO, rate=1, symbol="BTC"), NOW) is None
