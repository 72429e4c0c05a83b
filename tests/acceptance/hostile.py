"""Text that would crash, style, or drive a terminal, and a database that another program filled with it."""

import random
import re
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from fundwatch.storage.database import open_writer

MARKUP = (
    "[/]",
    "[/b]",
    "[@click=app.quit]x[/]",
    "[/@click=app.quit]",
    "[@click=screen.dismiss]",
    "[bold red]",
    "[#ff0000]y[/#ff0000]",
    "[link=http://h.example]z[/link]",
    "[on red",
    "\\[",
    "[[]]",
    ":skull:",
    "$text-error",
    "%s%n{0}{x!r}",
)
SEQUENCES = (
    "\x1b[7777m",
    "\x1b[9999;9999H",
    "\x1b[?1047h",
    "\x1b[2J",
    "\x1b[5n",
    "\x1bc",
    "\x1b#8",
    "\x1b(0",
    "\x1b]0;a title\x07",
    "\x1b]52;c;aG9zdGlsZQ==\x07",
    "\x1b]52;c;aG9zdGlsZQ==\x1b\\",
    "\x1b]8;;http://h.example\x1b\\a link\x1b]8;;\x1b\\",
    "\x1b]8;;http://h.example\x07a link\x1b]8;;\x07",
    "\x1bP+q544e\x1b\\",
    "\x1b_Ga=T;AAAA\x1b\\",
    "\x1b^x\x1b\\",
    "\x1b",
    "\x9b7777m",
    "\x9d52;c;aG9zdGlsZQ==\x9c",
    "\x90q\x9c",
    "\x85",
    "\x8d",
)
CONTROLS = (
    "\x00", "\x07", "\x08\x08\x08", "\x0b", "\x0c", "\x0e", "\x0f", "\x11", "\x13", "\x1a", "\x7f", "\r",
    "\n", "\r\n", "\n\n\n", "\t", "\u2028", "\u2029",
)  # fmt: skip
DIRECTIONS = (
    "\u202e", "\u202dx\u202c", "\u2066x\u2069", "\u2067y\u2069", "\u200f", "\u200e", "\u061c",
    "שלום", "مرحبا", "١٢٣", "ﷺ", "\U00010800", "\U0001e900",
)  # fmt: skip
SHAPES = (
    "\u200b", "\u200d", "\ufeff", "\ufe0f", "\u3164", "\u115f", "\U000e0041", "\ue000", "\U0010ffff",
    "\u0378", "a" + "\u0301" * 10_000, "\u0e01" + "\u0e33\u0e49" * 200, "e" + "\u20dd" * 6, "币安人生", "😀",
    "👨\u200d👩\u200d👧", "🏴\U000e0067\U000e007f", "ﬃ", "\u00a0", "\u00ad", "Ａ", "i\u0307",
)  # fmt: skip
FORMULAS = (
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-1+1",
    "@SUM(A1)",
    '"',
    "','",
    "'; DROP TABLE settlement; --",
    "../../x",
)

FAMILIES = (MARKUP, SEQUENCES, CONTROLS, DIRECTIONS, SHAPES, FORMULAS)
EVERY = tuple(payload for family in FAMILIES for payload in family)

_CANARY = re.compile(r"q(\d+)w")


def strings(count: int, seed: int) -> list[str]:
    """`count` strings: each payload once, then mixtures; one in 500 is a megabyte long.

    `q17w` in the 17th tells on a screen which of them are there.
    """
    chance = random.Random(seed)
    made = []
    for number in range(count):
        canary = f"q{number}w"
        if number < len(EVERY):
            made.append(f"{canary}{EVERY[number]}" if number % 2 else f"{EVERY[number]}{canary}")
        elif number % 500 == 499:
            made.append(f"{canary}{chance.choice(EVERY)}" + "x" * 1_000_000)
        else:
            parts = [chance.choice(chance.choice(FAMILIES)) for _ in range(chance.randint(1, 4))]
            parts.insert(chance.randint(0, len(parts)), canary)
            made.append("".join(parts))
    return made


def canaries(text: str) -> set[int]:
    """The numbers of the strings that `text` shows something of."""
    return {int(number) for number in _CANARY.findall(text)}


def furnish(database: Path, world: str, strings: Sequence[str], exchanges: Sequence[str]) -> None:
    """A database as a program that is not ours could have left it: hostile text wherever text goes."""
    open_writer(database, world=world).close()
    with closing(sqlite3.connect(database)) as db, db:
        _Filler(db, strings, exchanges).fill()


class _Filler:
    def __init__(self, db: sqlite3.Connection, strings: Sequence[str], exchanges: Sequence[str]) -> None:
        self._db = db
        self._strings = strings
        self._next = 0
        self._exchanges = exchanges
        self._now = int(time.time())
        self._hour = self._now // 3600 * 3600

    def _text(self) -> str:
        """The next of the strings, from the beginning again after the last."""
        self._next += 1
        return self._strings[(self._next - 1) % len(self._strings)]

    def _insert(self, table: str, **columns: object) -> int:
        names, marks = ", ".join(columns), ", ".join("?" * len(columns))
        done = self._db.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(columns.values()))
        assert done.lastrowid is not None
        return done.lastrowid

    def fill(self) -> None:
        for name in (*self._exchanges, self._text()):
            self._exchange(name)
        count = len(self._strings)
        for turn in range(max(7, count // 12)):
            self._asset(turn)
        for _ in range(min(200, count)):
            self._insert(
                "event",
                time=self._now - self._next,
                exchange_id=1 + self._next % len(self._exchanges),
                kind=self._text(),
                message=self._text(),
            )
        for turn in range(min(60, count // 4)):
            since = self._now - 90_000 - turn
            until = None if turn < 5 else since + 60
            self._insert(
                "alert",
                exchange_id=1 + turn % len(self._exchanges),
                kind=self._text(),
                message=self._text(),
                since=since,
                until=until,
            )
        self._insert("ban", scope=self._text(), kind=self._text(), until=1.0, reason=self._text(), strikes=1)
        self._insert(
            "collector",
            id=1,
            pid=1,
            role=self._text(),
            boot_id=self._text(),
            started=self._now,
            heartbeat=self._now - 500,
        )

    def _exchange(self, name: str) -> None:
        number = self._insert("exchange", name=name, minute=2)
        self._insert(
            "tracker",
            exchange_id=number,
            status="error",
            last_run=self._now,
            last_outcome="error",
            last_error=self._text(),
            sweep_error=self._text(),
            quotes_error=self._text(),
        )
        for what in ("estimates", self._text()):
            self._insert(
                "unit_check",
                exchange_id=number,
                group_name=self._text(),
                what=what,
                verdict="error",
                n=30,
                sentence=self._text(),
                checked_at=self._now,
            )
        for turn in range(3):
            self._insert(
                "run",
                exchange_id=number,
                kind="import",
                source=2,
                converter_version=1,
                started=self._now - 60 + turn,
                ended=self._now,
                outcome="error",
                error=self._text(),
                file_name=self._text(),
            )

    def _asset(self, turn: int) -> None:
        """One asset on two exchanges, so that it has a rate, a spread, a chart and a reason set aside."""
        ticker = self._text()
        asset_class = "crypto" if turn % 3 else self._text()
        for side in range(2):
            market = self._insert(
                "market",
                exchange_id=1 + (turn + side) % len(self._exchanges),
                symbol=self._text() + str(self._next),
                ticker=ticker,
                asset_class=asset_class,
                multiplier=1.0,
                group_name=self._text() if turn % 5 == 0 else "",
                status="active",
                first_seen=self._now - 90_000,
                last_seen=self._now,
                failures=turn % 4,
                failure=self._text(),
            )
            self._insert(
                "quote",
                market_id=market,
                observed_at=self._now,
                hourly_rate=(turn - 20) * 1e-6 * (1 + side),
                interval_hours=1.0 if turn % 7 else 1e-9,
                next_funding_time=self._hour + 3600,
                mark_price=100.0,
                open_interest_usd=1e6,
                volume_24h_usd=1e6,
            )
            self._insert(
                "identity",
                market_id=market,
                same_as_group=None if turn % 4 == 0 else turn,
                reason=self._text() if turn % 4 == 0 else None,
            )
            self._insert(
                "absence",
                market_id=market,
                start_time=self._hour - 36_000,
                end_time=self._hour - 3600,
                reason=self._text(),
                last_asked=self._now,
            )
            for hour in range(3):
                self._insert(
                    "settlement",
                    market_id=market,
                    funding_time=self._hour - hour * 3600,
                    kind=0,
                    rate=1e-6 * turn,
                    interval_hours=1.0,
                    run_id=1,
                )


def batches(all_strings: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(all_strings), size):
        yield all_strings[start : start + size]
