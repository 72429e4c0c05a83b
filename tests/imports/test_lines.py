"""Bytes to lines: bounded, and no byte is lost or read twice wherever a block ends."""

import io
import random

import pytest

from fundwatch.imports.lines import lines
from fundwatch.imports.rows import BadRow, FileRefused


def found(
    content: bytes, *, step: int | None = None, limit: int = 64 * 1024
) -> list[tuple[int, str] | BadRow]:
    """Every line with its number; `step` is how many bytes come at a time."""
    stream = io.BytesIO(content)
    result: list[tuple[int, str] | BadRow] = []
    for batch in lines(lambda size: stream.read(step or size), limit=limit, where="a.csv", member=None):
        result += [batch] if isinstance(batch, BadRow) else enumerate(batch[1], batch[0])
    return result


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("last", [True, False])
def test_any_end_of_line_will_do(end: bytes, last: bool) -> None:
    assert found(end.join([b"a", b"", b"b"]) + end * last) == [(1, "a"), (2, ""), (3, "b")]


def test_ends_may_be_mixed() -> None:
    assert found(b"a\nb\r\nc\rd\n") == [(1, "a"), (2, "b"), (3, "c"), (4, "d")]


@pytest.mark.parametrize("seed", range(20))
def test_where_a_block_ends_makes_no_difference(seed: int) -> None:
    choice = random.Random(seed)
    parts = [
        choice.choice(["a,b", "\n", "\r\n", "é", "中文", "", "x" * choice.randrange(30)]) for _ in range(200)
    ]
    content = "".join(parts).encode()
    whole = found(content)
    for step in (1, 2, 3, 7, 64):
        assert found(content, step=step) == whole
    assert "".join(line for _, line in whole) == content.decode().replace("\r", "").replace("\n", "")  # type: ignore[misc]


def test_a_mark_at_the_start_is_no_text() -> None:
    assert found("\ufeffa\nb".encode()) == [(1, "a"), (2, "b")]


def test_an_endless_line_is_passed_over_in_little_memory() -> None:
    """And the lines after it keep their numbers."""

    class Endless(io.RawIOBase):
        left = 200

        def give(self, size: int) -> bytes:
            self.left -= 1
            return b"x" * size if self.left > 0 else b"x\nb\n" if self.left == 0 else b""

    endless = Endless()
    result = list(lines(endless.give, limit=1024, where="a.csv", member="m"))
    assert result == [BadRow(1, "m", "longer than 1 KB"), (2, ["b"])]


@pytest.mark.parametrize("length", [1023, 1024, 1025, 5000])
@pytest.mark.parametrize("step", [None, 100])
def test_the_limit_is_the_limit(length: int, step: int | None) -> None:
    result = found(b"a\n" + b"x" * length + b"\nb\n", step=step, limit=1024)
    assert [type(line) is BadRow for line in result] == [False, length > 1024, False]
    assert result[-1] == (3, "b")


def test_nul_costs_its_line_only() -> None:
    assert found(b"a\nb\0c\nd") == [(1, "a"), BadRow(2, None, "it holds NUL bytes"), (3, "d")]


@pytest.mark.parametrize("step", [None, 3])
def test_latin_1_is_named_by_its_line(step: int | None) -> None:
    with pytest.raises(FileRefused, match=r"a\.csv: line 3 is not UTF-8 \(byte 0xe9\)"):
        found("a\r\nb\ncafé\n".encode("latin-1"), step=step)


def test_half_a_letter_at_the_end_is_no_utf_8() -> None:
    with pytest.raises(FileRefused, match="line 2"):
        found(b"a\n\xe4\xb8")
