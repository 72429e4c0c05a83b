"""Opening: only regular files, known by their bytes, and unchanged to the end."""

import errno
import hashlib
import os
import socket
from pathlib import Path

import pytest

from fundwatch.imports.reading import FORMATS, open_import
from fundwatch.imports.rows import FileRefused, ImportedRow
from tests.imports.reading import EIGHT, NOW, read, written

CONTENT = f"symbol,time_s,rate\nBTC,{EIGHT},0.0001\n"


def refusal(path: Path) -> str:
    with pytest.raises(FileRefused) as caught:
        read(path)
    return caught.value.message


def test_a_file_is_known_by_its_name_its_size_and_its_bytes(tmp_path: Path) -> None:
    path = written(tmp_path, "a\x1b[31m\n.csv", CONTENT)
    with open_import(path, exchange=None, now=NOW) as file:
        assert (file.path, file.name) == (path, "a[31m .csv")
        assert file.sha256 == hashlib.sha256(CONTENT.encode()).hexdigest()
        assert file.size_bytes == len(CONTENT)
        assert file.format in FORMATS
        assert len(list(file.rows())) == 1
        assert file.bytes_read == file.size_bytes


def test_progress_grows_with_the_reading(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", CONTENT + f"BTC,{EIGHT},0.0001\n" * 50_000)
    with open_import(path, exchange=None, now=NOW) as file:
        seen = {file.bytes_read}
        seen.update(file.bytes_read for _ in file.rows())
        assert len(seen) > 5
        assert max(seen) <= file.size_bytes


def test_a_file_is_read_once(tmp_path: Path) -> None:
    with open_import(written(tmp_path, "a.csv", CONTENT), exchange=None, now=NOW) as file:
        list(file.rows())
        with pytest.raises(RuntimeError, match="open it again"):
            list(file.rows())


def test_a_link_to_a_file_is_followed(tmp_path: Path) -> None:
    (tmp_path / "link.csv").symlink_to(written(tmp_path, "a.csv", CONTENT))
    assert len(read(tmp_path / "link.csv").rows) == 1


def test_nothing_but_a_regular_file_is_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "gone.csv").symlink_to(tmp_path / "nowhere")
    (tmp_path / "circle.csv").symlink_to(tmp_path / "circle.csv")
    assert refusal(tmp_path / "pipe.csv") == "pipe.csv is a pipe, not a file: name the files one by one"
    assert "is a folder" in refusal(tmp_path / "folder.csv")
    assert "No such file" in refusal(tmp_path / "gone.csv")
    assert "symbolic links" in refusal(tmp_path / "circle.csv")
    assert "is a device" in refusal(Path("/dev/zero"))
    assert "cannot be that of a file" in refusal(tmp_path / "a\0b")


def test_a_socket_is_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # the path of a socket is short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("s.csv")
        assert "s.csv" in refusal(Path("s.csv"))


def test_a_file_that_may_not_be_read_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's own refusal, as root may read everything."""
    path = written(tmp_path, "a.csv", CONTENT)

    def forbidden(*_: object) -> int:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(os, "open", forbidden)
    assert refusal(path) == "a.csv cannot be opened: Permission denied"


@pytest.mark.parametrize("content", ["", "\n\n", "\ufeff", "  \r\n"])
def test_an_empty_file_is_said_to_be_empty(tmp_path: Path, content: str) -> None:
    assert "is empty" in refusal(written(tmp_path, "a.csv", content))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_utf_16_is_refused_with_words(tmp_path: Path, encoding: str) -> None:
    assert "UTF-16" in refusal(written(tmp_path, "a.csv", CONTENT.encode(encoding)))


def test_other_files_are_told_apart(tmp_path: Path) -> None:
    assert "web page" in refusal(written(tmp_path, "a.csv", "<!DOCTYPE html><html>"))
    assert "binary" in refusal(written(tmp_path, "a.csv", b"\x7fELF\x02\x01\x01" + bytes(200)))
    assert "not UTF-8" in refusal(written(tmp_path, "a.csv", b"\x89PNG\r\n\x1a\n" + bytes(range(256))))


def test_a_file_that_grows_while_it_is_read_is_refused_at_the_end(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", CONTENT)
    with open_import(path, exchange=None, now=NOW) as file:
        rows = file.rows()
        assert isinstance(next(rows), ImportedRow)
        with path.open("a") as more:
            more.write(f"ETH,{EIGHT},0.0001\n")
        with pytest.raises(FileRefused, match="was changed while it was read"):
            list(rows)


def test_a_file_that_is_written_over_with_the_same_size_is_refused_at_the_end(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", CONTENT)
    os.utime(path, (1, 1))
    with open_import(path, exchange=None, now=NOW) as file:
        path.write_text(CONTENT.replace("0.0001", "0.0002"))
        with pytest.raises(FileRefused, match="was changed"):
            list(file.rows())


def test_an_unknown_format_is_our_mistake(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="none of auto"):
        open_import(written(tmp_path, "a.csv", CONTENT), exchange=None, file_format="xls")


def test_every_way_to_fail_closes_the_file(tmp_path: Path) -> None:
    """An open file would be a ResourceWarning, which is an error here."""
    before = len(os.listdir("/dev/fd"))
    for content in ("", "x", CONTENT.replace("rate", "wert"), b"PK\x03\x04rest", b"\x1f\x8brest"):
        refusal(written(tmp_path, "a.csv", content))
    with open_import(written(tmp_path, "a.csv", CONTENT), exchange=None, now=NOW) as file:
        next(file.rows())
    assert len(os.listdir("/dev/fd")) == before
