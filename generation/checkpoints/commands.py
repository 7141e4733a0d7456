"""A checkpoint becomes a model: inspected and added, checked by rendering, then offered."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from core.audit.commands import record
from core.errors import InvalidOrder, TooLate
from generation.catalogue.commands import Introduction, insert_model, retire_offered
from generation.catalogue.models import VideoModel
from generation.catalogue.queries import checkpoint_folder, frame_rule_of
from generation.catalogue.rules import Offered, must_hold_in
from generation.checkpoints.models import ModelCheck, ModelTier
from generation.checkpoints.rules import Licence, fits, usual_prices
from generation.engines.limits import Capabilities
from generation.engines.local.checkpoint import file_hashes
from generation.engines.local.diffusers_engine import DiffusersEngine
from generation.engines.local.inspecting import USUAL_STEPS
from generation.engines.local.measuring import keep_measured, measure, unmeasured_tiers
from generation.engines.local.tiers import LOSSLESS
from generation.engines.order import Order, OrderRefused
from generation.engines.protocol import (
    Engine,
    EngineFailure,
    FailureCode,
    Inspection,
    Sound,
    Stage,
    Stopped,
    Watch,
)
from generation.engines.registry import engine

log = logging.getLogger("greenroom.catalogue")

PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")
CHECK_SEED = 1
CHECK_PROMPT = "a small boat on a calm sea"
CHECK_LASTS_AT_MOST_S = 3600
MEASURED_SIZES = ((640, 360), (256, 256), (128, 128), (64, 64))
MEASURED_PROMPTS = (
    CHECK_PROMPT,
    "a woman in a red coat walks along a wet street at night",
    "close-up of hands kneading dough on a wooden table",
    "waves break on black rocks, seen from above",
    "a train passes a field of yellow flowers",
    "smoke rises from a cup of tea in morning light",
    "a dog shakes water from its fur in slow motion",
    "a city skyline at dusk while lights come on",
)


@dataclass(frozen=True, slots=True)
class NewModel:
    """What an operator says of a checkpoint. Empty ``prices``: the usual table."""

    folder: Path
    slug: str
    name: str
    revision: str
    licence: Licence
    rate: Fraction
    source: str
    engine: str = "diffusers"
    longest: Fraction | None = None
    prices: tuple[Offered, ...] = ()
    order: int = 100


def add_model(
    new: NewModel,
    *,
    reader: Engine | None = None,
    state: VideoModel.State = VideoModel.State.ADDED,
) -> VideoModel:
    """Inspect a checkpoint, copy it below the models folder and keep what it is. Not offered yet.

    Adding the same revision again with the same files changes nothing. Raises ``EngineFailure``
    for files that are missing, damaged, foreign or pickled, ``InvalidOrder`` for facts that do not
    go together, ``TooLate`` where that revision is known with other files. ``reader`` is an engine
    to inspect with, where its packages may be still to come, and ``state`` another one to begin in:
    both are for the model that comes along.
    """
    runner = reader or engine(new.engine)
    must_hold_in(settings.TERRITORY, new.licence.name, new.licence.excluded)
    _refuse_pickles(new.folder)
    able, found = runner.capabilities(new.folder), runner.inspect(new.folder)
    known = VideoModel.objects.filter(slug=new.slug, revision=new.revision).first()
    if known is not None:
        return _the_same(known, found)
    _refuse_unmeasured(found)
    introduced = _introduced(new, able, found)
    with _copied(new.folder, introduced.checkpoint, found.weights), transaction.atomic():
        model = insert_model(introduced, able, state)
        ModelTier.objects.bulk_create(
            [
                ModelTier(
                    model=model,
                    tier=tier,
                    levers=facts.levers | {"steps": facts.steps},
                    is_lossy=facts.is_lossy,
                    measured=facts.measured,
                )
                for tier, facts in found.tiers.items()
            ]
        )
        record("model.added", subject=("model", model.id), slug=new.slug, revision=new.revision)
    return model


def check_model(*, model: VideoModel) -> ModelCheck:
    """Load it here and render its shortest, smallest clip; what came of it is kept, either way.

    Takes as long as the model takes. Raises ``EngineNotInstalled`` without its engine.
    """
    runner = engine(model.engine)
    with closing(runner):
        tried = _tried(model, runner)
    with transaction.atomic():
        check = ModelCheck.objects.create(model=model, **tried)
        record(
            "model.checked",
            subject=("model", model.id),
            has_passed=check.has_passed,
            code=check.code,
        )
    return check


def measure_tiers(*, folder: Path, engine_name: str, rate: Fraction, clips: int) -> dict[str, Any]:
    """Render ``clips`` orders with each lossy tier that nobody measured, and with the lossless one;
    what came of it goes into the checkpoint's ``greenroom.json``. By tier, as it stands there.

    Before ``add_model``: a revision that was added never changes, and a worker renders with no
    other files. Raises ``TooLate`` for the folder of one, ``EngineFailure``.
    """
    _must_not_be_added(folder)
    tiers = unmeasured_tiers(folder)
    runner = _measuring_engine(engine_name)
    found: dict[str, Any] = {}
    with closing(runner):
        able = runner.capabilities(folder)
        runner.load(folder)
        orders = [_sample(folder, able, rate, number) for number in range(clips)]
        for tier in tiers:
            measured = measure(runner, orders, tier=tier, watch=_Impatient())
            keep_measured(folder, tier, measured)
            found[tier] = asdict(measured)
    return found


def offer_added(*, slug: str, revision: str | None = None, beside: bool = False) -> VideoModel:
    """From now on testers may order from this revision; what was offered before retires, or stays
    offered ``beside`` it, to choose from.

    Raises ``InvalidOrder`` for an unknown one, ``TooLate`` for one that was never checked, whose
    last check failed, or that retired.
    """
    with transaction.atomic():
        model = _found(slug, revision)
        if model.state == VideoModel.State.OFFERED:
            return model
        if model.state == VideoModel.State.RETIRED:
            raise TooLate(_("This revision has retired. Add it again under another revision."))
        must_hold_in(settings.TERRITORY, model.licence, model.territories_excluded)
        last = ModelCheck.objects.filter(model=model).order_by("-at", "-id").first()
        if last is None or not last.has_passed:
            raise TooLate(_("Check it first: manage.py model check %(slug)s") % {"slug": slug})
        if not beside:
            retire_offered(slug)
        VideoModel.objects.filter(id=model.id, state=VideoModel.State.ADDED).update(
            state=VideoModel.State.OFFERED
        )
        record("model.offered", subject=("model", model.id), slug=slug, revision=model.revision)
    model.refresh_from_db()
    return model


def retire_model(*, slug: str, revision: str | None = None) -> list[VideoModel]:
    """No new orders for this revision, or for any that is offered; what was ordered is rendered.

    Raises ``InvalidOrder`` where none is offered.
    """
    offered = VideoModel.objects.filter(slug=slug, state=VideoModel.State.OFFERED)
    if revision is not None:
        offered = offered.filter(revision=revision)
    with transaction.atomic():
        models = list(offered.select_for_update(no_key=True).order_by("made_at", "id"))
        if not models:
            raise _unknown(slug)
        offered.update(state=VideoModel.State.RETIRED)
        for model in models:
            record("model.retired", subject=("model", model.id), slug=slug, revision=model.revision)
            model.refresh_from_db()
    return models


def _must_not_be_added(folder: Path) -> None:
    """What is measured is written down in the folder, and its hashes are other ones after that."""
    here = folder.resolve()
    for model in VideoModel.objects.exclude(checkpoint="").order_by("slug", "made_at", "id"):
        kept = checkpoint_folder(model.checkpoint)
        if kept is not None and kept.resolve() in (here, *here.parents):
            raise TooLate(
                _(
                    "These are the files of %(slug)s %(revision)s, which was added and never"
                    " changes. Measure a copy of them, and add that under another revision."
                )
                % {"slug": model.slug, "revision": model.revision}
            )


def _the_same(known: VideoModel, found: Inspection) -> VideoModel:
    if known.weights != found.weights:
        raise TooLate(
            _("Revision %(revision)s of %(slug)s is known with other files. Name another revision.")
            % {"revision": known.revision, "slug": known.slug}
        )
    return known


def _refuse_pickles(folder: Path) -> None:
    """A pickle runs code when it is loaded, so none comes near, used or not."""
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in PICKLES:
            raise EngineFailure(FailureCode.CHECKPOINT_FOREIGN, f"{path.name} is a pickle")
        if path.is_symlink() and not path.exists():
            raise EngineFailure(FailureCode.CHECKPOINT_DAMAGED, f"{path.name} points nowhere")


def _refuse_unmeasured(found: Inspection) -> None:
    for tier, facts in found.tiers.items():
        if facts.is_lossy and not {"ssim", "psnr_db"} <= set(facts.measured):
            raise InvalidOrder(
                "lever_unmeasured",
                _(
                    "Tier “%(tier)s” changes the picture, and its checkpoint does not say by how"
                    " much. Measure it first."
                )
                % {"tier": tier},
                field="tier",
            )


def _introduced(new: NewModel, able: Capabilities, found: Inspection) -> Introduction:
    steps = {tier: facts.steps for tier, facts in found.tiers.items()}
    prices = new.prices or usual_prices(able, steps)
    if not prices:
        raise InvalidOrder(
            "prices_missing",
            _("This model makes none of the usual sizes. Give a price for each size."),
            field="prices",
        )
    unknown = sorted({line.tier for line in prices} - set(steps))
    if unknown:
        raise InvalidOrder(
            "tier_not_offered",
            _("This checkpoint has no tier “%(tier)s”.") % {"tier": unknown[0]},
            field="prices",
            offered=sorted(steps),
        )
    if not able.slowest_rate <= new.rate <= able.fastest_rate:
        raise OrderRefused(
            "rate_out_of_range",
            "rate",
            asked=str(new.rate),
            minimum=str(able.slowest_rate),
            maximum=str(able.fastest_rate),
        )
    return Introduction(
        slug=new.slug,
        revision=new.revision,
        name=new.name,
        engine=new.engine,
        licence=new.licence.name,
        licence_address=new.licence.address,
        territories_excluded=new.licence.excluded,
        provenance_duty=new.licence.provenance_duty,
        rate=new.rate,
        longest=new.longest or able.longest_s,
        prices=prices,
        checkpoint=f"{new.slug}/{new.revision}",
        source=new.source,
        family=found.family,
        weights=found.weights,
        words=found.words,
        examples=found.examples,
        order=new.order,
    )


@contextmanager
def _copied(source: Path, name: str, weights: dict[str, str]) -> Iterator[None]:
    """The folder stands below the models folder, whole, or nothing was left there.

    Hard links where the file system allows, since weights are large; a file that is changed in
    place afterwards has another hash, and a worker then refuses it. The same files may be there
    already, of an earlier database.
    """
    target = Path(settings.MODELS_FOLDER) / name
    if target.exists():
        if target.resolve() != source.resolve() and file_hashes(target) != weights:
            raise InvalidOrder(
                "checkpoint_there_already",
                _("Something else lies in %(folder)s of the models folder.") % {"folder": name},
                field="revision",
            )
        yield
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=".adding-", dir=target.parent))
    try:
        shutil.copytree(source, partial, copy_function=_linked, dirs_exist_ok=True)
        partial.chmod(0o755)
        partial.rename(target)
        partial = target
        yield
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


def _linked(source: str, target: str) -> None:
    # A hub's cache holds symbolic links into a store of its own: the file behind them is meant.
    real = os.path.realpath(source)
    try:
        os.link(real, target)
    except OSError:
        shutil.copy2(real, target)


def _found(slug: str, revision: str | None) -> VideoModel:
    known = VideoModel.objects.filter(slug=slug).select_for_update(no_key=True)
    if revision is not None:
        known = known.filter(revision=revision)
    else:
        known = known.exclude(state=VideoModel.State.RETIRED).order_by("-made_at", "-id")
    model = known.first()
    if model is None:
        raise _unknown(slug)
    return model


def _unknown(slug: str) -> InvalidOrder:
    return InvalidOrder(
        "model_unknown",
        _("There is no model of this name: %(slug)s.") % {"slug": slug},
        field="model",
    )


class _Impatient(Watch):
    def __init__(self) -> None:
        self._until = time.monotonic() + CHECK_LASTS_AT_MOST_S

    def tick(self, stage: Stage, step: int, steps: int) -> None:
        if time.monotonic() > self._until:
            raise Stopped("time_limit")


def _tried(model: VideoModel, runner: Engine) -> dict[str, object]:
    began = time.monotonic()
    device, load_ms = "", 0
    try:
        runner.load(checkpoint_folder(model.checkpoint))
        load_ms = _ms(began)
        described = runner.describe()
        device = str(described.get("device", ""))[:64]
        if model.weights and described.get("weights") != model.weights:
            raise EngineFailure(FailureCode.CHECKPOINT_DAMAGED, "other files than were added")
        began = time.monotonic()
        order = _short_order(model)
        frames = sum(not isinstance(f, Sound) for f in runner.render(order, _Impatient()))
    except (EngineFailure, OrderRefused) as failure:
        log.exception("model_check_failed", extra={"model": model.slug})
        code = failure.code.value if isinstance(failure, EngineFailure) else failure.code
        return {"device": device, "has_passed": False, "code": code, "load_ms": load_ms}
    except Stopped:
        return {"device": device, "has_passed": False, "code": "time_limit", "load_ms": load_ms}
    if frames != order.frames:
        return {"device": device, "has_passed": False, "code": "frames_missing", "load_ms": load_ms}
    size = [order.width, order.height]
    return {
        "device": device,
        "has_passed": True,
        "load_ms": load_ms,
        "clip_ms": _ms(began),
        "facts": {"frames": frames, "size": size, "tier": order.tier, "steps": order.steps},
    }


def _measuring_engine(name: str) -> Engine:
    runner = engine(name)
    if not isinstance(runner, DiffusersEngine):
        raise InvalidOrder(
            "nothing_to_measure", _("This engine has no tiers to measure."), field="engine"
        )
    return DiffusersEngine(unmeasured=True)


def _sample(folder: Path, able: Capabilities, rate: Fraction, number: int) -> Order:
    """About a second at the largest usual size it makes up to 640 × 360, or its smallest."""
    side = max(able.sizes.least_side, able.sizes.multiple)
    fitting = [size for size in MEASURED_SIZES if fits(able, *size)]
    width, height = able.sizes.native or (fitting[0] if fitting else (side, side))
    return Order(
        prompt=MEASURED_PROMPTS[number % len(MEASURED_PROMPTS)],
        seed=number,
        frames=able.frames_for(min(Fraction(1), able.longest_s), rate),
        rate=rate,
        width=width,
        height=height,
        steps=min(USUAL_STEPS[LOSSLESS], able.most_steps),
        tier=LOSSLESS,
        checkpoint=folder,
    )


def _short_order(model: VideoModel) -> Order:
    row = min(model.prices.all(), key=lambda one: (one.width * one.height, one.steps))
    return Order(
        prompt=CHECK_PROMPT,
        seed=CHECK_SEED,
        frames=frame_rule_of(model).minimum,
        rate=model.rate,
        width=row.width,
        height=row.height,
        steps=row.steps,
        tier=row.tier,
        checkpoint=checkpoint_folder(model.checkpoint),
    )


def _ms(since: float) -> int:
    return int((time.monotonic() - since) * 1000)
