"""Where things lie, and who may touch them."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from fundwatch.doctor import places
from fundwatch.doctor.finding import Finding, Level, worst
from fundwatch.storage.database import open_writer
from fundwatch.storage.lock import acquire


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "own"
    folder.mkdir(mode=0o700)
    path = folder / "fundwatch.db"
    writer = open_writer(path, world="real")
    acquire(path, "collector").release()
    yield path
    writer.close()


def bad(findings: list[Finding]) -> list[tuple[str, str]]:
    return [(str(one.level), one.subject) for one in findings if one.level is not Level.OK]


def told(findings: list[Finding]) -> str:
    return "\n".join(f"{one.message} {one.advice}" for one in findings)


def test_files_as_fundwatch_makes_them_are_well(database: Path) -> None:
    findings = places.look_at_files(database)
    assert bad(findings) == []
    assert "-wal, -shm, .lock: yours alone" in told(findings)
    assert "mode 0700" in told(findings)
    assert " free" in told(findings)


@pytest.mark.parametrize(("mode", "level", "verb"), [(0o644, "note", "read"), (0o666, "warn", "change")])
@pytest.mark.parametrize("ending", ["", "-wal", ".lock"])
def test_files_that_others_may_use_are_named(
    database: Path, ending: str, mode: int, level: str, verb: str
) -> None:
    file = database.with_name(database.name + ending)
    file.chmod(mode)
    findings = places.look_at_files(database)
    assert bad(findings) == [(level, file.name)]
    assert f"other users may {verb} it (mode {mode:04o}) chmod 600 {file}" in told(findings)


def test_a_folder_that_others_may_write_in_is_a_danger(database: Path) -> None:
    database.parent.chmod(0o777)
    assert bad(places.look_at_files(database)) == [("warn", "folder")]
    database.parent.chmod(0o755)
    assert bad(places.look_at_files(database)) == []
    assert "others see what is in it" in told(places.look_at_files(database))


def test_a_symbolic_link_is_told_and_a_second_name_is_refused(database: Path) -> None:
    link = database.parent.parent / "link.db"
    link.symlink_to(database)
    assert bad(places.look_at_files(link)) == [("note", "database")]
    assert f"{link} leads there" in told(places.look_at_files(link))
    os.link(database, database.parent / "second.db")
    assert bad(places.look_at_files(database)) == [("fail", "database")]


def test_a_lock_that_is_a_link_is_not_ours(database: Path) -> None:
    lock = database.with_name(database.name + ".lock")
    lock.unlink()
    lock.symlink_to(database)
    assert bad(places.look_at_files(database)) == [("warn", lock.name)]


def test_no_database_yet_is_only_a_note(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    assert bad(places.look_at_files(tmp_path / "new" / "fundwatch.db")) == [("note", "database")]


def test_last_rows_without_their_database_are_a_failure(tmp_path: Path) -> None:
    (tmp_path / "f.db-wal").write_bytes(b"rows")
    findings = places.look_at_files(tmp_path / "f.db")
    assert worst(findings) is Level.FAIL
    assert "holds its last rows" in told(findings)


def test_a_long_log_is_a_warning(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "WAL_LIMIT_BYTES", 0)
    database.with_name(database.name + "-wal").write_bytes(b"x")
    assert bad(places.look_at_files(database)) == [("warn", database.name + "-wal")]


@pytest.mark.parametrize(("room", "level"), [("NO_ROOM_BYTES", "fail"), ("LITTLE_ROOM_BYTES", "warn")])
def test_a_disk_with_little_room(
    database: Path, monkeypatch: pytest.MonkeyPatch, room: str, level: str
) -> None:
    monkeypatch.setattr(places, room, 1 << 62)
    assert (level, "disk") in bad(places.look_at_files(database))


MOUNTS = r"""
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/root rw
30 22 0:30 / /home rw - nfs4 server:/home rw
31 30 0:31 / /home/me/with\040blank rw - tmpfs tmpfs rw
32 22 0:32 / /mnt/phone rw - fuse.sshfs phone:/ rw
33 22 0:33 / /mnt/phone rw - xfs /dev/sdb1 rw
broken line
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/lib/fundwatch", "ext4"),
        ("/home/me/data", "nfs4"),
        ("/homestead", "ext4"),
        ("/home/me/with blank/data", "tmpfs"),
        ("/mnt/phone/x", "xfs"),
    ],
)
def test_the_file_system_of_a_path(path: str, kind: str) -> None:
    assert places.file_system(Path(path), MOUNTS) == kind


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "smb3", "fuse.sshfs", "fuse", "9p", "virtiofs"])
def test_a_network_file_system_is_a_warning(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(f"30 22 0:30 / / rw - {kind} there rw\n")
    monkeypatch.setattr(places, "MOUNTS", mounts)
    findings = places.look_at_files(database)
    assert bad(findings) == [("warn", "disk")]
    assert "network or user-space file system" in told(findings)


def test_where_the_system_does_not_tell_its_mounts_nothing_is_said(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "MOUNTS", tmp_path / "none")
    assert bad(places.look_at_files(database)) == []


# The configuration


def configuration(tmp_path: Path, text: str, mode: int = 0o644) -> list[Finding]:
    path = tmp_path / "config.toml"
    path.write_text(text)
    path.chmod(mode)
    return places.look_at_configuration(path, None)


@pytest.mark.parametrize(
    "text",
    [
        '[exchanges.binance]\nproxy = "http://me:word@proxy:3128"\n',
        '[alerts.telegram]\ntoken = "123:abc"\n',
        '[[alerts.hooks]]\nwebhook = "https://hooks.example/xyz"\n',
    ],
)
def test_secrets_that_others_can_read_are_a_warning(tmp_path: Path, text: str) -> None:
    findings = configuration(tmp_path, text)
    assert bad(findings) == [("warn", "configuration")]
    assert "others can read it (mode 0644), and it holds secrets" in told(findings)
    assert not any(secret in told(findings) for secret in ("word", "abc", "xyz"))
    assert bad(configuration(tmp_path, text, 0o600)) == []


@pytest.mark.parametrize(
    "text",
    [
        '[exchanges.binance]\nproxy = "http://proxy:3128"\n',
        '[alerts.telegram]\ntoken = "${TOKEN}"\n',
        '[alerts.telegram]\ntoken_file = "/run/secrets/token"\n',
    ],
)
def test_a_configuration_without_secrets_may_be_read(tmp_path: Path, text: str) -> None:
    assert bad(configuration(tmp_path, text)) == []


def test_a_configuration_that_others_may_change_is_a_warning(tmp_path: Path) -> None:
    assert bad(configuration(tmp_path, "", 0o664)) == [("warn", "configuration")]


def test_no_configuration_is_well_and_a_broken_one_a_failure() -> None:
    assert bad(places.look_at_configuration(None, None)) == []
    findings = places.look_at_configuration(Path("/x.toml"), "x.toml: colector: no such key")
    assert bad(findings) == [("fail", "configuration")]
    assert "colector" in told(findings)
