"""A LoRA becomes a style: compared with its models and kept, then offered, then retired."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from core.audit.commands import record
from core.errors import InvalidOrder, TooLate
from core.states import advance
from generation.catalogue.models import VideoModel
from generation.catalogue.queries import checkpoint_folder
from generation.catalogue.rules import must_hold_in
from generation.checkpoints.rules import Licence, licence_of
from generation.engines.local.style_heads import StyleFacts, inspected_style
from generation.engines.protocol import EngineFailure, FailureCode
from generation.styles.models import Style, StyleFit
from generation.styles.queries import style_file
from generation.styles.rules import (
    LONGEST_NAME,
    LONGEST_WORDS,
    MOVES,
    Move,
    State,
    checked_slug,
    checked_weights,
    checked_words,
)


@dataclass(frozen=True, slots=True)
class NewStyle:
    """What an operator says of a LoRA. ``models`` are slugs: it must fit each of them."""

    file: Path
    slug: str
    name: str
    description: str
    models: tuple[str, ...]
    licence: Licence
    trigger: str = ""
    usual_weight: float = 1.0
    least_weight: float = 0.0
    most_weight: float = 1.5

    def facts(self, sha256: str) -> dict[str, object]:
        """Those that make one revision of a style another than the one before."""
        return {
            "slug": checked_slug(self.slug),
            "name": checked_words(self.name, field="name", longest=LONGEST_NAME),
            "description": checked_words(
                self.description, field="description", longest=LONGEST_WORDS
            ),
            "trigger": checked_words(
                self.trigger, field="trigger", longest=LONGEST_WORDS, is_needed=False
            ),
            "licence": checked_words(self.licence.name, field="licence", longest=LONGEST_NAME),
            "licence_address": self.licence.address,
            "usual_weight": self.usual_weight,
            "least_weight": self.least_weight,
            "most_weight": self.most_weight,
            "sha256": sha256,
        }


def add_style(new: NewStyle) -> Style:
    """Compare a LoRA with the models it is for, keep its file by its hash. Not offered yet.

    Adding the same file with the same words again changes nothing, but for models that came
    meanwhile. Raises ``EngineFailure``, ``style_foreign`` for what is no LoRA of these models or a
    pickle, and ``InvalidOrder`` for words and weights that make no sense.
    """
    checked_weights(new.usual_weight, new.least_weight, new.most_weight)
    must_hold_in(settings.TERRITORY, new.licence.name, new.licence.excluded)
    new.facts("")  # before a large file is read
    kept = _kept(new.file, [_revisions(slug) for slug in new.models])
    facts = new.facts(kept.sha256)
    with transaction.atomic():
        earlier = Style.objects.filter(slug=new.slug).order_by("-revision")
        style = earlier.filter(**facts).first()
        if style is None:
            last = earlier.first()
            style = Style.objects.create(
                **facts, bytes=kept.bytes, revision=last.revision + 1 if last else 1
            )
            record(
                "style.added",
                subject=("style", style.id),
                slug=style.slug,
                revision=style.revision,
                sha256=style.sha256,
            )
        for model, found in kept.fits:
            _note_fit(style, model, found)
        style.refresh_from_db()
    return style


def fit_style(*, slug: str, model_slug: str) -> Style:
    """Compare the newest revision of a style with a model again: after the model got a new one.

    Raises what ``add_style`` does, and ``InvalidOrder`` where either is unknown.
    """
    with transaction.atomic():
        style = _newest(slug)
        for model, found in _fitting(style_file(style.sha256), _revisions(model_slug)):
            _note_fit(style, model, found)
    return style


def offer_style(*, slug: str, revision: int | None = None) -> Style:
    """From now on testers may order with this revision; the one offered before retires. Doing it
    again changes nothing.

    Raises ``InvalidOrder`` for an unknown one, ``TooLate`` for one that retired.
    """
    with transaction.atomic():
        style = _newest(slug, revision)
        if style.state == State.OFFERED:
            return style
        if style.state == State.RETIRED:
            raise TooLate(_("This revision has retired. Add it again with other words or weights."))
        licence = licence_of(style.licence)
        must_hold_in(settings.TERRITORY, licence.name, licence.excluded)
        for before in Style.objects.filter(slug=slug, state=State.OFFERED):
            _retire(before)
        advance(Style.objects.filter(id=style.id), MOVES, Move.OFFER, seen=State.ADDED)
        record("style.offered", subject=("style", style.id), slug=slug, revision=style.revision)
    style.refresh_from_db()
    return style


def retire_style(*, slug: str) -> Style:
    """No new orders; what was ordered is rendered with it. ``InvalidOrder`` where none is there
    to retire."""
    with transaction.atomic():
        style = Style.objects.filter(slug=slug, state=State.OFFERED).first() or _newest(slug)
        _retire(style)
    style.refresh_from_db()
    return style


@dataclass(frozen=True, slots=True)
class _Kept:
    sha256: str
    bytes: int
    fits: list[tuple[VideoModel, StyleFacts]]


def _kept(file: Path, models: list[list[VideoModel]]) -> _Kept:
    """The file below the models folder, judged there: nobody changes it between look and link.

    A hard link where the file system allows; one that is changed in place afterwards has another
    hash, and a worker then refuses it.
    """
    if not models:
        raise InvalidOrder("model_unknown", _("Say which model the style is for."), field="model")
    if file.suffix != ".safetensors" or not file.is_file():
        raise EngineFailure(FailureCode.STYLE_FOREIGN, f"{file.name} is no safetensors file")
    folder = style_file("").parent
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".adding-", dir=folder) as partial:
        linked = Path(partial) / file.name
        _link(file.resolve(), linked)
        found = [fit for revisions in models for fit in _fitting(linked, revisions)]
        sha256, size = _sha256(linked), linked.stat().st_size
        kept = style_file(sha256)
        if not kept.is_file() or _sha256(kept) != sha256:
            linked.rename(kept)
    return _Kept(sha256, size, found)


def _fitting(file: Path, revisions: list[VideoModel]) -> list[tuple[VideoModel, StyleFacts]]:
    """Those of a model's revisions that it fits: one at least, or ``EngineFailure``."""
    found, refused = [], None
    for model in revisions:
        try:
            found.append((model, inspected_style(file, _folder(model))))
        except EngineFailure as failure:
            refused = failure
    if refused is not None and not found:
        raise refused
    return found


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _sha256(path: Path) -> str:
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _folder(model: VideoModel) -> Path:
    folder = checkpoint_folder(model.checkpoint)
    if folder is None or not model.takes_styles:
        raise InvalidOrder(
            "styles_not_offered",
            _("%(model)s takes no styles.") % {"model": model.name},
            field="model",
        )
    return folder


def _note_fit(style: Style, model: VideoModel, found: StyleFacts) -> None:
    _fit, is_new = StyleFit.objects.get_or_create(
        style=style, model=model, defaults={"layers": found.layers, "rank": found.rank}
    )
    if is_new:
        record(
            "style.fitted",
            subject=("style", style.id),
            slug=style.slug,
            revision=style.revision,
            model=model.slug,
            model_revision=model.revision,
        )


def _retire(style: Style) -> None:
    seen = State(style.state)
    if seen is State.RETIRED:
        raise TooLate(_("This style has retired already."))
    advance(Style.objects.filter(id=style.id), MOVES, Move.RETIRE, seen=seen)
    record("style.retired", subject=("style", style.id), slug=style.slug, revision=style.revision)


def _revisions(slug: str) -> list[VideoModel]:
    """Of a model: those that are offered or may still be, the newest last."""
    known = VideoModel.objects.filter(slug=slug).exclude(state=VideoModel.State.RETIRED)
    models = list(known.order_by("made_at", "id"))
    if not models:
        raise InvalidOrder(
            "model_unknown",
            _("There is no model of this name: %(slug)s.") % {"slug": slug},
            field="model",
        )
    return models


def _newest(slug: str, revision: int | None = None) -> Style:
    known = Style.objects.filter(slug=slug)
    if revision is not None:
        known = known.filter(revision=revision)
    style = known.select_for_update(no_key=True).order_by("-revision").first()
    if style is None:
        raise InvalidOrder(
            "style_unknown",
            _("There is no style of this name: %(slug)s.") % {"slug": slug},
            field="styles",
        )
    return style
