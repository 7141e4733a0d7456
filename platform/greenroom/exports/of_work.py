"""What somebody made, what became of it, and what they wrote about it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import Q

from accounts.credentials.queries import Actor
from core.audit.models import AuditEvent
from core.ids import shown
from generation.clips.models import Clip, Removal
from generation.clips.queries import allows_of, seen_by
from generation.clips.rules import opens
from generation.jobs.models import Job
from generation.jobs.queries import conditions_of, job_styles_of
from generation.references.models import Reference
from generation.references.rules import TYPES
from generation.renditions.models import Rendition
from greenroom.exports.documents import Row, each, id_of
from greenroom.portal.record import record_of
from review.contributions.models import Contribution
from review.credits.models import CreditLine
from review.decisions.models import Decision
from review.releases.models import Release
from review.submissions.models import Case, Submission

SUFFIXES = {"video/mp4": "mp4", "image/webp": "webp", "text/vtt": "vtt"}


def jobs(reader: Actor) -> Iterator[Row]:
    mine = Job.objects.filter(party_id=reader.party_id).select_related("model", "clip")
    for one in each(mine.order_by("queue_number")):
        clip = getattr(one, "clip", None)
        yield {
            "id": shown("job", one.id),
            "programme": shown("programme", one.programme_id),
            "prompt": one.prompt,
            "model": one.model.slug,
            "revision": one.model.revision,
            "tier": one.tier,
            "seed": one.seed,
            "width": one.width,
            "height": one.height,
            "frames": one.frames,
            "extends": shown("clip", one.extends_id) if one.extends_id else None,
            "steps": one.steps,
            "price_credits": one.price_credits,
            "state": one.state,
            "failure_code": one.failure_code,
            "conditions": [
                {
                    "reference": shown("reference", picture.reference_id),
                    "reference_frame": picture.still.frame,
                    "picture_sha256": picture.still.sha256,
                    "frame": picture.frame,
                    "strength": picture.strength,
                }
                for picture in conditions_of(one)
            ],
            "styles": [
                {
                    "style": used.style.slug,
                    "revision": used.style.revision,
                    "sha256": used.style.sha256,
                    "weight": used.weight,
                }
                for used in job_styles_of(one)
            ],
            "queued_at": one.queued_at,
            "finished_at": one.finished_at,
            "clip": id_of("clip", clip.id if clip else None),
        }


def references(reader: Actor) -> Iterator[Row]:
    """What they sent, those removed too; of these the files are gone, or go."""
    mine = Reference.objects.filter(party_id=reader.party_id).prefetch_related("stills")
    for one in each(mine.order_by("made_at", "id")):
        yield {
            "id": shown("reference", one.id),
            "programme": shown("programme", one.programme_id),
            "shape": one.shape,
            "name": one.name,
            "rights": one.rights,
            "rights_words": one.rights_words,
            "media_type": one.media_type,
            "bytes": one.bytes,
            "sha256": one.sha256,
            "frames": one.frames,
            "frame_rate": f"{one.rate_num}/{one.rate_den}" if one.rate_num else None,
            "made_at": one.made_at,
            "removed_at": one.removed_at,
            "removed_why": one.removed_why,
            "files": [] if one.cleared_at else [reference_file_name(one)],
            "stills": [
                {"frame": still.frame, "sha256": still.sha256}
                for still in sorted(one.stills.all(), key=lambda still: still.frame)
            ],
        }


def clips(reader: Actor) -> Iterator[Row]:
    """With recipe, who looked, and the record as the portal shows it."""
    mine = Clip.objects.filter(party_id=reader.party_id).select_related("party", "job")
    for one in each(mine.order_by("made_at", "id")):
        gone = Removal.objects.filter(clip=one, done_at__isnull=False).first()
        yield {
            "id": shown("clip", one.id),
            "programme": shown("programme", one.programme_id),
            "job": shown("job", one.job_id),
            "version": one.version,
            "prompt": one.prompt,
            "seed": one.seed,
            "width": one.width,
            "height": one.height,
            "frames": one.frames,
            "frame_rate": f"{one.rate_num}/{one.rate_den}",
            "made_at": one.made_at,
            "master_sha256": one.master_sha256,
            "bytes": one.bytes,
            "recipe": one.recipe,
            "extends": shown("clip", one.job.extends_id) if one.job.extends_id else None,
            "files_removed_at": gone.done_at if gone else None,
            "files_before_approval": allows_of(one),
            "files": [] if gone else [file_name(file) for file in files_of(one)],
            "seen_by": _looks(one),
            "record": record_of(one, reader),
        }


def openings(reader: Actor) -> Iterator[Row]:
    """Every time somebody else opened a file of theirs: as what and why, never who."""
    mine = Clip.objects.filter(party_id=reader.party_id, renditions__openings__isnull=False)
    for one in each(mine.distinct().order_by("made_at", "id")):
        for look in _looks(one):
            yield {"clip": shown("clip", one.id), **look}


def submissions(reader: Actor) -> Iterator[Row]:
    """What was put forward, and every decision on it with clause, reason, remedy and appeal."""
    for one in each(
        Submission.objects.filter(owner_id=reader.party_id)
        .select_related("policy", "charter")
        .order_by("sealed_at", "id")
    ):
        cases = Case.objects.filter(submission=one).select_related("decision__clause", "appeal")
        yield {
            "id": shown("submission", one.id),
            "programme": shown("programme", one.programme_id),
            "clip": shown("clip", one.clip_id),
            "note": one.note,
            "master_sha256": one.master_sha256,
            "policy": one.policy.number,
            "charter": one.charter.number,
            "sealed_at": one.sealed_at,
            "cases": [_case(case) for case in cases.order_by("round")],
        }


def releases(reader: Actor) -> Iterator[Row]:
    mine = Release.objects.filter(owner_id=reader.party_id).prefetch_related("links")
    for one in each(mine.order_by("released_at", "id")):
        yield {
            "id": shown("release", one.id),
            "programme": shown("programme", one.programme_id),
            "clip": shown("clip", one.clip_id),
            "title": one.title,
            "shows_prompt": one.shows_prompt,
            "is_listed": one.is_listed,
            "released_at": one.released_at,
            "ended_at": one.ended_at,
            "links": [
                {"name": link.name, "made_at": link.made_at, "revoked_at": link.revoked_at}
                for link in one.links.all()
            ],
        }


def credit_lines(reader: Actor) -> Iterator[Row]:
    """Where this person is named, and what they asked of others on clips of theirs. Who those are
    is theirs to say: they stand here without a name and without an id."""
    lines = CreditLine.objects.filter(
        Q(party_id=reader.party_id) | Q(clip__party_id=reader.party_id)
    )
    for one in each(lines.order_by("made_at", "id")):
        is_mine = one.party_id == reader.party_id
        yield {
            "id": shown("credit_line", one.id),
            "programme": shown("programme", one.programme_id),
            "clip": shown("clip", one.clip_id),
            "who": "you" if is_mine else "somebody else",
            "role": one.role,
            "display_form": one.display_form if is_mine else None,
            "state": one.state,
            "made_at": one.made_at,
            "answered_at": one.answered_at,
        }


def contributions(reader: Actor) -> Iterator[Row]:
    mine = Contribution.objects.filter(party_id=reader.party_id)
    for one in each(mine.order_by("filed_at", "id")):
        yield {
            "id": shown("contribution", one.id),
            "programme": shown("programme", one.programme_id),
            "kind": one.kind,
            "clip": id_of("clip", one.clip_id),
            "frame_from": one.frame_from,
            "frame_to": one.frame_to,
            "title": one.title,
            "words": one.words,
            "state": one.state,
            "filed_at": one.filed_at,
            "answered_at": one.triaged_at,
            "decline_reason": one.decline_reason,
            "answer": one.answer,
        }


def decided(reader: Actor) -> Iterator[Row]:
    """What this person decided on the work of others: their own words, and nothing of the work."""
    mine = Decision.objects.filter(reviewer_id=reader.party_id).select_related("clause")
    for one in each(mine.order_by("decided_at", "id")):
        yield {**_decision(one), "programme": shown("programme", one.programme_id)}


def answered(reader: Actor) -> Iterator[Row]:
    """What this person answered to the contributions of others."""
    mine = Contribution.objects.filter(triaged_by_id=reader.party_id)
    for one in each(mine.order_by("triaged_at", "id")):
        yield {
            "contribution": shown("contribution", one.id),
            "programme": shown("programme", one.programme_id),
            "outcome": one.state,
            "decline_reason": one.decline_reason,
            "answer": one.answer,
            "at": one.triaged_at,
        }


def deeds(reader: Actor) -> Iterator[Row]:
    """Every line of the audit that says this person did something: what, to which thing, when."""
    mine = AuditEvent.objects.filter(actor_party_id=reader.party_id)
    for one in each(mine.order_by("at", "id")):
        yield {
            "kind": one.kind,
            "subject": id_of(one.subject_kind, one.subject_id),
            "at": one.at,
        }


def files_of(clip: Clip) -> list[Rendition]:
    """The files of a clip that its owner gets: the master, and what was made of it."""
    allows = allows_of(clip)
    files = Rendition.objects.filter(clip=clip).order_by("kind")
    return [one for one in files if opens(one.kind, allows)]


def reference_file_name(reference: Reference) -> str:
    return f"files/{shown('reference', reference.id)}.{TYPES[reference.media_type]}"


def file_name(rendition: Rendition) -> str:
    suffix = SUFFIXES.get(rendition.media_type, "bin")
    name = shown("clip", rendition.clip_id)
    if rendition.kind != Rendition.Kind.MASTER:
        name = f"{name}-{rendition.kind}"
    return f"files/{name}.{suffix}"


def _looks(clip: Clip) -> list[Row]:
    return [{"role": look.role, "why": look.why, "at": look.at} for look in seen_by(clip)]


def _case(case: Case) -> Row:
    decision, appeal = getattr(case, "decision", None), getattr(case, "appeal", None)
    return {
        "id": shown("case", case.id),
        "kind": case.kind,
        "state": case.state,
        "opened_at": case.opened_at,
        "due_at": case.due_at,
        "closed_at": case.closed_at,
        "appeal": {"text": appeal.text, "filed_at": appeal.filed_at} if appeal else None,
        "decision": _decision(decision) if decision else None,
    }


def _decision(decision: Decision) -> Row:
    clause: Any = decision.clause
    return {
        "id": shown("decision", decision.id),
        "outcome": decision.outcome,
        "clause": {"number": clause.number, "title": clause.title, "words": clause.words}
        if clause
        else None,
        "reason": decision.reason,
        "remedy": decision.remedy,
        "reversal": decision.reversal,
        "evidence": [
            {"frames": [spot.frame_from, spot.frame_to]}
            if spot.frame_from is not None
            else {"prompt": [spot.prompt_from, spot.prompt_to]}
            for spot in decision.evidence.all()
        ],
        "decided_at": decision.decided_at,
    }
