import asyncio
import threading

import pytest

from fundwatch.exchanges.lookups import Lookups


async def test_what_is_looked_up_comes_back_and_so_does_what_went_wrong() -> None:
    loop = asyncio.get_running_loop()
    loop.set_default_executor(Lookups())
    assert await loop.run_in_executor(None, "a.b".split, ".") == ["a", "b"]
    with pytest.raises(ValueError, match="invalid literal"):
        await loop.run_in_executor(None, int, "x")
    assert (await loop.getaddrinfo("127.0.0.1", 80))[0][4] == ("127.0.0.1", 80)


async def test_however_many_stall_the_next_one_is_not_kept_waiting() -> None:
    loop, over = asyncio.get_running_loop(), threading.Event()
    loop.set_default_executor(Lookups())
    stalled = [loop.run_in_executor(None, over.wait, 30) for _ in range(100)]
    async with asyncio.timeout(10):
        assert await loop.run_in_executor(None, int, "7") == 7
    assert not any(one.done() for one in stalled)
    over.set()
    assert all(await asyncio.gather(*stalled))


def test_the_end_of_a_loop_does_not_wait_for_what_stalls() -> None:
    over = threading.Event()

    async def leave() -> None:
        loop = asyncio.get_running_loop()
        loop.set_default_executor(Lookups())
        loop.run_in_executor(None, over.wait, 30)

    asyncio.run(leave())
    stalled = [thread for thread in threading.enumerate() if thread.name == "lookup"]
    assert all(thread.daemon for thread in stalled)
    assert stalled
    over.set()
    for thread in stalled:
        thread.join(10)
