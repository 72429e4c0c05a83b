"""Files mutated at random: never a crash, never a row that could not be, never a word that harms.

`FUNDWATCH_IMPORT_TRIALS` sets how many (the seeds count from 0); a hundred and twenty here.
"""

import gzip
import io
import json
import math
import os
import random
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from fundwatch.exports.columns import NAMES, UNITS_LINE
from fundwatch.imports.cells import EARLIEST_TIME
from fundwatch.imports.reading import open_import
from fundwatch.imports.rows import BadRow, FileRefused, ImportedRow, Limits
from fundwatch.models import HOUR, MAX_HOURLY_RATE, Kind
from fundwatch.text import is_symbol
from tests.imports.reading import EIGHT, NOW, written

TRIALS = int(os.environ.get("FUNDWATCH_IMPORT_TRIALS") or 120)

TOKENS = (
    b"nan", b"inf", b"-", b"1e999", b"1_000", "١٢".encode(), b'"', b"'", b",", b"\n", b"\r", b"\0",
    b"\x1b[2J", "\u202e".encode(), b"\xff\xfe", b"\xc3", b"9" * 5000, b"," * 300, b'"' * 3, b"null", b"true",
    b"{}", b"[", b"=cmd|x", b"\\ud800", b"../", b"PK\x03\x04", b"1773964800", b"1773964800000", b"x" * 70_000,
    b"\xef\xbb\xbf",
)  # fmt: skip


def table() -> str:
    own = "".join(
        f"binance,BTCUSDT,BTC,crypto,{EIGHT + n * 3600},t,regular,{n * 1e-5!r},1,1,1,,exchange\n"
        for n in range(40)
    )
    return f"{UNITS_LINE}\n{','.join(NAMES)}\n{own}"


def objects() -> list[dict[str, object]]:
    return [{"symbol": f"S{n}", "time_s": EIGHT + n * 3600, "rate": n * 1e-5} for n in range(40)]


def zipped(content: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("BTCUSDT-fundingRate-2026-03.csv", content)
    return file.getvalue()


VISION = "calc_time,funding_interval_hours,last_funding_rate\n" + "".join(
    f"{EIGHT + n * 28800}007,8,{n * 1e-5:.8f}\n" for n in range(40)
)
LIGHTER = "symbol,timestamp,rate,rate_hourly,rate_annual,direction\n" + "".join(
    f"ETH,{EIGHT + n * 3600},0.0012,0.0012,10.5,{'long' if n % 2 else 'short'}\n" for n in range(40)
)
SEEDS: tuple[tuple[str, bytes], ...] = (
    ("BTCUSDT-fundingRate-2026-03.csv", VISION.encode()),
    ("BTCUSDT-fundingRate-2026-03.zip", zipped(VISION)),
    ("own.csv", table().encode()),
    ("own.csv.gz", gzip.compress(table().encode(), mtime=0)),
    ("lighter_funding_v2.csv", LIGHTER.encode()),
    ("simple.jsonl", "".join(f"{json.dumps(row)}\n" for row in objects()).encode()),
    ("simple.json", json.dumps([{"results": objects()}]).encode()),
)


def mutated(content: bytes, choice: random.Random) -> bytes:
    spoilt = bytearray(content)
    for _ in range(choice.choice([1, 1, 2, 5, 20])):
        at, length = choice.randrange(len(spoilt) + 1), choice.randrange(1, 40)
        match choice.randrange(7):
            case 0 if at < len(spoilt):
                spoilt[at] ^= 1 << choice.randrange(8)
            case 1:
                del spoilt[at : at + length]
            case 2:
                spoilt[at:at] = choice.choice(TOKENS)
            case 3:
                spoilt[at : at + length] = choice.choice(TOKENS)
            case 4:
                spoilt[at:at] = spoilt[at : at + length] * choice.randrange(1, 20)
            case 5:
                spoilt[at : at + length] = choice.randbytes(length)
            case _ if choice.random() < 0.3:
                del spoilt[at:]
    return bytes(spoilt)


def harmless(words: str) -> bool:
    return 0 < len(words) <= 1000 and words.isprintable()


def possible(row: ImportedRow) -> bool:
    bound = MAX_HOURLY_RATE * (row.interval_hours or 8)
    return (
        row.line > 0
        and is_symbol(row.symbol)
        and row.funding_time % HOUR == 0
        and EARLIEST_TIME <= row.funding_time <= NOW + 600
        and math.isfinite(row.rate)
        and abs(row.rate) <= bound
        and (row.interval_hours is None or row.interval_hours in range(25))
        and (row.interval_hours == 0) == (row.kind is Kind.SPECIAL)
        and (row.payment_usd is None or math.isfinite(row.payment_usd))
        and (row.exchange is None or row.exchange.isascii())
    )


@pytest.mark.parametrize("seed", range(TRIALS))
def test_a_spoilt_file_gives_possible_rows_or_words(tmp_path: Path, seed: int) -> None:
    choice = random.Random(seed)
    name, content = SEEDS[seed % len(SEEDS)]
    path = written(tmp_path, name, mutated(content, choice))
    exchange = choice.choice([None, "binance", "lighter", "hyperliquid"])
    words: list[str] = []
    try:
        with open_import(path, exchange=exchange, now=NOW, limits=Limits(total_bytes=10**7)) as file:
            words.append(file.unit_note)
            for row in file.rows():
                if isinstance(row, BadRow):
                    words += [row.reason, row.member or "a.csv"]
                else:
                    assert possible(row), row
    except FileRefused as refusal:
        words.append(refusal.message)
    assert [each for each in words if not harmless(each)] == []


def test_an_unbalanced_quote_swallows_nothing(tmp_path: Path) -> None:
    good = f"BTC,{EIGHT},0.0001\n"
    path = written(tmp_path, "a.csv", f'symbol,time_s,rate\n{good}"BTC,{EIGHT},0.0001\n{good * 1000}')
    with open_import(path, exchange=None, now=NOW) as file:
        found = list(file.rows())
    assert sum(isinstance(row, ImportedRow) for row in found) == 1001
    assert [row.line for row in found if isinstance(row, BadRow)] == [3]


def peak_bytes(path: Path) -> tuple[list[ImportedRow | BadRow], int]:
    """The first and last rows of a file, and how much memory its reading took at most."""
    kept: list[ImportedRow | BadRow] = []
    tracemalloc.start()
    try:
        with open_import(path, exchange=None, now=NOW) as file:
            for row in file.rows():
                kept[2:] = [row]
        return kept, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_line_without_an_end_costs_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    with path.open("wb") as file:
        file.write(b"symbol,time_s,rate\n" + f"BTC,{EIGHT},0.0001\n".encode() * 20)
        file.seek(64 * 1024**2)  # a hole: no disk is used
        file.write(f"\nETH,{EIGHT},0.0001\n".encode())
    kept, peak = peak_bytes(path)
    assert peak < 4 * 1024**2
    assert kept[-1] == ImportedRow(23, None, "ETH", EIGHT, 0.0001, None)


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", "symbol,time_s,rate\n" + f"BTC,{EIGHT},0.0001\n" * 30_000)
    kept, peak = peak_bytes(path)
    assert kept[-1].line == 30_001
    assert peak < 8 * 1024**2
