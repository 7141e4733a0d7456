"""``manage.py style …``: LoRA styles, from a file to a line in the composer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from core.command_line import HouseCommand
from core.errors import Refusal
from generation.checkpoints.rules import licence_of
from generation.engines.protocol import EngineFailure
from generation.jobs.words import failure_sentence
from generation.styles.commands import NewStyle, add_style, fit_style, offer_style, retire_style
from generation.styles.models import Style
from generation.styles.queries import styles_known
from generation.styles.rules import State


class Command(HouseCommand):
    help = "Styles: add a LoRA, compare it with a model, offer it, retire it, list all."

    def add_arguments(self, parser: CommandParser) -> None:
        deeds = parser.add_subparsers(dest="deed", required=True)
        self._add_arguments_of_add(deeds.add_parser("add", help="compare a LoRA and keep it"))
        fit = deeds.add_parser("fit", help="compare a style with a model that came after it")
        fit.add_argument("slug")
        fit.add_argument("--model", required=True)
        offer = deeds.add_parser("offer", help="let testers order with it")
        offer.add_argument("slug")
        offer.add_argument("--revision", type=int)
        deeds.add_parser("retire", help="take no new orders with it").add_argument("slug")
        deeds.add_parser("list", help="every revision, with its state and what it fits")

    def _add_arguments_of_add(self, one: CommandParser) -> None:
        one.add_argument("file", type=Path, help="a .safetensors file with a LoRA")
        one.add_argument(
            "--model", action="append", required=True, help="a model's slug; repeat it"
        )
        one.add_argument("--slug", required=True, help="the name in the API")
        one.add_argument("--name", required=True, help="the name people read")
        one.add_argument("--description", required=True, help="one sentence: what it does")
        one.add_argument("--licence", required=True)
        one.add_argument("--licence-address", default="", help="where its text stands")
        one.add_argument("--trigger", default="", help="words it was trained with")
        one.add_argument("--weight", type=float, default=1.0, help="the usual one")
        one.add_argument("--least", type=float, default=0.0, help="the least that may be asked for")
        one.add_argument("--most", type=float, default=1.5, help="the most that may be asked for")

    def handle(self, *_: Any, deed: str, **options: Any) -> None:
        try:
            getattr(self, f"_{deed}")(options)
        except EngineFailure as failure:
            sentence = failure_sentence(failure.code.value)
            raise CommandError(f"{sentence} ({failure.code.value}: {failure.detail})") from failure
        except Refusal as refusal:
            raise CommandError(f"{refusal.sentence} ({refusal.code})") from refusal

    def _add(self, options: dict[str, Any]) -> None:
        style = add_style(
            NewStyle(
                file=options["file"].expanduser(),
                slug=options["slug"],
                name=options["name"],
                description=options["description"],
                models=tuple(options["model"]),
                licence=licence_of(options["licence"], address=options["licence_address"]),
                trigger=options["trigger"],
                usual_weight=options["weight"],
                least_weight=options["least"],
                most_weight=options["most"],
            )
        )
        self._tell(style)
        if style.state == State.ADDED:
            self.stdout.write(f"Offer it: manage.py style offer {style.slug}")

    def _fit(self, options: dict[str, Any]) -> None:
        self._tell(fit_style(slug=options["slug"], model_slug=options["model"]))

    def _offer(self, options: dict[str, Any]) -> None:
        self._tell(offer_style(slug=options["slug"], revision=options["revision"]))

    def _retire(self, options: dict[str, Any]) -> None:
        self._tell(retire_style(slug=options["slug"]))

    def _list(self, _options: dict[str, Any]) -> None:
        styles = styles_known()
        for style in styles:
            self._tell(style)
        if not styles:
            self.stdout.write("No style is known here yet.")

    def _tell(self, style: Style) -> None:
        fits = style.fits.select_related("model").order_by("model__slug", "checked_at", "id")
        for_models = ", ".join(f"{fit.model.slug} {fit.model.revision}" for fit in fits) or "-"
        rank = max((fit.rank for fit in fits), default=0)
        self.stdout.write(
            f"{style.slug} {style.revision}: {style.state}, for {for_models}, rank {rank},"
            f" weight {style.usual_weight:g} ({style.least_weight:g} to {style.most_weight:g}),"
            f" {style.licence}, {style.sha256[:12]}"
        )
