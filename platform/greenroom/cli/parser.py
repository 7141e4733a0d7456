"""The words of the command line. Nothing heavy is imported before it is known what is asked."""

from __future__ import annotations

import argparse
from collections.abc import Callable

Parser = argparse.ArgumentParser
KINDS = ("master", "proxy", "poster", "sprite", "index", "waveform")
RIGHTS = ("own", "licensed", "public_domain")
STATES = ("queued", "running", "held", "finished", "failed", "cancelled")
FIRST_LINE = "Make clips from your terminal, and see what became of them."
LAST_LINE = """\
Begin with:  greenroom login https://the-address-of-your-greenroom
Then:        greenroom create "A lighthouse at dusk" --model still --wait

"greenroom COMMAND --help" says more. Exit codes and examples: docs/cli.md."""


def the_parser() -> Parser:
    parser = Parser(
        prog="greenroom",
        description=FIRST_LINE,
        epilog=LAST_LINE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="store_true", help="say which version this is")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    for name, words, add in COMMANDS:
        one = commands.add_parser(
            name, help=words, description=f"{words[0].upper()}{words[1:]}.", allow_abbrev=False
        )
        add(one)
        one.add_argument("--json", action="store_true", help="answer with one JSON value")
        if name != "login":
            one.add_argument("--server", metavar="URL", help="another Greenroom than the usual one")
    return parser


def _login(one: Parser) -> None:
    one.add_argument("address", nargs="?", metavar="URL", help="its address; else the last one")
    one.add_argument(
        "--token",
        action="store_true",
        help="take a token from GREENROOM_TOKEN or from standard input, instead of asking for one",
    )
    one.add_argument(
        "--scope",
        action="append",
        metavar="SCOPE",
        help="what to ask for, instead of the usual (may be given several times)",
    )
    one.add_argument("--days", type=_whole, default=30, help="for how long to ask (30)")
    one.add_argument("--name", help="what the portal is to call it (this machine's name)")


def _nothing(_one: Parser) -> None:
    """No words of its own."""


def _create(one: Parser) -> None:
    one.add_argument("prompt", help="what the clip should show")
    one.add_argument("--model", metavar="SLUG", help="which model; else the only one")
    one.add_argument("--size", metavar="WxH", help="like 1280x720; else the model's first")
    one.add_argument("--seconds", type=float, help="how long; else about two seconds")
    one.add_argument("--tier", help="turbo, standard or quality, where the model has it")
    one.add_argument("--seed", type=int, help="the same seed and order give the same clip")
    one.add_argument(
        "--style",
        action="append",
        default=[],
        metavar="NAME[:WEIGHT]",
        help="draw in this style (up to three)",
    )
    one.add_argument("--first", metavar="FILE", help="a picture that the clip begins with")
    one.add_argument("--last", metavar="FILE", help="a picture that the clip ends with")
    one.add_argument(
        "--rights", choices=RIGHTS, help="why you may use the pictures; needed with them"
    )
    one.add_argument("--rights-words", metavar="TEXT", help="who allows it; needed with licensed")
    one.add_argument("--extends", metavar="CLIP", help="go on from the last frame of this clip")
    one.add_argument("--thread", metavar="THREAD", help="a thread of yours that this continues")
    one.add_argument("--wait", action="store_true", help="stay until it is over")
    one.add_argument("--download", metavar="PATH", help="wait, then save the clip there")
    one.add_argument(
        "--idempotency-key",
        type=_key,
        metavar="KEY",
        help="the same key and order never make a second job (drawn by chance where not given)",
    )


def _list(one: Parser) -> None:
    one.add_argument("--state", choices=STATES, help="only jobs in this state")
    one.add_argument("--limit", type=_whole, default=20, help="how many, newest first (20)")


def _get(one: Parser) -> None:
    one.add_argument("id", metavar="ID", help="a job, clip, submission or reference")


def _cancel(one: Parser) -> None:
    one.add_argument("id", metavar="JOB", help="job_…")


def _download(one: Parser) -> None:
    one.add_argument("id", metavar="ID", help="a clip, or its job")
    one.add_argument("-o", "--output", metavar="PATH", help="where to (its id, in this folder)")
    one.add_argument("--kind", choices=KINDS, default="master", help="which file of it (master)")


def _submit(one: Parser) -> None:
    one.add_argument("id", metavar="CLIP", help="a clip, or its job")
    one.add_argument("--note", default="", help="what the reviewer should know")
    one.add_argument("--idempotency-key", type=_key, metavar="KEY", help="as with create")


def _earnings(one: Parser) -> None:
    one.add_argument("--lines", action="store_true", help="your statement, line by line")
    one.add_argument("--limit", type=_whole, default=20, help="how many lines (20)")


def _tokens(one: Parser) -> None:
    one.add_argument("--revoke", metavar="TOKEN", help="end this one: crd_…, or its key id")


def _webhooks(one: Parser) -> None:
    one.add_argument("--try", dest="tried", metavar="WEBHOOK", help="post an example to this one")


def _whole(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def _key(text: str) -> str:
    if not text.isascii() or not text.isprintable():
        raise argparse.ArgumentTypeError("a key is one line of ASCII")  # as a header holds it
    return text


# Where each is done: a module of greenroom.cli, and its function.
PLACES = {
    "login": ("entrance", "login"),
    "logout": ("entrance", "logout"),
    "create": ("jobs", "create"),
    "list": ("jobs", "list_jobs"),
    "get": ("jobs", "get"),
    "cancel": ("jobs", "cancel"),
    "download": ("downloads", "download"),
    "submit": ("account", "submit"),
    "quota": ("account", "quota"),
    "earnings": ("account", "earnings"),
    "tokens": ("account", "tokens"),
    "models": ("account", "models"),
    "styles": ("account", "styles"),
    "webhooks": ("account", "webhooks"),
}
COMMANDS: list[tuple[str, str, Callable[[Parser], None]]] = [
    ("login", "let this machine in, by a code that you type in the portal", _login),
    ("logout", "revoke this machine's token and forget it", _nothing),
    ("create", "order a clip", _create),
    ("list", "list your jobs, newest first", _list),
    ("get", "show one job, clip, submission or reference", _get),
    ("cancel", "cancel a job", _cancel),
    ("download", "save a clip's file, and check that it is whole", _download),
    ("submit", "put a clip forward for review", _submit),
    ("quota", "show what you may still use", _nothing),
    ("earnings", "show what you earned, were paid and are owed", _earnings),
    ("tokens", "list your tokens, or revoke one", _tokens),
    ("models", "list the models you may order from", _nothing),
    ("styles", "list the styles you may order with", _nothing),
    ("webhooks", "list your webhooks, or try one", _webhooks),
]
