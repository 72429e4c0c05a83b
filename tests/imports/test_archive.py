"""Archives that would fill the memory, the disk or another folder, and those that are broken."""

import gzip
import io
import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from fundwatch.imports.rows import FileRefused, Limits
from tests.imports.reading import EIGHT, Found, read, written

CONTENT = f"symbol,time_s,rate\nBTC,{EIGHT},0.0001\n"
MANY = CONTENT + "".join(f"BTC,{EIGHT},0.{n:06d}\n" for n in range(1, 5000))


def packed(*members: tuple[str | zipfile.ZipInfo, str | bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content, compress_type=method)
    return file.getvalue()


def opened(tmp_path: Path, content: bytes, limits: Limits | None = None) -> Found:
    return read(written(tmp_path, "a.zip", content), limits=limits or Limits())


def refused(tmp_path: Path, content: bytes, limits: Limits | None = None) -> str:
    with pytest.raises(FileRefused) as refusal:
        opened(tmp_path, content, limits)
    assert refusal.value.message.startswith("a.zip")
    assert refusal.value.message.isprintable()
    return refusal.value.message


def test_gzip_is_read(tmp_path: Path) -> None:
    assert len(opened(tmp_path, gzip.compress(MANY.encode())).rows) == 5000


def test_a_stored_member_is_read(tmp_path: Path) -> None:
    assert len(opened(tmp_path, packed(("a.csv", MANY), method=zipfile.ZIP_STORED)).rows) == 5000


def test_folders_and_what_macos_adds_are_passed_over(tmp_path: Path) -> None:
    content = packed(
        ("x/", ""), ("x/a.csv", CONTENT), ("__MACOSX/x/._a.csv", b"\0\5"), ("x/.DS_Store", b"\0")
    )
    assert len(opened(tmp_path, content).rows) == 1


def test_a_bad_row_names_its_member(tmp_path: Path) -> None:
    content = packed(("a.csv", CONTENT), ("b\x1b[31m.csv", f"{CONTENT}BTC,1,1\n"))
    [bad] = opened(tmp_path, content).bad
    assert (bad.member, bad.line) == ("b[31m.csv", 3)


def peak_bytes(tmp_path: Path, bomb: bytes) -> int:
    """How much memory it takes to refuse a bomb."""
    tracemalloc.start()
    try:
        assert "more than 200 times its size" in refused(tmp_path, bomb)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    bomb = packed(("a.csv", CONTENT + "x" * 64 * 1024**2))
    assert len(bomb) < 100_000
    assert peak_bytes(tmp_path, bomb) < 2 * 1024**2


def test_a_gzip_bomb_is_refused_on_the_way(tmp_path: Path) -> None:
    bomb = gzip.compress(CONTENT.encode() + b"x" * 64 * 1024**2)
    assert len(bomb) < 100_000
    assert peak_bytes(tmp_path, bomb) < 4 * 1024**2


@pytest.mark.parametrize("claimed", [40, 1000])
def test_a_member_that_lies_about_its_size_is_damaged(tmp_path: Path, claimed: int) -> None:
    content = bytearray(packed(("a.csv", MANY)))
    directory = content.rindex(b"PK\x01\x02")
    struct.pack_into("<I", content, directory + 24, claimed)
    assert "damaged" in refused(tmp_path, bytes(content))


def test_the_members_together_are_capped(tmp_path: Path) -> None:
    content = packed(*((f"{n}.csv", MANY) for n in range(10)))
    assert "unpacks to more than" in refused(tmp_path, content, Limits(total_bytes=5 * len(MANY)))
    large = gzip.compress(MANY.encode())
    assert "holds more than" in refused(tmp_path, large, Limits(total_bytes=len(MANY) // 2))


def test_a_large_plain_file_is_refused(tmp_path: Path) -> None:
    assert "larger than" in refused(tmp_path, MANY.encode(), Limits(total_bytes=1000))


def test_too_many_members_are_refused_before_their_list_is_read(tmp_path: Path) -> None:
    content = packed(*((f"{n}.csv", CONTENT) for n in range(1001)))
    assert "more than 1,000 files" in refused(tmp_path, content)
    lying = bytearray(content)
    struct.pack_into("<HH", lying, len(lying) - 14, 1, 1)
    assert "more than 1,000 files" in refused(tmp_path, bytes(lying))


def million_claimed(content: bytes) -> bytes:
    return content[:-14] + struct.pack("<HHII", 65535, 65535, 2**31, 0) + content[-2:]


def encrypted(content: bytes) -> bytes:
    found = bytearray(content)
    found[content.rindex(b"PK\x01\x02") + 8] |= 1
    return bytes(found)


def overlapping(content: bytes) -> bytes:
    """The second member of the directory points at the first one's bytes."""
    found = bytearray(content)
    second = content.rindex(b"PK\x01\x02")
    struct.pack_into("<I", found, second + 42, 10)
    return bytes(found)


def of_method(method: int) -> Callable[[bytes], bytes]:
    def changed(content: bytes) -> bytes:
        found = bytearray(content)
        struct.pack_into("<H", found, content.rindex(b"PK\x01\x02") + 10, method)
        return bytes(found)

    return changed


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (million_claimed, "more than 1,000 files"),
        (encrypted, "encrypted"),
        (overlapping, "overlaps|damaged"),
        (of_method(12), "method"),
        (of_method(14), "method"),
        (of_method(93), "method"),
        (lambda content: content[:-30], "cut off"),
        (lambda content: content[: len(content) // 2], "cut off"),
        (lambda content: content[:4], "cut off"),
        (lambda content: content[:60] + b"\xff" * 20 + content[80:], "damaged"),
    ],
)
def test_a_spoilt_zip_says_what_is_wrong(tmp_path: Path, spoil: Callable[[bytes], bytes], words: str) -> None:
    message = refused(tmp_path, spoil(packed(("a.csv", MANY), ("b.csv", MANY))))
    assert any(word in message for word in words.split("|")), message


@pytest.mark.parametrize("end", [0.1, 0.5, 0.9])
def test_a_gzip_cut_short_is_damaged(tmp_path: Path, end: float) -> None:
    content = gzip.compress(MANY.encode())
    assert "damaged or cut off" in refused(tmp_path, content[: int(len(content) * end)])


def test_an_archive_in_an_archive_is_refused(tmp_path: Path) -> None:
    assert "inside an archive" in refused(tmp_path, packed(("b.zip", packed(("a.csv", CONTENT)))))
    assert "inside an archive" in refused(tmp_path, gzip.compress(gzip.compress(CONTENT.encode())))


def test_a_link_inside_is_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("a.csv")
    link.external_attr = 0o120777 << 16
    assert "is a link" in refused(tmp_path, packed((link, "/etc/passwd")))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_stands_twice_is_refused(tmp_path: Path) -> None:
    assert "twice" in refused(tmp_path, packed(("a.csv", CONTENT), ("a.csv", CONTENT)))


@pytest.mark.parametrize("name", ["../../a.csv", "/etc/a.csv", "C:\\a.csv", "..\\a.csv", "\x1b]0;x\x07a.csv"])
def test_a_name_writes_nowhere_and_says_nothing_to_the_terminal(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "deep" / "down"
    folder.mkdir(parents=True)
    found = opened(folder, packed((name, f"{CONTENT}x\n")))
    assert len(found.rows) == 1
    assert found.bad[0].member is not None
    assert found.bad[0].member.isprintable()
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == ["a.zip"]


def test_an_archive_of_nothing_is_refused(tmp_path: Path) -> None:
    assert "nothing in it" in refused(tmp_path, packed(("x/", "")))
    assert "nothing in it" in refused(tmp_path, packed())


def test_members_of_different_shapes_are_refused(tmp_path: Path) -> None:
    other = f"symbol,time_ms,rate\nBTC,{EIGHT}000,0.0001\n"
    assert "another shape" in refused(tmp_path, packed(("a.csv", CONTENT), ("b.csv", other)))


def test_a_zip64_archive_is_refused(tmp_path: Path) -> None:
    content = packed(("a.csv", CONTENT))
    end = content[-22:]
    locator = b"PK\x06\x07" + bytes(16)
    assert "zip64" in refused(tmp_path, content[:-22] + locator + end)
