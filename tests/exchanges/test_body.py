import gzip
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fundwatch.exchanges.body import BODY_CAP, WIRE_CAP, Body
from fundwatch.exchanges.errors import Drift, Truncated
from tests.fault_server import bomb

TEXT = b'{"rate":"0.0001"}' * 40


def read(encoding: str, data: bytes, chunk: int = 7) -> bytes:
    body = Body(encoding)
    for at in range(0, len(data), chunk):
        body.feed(data[at : at + chunk])
    body.finish()
    return body.data


@given(st.binary(max_size=2000), st.integers(1, 500))
def test_what_was_compressed_comes_out_as_it_went_in(data: bytes, chunk: int) -> None:
    expected = data.removeprefix(b"\xef\xbb\xbf")
    assert read("gzip", gzip.compress(data), chunk) == expected
    assert read("identity", data, chunk) == expected


@pytest.mark.parametrize("encoding", ["", "identity", " Identity "])
def test_no_encoding_is_fine(encoding: str) -> None:
    assert read(encoding, TEXT) == TEXT


@pytest.mark.parametrize("encoding", ["br", "zstd", "deflate", "gzip, gzip", "x-gzip", "gzip;q=1"])
def test_an_encoding_that_was_not_asked_for_is_drift(encoding: str) -> None:
    with pytest.raises(Drift):
        Body(encoding)


@pytest.mark.parametrize("cut", range(len(gzip.compress(TEXT, mtime=0))))
def test_a_compressed_answer_cut_anywhere_is_truncated(cut: int) -> None:
    with pytest.raises(Truncated):
        read("gzip", gzip.compress(TEXT, mtime=0)[:cut])


@pytest.mark.parametrize(
    "data", [zlib.compress(TEXT), TEXT, gzip.compress(TEXT, mtime=0) + b"x", gzip.compress(TEXT, mtime=0) * 2]
)
def test_what_is_not_one_gzip_stream_is_truncated(data: bytes) -> None:
    with pytest.raises(Truncated):
        read("gzip", data)


def test_a_bomb_is_refused_before_it_goes_off_and_costs_little_more_than_the_cap() -> None:
    data = bomb(200)
    tracemalloc.start()
    try:
        with pytest.raises(Drift, match="larger than 16 MB"):
            read("gzip", data, len(data))
        assert tracemalloc.get_traced_memory()[1] < 1.4 * BODY_CAP
    finally:
        tracemalloc.stop()


def test_the_caps_are_exact() -> None:
    block = bytes(2**20)
    body = Body("")
    for _ in range(WIRE_CAP >> 20):
        body.feed(block)
    with pytest.raises(Drift):
        body.feed(b"x")
    assert read("gzip", bomb(BODY_CAP >> 20), 2**16) == bytes(BODY_CAP)
    with pytest.raises(Drift):
        read("gzip", gzip.compress(bytes(BODY_CAP + 1), 1), 2**16)


def test_what_came_before_the_cap_stays_readable() -> None:
    body = Body("", cap=10)
    with pytest.raises(Drift):
        body.feed(b"banned until 1790000000000")
    assert body.data == b"banned unt"


def test_taking_the_bytes_of_an_answer_copies_them_once() -> None:
    body = Body("")
    for _ in range(BODY_CAP // 2**20 // 2):
        body.feed(bytes(2**20))
    tracemalloc.start()
    try:
        assert len(body.data) == BODY_CAP // 2
        assert tracemalloc.get_traced_memory()[1] < 0.6 * BODY_CAP
    finally:
        tracemalloc.stop()
