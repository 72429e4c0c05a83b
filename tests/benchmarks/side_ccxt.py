"""The same with ccxt, run by an interpreter that has it and nothing of ours: rate limiter off."""

import asyncio
import importlib
import json
import resource
import sys
import time
from collections.abc import Callable
from typing import Any

ccxt: Any = importlib.import_module("ccxt.async_support")
ROUNDS = 20
NAMES = {"binance": "binanceusdm", "hyperliquid": "hyperliquid", "aster": "aster"}
ADDRESSES: dict[str, Callable[[str], dict[str, str]]] = {
    "binance": lambda url: {"fapiPublic": f"{url}/fapi/v1"},
    "hyperliquid": lambda url: {"public": url},
    "aster": lambda url: {"fapiPublic": f"{url}/fapi"},
}


def made(name: str, url: str) -> Any:
    exchange = getattr(ccxt, NAMES[name])({"enableRateLimit": False})
    exchange.urls["api"].update(ADDRESSES[name](url))
    exchange.has["fetchCurrencies"] = False
    if name == "hyperliquid":
        exchange.options["fetchMarkets"] = {"types": ["swap"]}
    if name == "aster":  # its spot markets are none of ours
        exchange.sapiPublicGetV3ExchangeInfo = no_spot_markets
    return exchange


async def no_spot_markets(params: object = None) -> dict[str, list[object]]:
    return {"symbols": []}


async def rates(exchange: Any) -> int:
    """All rates in one go, however this exchange gives them."""
    return len(await exchange.fetch_funding_rates())


async def main(addresses: dict[str, str]) -> None:
    exchanges = [made(name, url) for name, url in addresses.items()]
    try:
        await asyncio.gather(*(exchange.load_markets() for exchange in exchanges))
        await asyncio.gather(*(rates(exchange) for exchange in exchanges))
        cold = time.process_time()
        total = 0
        for _ in range(ROUNDS):
            total = sum(await asyncio.gather(*(rates(exchange) for exchange in exchanges)))
        warm = (time.process_time() - cold) / ROUNDS
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
        print(
            json.dumps(
                {
                    "cold_ms": cold * 1e3,
                    "round_ms": warm * 1e3,
                    "memory_mb": peak,
                    "rates": total,
                    "version": ccxt.__version__,
                }
            )
        )
    finally:
        for exchange in exchanges:
            await exchange.close()


asyncio.run(main(json.loads(sys.argv[1])))
