"""Answers that are costly to derive, kept until what they were derived from changes."""

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

Answer = TypeVar("Answer")


class Memo:
    """One answer by name; it stands for one state of its sources, which the caller reads each time.

    Belongs to the thread that asks.
    """

    def __init__(self) -> None:
        self._kept: dict[str, tuple[Hashable, Any]] = {}

    def keep(self, name: str, state: Hashable, derive: Callable[[], Answer]) -> Answer:
        """The answer `name` for `state`, derived unless the last one was for the same state."""
        kept = self._kept.get(name)
        if kept is None or kept[0] != state:
            kept = self._kept[name] = (state, derive())
        answer: Answer = kept[1]
        return answer
