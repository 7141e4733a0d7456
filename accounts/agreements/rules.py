"""Which version governs somebody, and what changed between two texts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise

EQUAL, INSERT, DELETE = "equal", "insert", "delete"
Piece = tuple[str, str]
Block = tuple[list[str], list[str]]

# A paragraph has the empty lines after it; a word has the spaces after it, but no new line. Nothing
# gets lost.
_PARAGRAPH = re.compile(r"\n\s*\n")
_WORD = re.compile(r"\w+[^\S\n]*|[^\w\s][^\S\n]*|\s+")
# How many steps all matching for one difference may take. What would take more is shown as taken
# out and put in whole: still true, and never slow.
MOST_STEPS = 2_000_000


@dataclass(frozen=True, slots=True)
class Answer:
    """Somebody's last word on one version."""

    number: int
    is_yes: bool


def governs(*, overdue: int, answer: Answer | None) -> bool:
    """Whether new work may rest on this answer: the last one on the newest version answered.

    ``overdue`` is the newest version whose day for an answer has passed, 0 where none has. A yes
    governs until another answer is given, or until such a day of a later version has passed; a
    still newer version without a day does not bring it back. A no holds for every version until
    there is a later word.
    """
    return answer is not None and answer.is_yes and answer.number >= overdue


def word_diff(before: str, after: str) -> list[Piece]:
    """Pieces in reading order, each ``equal``, ``insert`` or ``delete``.

    Equal and deleted ones together are exactly ``before``; equal and inserted ones ``after``.
    """
    left = MOST_STEPS
    found: list[Piece] = []
    blocks, steps = _blocks(_paragraphs(before), _paragraphs(after), left)
    left -= steps
    for was, now in _by_place(blocks):
        if was == now:
            found.append((EQUAL, "".join(was)))
            continue
        old, new = _WORD.findall("".join(was)), _WORD.findall("".join(now))
        inner, steps = _blocks(old, new, left)
        left -= steps
        for some, others in inner:
            if some == others:
                found.append((EQUAL, "".join(some)))
            else:
                found += [(DELETE, "".join(some)), (INSERT, "".join(others))]
    return list(_joined(found))


def matching_steps(before: list[str], after: list[str]) -> int:
    """The most steps that matching can take, counted before it is begun.

    Each search goes through all of ``before`` and every pair of equal tokens, and every block
    found, of which there are at most as many as tokens that have a partner, asks for two more.
    """
    there, here = Counter(before), Counter(after)
    both = there.keys() & here.keys()
    pairs = sum(there[token] * here[token] for token in both)
    blocks = sum(min(there[token], here[token]) for token in both)
    return (len(before) + pairs) * (2 * blocks + 1)


def _blocks(before: list[str], after: list[str], most: int) -> tuple[list[Block], int]:
    """Runs that are the same on both sides, and between them what stands for what; and the steps
    it took at most."""
    begin = _common(before, after)
    end = _common(before[begin:][::-1], after[begin:][::-1])
    old, new = before[begin : len(before) - end], after[begin : len(after) - end]
    between: list[Block] = [(old, new)]
    steps = matching_steps(old, new)
    if steps > most or set(old).isdisjoint(new):
        steps = 0
    else:
        matcher = SequenceMatcher(None, old, new, autojunk=False)
        between = [(old[i:j], new[k:m]) for _tag, i, j, k, m in matcher.get_opcodes()]
    head, tail = before[:begin], before[len(before) - end :]
    return [(head, head), *between, (tail, tail)], steps


def _common(some: list[str], others: list[str]) -> int:
    """How many tokens at the beginning are the same."""
    pairs = enumerate(zip(some, others, strict=False))
    return next((n for n, (one, other) in pairs if one != other), min(len(some), len(others)))


def _by_place(blocks: list[Block]) -> Iterator[Block]:
    """As many paragraphs for as many: each stands for the one in its place."""
    for was, now in blocks:
        if was != now and len(was) == len(now):
            yield from (([one], [other]) for one, other in zip(was, now, strict=True))
        else:
            yield was, now


def _paragraphs(text: str) -> list[str]:
    ends = [0, *(found.end() for found in _PARAGRAPH.finditer(text)), len(text)]
    return [text[begin:end] for begin, end in pairwise(ends) if begin < end]


def _joined(pieces: list[Piece]) -> Iterator[Piece]:
    """Without empty ones, and with neighbours of one kind as one."""
    kind, text = EQUAL, ""
    for next_kind, next_text in pieces:
        if not next_text:
            continue
        if next_kind == kind:
            text += next_text
            continue
        if text:
            yield kind, text
        kind, text = next_kind, next_text
    if text:
        yield kind, text
