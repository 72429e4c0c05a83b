"""Watch perpetual funding rates of many exchanges."""

__version__ = "0.1.0"
