"""Garbage that a screen makes is thrown away, and not while somebody works."""

import gc
import os
import platform
import subprocess
import sys
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fundwatch.tui.garbage import WORTH_IT, hand_back, tidy_when_quiet


class Knot:
    """Points at itself, so that only a look through all objects frees it."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def by_hand() -> Iterator[None]:
    thresholds = gc.get_threshold()
    gc.collect()
    gc.set_threshold(1_000_000, 1_000_000, 1_000_000)
    yield
    gc.unfreeze()
    gc.set_threshold(*thresholds)


def an_old_knot() -> "weakref.ref[Knot]":
    """One that has outlived as many looks as make another worth it."""
    knot = Knot()
    for _ in range(WORTH_IT):
        gc.collect(1)
    return weakref.ref(knot)


class Over(Exception):
    pass


async def tidied(times: int, meanwhile: Callable[[], object] = lambda: None) -> None:
    """Rests so many times, during each of which `meanwhile` happens."""
    rests = iter(range(times))

    async def rest(seconds: float) -> None:
        if next(rests, None) is None:
            raise Over
        meanwhile()

    with pytest.raises(Over):
        await tidy_when_quiet(rest)


async def test_what_points_at_itself_is_freed_in_a_quiet_moment() -> None:
    knot = an_old_knot()
    await tidied(2)
    assert knot() is None
    assert gc.get_freeze_count() > 0


def resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc keeps and hands back so")
def test_freed_memory_goes_back_to_the_system() -> None:
    kept = [bytes(2000) for _ in range(40_000)]
    pin, before = kept.pop(), resident_mb()
    kept.clear()
    hand_back()
    assert resident_mb() < before - 40
    del pin


async def test_nothing_is_looked_through_while_much_is_made() -> None:
    knot = an_old_knot()
    await tidied(5, lambda: gc.collect(1))  # as making many objects brings about
    assert knot() is not None


async def test_little_garbage_is_left_for_later() -> None:
    await tidied(5)
    assert gc.get_freeze_count() == 0


async def test_what_was_alive_and_died_since_is_freed_the_next_time() -> None:
    alive = Knot()
    knot = weakref.ref(alive)
    an_old_knot()
    await tidied(2)
    del alive
    assert knot() is not None
    an_old_knot()
    await tidied(2)
    assert knot() is None


_HEAPS = """
import ctypes, threading
from fundwatch.tui.garbage import share_one_heap
{first}
def work():
    kept.append([bytes(2000) for _ in range(1000)])
kept = []
threads = [threading.Thread(target=work) for _ in range(3)]
for thread in threads: thread.start()
for thread in threads: thread.join()
libc = ctypes.CDLL(None)
libc.malloc_info(0, ctypes.c_void_p.in_dll(libc, "stdout"))
libc.fflush(None)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="a heap for each thread is glibc's way")
def test_threads_share_one_heap() -> None:
    def heaps(first: str) -> int:
        program = [sys.executable, "-c", _HEAPS.format(first=first)]
        return subprocess.run(program, capture_output=True, text=True, check=True).stdout.count("<heap nr=")

    assert heaps("") > 1
    assert heaps("share_one_heap()") == 1
