"""Hashed randomness: the same seed and key always give the same numbers, in any order of asking."""

import struct
from hashlib import blake2b

BLOCK = 32
"""So many values come from one hash."""

_VALUES = struct.Struct(f"<{BLOCK}H")


class Noise:
    """An endless row of values in [-1, 1) for one key; also as a smooth curve through them."""

    __slots__ = ("_blocks", "_start")

    def __init__(self, seed: int, *key: str) -> None:
        self._start = blake2b("|".join((str(seed), *key)).encode(), digest_size=64)
        self._blocks: dict[int, list[float]] = {}

    def block(self, number: int) -> list[float]:
        """The values at the BLOCK positions from `number` x BLOCK on, not remembered."""
        hashed = self._start.copy()
        hashed.update(number.to_bytes(8, "little", signed=True))
        return [v / 32768 - 1 for v in _VALUES.unpack(hashed.digest())]

    def at(self, position: int) -> float:
        number = position // BLOCK
        values = self._blocks.get(number)
        if values is None:
            values = self._blocks[number] = self.block(number)
        return values[position % BLOCK]

    def curve(self, position: float) -> float:
        """A smooth way through the values: exact at whole positions, without corners."""
        left = int(position // 1)
        part = position - left
        here = self.at(left)
        return here + (self.at(left + 1) - here) * part * part * (3 - 2 * part)


def share(seed: int, *key: str) -> float:
    """One number in [0, 1) for a key."""
    digest = blake2b("|".join((str(seed), *key)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") / 2**64


def pick(seed: int, size: int, *key: str) -> int:
    """One of range(size) for a key."""
    return int(share(seed, *key) * size)
