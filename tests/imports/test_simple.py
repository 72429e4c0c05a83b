"""Files of anybody's making: every unit declared, nothing guessed."""

from pathlib import Path

import pytest

from fundwatch.imports.cells import TimeUnit
from fundwatch.imports.rows import FileRefused, ImportedRow
from fundwatch.models import Kind
from tests.imports.reading import EIGHT, read, written

ISO = "2026-03-20T00:00:00Z"


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("funding_time_s", f"{EIGHT}"),
        ("timestamp_seconds", f"{EIGHT + 14 * 60}"),
        ("time_ms", f"{EIGHT}017"),
        ("timestamp_milliseconds", f"{EIGHT - 1}999"),
        ("funding_time", ISO),
        ("time", "2026-03-20 00:00:00.024000+00:00"),
        ("timestamp_iso", "2026-03-20T02:00:00+02:00"),
        ("timestamp_utc", "2026-03-20 00:00"),
    ],
)
@pytest.mark.parametrize("text", ["csv", "jsonl"])
def test_a_time_is_what_its_column_declares(tmp_path: Path, column: str, cell: str, text: str) -> None:
    value = cell if cell.isdigit() else f'"{cell}"'
    content = (
        f"symbol,{column},rate\nBTC,{cell},0.0001\n"
        if text == "csv"
        else f'{{"symbol":"BTC","{column}":{value},"rate":0.0001}}'
    )
    found = read(written(tmp_path, f"a.{text}", content))
    assert [(row.funding_time, row.rate) for row in found.rows] == [(EIGHT, 0.0001)]
    assert found.format == text


@pytest.mark.parametrize("text", ["csv", "jsonl"])
def test_numbers_without_a_declared_unit_refuse_the_file(tmp_path: Path, text: str) -> None:
    content = (
        f"symbol,time,rate\nBTC,{EIGHT},0.0001\n"
        if text == "csv"
        else f'{{"symbol":"BTC","time":{EIGHT},"rate":0.0001}}'
    )
    path = written(tmp_path, f"a.{text}", content)
    with pytest.raises(FileRefused, match="call the column time_s or time_ms"):
        read(path)
    assert read(path, time_unit=TimeUnit.SECONDS).rows[0].funding_time == EIGHT


def test_a_unit_that_a_person_says_does_not_overrule_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", f"symbol,time_ms,rate\nBTC,{EIGHT}000,0.0001\n")
    assert read(path, time_unit=TimeUnit.MILLISECONDS).rows[0].funding_time == EIGHT
    with pytest.raises(FileRefused, match="time_ms says that it is milliseconds, and --time-unit seconds"):
        read(path, time_unit=TimeUnit.SECONDS)


def test_a_known_format_needs_no_unit(tmp_path: Path) -> None:
    content = f"calc_time,funding_interval_hours,last_funding_rate\n{EIGHT}000,8,0.0001\n"
    path = written(tmp_path, "BTCUSDT-fundingRate-2026-03.csv", content)
    with pytest.raises(FileRefused, match=r"need no --time-unit: it is data.binance.vision"):
        read(path, time_unit=TimeUnit.SECONDS)


def test_a_text_time_without_a_zone_could_be_anybodys(tmp_path: Path) -> None:
    found = read(written(tmp_path, "a.csv", "symbol,time,rate\nBTC,2026-03-20 00:00:00,0.0001\n"))
    assert found.rows == []
    assert "has no time zone" in found.reasons[0]


@pytest.mark.parametrize(
    ("column", "cell", "rate"),
    [
        ("rate", "0.0008", 0.0008),
        ("funding_rate", "-8e-4", -0.0008),
        ("rate_percent", "0.07", 0.0007),
        ("funding_rate_percent", "7e-2", 0.0007),
        ("hourly_rate", "0.0001", 0.0008),
        ("apr_percent", "10.95", 0.0001),
    ],
)
def test_a_rate_is_what_its_column_declares(tmp_path: Path, column: str, cell: str, rate: float) -> None:
    content = f"symbol,time_s,{column},interval_hours\nBTC,{EIGHT},{cell},8\nETH,{EIGHT},{cell},8\n"
    found = read(written(tmp_path, "a.csv", content))
    assert [row.rate for row in found.rows] == pytest.approx([rate, rate], rel=1e-15)
    assert [row.interval_hours for row in found.rows] == [8.0, 8.0]


def test_percent_is_exact_to_the_last_bit(tmp_path: Path) -> None:
    values = [f"{number / 10000:.4f}" for number in range(-3000, 3000)]
    lines = "".join(f"BTC,{EIGHT},{value}\n" for value in values)
    found = read(written(tmp_path, "a.csv", f"symbol,time_s,rate_percent\n{lines}"))
    assert [row.rate for row in found.rows] == [float(f"{value}e-2") + 0.0 for value in values]


@pytest.mark.parametrize("column", ["hourly_rate", "apr_percent"])
def test_a_rate_per_hour_needs_its_hours(tmp_path: Path, column: str) -> None:
    with pytest.raises(FileRefused, match="together with interval_hours"):
        read(written(tmp_path, "a.csv", f"symbol,time_s,{column}\nBTC,{EIGHT},1\n"))
    content = f"symbol,time_s,{column},interval_hours\nBTC,{EIGHT},1,\n"
    assert "needs its interval_hours" in read(written(tmp_path, "a.csv", content)).reasons[0]


def test_all_that_a_row_may_say(tmp_path: Path) -> None:
    content = (
        "exchange,symbol,time_s,rate,interval_hours,kind,payment_usd,asset,premium\n"
        f"Binance,BTCUSDT,{EIGHT},0.0001,8,regular,1.5,BTC,0.1\n"
        f",ETHUSDT,{EIGHT},-0.0001,,,,ETH,\n"
        f"aster,XUSDT,{EIGHT},0.01,0,special,,X,\n"
    )
    assert read(written(tmp_path, "a.csv", content)).rows == [
        ImportedRow(2, "binance", "BTCUSDT", EIGHT, 0.0001, 8.0, Kind.REGULAR, 1.5),
        ImportedRow(3, None, "ETHUSDT", EIGHT, -0.0001, None),
        ImportedRow(4, "aster", "XUSDT", EIGHT, 0.01, 0.0, Kind.SPECIAL),
    ]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("BTC,{t},", "rate is missing"),
        ("BTC,{t},nan", "rate is not a decimal"),
        ("BTC,{t},inf", "rate is not a decimal"),
        ("BTC,{t},1e999", "rate is not finite"),
        ("BTC,{t},0.000_1", "rate is not a decimal"),
        ("BTC,{t},٠.٠٠٠١", "rate is not a decimal"),
        ("BTC,{t}, 0.0001", "rate is not a decimal"),
        ("BTC,{t},0x1p-9", "rate is not a decimal"),
        ('BTC,{t},"0,0001"', "decimal point"),
        ("BTC,{t},0,0001", "4 cells where there are 3 columns"),
        ("BTC,{t},0.9", "more than any market pays"),
        ("BTC,{t}", "2 cells where there are 3 columns"),
        (",{t},0.0001", "symbol is missing"),
        ("B TC,{t},0.0001", "symbol is none"),
        ("=cmd|x,{t},0.0001", "symbol is none"),
        ("B\x1b[31m,{t},0.0001", "symbol is none"),
        ("BTC,,0.0001", "time_s is missing"),
        ("BTC,{t}000,0.0001", "it would be one in milliseconds"),
        ("BTC,0,0.0001", "no time between 2016 and now"),
        ("BTC,-5,0.0001", "no time between 2016 and now"),
        ("BTC,1e9,0.0001", "not a whole number of seconds"),
        ("BTC,١٧٧٣٩٦٤٨٠٠,0.0001", "not a whole number of seconds"),
        ("BTC,{half},0.0001", "not near a full hour"),
        ("BTC,{tomorrow},0.0001", "lies in the future"),
        ('"BTC,{t},0.0001', "opens a quote"),
        ("B\x00TC,{t},0.0001", "NUL"),
    ],
)
def test_a_bad_row_is_named_by_its_line_and_costs_only_itself(tmp_path: Path, row: str, reason: str) -> None:
    times = {"t": EIGHT, "half": EIGHT + 1800, "tomorrow": EIGHT + 14 * 86400}
    good = f"BTC,{EIGHT},0.0001\n"
    content = f"symbol,time_s,rate\n{good}{row.format(**times)}\n{good}"
    found = read(written(tmp_path, "a.csv", content))
    assert [row.line for row in found.rows] == [2, 4]
    assert [bad.line for bad in found.bad] == [3]
    assert reason in found.reasons[0]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("8.5,regular", "no whole number of hours"),
        ("0,regular", "only a special payment"),
        ("-8,regular", "no whole number of hours"),
        ("25,regular", "no whole number of hours"),
        ("8,special", "covers no hours"),
        ("8,other", "neither regular nor special"),
    ],
)
def test_a_bad_interval_or_kind_costs_the_row(tmp_path: Path, row: str, reason: str) -> None:
    content = f"symbol,time_s,rate,interval_hours,kind\nBTC,{EIGHT},0.0001,{row}\n"
    found = read(written(tmp_path, "a.csv", content))
    assert found.rows == []
    assert reason in found.reasons[0]


def test_the_bound_of_a_rate_is_ten_percent_an_hour(tmp_path: Path) -> None:
    rows = "".join(
        f"BTC,{EIGHT},{rate},{hours}\n" for rate, hours in [(0.1, 1), (0.11, 1), (0.8, 8), (2.5, 24)]
    )
    found = read(written(tmp_path, "a.csv", f"symbol,time_s,rate,interval_hours\n{rows}"))
    assert [row.rate for row in found.rows] == [0.1, 0.8]


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("symbol,time_s,rate,wert", "'wert' holds is not known"),
        ("symbol,time_s", "no column holds a rate"),
        ("symbol,rate", "no column holds a time"),
        ("time_s,rate", "--symbol"),
        ("symbol,time_s,rate,hourly_rate", "rate and hourly_rate all hold a rate"),
        ("symbol,coin,time_s,rate", "symbol and coin all hold a symbol"),
        ("symbol,time_s,timestamp_s,rate", "all hold a time"),
        ("symbol,time_s,rate,rate", "stands twice"),
        ("symbol,time_s,Rate,RATE", "stands twice"),
        ("symbol,time_s,,rate", "column number 3 has no name"),
        ("symbol;time_s;rate", "separated by ';'"),
        ("symbol\ttime_s\trate", "separated by"),
        ("1,2,3,4", "holds only numbers"),
        ('"symbol,time_s,rate', "opens a quote"),
        (",".join(f"c{n}" for n in range(150)), "150 columns"),
    ],
)
def test_a_header_that_leaves_a_doubt_refuses_the_file(tmp_path: Path, header: str, words: str) -> None:
    with pytest.raises(FileRefused) as refusal:
        read(written(tmp_path, "a.csv", f"{header}\nBTC,1,2\n"))
    assert words in refusal.value.message
    assert refusal.value.message.startswith("a.csv")


def test_a_format_that_was_asked_for_is_the_only_one_tried(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", f"symbol,time_s,rate\nBTC,{EIGHT},0.0001\n")
    assert read(path, file_format="csv").format == "csv"
    for other in ("vision", "fundwatch", "predecessor", "jsonl"):
        with pytest.raises(FileRefused, match=r"is csv, not|is no file"):
            read(path, file_format=other)


def test_the_markets_name_may_come_from_the_person(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", f"time_s,rate\n{EIGHT},0.0001\n")
    assert read(path, symbol="BTC").rows == [ImportedRow(2, None, "BTC", EIGHT, 0.0001, None)]
    with pytest.raises(FileRefused, match="no market's symbol"):
        read(path, symbol="B\x1bC")
