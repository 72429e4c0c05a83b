"""A file is there when it is whole, or not at all."""

from pathlib import Path

import pytest

from fundwatch.storage.errors import DiskTrouble, StorageError
from fundwatch.storage.keeping.placing import new_file, require_apart


def test_a_file_appears_when_it_is_complete_and_for_this_user_only(tmp_path: Path) -> None:
    target = tmp_path / "a.csv"
    with new_file(target) as partial:
        partial.write_text("all of it")
        assert not target.exists()
    assert target.read_text() == "all of it"
    assert target.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["a.csv"]


def test_nothing_is_left_of_one_that_failed(tmp_path: Path) -> None:
    def fail() -> None:
        with new_file(tmp_path / "a.csv") as partial:
            partial.write_text("half of it")
            partial.with_name(partial.name + "-journal").write_text("SQLite's")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert not list(tmp_path.iterdir())


def test_it_never_takes_the_place_of_another_file_unasked(tmp_path: Path) -> None:
    target = tmp_path / "a.csv"
    target.write_text("precious")
    with pytest.raises(StorageError, match="not overwritten"), new_file(target):
        raise AssertionError("the block is not entered")
    with new_file(target, overwrite=True) as partial:
        partial.write_text("newer")
        assert target.read_text() == "precious"
    assert target.read_text() == "newer"


def test_one_that_came_meanwhile_stays_too(tmp_path: Path) -> None:
    target = tmp_path / "a.csv"
    with pytest.raises(StorageError, match="not overwritten"), new_file(target):
        target.write_text("quicker")
    assert target.read_text() == "quicker"
    assert [file.name for file in tmp_path.iterdir()] == ["a.csv"]


def test_what_the_file_system_says_is_said_of_the_file(tmp_path: Path) -> None:
    with (
        pytest.raises(DiskTrouble, match=r"nowhere/a\.csv cannot be written: No such file"),
        new_file(tmp_path / "nowhere" / "a.csv"),
    ):
        raise AssertionError("the block is not entered")

    def fill() -> None:
        with new_file(tmp_path / "a.csv"), Path("/dev/full").open("wb", buffering=0) as full:
            full.write(b"x")

    with pytest.raises(DiskTrouble, match=r"no room left for .*a\.csv"):
        fill()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("end", ["", "-wal", "-shm", "-journal", ".lock", ".sock"])
def test_the_names_of_a_database_are_not_for_others(tmp_path: Path, end: str) -> None:
    database = tmp_path / "f.db"
    (tmp_path / "other").symlink_to(tmp_path)
    for spelt in (tmp_path / f"f.db{end}", tmp_path / "other" / f"f.db{end}"):
        with pytest.raises(StorageError, match=r"belongs to the database f\.db"):
            require_apart(spelt, database)
    require_apart(tmp_path / "f.db-walnut", database)
