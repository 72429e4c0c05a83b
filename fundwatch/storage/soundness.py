"""What SQLite finds wrong with a database as a whole."""

import sqlite3
from contextlib import suppress

_PAGES = """
SELECT pages.page_count - (pages.page_count > 0x40000000 / size.page_size), free.freelist_count,
  (SELECT sum(pageno) FROM dbstat WHERE aggregate = 1)
FROM pragma_page_count pages, pragma_freelist_count free, pragma_page_size size, pragma_auto_vacuum vacuum
WHERE vacuum.auto_vacuum = 0
"""
"""All pages, those that are said to be free and those in use, counted at one moment. The one at 1 GiB holds
locks and is never used (https://sqlite.org/fileformat2.html, 1.4)."""


def complaints(connection: sqlite3.Connection, *, indexes: bool = True, most: int = 1) -> list[str]:
    """At most so many things that are wrong with a page, the order of rows or, unless asked not to look
    there, an index; none where nothing is.

    Looks at all of it (0.5 s in 100 MB; a third less without the indexes, and then leaves of a table without
    rowids may have changed places unseen). A flipped bit inside a number is never seen, nor, through a
    connection that cannot write, a broken CHECK. Raises what SQLite raises over a file that it cannot read.
    """
    check = "integrity_check" if indexes else "quick_check"
    found = [str(row[0]) for row in connection.execute(f"PRAGMA {check}({most})")]
    if found != ["ok"]:
        return found
    return _miscounted(connection)


def _miscounted(connection: sqlite3.Connection) -> list[str]:
    """Whether pages belong to nothing, as when a table's first page is an old one, or to too much.

    `integrity_check` looks at that too, but not in a schema with views (SQLite 3.40: it then takes itself
    for a check of single tables). Some builds of SQLite have no `dbstat`, and find nothing here.
    """
    with suppress(sqlite3.OperationalError):
        for pages, free, used in connection.execute(_PAGES):
            if free + used != pages:
                return [f"of {pages} pages {used} are in use and {free} free"]
    return []
