import pytest

from fundwatch.exchanges.bans import Ban, BanBook, BanKind, MemoryBans, doubled
from fundwatch.exchanges.errors import Banned, Blocked, ExchangeError, Throttled


@pytest.mark.parametrize(
    ("kind", "error"), [("throttled", Throttled), ("banned", Banned), ("blocked", Blocked)]
)
def test_a_ban_says_what_happened_and_when_it_ends(kind: BanKind, error: type[ExchangeError]) -> None:
    told = Ban(kind, 1_790_000_000.5, "too many requests (HTTP 429)").error()
    assert type(told) is error
    assert told.message == "too many requests (HTTP 429); nothing is sent before 2026-09-21 14:13:20 UTC"
    assert told.retry_at == 1_790_000_000.5
    assert not told.transient


def test_waits_double_with_each_strike_up_to_a_day() -> None:
    assert [doubled(30, strikes) for strikes in range(4)] == [30, 60, 120, 240]
    assert doubled(30, 10**6) == doubled(10**9, 0) == 86400


def test_a_ban_book_keeps_the_latest_ban_of_each_scope() -> None:
    book: BanBook = MemoryBans()
    first, second = Ban("throttled", 1.0, "a"), Ban("banned", 2.0, "b", strikes=2)
    book.put("here", first)
    book.put("here", second)
    book.put("there", first)
    assert (book.get("here"), book.get("there"), book.get("nowhere")) == (second, first, None)
    book.drop("here")
    book.drop("nowhere")
    assert book.get("here") is None
