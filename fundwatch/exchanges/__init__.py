"""The exchanges: one module each, and one line here that registers it."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fundwatch.exchanges.base import Exchange

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
