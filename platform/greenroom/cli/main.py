"""Where the command line begins and ends."""

from __future__ import annotations

import importlib
import os
import sys
from argparse import Namespace
from collections.abc import Mapping, Sequence
from typing import TextIO

from greenroom.cli.outcomes import Exit, Stop
from greenroom.cli.parser import PLACES, the_parser
from greenroom.cli.screen import Screen


def main(
    words: Sequence[str] | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    out: TextIO | None = None,
    err: TextIO | None = None,
) -> int:
    """The number that the process ends with; ``outcomes.Exit`` says what each means."""
    parser = the_parser()
    asked = parser.parse_args(words)
    if asked.version:
        return _say_version()
    if asked.command is None:
        parser.print_help()
        return Exit.USAGE
    surroundings = os.environ if environment is None else environment
    screen = Screen(asked.json, surroundings, out or sys.stdout, err or sys.stderr)
    return _answered(asked, screen)


def _answered(asked: Namespace, screen: Screen) -> int:
    place, name = PLACES[asked.command]
    deed = getattr(importlib.import_module(f"greenroom.cli.{place}"), name)
    try:
        return int(deed(asked, screen))
    except Stop as stop:
        _say_why(stop, screen)
        return int(stop.exit_code)
    except KeyboardInterrupt:
        screen.tell("Stopped.")
        return Exit.INTERRUPTED
    except BrokenPipeError:
        # Whoever read has had enough. Python would complain once more on the way out.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.DONE


def _say_why(stop: Stop, screen: Screen) -> None:
    if screen.is_json:
        screen.answer(stop.shown())
    screen.tell(f"{stop.sentence} ({stop.code})")
    if stop.exit_code == Exit.NOT_SIGNED_IN:
        screen.tell("Sign in with: greenroom login")
    if "request_id" in stop.facts and stop.exit_code == Exit.NO_ANSWER:
        screen.tell(f"Request {stop.facts['request_id']}")


def _say_version() -> int:
    from importlib.metadata import version  # a tenth of a second, for this alone

    sys.stdout.write(f"greenroom {version('greenroom')}\n")
    return Exit.DONE
