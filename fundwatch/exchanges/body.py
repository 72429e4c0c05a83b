"""The bytes of one answer as they arrive, so that a small answer cannot become a large one."""

import zlib

from fundwatch.exchanges.errors import Drift, Truncated

WIRE_CAP = 8 * 2**20
BODY_CAP = 16 * 2**20
_STEP_BYTES = 2**18
_KEPT_BYTES = 2**16
"""Of an answer above a cap: enough for the words of a ban."""

_BOM = b"\xef\xbb\xbf"


class Body:
    """Collects chunks, inflating one layer of gzip under caps of both sizes (bytes).

    An answer larger than a cap, or in an encoding that was not asked for, raises `Drift`; a damaged
    one raises `Truncated`. What came before the error stays readable, of a large answer its beginning.
    """

    def __init__(self, encoding: str, *, wire_cap: int = WIRE_CAP, cap: int = BODY_CAP) -> None:
        encoding = encoding.strip().lower()
        if encoding not in ("", "identity", "gzip"):
            raise Drift("the answer came in an encoding that was not asked for")
        self._inflate = zlib.decompressobj(wbits=31) if encoding == "gzip" else None
        self._wire_left = wire_cap
        self._cap = cap
        self._data = bytearray()

    def feed(self, chunk: bytes) -> None:
        self._wire_left -= len(chunk)
        if self._wire_left < 0:
            del self._data[_KEPT_BYTES:]
            raise Drift("the answer is too large")
        if self._inflate is None:
            self._data += chunk
        else:
            self._unpack(self._inflate, chunk)
        self._check_size()

    def _unpack(self, inflate: "zlib._Decompress", packed: bytes) -> None:
        """Inflates in steps, so that what a bomb brings is never there twice."""
        try:
            while step := inflate.decompress(packed, _STEP_BYTES):
                self._data += step
                self._check_size()
                packed = inflate.unconsumed_tail
        except zlib.error:
            raise Truncated("the compressed answer is damaged") from None
        if inflate.unused_data:
            raise Truncated("data follows the compressed answer")

    def _check_size(self) -> None:
        if len(self._data) > self._cap:
            del self._data[min(self._cap, _KEPT_BYTES) :]
            raise Drift(f"the answer is larger than {self._cap >> 20} MB")

    def finish(self) -> None:
        """Raises `Truncated` if the end of a compressed answer has not arrived."""
        if self._inflate is not None and not self._inflate.eof:
            raise Truncated("the compressed answer ended early")

    @property
    def data(self) -> bytes:
        """What has arrived, without a byte order mark."""
        with memoryview(self._data) as view:
            return bytes(view[len(_BOM) :] if self._data.startswith(_BOM) else view)
