"""What comes from outside is shown letter by letter and drives nothing: judged by the bytes on a terminal.

`FUNDWATCH_HOSTILE_STRINGS=10000` for the long trial, `FUNDWATCH_HOSTILE_SEED` for other mixtures.
"""

import base64
import csv
import os
import re
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from fundwatch.exchanges import REGISTRY
from fundwatch.storage import lock
from fundwatch.text import printable
from tests.acceptance import hostile
from tests.acceptance.pty_rig import Screen, copied, screen, strangers
from tests.acceptance.spoiled import spoiled_world

STRINGS = int(os.environ.get("FUNDWATCH_HOSTILE_STRINGS", "500"))
SEED = int(os.environ.get("FUNDWATCH_HOSTILE_SEED", "1"))
PER_DATABASE = 500
_REPOSITORY = Path(__file__).parents[2]
_PAGE_DOWN = "\x1b[6~"


def clean_and_literal(opened: Screen, *, at_least: int) -> None:
    """Nothing but Textual's own sequences and visible text came; `at_least` so many strings were seen."""
    found = strangers(bytes(opened.stream))
    assert found == [], f"seed {SEED}: {len(found)}, the first {found[:5]}"
    seen = hostile.canaries(opened.text())
    assert len(seen) >= at_least, f"only {len(seen)} strings came to the screen"


def furnished(folder: Path, strings: list[str]) -> list[str]:
    """The options of a fundwatch over a database full of `strings`, which asks nobody."""
    hostile.furnish(folder / "f.db", "real", strings, list(REGISTRY))
    return ["--config", str(configured(folder)), "--db", str(folder / "f.db")]


def configured(folder: Path, **urls: str) -> Path:
    """The exchanges named at the address given; without any, all of them where nobody listens."""
    path = folder / "fundwatch.toml"
    path.write_text(
        "".join(
            f'[exchanges.{name}]\nbase_url = "{urls.get(name, "http://127.0.0.1:9")}"\n'
            f"budget_scale = 1000\nenabled = {str(not urls or name in urls).lower()}\n"
            for name in REGISTRY
        )
    )
    return path


@pytest.fixture(scope="module")
def options(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """A database of which another process is the collector, so that it stays as it is."""
    folder = tmp_path_factory.mktemp("hostile")
    words = furnished(folder, hostile.strings(PER_DATABASE, SEED))
    with lock.acquire(folder / "f.db", "collector", time.time()):
        yield words


# The dashboard


def test_every_widget_shows_hostile_text_and_obeys_none(tmp_path: Path) -> None:
    with screen(
        [str(STRINGS), str(SEED)],
        tmp_path,
        program=("-m", "tests.acceptance.gallery"),
        environment={"PYTHONPATH": str(_REPOSITORY)},
        lines=100,
    ) as opened:
        code, _ = opened.end(30 + STRINGS / 20)
        assert code == 0, opened.text()[-3000:]
        clean_and_literal(opened, at_least=STRINGS * 98 // 100)
        text = opened.text()
        for literal in (
            "[/]q0w",
            "[@click=app.quit]x[/]q2w",
            "q7w[link=http://h.example]z[/link]",
            "币安人生",
        ):
            assert literal in text


def test_a_database_that_another_program_filled_cannot_drive_the_dashboard(tmp_path: Path) -> None:
    everything = hostile.strings(STRINGS, SEED)
    for number, strings in enumerate(hostile.batches(everything, PER_DATABASE)):
        folder = tmp_path / str(number)
        folder.mkdir()
        words = furnished(folder, list(strings))
        size = {} if number % 2 == 0 else {"lines": 24, "columns": 80}
        with (
            lock.acquire(folder / "f.db", "collector", time.time()),
            screen(words, folder, **size) as opened,
        ):
            opened.wait_until(lambda: bool(hostile.canaries(opened.text())), "a first string")
            walk(opened)
            opened.press("\x11")  # also from within the palette
            code, _ = opened.end()
            assert code == 0
            clean_and_literal(opened, at_least=len(strings) // 20)


def walk(opened: Screen) -> None:
    """Every pane, and what opens from it, with the keys of a person who looks around."""
    for keys in (
        *("2", _PAGE_DOWN, _PAGE_DOWN, "]", "[", "x", "x", "c", "c", "c", "g", _PAGE_DOWN, "u", "g"),
        *("\r", "]", "]", "\r", "\x1b", "3", _PAGE_DOWN, "\r", "\x1b"),
        *("4", "j", "j", "\r", "\r", "l", "l", "5", *"jjjjjjjj", "\t", *"jjjjjjjj", _PAGE_DOWN, _PAGE_DOWN),
        *("1", "\t", "j", "\r", "\x1b", "b", "\x1b", "r", "a", "?", _PAGE_DOWN, "\x1b", " ", "t", "t", " "),
        *("\x10", "q", "[", "/", "]", "\x1b"),
    ):
        opened.press(keys)
        opened.settle(0.04)
        if keys == "\x1b":  # a lone Escape is known as one only after a moment
            opened.drain(0.12)
        assert opened.process.poll() is None, f"ended after {keys!r}: {opened.text()[-3000:]}"


def test_what_is_typed_and_pasted_is_shown_as_it_is(options: list[str], tmp_path: Path) -> None:
    with screen(options, tmp_path) as opened:
        opened.wait_until(lambda: bool(hostile.canaries(opened.text())), "a first string")
        for pane in "125":
            opened.press(pane)
            opened.press("/")
            opened.settle()
            place = opened.press("[/][@click=app.quit]no(such\\")
            opened.wait_for("[/][@click=app.quit]no(such\\", place)
            for text in (  # a terminal's own filter aside, a paste can hold anything
                "\x1b]0;t\x07\x9b7777m\u202e[/]",
                "two\nlines",
                "x" * 100_000,
            ):
                opened.press(f"\x1b[200~{text}\x1b[201~")
                opened.settle(0.05)
            for _ in range(2):  # an Escape is known as one only after a moment
                opened.press("\x1b")
                opened.drain(0.4)
        opened.press("q")
        assert opened.end()[0] == 0
        clean_and_literal(opened, at_least=10)


def test_what_is_copied_and_exported_is_harmless_too(options: list[str], tmp_path: Path) -> None:
    with screen(options, tmp_path) as opened:
        opened.wait_until(lambda: bool(hostile.canaries(opened.text())), "a first string")
        for pane in "2345":
            opened.press(pane)
            opened.settle()
            for _ in range(3):
                opened.press("j")
                opened.press("y")
                opened.settle()
            place = opened.press("e")
            opened.wait_for("rows in", place)
        opened.press("q")
        assert opened.end()[0] == 0
        taken = copied(bytes(opened.stream))
        found = strangers(bytes(opened.stream), copies=True)
    assert found == []
    assert len(taken) >= 10
    for words in taken:
        for cell in base64.b64decode(words).decode().split("\t"):
            assert printable(cell) == cell
    files = sorted(tmp_path.glob("fundwatch-*.csv"))
    assert len(files) == 4
    for path in files:
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.reader(file):
                for cell in row:
                    assert printable(cell) == cell
                    assert not re.match(r"\s*[=+@]|\s*-(?![0-9.,]+$)", cell) or _is_number(cell)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


# Answers and logs


@pytest.mark.parametrize(
    "words",
    [
        "status",
        "status --line",
        "status --json",
        "top --limit 400",
        "top --limit 400 --csv",
        "top --limit 400 --json",
        "top --window 7d",
        "spreads --limit 400",
        "spreads --limit 400 --csv",
        "spreads --limit 400 --json",
        "history q12w",
        "history [/",
        "history TICKER",
        "history TICKER --csv",
        "history TICKER --json",
    ],
)
def test_an_answer_drives_no_terminal(options: list[str], words: str, tmp_path: Path) -> None:
    with closing(sqlite3.connect(f"file:{options[-1]}?mode=ro", uri=True)) as db:
        (ticker,) = db.execute(
            "SELECT ticker FROM market WHERE ticker LIKE '%q%w' AND ticker NOT GLOB '*[^ -~]*'"
            " AND asset_class = 'crypto' LIMIT 1"
        ).fetchone()
    asked = [ticker if word == "TICKER" else word for word in words.split()]
    with screen([*options, *asked], tmp_path) as opened:
        code, _ = opened.end()
        assert code in (0, 1, 2, 3)
        assert "Traceback" not in opened.text()
        assert b"\x1b" not in opened.stream
        clean_and_literal(opened, at_least=0 if code else 1)


def test_exchanges_that_answer_with_hostile_text_neither_reach_the_screen_nor_the_store(
    tmp_path: Path,
) -> None:
    strings = hostile.strings(PER_DATABASE, SEED)
    database = tmp_path / "f.db"
    with spoiled_world(["lighter", "hyperliquid", "binance"], strings) as urls:
        words = ["--config", str(configured(tmp_path, **urls)), "--db", str(database)]
        with screen(words, tmp_path) as opened:
            opened.wait_until(lambda: bool(re.search("PARTIAL|ERROR", opened.text())), "a first sweep", 60)
            for keys in ("4", "l", "j", "j", "j", "5", "1", "2", _PAGE_DOWN, "3"):
                opened.press(keys)
                opened.drain(0.2)
            opened.press("q")
            assert opened.end()[0] == 0
            clean_and_literal(opened, at_least=1)
        for form in ("text", "json"):
            with screen([*words, "--collect-only", "--log-format", form], tmp_path) as opened:
                opened.wait_until(lambda: bool(hostile.canaries(opened.text())), "a string of theirs", 60)
                opened.drain(0.5)
                opened.signal(signal.SIGTERM)
                assert opened.end()[0] == 0
                assert b"\x1b" not in opened.stream
                clean_and_literal(opened, at_least=1)
                lines = opened.text().split("\r\n")[:-1]
                beginning = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ [a-z]" if form == "text" else r'\{"time": '
                assert [line for line in lines if not re.match(beginning, line)] == []
    with closing(sqlite3.connect(database)) as db:
        for table, column in db.execute(
            "SELECT m.name, c.name FROM sqlite_schema m, pragma_table_info(m.name) c"
            " WHERE m.type = 'table' AND c.type = 'TEXT'"
        ).fetchall():
            for (text,) in db.execute(f"SELECT {column} FROM {table} WHERE {column} IS NOT NULL"):
                assert printable(text) == text, f"{table}.{column} holds {text!r}"
