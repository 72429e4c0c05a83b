import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fundwatch.storage.errors import DiskTrouble
from fundwatch.storage.lock import Locked, Role, acquire, holder

HOLD = """
import sys, time
from pathlib import Path
from fundwatch.storage.lock import acquire
held = acquire(Path(sys.argv[1]), "backfill", 1790000000)
print("held", flush=True)
time.sleep(60)
"""


@contextmanager
def another_process_holding(path: Path) -> Iterator[subprocess.Popen[bytes]]:
    child = subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE)
    assert child.stdout is not None
    try:
        with child.stdout as said:
            assert said.readline() == b"held\n"
        yield child
    finally:
        child.kill()
        child.wait()


def test_a_second_process_is_told_who_has_the_database(path: Path) -> None:
    with another_process_holding(path) as child:
        with pytest.raises(Locked) as caught:
            acquire(path, "collector")
        found = holder(path)

    assert str(caught.value) == (
        f"the database {path} is in use by backfill (process {child.pid}, since 2026-09-21 14:13 UTC)"
    )
    assert found == caught.value.holder == (child.pid, "backfill", 1790000000.0)


def test_a_killed_holder_leaves_the_lock_free(path: Path) -> None:
    with another_process_holding(path) as child:
        child.kill()
        child.wait()

        assert holder(path) is None
        acquire(path, "collector").release()


def test_other_spellings_of_the_path_meet_at_one_lock(path: Path, tmp_path: Path) -> None:
    path.touch()
    link = tmp_path / "link.db"
    link.symlink_to(path)
    (tmp_path / "folder").mkdir()

    with acquire(path, "collector"):
        for spelling in (link, tmp_path / "folder" / ".." / "fundwatch.db"):
            with pytest.raises(Locked):
                acquire(spelling, "import")
            assert holder(spelling) is not None


def test_a_relative_path_meets_the_absolute_one(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(path.parent)
    with acquire(Path("fundwatch.db"), "collector"), pytest.raises(Locked):
        acquire(path, "collector")


def test_a_released_lock_names_nobody_and_can_be_taken_again(path: Path) -> None:
    roles: tuple[Role, ...] = ("collector", "import")
    for role in roles:
        with acquire(path, role):
            found = holder(path)
            assert found is not None
            assert (found.pid, found.role) == (os.getpid(), role)
        assert holder(path) is None


def test_asking_for_the_holder_never_keeps_a_collector_out(path: Path) -> None:
    acquire(path, "collector").release()
    asking = "import sys, time\nfrom pathlib import Path\nfrom fundwatch.storage.lock import holder\n"
    asking += "print('ready', flush=True)\nwhile True: holder(Path(sys.argv[1])); time.sleep(0.005)"
    child = subprocess.Popen([sys.executable, "-c", asking, str(path)], stdout=subprocess.PIPE)
    assert child.stdout is not None
    try:
        with child.stdout as said:
            said.readline()
            for _ in range(30):
                acquire(path, "collector").release()
    finally:
        child.kill()
        child.wait()


@pytest.mark.parametrize("said", [b"", b"nonsense", b"[1]", b'{"pid": null}', b"\xff" * 600])
def test_a_lock_file_that_says_nothing_sensible_still_locks(path: Path, said: bytes) -> None:
    with acquire(path, "collector"):
        path.with_name("fundwatch.db.lock").write_bytes(said)
        with pytest.raises(Locked, match=r"in use by another process$"):
            acquire(path, "collector")
        assert holder(path) == (None, "unknown", None)


def test_a_planted_link_is_not_followed(path: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("keep me")
    path.with_name("fundwatch.db.lock").symlink_to(precious)

    with pytest.raises(DiskTrouble, match="cannot be used"):
        acquire(path, "collector")
    assert precious.read_text() == "keep me"


def test_the_lock_file_is_private_and_not_inherited(path: Path) -> None:
    with acquire(path, "collector", 5.0) as held:
        file = path.with_name("fundwatch.db.lock")
        assert file.stat().st_mode & 0o777 == 0o600
        assert json.loads(file.read_text()) == {"pid": os.getpid(), "role": "collector", "since": 5.0}
        assert not os.get_inheritable(held.handle)


def test_no_lock_file_means_nobody(path: Path) -> None:
    assert holder(path) is None
    assert list(path.parent.iterdir()) == []
