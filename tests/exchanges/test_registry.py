"""What loading an exchange brings along."""

import subprocess
import sys

from fundwatch.exchanges import REGISTRY, load


def test_every_exchange_is_registered_under_its_own_name() -> None:
    assert {load(name).facts.name for name in REGISTRY} == set(REGISTRY)


def test_an_exchange_brings_no_command_line_of_its_http_client() -> None:
    program = (
        "import sys; from fundwatch.exchanges import load; load('binance')\n"
        "print([m for m in ('httpx', 'pygments', 'rich.console') if m in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout == "['httpx']\n"
