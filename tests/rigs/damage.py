"""What can happen to the bytes of a database while nobody looks."""

import os
import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

PAGE = 4096

Damage = Callable[[Path, random.Random], None]


def flipped(path: Path, dice: random.Random) -> None:
    """Single bits, anywhere or in the first pages."""
    content = bytearray(path.read_bytes())
    for _ in range(dice.choice([1, 3, 50])):
        content[dice.randrange(dice.choice([len(content), 3 * PAGE, 100]))] ^= 1 << dice.randrange(8)
    path.write_bytes(content)


def truncated(path: Path, dice: random.Random) -> None:
    os.truncate(path, dice.randrange(1, path.stat().st_size))


def emptied(path: Path, dice: random.Random) -> None:
    os.truncate(path, 0)


def no_database(path: Path, dice: random.Random) -> None:
    path.write_bytes(dice.choice([b"symbol,rate\nBTC,0.0001\n" * 300, dice.randbytes(9000), bytes(9000)]))


def blank_page(path: Path, dice: random.Random) -> None:
    """A page of zeros, as a disk gives back what it never wrote."""
    with path.open("r+b") as file:
        file.seek(dice.randrange(path.stat().st_size // PAGE) * PAGE)
        file.write(bytes(PAGE))


def swapped_pages(path: Path, dice: random.Random) -> None:
    content = bytearray(path.read_bytes())
    one, other = (at * PAGE for at in dice.sample(range(len(content) // PAGE), 2))
    content[one : one + PAGE], content[other : other + PAGE] = (
        content[other : other + PAGE],
        content[one : one + PAGE],
    )
    path.write_bytes(content)


def foreign_log(path: Path, dice: random.Random) -> None:
    """The write-ahead log of another database, whole in itself, as after a copy of the wrong files."""
    other = path.with_name("other")
    with closing(sqlite3.connect(other, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("CREATE TABLE other (x)")
        db.executemany("INSERT INTO other VALUES (?)", [("x" * 900,) for _ in range(dice.choice([3, 60]))])
        log = other.with_name("other-wal").read_bytes()
    path.with_name(path.name + "-wal").write_bytes(log)
    other.unlink()


def noisy_log(path: Path, dice: random.Random) -> None:
    """A write-ahead log that is none: SQLite reads nothing from it."""
    path.with_name(path.name + "-wal").write_bytes(dice.randbytes(dice.choice([10, 5000, 90_000])))


def changed(*statements: str) -> Damage:
    """A database that somebody has changed with SQL."""

    def change(path: Path, dice: random.Random) -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as db:
            for statement in statements:
                db.execute(statement)
            db.execute("PRAGMA journal_mode = DELETE")
            db.execute("PRAGMA journal_mode = WAL")
        for end in ("-wal", "-shm"):
            path.with_name(path.name + end).unlink(missing_ok=True)

    return change


HOSTILE: dict[str, Damage] = {
    "a trigger that takes rows away": changed(
        "CREATE TRIGGER evil AFTER INSERT ON settlement BEGIN DELETE FROM settlement; END"
    ),
    "a trigger that refuses": changed(
        "CREATE TRIGGER evil BEFORE UPDATE ON tracker BEGIN SELECT RAISE(ABORT, 'no'); END"
    ),
    "a view in the place of a table": changed(
        "ALTER TABLE quote RENAME TO quote_", "CREATE VIEW quote AS SELECT * FROM quote_"
    ),
    "an endless view": changed(
        "DROP TABLE summary",
        "CREATE VIEW summary AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n)"
        " SELECT x AS market_id FROM n",
    ),
    "a table without its columns": changed("DROP TABLE absence", "CREATE TABLE absence (x)"),
    "a table that is gone": changed("DROP TABLE unit_check"),
}

RANDOM: dict[str, Damage] = {
    "flipped": flipped,
    "truncated": truncated,
    "emptied": emptied,
    "no database": no_database,
    "blank page": blank_page,
    "swapped pages": swapped_pages,
    "foreign log": foreign_log,
    "noisy log": noisy_log,
}
OFTEN = {"flipped": 6, "truncated": 2, "blank page": 2, "swapped pages": 2}
"""How often more than the others."""


def drawn(dice: random.Random) -> tuple[str, Damage]:
    name = dice.choice([name for name in RANDOM for _ in range(OFTEN.get(name, 1))])
    return name, RANDOM[name]
