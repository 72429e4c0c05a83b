"""The thread that a collector lives in, beside a screen or a command that waits for a signal."""

import asyncio
import ctypes
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

from fundwatch.collector.collector import STOP_SECONDS, Collector
from fundwatch.exchanges.lookups import Lookups


class Stuck(KeyboardInterrupt):
    """Raised inside a thread that has not answered for long, wherever it is.

    Ends the loop with all that runs in it: asyncio swallows other errors where they hit a callback,
    and what waits for that callback would wait for ever.
    """


class CollectorThread:
    """A collector in a daemon thread of its own, and the door for commands from other threads.

    `build` makes the collector inside the thread's loop, since the writing connection and the HTTP
    clients belong to it; what it raises comes out of `start`. `close` undoes it.
    """

    def __init__(
        self,
        build: Callable[[], Collector],
        close: Callable[[], Coroutine[Any, Any, None]],
        work: Callable[[Collector], Coroutine[Any, Any, Any]] = lambda collector: collector.run(),
    ) -> None:
        self._build = build
        self._close = close
        self._work = work
        self._loop: asyncio.AbstractEventLoop | None = None
        self._main: asyncio.Task[Any] | None = None
        self._commands: set[asyncio.Task[Any]] = set()
        self.ready: Future[Collector] = Future()
        self.done: Future[Any] = Future()
        self._thread = threading.Thread(target=self._life, name="collector", daemon=True)

    def start(self) -> Collector:
        """Starts the thread; returns once the collector is built, or raises why it could not be."""
        self._thread.start()
        return self.ready.result()

    def _life(self) -> None:
        try:
            self.done.set_result(asyncio.run(self._main_task()))
        except asyncio.CancelledError:
            self.done.set_result(None)
        except BaseException as error:
            if not self.ready.done():
                self.ready.set_exception(error)
            self.done.set_exception(error)

    async def _main_task(self) -> Any:
        self._loop = asyncio.get_running_loop()
        self._loop.set_default_executor(Lookups())
        self._main = asyncio.current_task()
        collector = self._build()
        self.ready.set_result(collector)
        try:
            return await self._work(collector)
        finally:
            await self._end_commands()
            await collector.drain()
            await self._close()

    def submit(self, work: Callable[[], Coroutine[Any, Any, Any]]) -> Future[Any]:
        """Runs a command in the collector's loop; the answer comes in the future.

        Raises RuntimeError where the loop has ended.
        """
        assert self._loop is not None
        command = self._command(work)
        try:
            return asyncio.run_coroutine_threadsafe(command, self._loop)
        except RuntimeError:
            command.close()
            raise

    async def _command(self, work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        task = asyncio.current_task()
        assert task is not None
        self._commands.add(task)
        try:
            return await work()
        finally:
            self._commands.discard(task)

    async def _end_commands(self) -> None:
        """Cancels what was submitted, so that it writes how it ended while the database is still open."""
        for task in self._commands:
            task.cancel()
        if self._commands:
            await asyncio.wait(set(self._commands), timeout=STOP_SECONDS)

    def interrupt(self) -> None:
        """Ends the collector with `Stuck`, as soon as a call into the system that it makes returns."""
        if self._thread.is_alive() and self._thread.ident is not None:
            where, what = ctypes.c_ulong(self._thread.ident), ctypes.py_object(Stuck)
            ctypes.pythonapi.PyThreadState_SetAsyncExc(where, what)

    def stop(self, timeout: float = STOP_SECONDS + 2) -> bool:
        """Ends the collector within `timeout` seconds; whether it managed to end cleanly."""
        if self._loop is not None and self._main is not None:
            with suppress(RuntimeError):  # the loop has ended by itself
                self._loop.call_soon_threadsafe(self._main.cancel)
        self._thread.join(timeout)
        return not self._thread.is_alive()
