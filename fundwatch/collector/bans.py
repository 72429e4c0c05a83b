"""The ban book that outlives the process: kept in the database, read from memory."""

from typing import cast

from fundwatch.collector.ledger import Ledger
from fundwatch.exchanges.bans import Ban, BanKind
from fundwatch.storage import bans
from fundwatch.storage.bans import BanRow


class StoredBans:
    """A `BanBook` over the ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._writer = ledger.writer
        self._known = {
            row.scope: Ban(cast(BanKind, row.kind), row.until, row.reason, row.strikes)
            for row in bans.all_bans(ledger.writer)
        }

    def get(self, scope: str) -> Ban | None:
        return self._known.get(scope)

    def put(self, scope: str, ban: Ban) -> None:
        self._known[scope] = ban
        with self._writer.transaction():
            bans.put(self._writer, BanRow(scope, ban.kind, ban.until, ban.reason, ban.strikes))

    def drop(self, scope: str) -> None:
        if self._known.pop(scope, None):
            with self._writer.transaction():
                bans.drop(self._writer, scope)
