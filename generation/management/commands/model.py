"""``manage.py model …``: video models, from a folder of weights to a line in the composer."""

from __future__ import annotations

import re
import tempfile
from argparse import ArgumentTypeError
from fractions import Fraction
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from core.command_line import HouseCommand
from core.errors import Refusal
from generation.catalogue.commands import offer_still_model
from generation.catalogue.models import VideoModel
from generation.catalogue.rules import Offered
from generation.checkpoints.commands import (
    NewModel,
    add_model,
    check_model,
    measure_tiers,
    offer_added,
    retire_model,
)
from generation.checkpoints.rules import TerritoryUnknown, licence_of
from generation.engines.order import OrderRefused
from generation.engines.protocol import EngineFailure
from generation.engines.registry import (
    EngineNotInstalled,
    EngineUnknown,
    is_installed,
    missing_packages,
)
from generation.jobs.words import failure_sentence
from generation.shipped.commands import (
    check_shipped_model,
    offer_shipped_model,
    offer_shipped_styles,
)

_PRICE = re.compile(r"(?P<tier>[a-z]+):(?P<w>\d+)x(?P<h>\d+):(?P<steps>\d+):(?P<credits>\d+)")
_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_REVISION = re.compile(r"[A-Za-z0-9][\w.-]{0,63}", re.ASCII)


class Command(HouseCommand):
    help = "Video models: add a checkpoint, check it by rendering, offer it, retire it, list all."

    def add_arguments(self, parser: CommandParser) -> None:
        deeds = parser.add_subparsers(dest="deed", required=True)
        self._add_arguments_of_add(deeds.add_parser("add", help="inspect a checkpoint and keep it"))
        for deed, words in (
            ("check", "load it here and render one short clip"),
            ("offer", "let testers order from it; without a name, the models that come along"),
            ("retire", "take no new orders for it"),
        ):
            one = deeds.add_parser(deed, help=words)
            one.add_argument("slug", nargs="?" if deed == "offer" else None)
            one.add_argument("--revision")
            if deed == "offer":
                one.add_argument(
                    "--beside",
                    action="store_true",
                    help="what is offered under this name stays offered, to choose from",
                )
        measured = deeds.add_parser(
            "measure", help="before adding: how far lossy tiers are from the lossless one"
        )
        measured.add_argument("folder", type=Path)
        measured.add_argument("--engine", default="diffusers")
        measured.add_argument("--rate", type=_fraction, default=Fraction(24))
        measured.add_argument("--clips", type=int, default=8, choices=range(1, 65), metavar="8")
        deeds.add_parser("list", help="every revision, with its state, licence and last check")
        deeds.add_parser(
            "demo", help="offer the small model that comes along, and try it here once"
        )

    def _add_arguments_of_add(self, one: CommandParser) -> None:
        one.add_argument(
            "source", help="a folder of weights as diffusers lays it out, or owner/name"
        )
        one.add_argument("--revision", required=True, help="yours, or the commit on the hub")
        one.add_argument("--licence", required=True, help="its name, like “Apache-2.0”")
        one.add_argument("--slug", type=_slug, help="the name in the API; default: the folder's")
        one.add_argument("--name", help="the name people read; default: the slug")
        one.add_argument("--licence-address", default="", help="where its text stands")
        one.add_argument(
            "--exclude",
            default="",
            metavar="EU,GB,…",
            help="territories where the licence grants nothing, besides those it is known for",
        )
        one.add_argument(
            "--provenance-duty",
            action="store_true",
            help="the licence obliges whoever publishes to keep the marks of origin",
        )
        one.add_argument("--engine", default="diffusers")
        one.add_argument("--rate", type=_fraction, default=Fraction(24), help="frames a second")
        one.add_argument("--longest", type=_fraction, help="seconds of the longest clip offered")
        one.add_argument(
            "--price",
            type=_price,
            action="append",
            default=[],
            metavar="TIER:WxH:STEPS:CREDITS",
            help="credits a second; repeat it. Default: a table by pixels and steps",
        )
        one.add_argument(
            "--from-hub", action="store_true", help="fetch it, at that commit, over the network"
        )

    def handle(self, *_: Any, deed: str, **options: Any) -> None:
        try:
            getattr(self, f"_{deed}")(options)
        except EngineFailure as failure:
            sentence = failure_sentence(failure.code.value)
            raise CommandError(f"{sentence} ({failure.code.value}: {failure.detail})") from failure
        except OrderRefused as refused:
            raise CommandError(f"The model cannot do that: {refused}") from refused
        except Refusal as refusal:
            raise CommandError(f"{refusal.sentence} ({refusal.code})") from refusal
        except TerritoryUnknown as unknown:
            raise CommandError(
                f"“{unknown.word}” is no territory: write two letters, or EU."
            ) from unknown
        except EngineUnknown as unknown:
            raise CommandError(f"There is no engine called {unknown.name}.") from unknown
        except EngineNotInstalled as absent:
            raise CommandError(
                f"The engine is not installed: {', '.join(absent.missing)} is missing."
            ) from absent

    def _add(self, options: dict[str, Any]) -> None:
        source = options["source"]
        if not _REVISION.fullmatch(options["revision"]):
            raise CommandError("A revision is letters, digits, dots and dashes, 64 at most.")
        if options["from_hub"]:
            with self._download(source, options["revision"]) as folder:
                self._added(Path(folder), options)
        else:
            self._added(Path(source).expanduser(), options)

    def _added(self, folder: Path, options: dict[str, Any]) -> None:
        slug = options["slug"] or _slug_of(options["source"])
        licence = licence_of(
            options["licence"],
            address=options["licence_address"],
            excluded=[word for word in options["exclude"].split(",") if word.strip()],
            provenance_duty=options["provenance_duty"],
        )
        self.stdout.write("Reading every file once …")
        model = add_model(
            NewModel(
                folder=folder,
                slug=slug,
                name=options["name"] or slug,
                revision=options["revision"],
                licence=licence,
                rate=options["rate"],
                source=options["source"],
                engine=options["engine"],
                longest=options["longest"],
                prices=tuple(options["price"]),
            )
        )
        self._tell(model)
        self.stdout.write(f"Added. Check it next: manage.py model check {slug}")

    def _download(self, source: str, revision: str) -> tempfile.TemporaryDirectory[str]:
        from generation.engines.local.hub import fetched, is_hub_id

        if not is_hub_id(source):
            raise CommandError("A hub's models are called owner/name.")
        root = Path(settings.MODELS_FOLDER)
        root.mkdir(parents=True, exist_ok=True)
        # On the same disk as the models, so that keeping it is a matter of names.
        folder = tempfile.TemporaryDirectory(prefix=".hub-", dir=root)
        self.stdout.write(f"Fetching {source} at {revision} …")
        try:
            fetched(source, revision, Path(folder.name))
        except BaseException:
            folder.cleanup()
            raise
        return folder

    def _measure(self, options: dict[str, Any]) -> None:
        found = measure_tiers(
            folder=options["folder"].expanduser(),
            engine_name=options["engine"],
            rate=options["rate"],
            clips=options["clips"],
        )
        for tier, facts in found.items():
            self.stdout.write(
                f"{tier}: SSIM {facts['ssim']:.4f}, PSNR {facts['psnr_db']:.1f} dB against"
                f" {facts['against']}, {facts['orders']} clips"
            )
        if not found:
            self.stdout.write("No tier of it is lossy and unmeasured.")

    def _check(self, options: dict[str, Any]) -> None:
        model = _known(options["slug"], options["revision"])
        self.stdout.write(f"Loading {model.name} {model.revision} and rendering a short clip …")
        check = check_model(model=model)
        if not check.has_passed:
            raise CommandError(f"{failure_sentence(check.code)} ({check.code})")
        self.stdout.write(
            f"Passed on {check.device}: loaded in {check.load_ms / 1000:.1f} s,"
            f" {check.facts['frames']} frames in {check.clip_ms / 1000:.1f} s."
        )
        if model.state == VideoModel.State.ADDED:
            self.stdout.write(f"Offer it: manage.py model offer {model.slug}")

    def _offer(self, options: dict[str, Any]) -> None:
        if options["slug"] is None:
            models = [offer_still_model(), offer_shipped_model()]
            offer_shipped_styles()
        else:
            slug, revision = options["slug"], options["revision"]
            models = [offer_added(slug=slug, revision=revision, beside=options["beside"])]
        for model in models:
            self.stdout.write(f"{model.name} {model.revision} is offered.")

    def _retire(self, options: dict[str, Any]) -> None:
        for model in retire_model(slug=options["slug"], revision=options["revision"]):
            self.stdout.write(f"{model.name} {model.revision} has retired.")

    def _list(self, _options: dict[str, Any]) -> None:
        models = VideoModel.objects.prefetch_related("checks").order_by("slug", "made_at", "id")
        for model in models:
            checks = sorted(model.checks.all(), key=lambda one: (one.at, one.id))
            last = "never checked"
            if checks:
                outcome = "passed" if checks[-1].has_passed else f"failed ({checks[-1].code})"
                last = f"{outcome} on {checks[-1].at:%Y-%m-%d}"
            self.stdout.write(
                f"{model.slug} {model.revision}: {model.state}, {model.engine}"
                f" {model.family or '-'}, {model.licence}, {last}"
            )
        if not models:
            self.stdout.write("No model is known here yet.")

    def _demo(self, _options: dict[str, Any]) -> None:
        if not is_installed("diffusers"):
            missing = ", ".join(missing_packages("diffusers"))
            raise CommandError(f"The video engine is not installed: {missing} is missing.")
        model = offer_shipped_model()
        for style in offer_shipped_styles():
            self.stdout.write(f"{style.name} is offered with it.")
        check = check_shipped_model(model)
        if check is not None and not check.has_passed:
            raise CommandError(f"{failure_sentence(check.code)} ({check.code})")
        self.stdout.write(f"{model.name} {model.revision} is ready.")

    def _tell(self, model: VideoModel) -> None:
        shut_out = ", ".join(model.territories_excluded)
        self.stdout.write(f"{model.name} {model.revision}: {model.engine} {model.family}")
        self.stdout.write(f"  {len(model.weights)} files, {model.licence}")
        if shut_out:
            self.stdout.write(f"  its licence does not hold in {shut_out}")
        if model.provenance_duty:
            self.stdout.write("  whoever publishes its clips must keep the marks of their origin")
        for row in model.prices.order_by("tier", "-width", "-height"):
            self.stdout.write(
                f"  {row.tier} {row.width}x{row.height}: {row.steps} steps,"
                f" {row.credits_per_second} credits a second"
            )


def _known(slug: str, revision: str | None) -> VideoModel:
    known = VideoModel.objects.filter(slug=slug)
    if revision is not None:
        known = known.filter(revision=revision)
    model = known.prefetch_related("prices").order_by("-made_at", "-id").first()
    if model is None:
        raise CommandError(f"There is no model of this name: {slug}.")
    return model


def _slug_of(source: str) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", Path(source).expanduser().resolve().name.lower()).strip("-")
    if not _SLUG.fullmatch(slug):
        raise CommandError("Give it a name: --slug, in lower-case letters, digits and dashes.")
    return slug


def _slug(text: str) -> str:
    if not _SLUG.fullmatch(text):
        raise ArgumentTypeError("lower-case letters, digits and dashes, please")
    return text


def _fraction(text: str) -> Fraction:
    try:
        number = Fraction(text)
    except (ValueError, ZeroDivisionError) as error:
        raise ArgumentTypeError("a number like 24 or 24000/1001") from error
    if number <= 0:
        raise ArgumentTypeError("more than nothing, please")
    return number


def _price(text: str) -> Offered:
    read = _PRICE.fullmatch(text)
    if read is None:
        raise ArgumentTypeError("like standard:1280x720:30:4")
    return Offered(
        read["tier"], int(read["w"]), int(read["h"]), int(read["steps"]), int(read["credits"])
    )
