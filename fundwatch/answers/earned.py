"""In how many of the hours paid a pair earned: the part of a spread that reads settlements."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from fundwatch.analytics.spreads import Pair, hourly_rates, share_positive
from fundwatch.analytics.windows import WINDOWS, window_end
from fundwatch.answers.memo import Memo
from fundwatch.models import HOUR, Window
from fundwatch.storage.database import Database
from fundwatch.storage.paid import has_recorded, paid_hourly, paid_otherwise
from fundwatch.storage.rates import RateRow
from fundwatch.storage.watching import settled

SHARE_OF_NOW_HOURS = WINDOWS["7d"]
"""How far `share` looks back where the spread itself is the estimate of now."""


class Earned(NamedTuple):
    """`share` (0 to 1) of the hours in which both legs settled, None without any; whether it is
    `recorded`: recorded estimates have a part in it."""

    share: float | None
    recorded: bool


def earned(
    db: Database,
    pairs: Sequence[Pair],
    markets: Mapping[int, RateRow],
    now: float,
    window: str,
    memo: Memo,
) -> list[Earned]:
    """For each pair. What `memo` knows stands while no settlement is stored, changed or taken back."""
    end = window_end(now)
    span = Window(end - WINDOWS.get(window, SHARE_OF_NOW_HOURS) * HOUR, end)
    known: dict[tuple[int, int], Earned] = memo.keep(f"earned {window}", (settled(db), span), dict)
    rates: dict[int, dict[int, float]] = {}
    recorded: dict[int, bool] = {}
    for pair in pairs:
        ids = pair.long.market_id, pair.short.market_id
        if ids in known:
            continue
        for market_id in ids:
            if market_id not in rates:
                rates[market_id] = hourly_rates(
                    paid_otherwise(db, market_id, span), span, paid_hourly(db, market_id, span)
                )
                recorded[market_id] = _may_be_recorded(markets[market_id], span) and has_recorded(
                    db, market_id, span
                )
        share = share_positive(*(rates[market_id] for market_id in ids))
        known[ids] = Earned(share, share is not None and any(recorded[market_id] for market_id in ids))
    return [known[pair.long.market_id, pair.short.market_id] for pair in pairs]


def _may_be_recorded(market: RateRow, span: Window) -> bool:
    """A summary that ends with the span knows of 30 days, which is no less than the span."""
    return bool(market.recorded) or market.window_end != span.end
