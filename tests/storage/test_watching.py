"""Has anybody written?"""

from contextlib import closing
from pathlib import Path

from fundwatch.storage.database import open_writer
from fundwatch.storage.watching import Watch
from tests.storage.ledger import Ledger


def test_a_commit_of_another_connection_is_news_once(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "f.db")
    with closing(ledger.writer), closing(Watch(tmp_path / "f.db")) as watch:
        assert watch.has_news()
        assert not watch.has_news()
        ledger.market("ETH")
        assert watch.has_news()
        assert not watch.has_news()


def test_a_file_that_is_not_there_or_no_database_is_no_news(tmp_path: Path) -> None:
    path = tmp_path / "f.db"
    with closing(Watch(path)) as watch:
        assert not watch.has_news()
        path.write_bytes(b"")
        assert not watch.has_news()


def test_another_file_in_its_place_is_news(tmp_path: Path) -> None:
    path = tmp_path / "f.db"
    open_writer(path, world="real").close()
    with closing(Watch(path)) as watch:
        assert watch.has_news()
        open_writer(tmp_path / "g.db", world="real").close()
        (tmp_path / "g.db").replace(path)
        assert watch.has_news()


def test_watching_does_not_keep_the_wal_from_being_emptied(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "f.db")
    with closing(ledger.writer), closing(Watch(tmp_path / "f.db")) as watch:
        watch.has_news()
        ledger.market("ETH")
        watch.has_news()
        assert ledger.writer.checkpoint(truncate=True)
        assert (tmp_path / "f.db-wal").stat().st_size == 0
