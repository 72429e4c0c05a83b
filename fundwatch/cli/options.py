"""What the commands share: their options, and what becomes of errors."""

import math
import sys
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, NoReturn

import click

from fundwatch.commands.session import Session
from fundwatch.config import ConfigError
from fundwatch.exchanges import REGISTRY
from fundwatch.storage.errors import NoDatabase, StorageError, WrongWorld
from fundwatch.text import printable

EXIT_FAILED, EXIT_USAGE, EXIT_NOTHING_YET = 1, 2, 3

EXCHANGE = click.Choice(list(REGISTRY), case_sensitive=False)
WINDOW = click.Choice(["now", "24h", "3d", "7d", "30d"])


class Number(click.FloatRange):
    """A number in a range; `nan` and `inf` are none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a number to work with", param, ctx)
        return number


class Commands(click.Group):
    """Turns our errors into one line on stderr and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (ConfigError, WrongWorld) as error:
            code, words = EXIT_USAGE, str(error)
        except NoDatabase as error:
            code, words = EXIT_NOTHING_YET, str(error)
        except StorageError as error:
            code, words = EXIT_FAILED, str(error)
        click.echo("\n".join(map(printable, f"Error: {words}".splitlines())), err=True)
        ctx.exit(code)


def answer(command: Callable[..., int]) -> Callable[..., None]:
    """A subcommand: gets the session, which is opened only now so that `--help` always works, and
    ends with the exit code that it returns."""

    @click.pass_obj
    @wraps(command)
    def run(opened: Callable[[], Session], /, **words: Any) -> None:
        end_with(lambda: _answered(command, opened(), words), words)

    return run


def _answered(command: Callable[..., int], session: Session, words: Mapping[str, Any]) -> int:
    from fundwatch.storage.blame import blaming_damage  # `--help` need not load it

    with blaming_damage(session.database):
        return command(session, **words)


def end_with(work: Callable[[], int], words: Mapping[str, Any]) -> NoReturn:
    """Does the work of a subcommand that was called with `words`, and exits with the code it returns."""
    asked = [form for form in ("json", "csv", "line") if words.get(f"as_{form}")]
    if len(asked) > 1:
        raise click.UsageError(f"--{asked[0]} and --{asked[1]} do not go together")
    if sys.stdout is None:  # a script may have closed it
        raise click.ClickException("stdout is closed: there is nowhere to answer")
    try:
        code = work()
        sys.stdout.flush()
    except BrokenPipeError:  # `| head` has seen enough; click ends quietly
        raise
    except OSError as error:
        raise click.ClickException(str(error)) from error
    sys.exit(code)
