"""Bytes to lines of text: bounded, strict UTF-8, whatever ends a line; a record never spans two lines."""

from collections.abc import Callable, Iterator

from fundwatch.imports.rows import BadRow, FileRefused

BLOCK_BYTES = 128 * 1024

Batch = tuple[int, list[str]]
"""The number of the first line, and lines in a row without their ends."""

_BOM = b"\xef\xbb\xbf"


def lines(
    read: Callable[[int], bytes], *, limit: int, where: str, member: str | None
) -> Iterator[Batch | BadRow]:
    """Every line that `read` gives, a batch at a time; those too long or with NUL bytes as bad rows.

    `limit` is the longest line in bytes, `where` names the file or member in a refusal. Raises
    `FileRefused` at a byte that is not UTF-8. Memory stays below a few blocks, whatever the file holds.
    """
    number = 1
    carry = b""
    skipping = False
    at_start = True
    while data := read(BLOCK_BYTES):
        if at_start:
            data, at_start = data.removeprefix(_BOM), False
        if skipping:
            end = _first_end(data)
            if end < 0:
                continue
            skipping, number = False, number + 1
            data = data[end:]
        block = carry + data
        cut = block.rfind(b"\n")
        if cut < 0:
            cut = block.rfind(b"\r", 0, len(block) - 1)  # at the very end half a \r\n may stand
        if cut >= 0:
            end = cut - 1 if block[max(0, cut - 1) : cut + 1] == b"\r\n" else cut
            found = _text(block[:end], number, where).split("\n")
            yield from _sound(number, found, limit, member)
            number += len(found)
            block = block[cut + 1 :]
        if len(block) > limit:
            yield _too_long(number, limit, member)
            skipping, block = True, b""
        carry = block
    if carry:
        found = _text(carry, number, where).split("\n")
        if found[-1] == "":
            found.pop()
        yield from _sound(number, found, limit, member)


def _first_end(data: bytes) -> int:
    """Where the next line begins, -1 when none does."""
    newline = data.find(b"\n")
    if newline >= 0:
        return newline + 1
    back = data.find(b"\r", 0, len(data) - 1)
    return back + 1 if back >= 0 else -1


def _text(block: bytes, number: int, where: str) -> str:
    try:
        text = block.decode("utf-8")
    except UnicodeDecodeError as error:
        line = number + _unified(block[: error.start].decode("utf-8")).count("\n")
        raise FileRefused(
            f"{where}: line {line} is not UTF-8 (byte 0x{block[error.start]:02x}); "
            "save the file as UTF-8 and import it again"
        ) from None
    return _unified(text)


def _unified(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _sound(first: int, found: list[str], limit: int, member: str | None) -> Iterator[Batch | BadRow]:
    if max(map(len, found)) <= limit // 4 and not any("\x00" in line for line in found):
        yield first, found
        return
    for number, line in enumerate(found, first):
        if len(line.encode()) > limit:
            yield _too_long(number, limit, member)
        elif "\x00" in line:
            yield BadRow(number, member, "it holds NUL bytes")
        else:
            yield number, [line]


def _too_long(number: int, limit: int, member: str | None) -> BadRow:
    return BadRow(number, member, f"longer than {limit // 1024} KB")
