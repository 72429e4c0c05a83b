"""Looking up names of hosts, where a resolver that stalls holds up neither others nor our end."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Lookups(ThreadPoolExecutor):
    """For `loop.set_default_executor`, by which asyncio looks up names: each in a daemon thread of its own.

    A call into the resolver cannot be broken off. The usual pool has a few threads for all exchanges, so
    that one name that stalls delays every other; and both its shutdown and the interpreter wait for them.
    What else is given to a loop's default executor runs in such a thread, too.
    """

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: Future[T] = Future()

        def work() -> None:
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(fn(*args, **kwargs))
                except BaseException as error:
                    future.set_exception(error)

        threading.Thread(target=work, name="lookup", daemon=True).start()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Waits for nothing: what is still looked up ends with the process at the latest."""
