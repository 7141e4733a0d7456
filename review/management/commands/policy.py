"""manage.py policy example | publish FILE | charter: what a programme judges by, and how fast."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from accounts.programmes.models import Programme
from core.command_line import HouseCommand
from core.errors import Refusal
from generation.clips.rules import Allows
from review.policies.commands import NewClause, publish_charter, publish_policy
from review.policies.rules import Ground


class Command(HouseCommand):
    help = "Publish a programme's clauses and its clock. What was put forward before keeps its own."

    def add_arguments(self, parser: CommandParser) -> None:
        deeds = parser.add_subparsers(dest="deed", required=True)
        deeds.add_parser("example", help="print a file to begin with")
        publish = deeds.add_parser("publish", help="put the clauses of a file in force")
        publish.add_argument("file", type=Path)
        charter = deeds.add_parser("charter", help="promise times from now on")
        charter.add_argument("--decide-within-hours", type=int, required=True)
        charter.add_argument("--appeal-within-hours", type=int, required=True)
        charter.add_argument("--appeal-open-days", type=int, default=184)
        charter.add_argument(
            "--words", default="", help="what else the charter says, in a sentence"
        )
        for each in (publish, charter):
            each.add_argument("--programme", required=True, metavar="SLUG")

    def handle(self, *_: Any, deed: str, **options: Any) -> None:
        if deed == "example":
            self.stdout.write(example())
            return
        programme = Programme.objects.filter(slug=options["programme"]).first()
        if programme is None:
            raise CommandError(f"There is no programme “{options['programme']}”.")
        try:
            done = (
                _publish(programme, options) if deed == "publish" else _promise(programme, options)
            )
        except Refusal as refusal:
            raise CommandError(refusal.sentence) from refusal
        self.stdout.write(done)


def example() -> str:
    """One clause for every ground there is, to be shortened and put into one's own words."""
    clauses = "\n".join(
        f'[[clause]]\nground = "{ground.value}"\ntitle = "{ground.label}"\n'
        f'words = "Say in a sentence or two what this covers, and what it does not."\n'
        for ground in Ground
    )
    return (
        'introduction = "A clip is declined only under one of these clauses."\n'
        "# Which files of a clip its owner gets before it is approved:"
        f" {', '.join(Allows.values)}.\n"
        f'files_before = "clip"\n\n{clauses}'
    )


def _publish(programme: Programme, options: dict[str, Any]) -> str:
    introduction, clauses, files_before = read_policy(options["file"])
    version = publish_policy(
        programme_id=programme.id,
        introduction=introduction,
        clauses=clauses,
        files_before=files_before,
    )
    return f"Version {version.number} with {len(clauses)} clauses is in force."


def _promise(programme: Programme, options: dict[str, Any]) -> str:
    names = ("decide_within_hours", "appeal_within_hours", "appeal_open_days", "words")
    version = publish_charter(programme_id=programme.id, **{name: options[name] for name in names})
    return f"Charter {version.number} is in force."


def read_policy(path: Path) -> tuple[str, list[NewClause], Allows | None]:
    """A file as ``policy example`` prints it. Raises ``CommandError`` saying what is wrong."""
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8"))
        clauses = [
            NewClause(Ground(each["ground"]), str(each["title"]), str(each["words"]))
            for each in said["clause"]
        ]
        files_before = Allows(said["files_before"]) if "files_before" in said else None
        return str(said["introduction"]), clauses, files_before
    except OSError as error:
        raise CommandError(f"The file cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CommandError(f"This is no TOML: {error}") from error
    except (KeyError, TypeError) as error:
        raise CommandError(
            "A policy has an introduction and [[clause]] tables with ground, title and words."
        ) from error
    except ValueError as error:
        raise CommandError(
            f"{error}. Grounds: {', '.join(Ground.values)}. Files: {', '.join(Allows.values)}."
        ) from error
