"""One process that asks three exchanges for all their quotes; its argument is their addresses as JSON."""

import asyncio
import json
import resource
import sys
import time

from fundwatch.clock import SystemClock
from fundwatch.exchanges import load
from fundwatch.exchanges.bans import MemoryBans
from fundwatch.exchanges.base import Options
from fundwatch.exchanges.http import Http

ROUNDS = 20


async def main(addresses: dict[str, str]) -> None:
    clock, bans = SystemClock(), MemoryBans()
    exchanges = []
    for name, url in addresses.items():
        kind = load(name)
        http = Http(
            name=name, base_url=url, limits=kind.facts.limits, clock=clock, bans=bans, budget_scale=1000
        )
        exchanges.append(kind(http, clock, Options(dexes=())))
    await asyncio.gather(*(exchange.fetch_markets_and_quotes() for exchange in exchanges))
    cold = time.process_time()
    rates = 0
    for _ in range(ROUNDS):
        found = await asyncio.gather(*(exchange.fetch_quotes() for exchange in exchanges))
        rates = sum(len(quotes.quotes) for quotes in found)
    warm = (time.process_time() - cold) / ROUNDS
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    print(json.dumps({"cold_ms": cold * 1e3, "round_ms": warm * 1e3, "memory_mb": peak, "rates": rates}))
    for exchange in exchanges:
        await exchange.http.aclose()


asyncio.run(main(json.loads(sys.argv[1])))
