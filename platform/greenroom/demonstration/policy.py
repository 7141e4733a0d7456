"""What the demonstration judges by, how fast it promises to be, and what it says it pays."""

from __future__ import annotations

from accounts.rates.rules import ActKind
from core.money import MICRO
from review.policies.commands import NewClause
from review.policies.rules import Ground

INTRODUCTION = (
    "A clip is declined only under one of these clauses. What is on this list is about people who "
    "could be harmed; what you say about the programme, its makers or its models is not on it."
)

CLAUSES = [
    NewClause(
        Ground.REAL_PERSON,
        "Nobody unasked",
        "A real person can be recognised, by face, voice or name, and did not agree to be shown.",
    ),
    NewClause(
        Ground.MINOR,
        "Children are safe",
        "A child is shown in danger or harmed, or in any way that is not a child's.",
    ),
    NewClause(Ground.SEXUAL, "Nothing sexual", "Sexual acts, or nakedness shown for arousal."),
    NewClause(
        Ground.VIOLENCE,
        "No relish in wounds",
        "Wounds, torture or killing shown for their own sake. A battle in a story is not meant.",
    ),
    NewClause(
        Ground.HATE,
        "No hatred",
        "People belittled or threatened for their origin, faith, body, sex or whom they love.",
    ),
    NewClause(
        Ground.PRIVATE_DETAIL,
        "No private details",
        "An address, a number plate, a telephone number or a document that belongs to somebody.",
    ),
    NewClause(
        Ground.OTHERS_WORK,
        "Not somebody else's work",
        "A figure, a mark or a picture that others own and did not lend. Style alone is not meant.",
    ),
    NewClause(
        Ground.DECEPTION,
        "Not passed off as real",
        "Made to pass for a real event that people might act on: news, a disaster, an election.",
    ),
    NewClause(Ground.UNLAWFUL, "Within the law", "What the law forbids to show or to share."),
    NewClause(
        Ground.BROKEN_FILE,
        "It plays",
        "The file does not play from its first frame to its last. Noise is a picture, too.",
    ),
]

DECIDE_WITHIN_HOURS = 48
APPEAL_WITHIN_HOURS = 120
CHARTER = (
    "Every case has its time when it is put forward. One that is late goes to the head of the "
    "desk, a programme manager is told, and the delay is counted on the public page of figures."
)

# In the demonstration's currency, which nobody can spend.
RATES = {
    ActKind.RELEASE: 25 * MICRO,
    ActKind.BUG_REPORT: 15 * MICRO,
    ActKind.FEEDBACK: 10 * MICRO,
    ActKind.RED_TEAM_FINDING: 60 * MICRO,
}
FUNDING = 5_000 * MICRO
