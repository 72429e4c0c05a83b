"""Files of data.binance.vision, and Binance's own rows saved in other ways."""

import zipfile
from pathlib import Path

import pytest

from fundwatch.imports.rows import FileRefused, ImportedRow
from fundwatch.models import Kind
from tests.imports.reading import EIGHT, read, written

HEADER = "calc_time,funding_interval_hours,last_funding_rate\n"
LINES = f"{EIGHT}007,8,0.00010000\n{EIGHT + 4 * 3600}000,4,-0.00001234\n"
NAME = "BTCUSDT-fundingRate-2026-03"
ROWS = [
    ImportedRow(2, "binance", "BTCUSDT", EIGHT, 0.0001, 8.0),
    ImportedRow(3, "binance", "BTCUSDT", EIGHT + 4 * 3600, -0.00001234, 4.0),
]


def zipped(folder: Path, members: dict[str, str], name: str = f"{NAME}.zip") -> Path:
    with zipfile.ZipFile(folder / name, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, content in members.items():
            archive.writestr(member, content)
    return folder / name


def test_a_csv_is_read_with_the_symbol_of_its_name(tmp_path: Path) -> None:
    found = read(written(tmp_path, f"{NAME}.csv", HEADER + LINES), exchange="binance")
    assert (found.rows, found.bad, found.format) == (ROWS, [], "vision")


def test_a_zip_is_read_as_downloaded(tmp_path: Path) -> None:
    assert read(zipped(tmp_path, {f"{NAME}.csv": HEADER + LINES})).rows == ROWS


def test_an_old_file_without_a_header_is_read_from_its_first_line(tmp_path: Path) -> None:
    found = read(written(tmp_path, f"{NAME}.csv", LINES))
    assert found.rows == [row._replace(line=row.line - 1) for row in ROWS]


def test_many_months_and_markets_may_share_one_zip(tmp_path: Path) -> None:
    members = {f"{NAME}.csv": HEADER + LINES, "sub/ETHUSDT-fundingRate-2026-03.csv": HEADER + LINES}
    found = read(zipped(tmp_path, members, "all.zip"))
    assert [row.symbol for row in found.rows] == ["BTCUSDT", "BTCUSDT", "ETHUSDT", "ETHUSDT"]


def test_a_browsers_second_copy_keeps_its_symbol(tmp_path: Path) -> None:
    assert read(written(tmp_path, f"{NAME} (1).csv", HEADER + LINES)).rows == ROWS


def test_a_file_without_its_name_asks_for_the_symbol(tmp_path: Path) -> None:
    path = written(tmp_path, "march.csv", HEADER + LINES)
    with pytest.raises(FileRefused, match=r"march\.csv: .*--symbol"):
        read(path)
    assert read(path, symbol="BTCUSDT").rows == ROWS


def test_names_that_disagree_on_the_market_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match="disagree"):
        read(zipped(tmp_path, {"ETHUSDT-fundingRate-2026-03.csv": HEADER + LINES}))
    with pytest.raises(FileRefused, match="disagree"):
        read(written(tmp_path, f"{NAME}.csv", HEADER + LINES), symbol="ETHUSDT")


def test_another_exchange_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match=r"data\.binance\.vision, but --exchange names aster"):
        read(written(tmp_path, f"{NAME}.csv", HEADER + LINES), exchange="aster")


def test_seconds_among_milliseconds_are_bad_rows(tmp_path: Path) -> None:
    found = read(written(tmp_path, f"{NAME}.csv", f"{HEADER}{LINES}{EIGHT},8,0.0001\n"))
    assert found.rows == ROWS
    assert "it would be one in seconds, but the column is in milliseconds" in found.reasons[0]
    assert found.bad[0].line == 4


def test_swapped_columns_are_bad_rows(tmp_path: Path) -> None:
    found = read(written(tmp_path, f"{NAME}.csv", f"{HEADER}0.0001,8,{EIGHT}000\n8,{EIGHT}000,0.0001\n"))
    assert found.rows == []
    assert len(found.bad) == 2


def test_the_copy_of_binance_s_answers_without_intervals_leaves_them_to_spacing(tmp_path: Path) -> None:
    table = f"timestamp,symbol,funding_rate\n{EIGHT}007,BTCUSDT,0.0001"
    found = read(written(tmp_path, "BTCUSDT.csv", table), exchange="binance")
    assert found.rows == [ImportedRow(2, None, "BTCUSDT", EIGHT, 0.0001, None)]
    assert "milliseconds" in found.unit_note


def test_the_same_columns_of_another_exchange_do_not_say_their_unit(tmp_path: Path) -> None:
    table = f"timestamp,symbol,funding_rate\n{EIGHT}007,BTCUSDT,0.0001"
    with pytest.raises(FileRefused, match="seconds or milliseconds"):
        read(written(tmp_path, "BTCUSDT.csv", table), exchange="extended")


@pytest.mark.parametrize("exchange", ["binance", "aster"])
def test_saved_answers_of_funding_rate_are_read(tmp_path: Path, exchange: str) -> None:
    row = f'"symbol": "BTCUSDT", "fundingTime": {EIGHT}003, "markPrice": "1", "fundingRate"'
    answer = f'[{{{row}: "0.00010000"}},\n  {{{row}: "-0.5e-4"}}]'
    found = read(written(tmp_path, "answer.json", answer), exchange=exchange)
    assert [row.rate for row in found.rows] == [0.0001, -0.00005]


def test_a_special_payment_covers_no_hours(tmp_path: Path) -> None:
    line = f'{{"symbol":"A","fundingTime":{EIGHT}000,"fundingRate":"0.002","rateType":"Special"}}'
    [row] = read(written(tmp_path, "a.jsonl", line), exchange="binance").rows
    assert (row.kind, row.interval_hours, row.rate) == (Kind.SPECIAL, 0.0, 0.002)


def test_saved_answers_ask_whose_they_are(tmp_path: Path) -> None:
    line = f'{{"symbol":"A","fundingTime":{EIGHT}000,"fundingRate":"0.002"}}'
    with pytest.raises(FileRefused, match="--exchange binance or aster"):
        read(written(tmp_path, "a.jsonl", line))
