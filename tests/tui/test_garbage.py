"""Garbage that a screen makes is thrown away, and not while somebody works."""

import gc
import os
import platform
import subprocess
import sys
import weakref
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from textual._styles_cache import StylesCache

from fundwatch.tui.garbage import TOO_MUCH, WORTH_IT, forget_drawn, hand_back, tidy_newest, tidy_when_quiet


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


def an_old_knot(looks: int = WORTH_IT) -> "weakref.ref[Knot]":
    """One that has outlived so many looks, by default as many as make another worth it."""
    knot = Knot()
    for _ in range(looks):
        gc.collect(1)
    return weakref.ref(knot)


class Over(Exception):
    pass


def nothing() -> None:
    pass


async def tidied(*rests: Callable[[], object]) -> None:
    """Each of `rests` happens during one rest, after the first, in which the start is set aside."""
    happens = iter((nothing, *rests))

    async def rest(seconds: float) -> None:
        try:
            happening = next(happens)
        except StopIteration:
            raise Over from None
        happening()

    with pytest.raises(Over):
        await tidy_when_quiet(rest)


class Making:
    """Makes a knot when called; `is_there` until it is freed."""

    def __init__(self, looks: int = WORTH_IT) -> None:
        self.looks = looks

    def __call__(self) -> None:
        self.knot = an_old_knot(self.looks)

    @property
    def is_there(self) -> bool:
        return self.knot() is not None


async def test_what_points_at_itself_is_freed_in_a_quiet_moment() -> None:
    making = Making()
    await tidied(making, nothing)
    assert not making.is_there


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
    making = Making()
    much = partial(gc.collect, 1)  # as making many objects brings about
    await tidied(making, much, much, much)
    assert making.is_there


async def test_too_much_garbage_is_not_left_to_a_quiet_moment() -> None:
    making = Making(TOO_MUCH)
    await tidied(making)
    assert not making.is_there


async def test_little_garbage_is_left_for_later() -> None:
    making = Making(WORTH_IT - 1)
    await tidied(making, nothing, nothing)
    assert making.is_there


async def test_what_was_alive_and_died_since_is_freed_the_next_time() -> None:
    kept = [Knot()]
    knot = weakref.ref(kept[0])
    await tidied(Making(), nothing)
    kept.clear()
    assert knot() is not None
    await tidied(Making(), nothing)
    assert knot() is None


async def test_a_closed_screen_is_freed_at_once_where_the_start_was_set_aside() -> None:
    knot = an_old_knot()
    tidy_newest()
    assert knot() is not None, "to look through all that a start has made would hold up a person"
    await tidied()
    knot = an_old_knot()
    tidy_newest()
    assert knot() is None


def test_a_textual_without_that_cache_is_no_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(StylesCache, "get_inner_outer", lambda *_: None)
    forget_drawn()
    monkeypatch.setitem(sys.modules, "textual._styles_cache", None)
    forget_drawn()


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
