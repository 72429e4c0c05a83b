"""When memory is tidied up: a little at a time while a person works, all of it while little happens."""

import asyncio
import ctypes
import gc
from collections.abc import Awaitable, Callable
from contextlib import suppress

THRESHOLDS = (2_000, 8, 500)
"""Each paint leaves some hundred objects that point at each other. To look through the newest 2,000 takes
half a millisecond, through all of a screen's objects 100 to 300 ms: that is left to quiet moments."""

QUIET_SECONDS = 20.0
WORTH_IT = 20
"""So many looks at middle-aged objects since the last at all of them: fewer are not worth another."""
TOO_MUCH = 60
"""After so many some 10 MB of garbage may lie about: that is not left to a quiet moment."""

_ARENA_MAX = -8
"""M_ARENA_MAX of malloc.h."""


def share_one_heap() -> None:
    """To be called before there are threads: where each has a heap of its own, what one has freed is of no
    use to the others, some 4 MB after an hour's work.

    https://man7.org/linux/man-pages/man3/mallopt.3.html; where there is no such call, nothing happens.
    """
    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).mallopt(_ARENA_MAX, 1)


def hand_back() -> None:
    """Gives freed memory back to the system: glibc keeps 20 MB of the answers that a first sweep read.

    https://man7.org/linux/man-pages/man3/malloc_trim.3.html; elsewhere nothing happens.
    """
    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


def forget_drawn() -> None:
    """Textual's cache of border colours (8.2) is keyed by the drawn lines of the widget that asks, and holds
    on to those of 1,024 widgets after their screens were closed: a megabyte for each asset looked at.

    That cache is Textual's own affair: where a later one has none, nothing happens.
    """
    with suppress(ImportError, AttributeError):
        from textual._styles_cache import StylesCache  # loaded by then; a start need not wait for it

        StylesCache.get_inner_outer.cache_clear()


def tidy_newest() -> None:
    """Throws away what was made and dropped lately: 20 ms for a screen that was closed, which leaves 3 MB.

    Nothing before `tidy_when_quiet` has set aside what was there from the start. What is found alive now is
    not set aside: it may be the rest of a screen that is on its way out.
    """
    forget_drawn()
    if gc.get_freeze_count():
        gc.collect()


async def tidy_when_quiet(rest: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
    """Never ends. Quiet is when next to nothing was made for `QUIET_SECONDS`, as nobody presses a key.

    What is found alive is not looked at again until the next quiet moment; where none comes, only what
    was made meanwhile is looked through.
    """
    await rest(QUIET_SECONDS)
    gc.freeze()
    before = -1
    while True:
        looks = gc.get_count()[2]
        if looks == before and looks >= WORTH_IT:
            forget_drawn()
            gc.unfreeze()
            gc.collect()
            gc.freeze()
            hand_back()
        elif looks >= TOO_MUCH:
            gc.collect()
            gc.freeze()
        before = looks
        await rest(QUIET_SECONDS)
