"""The exchanges: one module each, and one line here that registers it."""

import sys
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fundwatch.exchanges.base import Exchange

# httpx goes on without its command line, which would bring a colouring of source code: 3.5 MB, 16 ms.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]

REGISTRY = {
    "lighter": "Lighter",
    "hyperliquid": "Hyperliquid",
    "binance": "Binance",
    "aster": "Aster",
    "extended": "Extended",
    "paradex": "Paradex",
    "variational": "Variational",
}
"""Exchange name (also its module's) -> class."""


def load(name: str) -> "type[Exchange]":
    """The class of an exchange; imported only when asked for, since modules bring the HTTP client."""
    module = import_module(f"fundwatch.exchanges.{name}")
    found: type[Exchange] = getattr(module, REGISTRY[name])
    return found
