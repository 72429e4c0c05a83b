"""What lies in a file: itself, a gzip stream, or a zip's members; streamed and capped, never extracted."""

import gzip
import lzma
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from functools import partial
from io import BufferedReader
from typing import NamedTuple

from fundwatch.imports.rows import FileRefused, Limits
from fundwatch.text import clean

ZIP, GZIP = b"PK\x03\x04", b"\x1f\x8b"
_EMPTY_ZIP = b"PK\x05\x06"
_END, _END_BYTES = b"PK\x05\x06", 22
_ZIP64_LOCATOR, _LOCATOR_BYTES = b"PK\x06\x07", 20
_LOCAL_HEADER_BYTES = 30
_DIRECTORY_BYTES_PER_MEMBER = 1024
_ENCRYPTED = 0x1 | 0x40
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_LET_OFF_BYTES = 1024**2
"""Small files may be packed as tightly as they like."""

_NOISE = ("__MACOSX/", ".DS_Store")
"""What macOS leaves in an archive."""

Read = Callable[[int], bytes]


class Member(NamedTuple):
    """`name` is cleaned, None for a file that is no zip. `read(n)` gives up to n bytes, b"" at the end."""

    name: str | None
    read: Read


class Unpacked:
    """Counts what a file unpacks to, all members together, and stops it at the cap."""

    def __init__(self, limits: Limits, where: str) -> None:
        self._limits = limits
        self._where = where
        self._bytes = 0

    def metered(self, read: Read, packed: Callable[[], int] | None) -> Read:
        """`read`, counted; `packed` says how many packed bytes stand behind it so far."""
        own = 0

        def counted(size: int) -> bytes:
            nonlocal own
            with whole(self._where):
                data = read(size)
            own += len(data)
            self._bytes += len(data)
            if self._bytes > self._limits.total_bytes:
                raise FileRefused(
                    f"{self._where} holds more than {_megabytes(self._limits.total_bytes)}: split it"
                )
            if packed is not None and own > max(_LET_OFF_BYTES, self._limits.ratio * packed()):
                raise FileRefused(_bomb(self._where, self._limits))
            return data

        return counted


def members(file: BufferedReader, size: int, limits: Limits, where: str) -> Generator[Member, None, None]:
    """The members of `file`, one after the other; each must be read before the next is asked for.

    Raises `FileRefused` for what is damaged, encrypted, too large or no plain archive.
    """
    head = file.read(4)
    file.seek(0)
    unpacked = Unpacked(limits, where)
    if head in (ZIP, _EMPTY_ZIP):
        yield from _zip_members(file, size, limits, where, unpacked)
    elif head[:2] == GZIP:
        with gzip.GzipFile(fileobj=file) as stream:
            yield Member(None, unpacked.metered(stream.read, file.tell))
    else:
        yield Member(None, unpacked.metered(file.read, None))


def _zip_members(
    file: BufferedReader, size: int, limits: Limits, where: str, unpacked: Unpacked
) -> Iterator[Member]:
    with whole(where):
        _check_directory(file, size, limits, where)
        archive = zipfile.ZipFile(file)
    with archive:
        found = archive.infolist()
        _check_members(found, archive.start_dir, limits, where)
        wanted = [info for info in found if not info.is_dir() and not _is_noise(info.filename)]
        if not wanted:
            raise FileRefused(f"{where} is a zip file with nothing in it")
        for info in wanted:
            with whole(where):
                stream = archive.open(info)
            with stream:
                packed = partial(int, info.compress_size)
                yield Member(clean(info.filename), unpacked.metered(stream.read, packed))


def _check_directory(file: BufferedReader, size: int, limits: Limits, where: str) -> None:
    """Before the directory is loaded: a million members would fill the memory."""
    file.seek(max(0, size - _END_BYTES - 0xFFFF - _LOCATOR_BYTES))
    tail = file.read()
    file.seek(0)
    plain_end = len(tail) - _END_BYTES
    at = plain_end if tail[plain_end : plain_end + 4] == _END and tail[-2:] == b"\0\0" else tail.rfind(_END)
    if at < 0 or len(tail) - at < _END_BYTES:
        raise FileRefused(f"{where} is cut off: the end of the zip file is missing; fetch it again")
    if tail[max(0, at - _LOCATOR_BYTES) :][:4] == _ZIP64_LOCATOR:
        raise FileRefused(f"{where} is a zip64 archive, which nothing of this size needs: pack it anew")
    count, directory_bytes = struct.unpack_from("<HI", tail, at + 10)
    if count > limits.members or directory_bytes > limits.members * _DIRECTORY_BYTES_PER_MEMBER:
        raise FileRefused(f"{where} holds more than {limits.members:,} files: unpack it and import the parts")


def _check_members(found: list[zipfile.ZipInfo], directory: int, limits: Limits, where: str) -> None:
    if len(found) > limits.members:
        raise FileRefused(f"{where} holds more than {limits.members:,} files: unpack it and import the parts")
    names: set[str] = set()
    end = 0
    for info in sorted(found, key=lambda info: info.header_offset):
        name = clean(info.filename)
        inside = f"{where}, {name}"
        if info.filename in names:
            raise FileRefused(f"{inside}: the name stands twice in the zip file; unpack it and import one")
        names.add(info.filename)
        if info.flag_bits & _ENCRYPTED:
            raise FileRefused(f"{inside} is encrypted: unpack it first")
        if info.compress_type not in _METHODS:
            raise FileRefused(f"{inside} is packed with a method that is not read here: unpack it first")
        if stat.S_ISLNK(info.external_attr >> 16):
            raise FileRefused(f"{inside} is a link, not a file")
        if info.header_offset < end:
            raise FileRefused(f"{inside} overlaps another file of the archive: it is damaged or hostile")
        end = info.header_offset + _LOCAL_HEADER_BYTES + len(info.filename.encode()) + info.compress_size
        if end > directory:
            raise FileRefused(f"{inside} reaches past its place: the zip file is damaged")
        if info.file_size > max(_LET_OFF_BYTES, limits.ratio * info.compress_size):
            raise FileRefused(_bomb(inside, limits))
    if sum(info.file_size for info in found) > limits.total_bytes:
        raise FileRefused(f"{where} unpacks to more than {_megabytes(limits.total_bytes)}: import its parts")


def _is_noise(name: str) -> bool:
    return name.startswith(_NOISE[0]) or name.rpartition("/")[2] == _NOISE[1]


def _bomb(where: str, limits: Limits) -> str:
    return f"{where} unpacks to more than {limits.ratio} times its size: no table does that, it is not read"


def _megabytes(count: int) -> str:
    return f"{count / 1024**2:,.0f} MB"


@contextmanager
def whole(where: str) -> Iterator[None]:
    """Says what is wrong with an archive or the disk as a `FileRefused`."""
    try:
        yield
    except FileRefused:
        raise
    except (
        zipfile.BadZipFile,
        zlib.error,
        lzma.LZMAError,
        gzip.BadGzipFile,
        EOFError,
        struct.error,
    ) as error:
        raise FileRefused(
            f"{where} is damaged or cut off ({clean(str(error), 80)}): fetch or pack it again"
        ) from None
    except (NotImplementedError, RuntimeError, ValueError, IndexError) as error:
        raise FileRefused(f"{where} cannot be unpacked ({clean(str(error), 80)})") from None
    except OSError as error:
        raise FileRefused(f"{where} cannot be read: {error.strerror or clean(str(error), 80)}") from None
