"""The page that opens an archive: one file without a script, readable without a network."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.agreements.models import Acceptance
from accounts.consents.models import ConsentAct
from accounts.consents.rules import Purpose
from accounts.credentials.queries import Actor
from accounts.exports.models import Export
from accounts.people.models import Person
from generation.clips.words import FILES, file_words, role_words, why_words
from generation.references.rules import Rights
from greenroom.exports import of_accounts, of_money, of_work
from greenroom.exports.contents import CONTENTS
from greenroom.exports.documents import Row
from review.contributions.rules import DeclineReason, State
from review.decisions.rules import Outcome
from review.decisions.words import Spot, spot_words

# Below each part of the page, the documents that hold all of it.
LINKS = {
    "you": [
        "data/profile.json",
        "data/memberships.json",
        "data/agreements.json",
        "data/consents.json",
    ],
    "clips": ["data/clips.json", "data/jobs.json", "data/references.json", "data/openings.json"],
    "reviews": ["data/submissions.json", "data/releases.json", "data/credit_lines.json"],
    "money": ["data/statements.json", "data/statements.csv", "data/payouts.json"],
    "contributions": ["data/contributions.json"],
    "conversations": ["data/conversations.json"],
    "decided": ["data/decided.json", "data/answered.json"],
    "more": ["data/statements.csv", "README.txt"],
}
# What the page itself shows of each kind; the documents hold everything.
SHOWN = 500
_OUTCOMES = {
    Outcome.APPROVED: gettext_lazy("Approved"),
    Outcome.DECLINED: gettext_lazy("Declined"),
    Outcome.CHANGES_REQUESTED: gettext_lazy("Changes asked for"),
}


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Listed:
    """A document with how many things are in it."""

    path: str
    words: Any
    count: int


def index_page(reader: Actor, export: Export, counts: dict[str, int], missing: set[str]) -> str:
    context = {
        "person": Person.objects.select_related("detail").filter(party_id=reader.party_id).first(),
        "asked_at": export.asked_at,
        "documents": [
            Listed(f"data/{document.name}", document.words, counts[document.name])
            for document in CONTENTS
            if counts[document.name]
        ],
        "memberships": list(of_accounts.memberships(reader)),
        "clips": [_clip(row, missing) for row in _some(of_work.clips(reader))],
        "references": [_reference(row, missing) for row in _some(of_work.references(reader))],
        "agreements": list(_agreements(reader)),
        "consents": list(_consents(reader)),
        "reviews": list(_reviews(reader)),
        "lines": list(_some(of_money.statements(reader))),
        "contributions": [_contribution(row) for row in _some(of_work.contributions(reader))],
        "decided": [_decision(row) for row in _some(of_work.decided(reader))],
        "answered": [_contribution(row, "outcome") for row in _some(of_work.answered(reader))],
        "conversations": list(_some(of_accounts.conversations(reader))),
        "links": LINKS,
        "most": SHOWN,
        "missing": sorted(missing),
    }
    return render_to_string("exports/archive.html", context)


def read_me(export: Export) -> str:
    lines = [
        _("Everything that Greenroom keeps about you, as of %(at)s (UTC).")
        % {"at": f"{export.asked_at:%Y-%m-%d %H:%M}"},
        "",
        _("index.html opens in any browser, without a network."),
        _("data/ holds the same and more for programs: JSON, and statements as CSV too."),
        _("files/ holds your clips as they were made, with a light copy and pictures of each,"),
        _("and your references as you sent them."),
        "",
        _("Amounts are whole numbers of micro-units, a millionth of the currency's unit."),
        _("Times are in UTC. Other people stand here by their role alone."),
        _("Each receipt in data/agreements.json is signed; it verifies without us."),
        "",
        *(f"data/{document.name}: {document.words}" for document in CONTENTS),
    ]
    return "\r\n".join(lines) + "\r\n"


def _clip(row: Row, missing: set[str]) -> Row:
    there = [name for name in row["files"] if name not in missing]
    master = f"files/{row['id']}.mp4"
    made = {name.rpartition("-")[2].partition(".")[0]: name for name in there if name != master}
    looks = [
        {**look, "role_words": role_words(look["role"]), "why_words": why_words(look["why"])}
        for look in row["seen_by"]
    ]
    return {
        **row,
        "poster": made.get("poster", ""),
        "master": master if master in there else "",
        "made_of_it": [(made[kind], file_words(kind)) for kind in FILES if kind in made],
        "recipe_text": json.dumps(row["recipe"], ensure_ascii=False, indent=1),
        "seen_by": looks,
    }


def _reference(row: Row, missing: set[str]) -> Row:
    there = [name for name in row["files"] if name not in missing]
    return {
        **row,
        "file": there[0] if there else "",
        "rights_label": Rights(row["rights"]).label,
    }


def _agreements(reader: Actor) -> Iterator[Row]:
    """What they answered; the receipts are for programs and stand in their document."""
    mine = Acceptance.objects.filter(party_id=reader.party_id)
    for one in _some(mine.select_related("version__programme").order_by("at", "id")):
        yield {
            "programme": one.version.programme.name,
            "number": one.version.number,
            "is_yes": one.act == Acceptance.Act.ACCEPTED,
            "at": one.at,
        }


def _consents(reader: Actor) -> Iterator[Row]:
    for row in _some(of_accounts.consents(reader)):
        yield {
            **row,
            "purpose_words": Purpose(row["purpose"]).label,
            "is_yes": row["deed"] == ConsentAct.Deed.GRANTED,
        }


def _reviews(reader: Actor) -> Iterator[Row]:
    """Decisions, each with what it was about."""
    for row in _some(of_work.submissions(reader)):
        for case in row["cases"]:
            decision = case["decision"]
            yield {
                **case,
                "decision": _decision(decision) if decision else None,
                "clip": row["clip"],
                "note": row["note"],
                "at": _moment(case),
            }


def _decision(row: Row) -> Row:
    return {
        **row,
        "outcome_words": _OUTCOMES[row["outcome"]],
        "where": "; ".join(_spot(spot) for spot in row["evidence"]),
    }


def _spot(spot: Row) -> str:
    """Frames as pages say them; of a prompt, which signs: a reviewer takes no prompt along."""
    if "frames" in spot:
        return spot_words(Spot(frames=tuple(spot["frames"])), "")
    start, end = spot["prompt"]
    return _("signs %(first)s–%(last)s of the prompt") % {"first": start + 1, "last": end}


def _contribution(row: Row, state: str = "state") -> Row:
    """With its answer in words; ``state`` names what says how it was answered."""
    reason = row["decline_reason"]
    words = {
        State.ACCEPTED: _("Accepted"),
        State.DECLINED: _("Declined: %(reason)s")
        % {"reason": DeclineReason(reason).label if reason in DeclineReason.values else reason},
    }
    return {**row, "outcome_words": words.get(row[state], _("Waits for an answer"))}


def _moment(case: Row) -> datetime:
    moment: datetime = case["closed_at"] or case["opened_at"]
    return moment


def _some(rows: Iterable[T]) -> Iterator[T]:
    return islice(rows, SHOWN)
