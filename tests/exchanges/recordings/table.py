"""Every recorded file of the seven exchanges and of their history, once: what it answers and must give.

Literal numbers were taken from the files by hand: rates are fractions per hour.
"""

from tests.exchanges.recordings.fapi import ASTER, BINANCE
from tests.exchanges.recordings.history import HISTORY
from tests.exchanges.recordings.hyperliquid import HYPERLIQUID
from tests.exchanges.recordings.lighter import LIGHTER
from tests.exchanges.recordings.others import EXTENDED, PARADEX, VARIATIONAL

FOLDERS = ("lighter", "hyperliquid", "binance", "aster", "extended", "paradex", "variational", "history")

TABLE = (*LIGHTER, *HYPERLIQUID, *BINANCE, *ASTER, *EXTENDED, *PARADEX, *VARIATIONAL, *HISTORY)
