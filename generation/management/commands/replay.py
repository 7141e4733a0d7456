"""``manage.py replay clip_…``: a clip rendered again from its record, and compared."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandError, CommandParser

from core.command_line import HouseCommand
from core.errors import Refusal
from core.ids import read_id
from generation.clips.models import Clip
from generation.engines.order import OrderRefused
from generation.engines.protocol import EngineFailure
from generation.engines.registry import EngineNotInstalled
from generation.jobs.words import failure_sentence
from generation.media.failure import MediaFailure
from generation.replays.commands import Replay, replay_clip


class Command(HouseCommand):
    help = "Render a clip again from its record and compare. Nothing is kept."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("clip", help="its public id")
        parser.add_argument("--json", action="store_true", help="one line for programs")
        parser.add_argument(
            "--ssim",
            type=float,
            default=0.0,
            metavar="0.98",
            help="end with status 1 where the mean likeness is below this",
        )

    def handle(self, *_: Any, clip: str, **options: Any) -> None:
        found = _clip(clip)
        try:
            replay = replay_clip(clip=found)
        except (EngineFailure, MediaFailure) as failure:
            code = failure.code.value
            raise CommandError(f"{failure_sentence(code)} ({code}: {failure.detail})") from failure
        except OrderRefused as refused:
            raise CommandError(f"This order cannot be rendered here now: {refused}") from refused
        except Refusal as refusal:
            raise CommandError(f"{refusal.sentence} ({refusal.code})") from refusal
        except EngineNotInstalled as absent:
            raise CommandError(
                f"The engine is not installed: {', '.join(absent.missing)}."
            ) from absent
        self.stdout.write(json.dumps(asdict(replay)) if options["json"] else _words(replay))
        if replay.ssim < options["ssim"]:
            raise CommandError("Less alike than was asked for.", returncode=1)


def _clip(text: str) -> Clip:
    clip_id = read_id("clip", text)
    clip = Clip.objects.select_related("job__model").filter(id=clip_id).first() if clip_id else None
    if clip is None:
        raise CommandError(f"There is no clip of this name: {text}.")
    return clip


def _words(replay: Replay) -> str:
    lines = [
        "The same file, to the byte."
        if replay.is_same_file
        else f"SSIM {replay.ssim:.4f} in the mean, {replay.worst_ssim:.4f} at worst;"
        f" PSNR {replay.psnr_db:.1f} dB."
    ]
    lines += [f"{name}: {then} then, {now} now" for name, then, now in replay.differences]
    return "\n".join(lines)
