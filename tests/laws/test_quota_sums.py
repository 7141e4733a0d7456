"""Reserved + spent + left = limit, in every budget of the tree, whatever happens in which order."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import pytest
from django.db import transaction
from hypothesis import settings
from hypothesis import strategies as some
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from accounts.people.models import Party
from accounts.programmes.commands import ParticularsWish, make_programme
from accounts.quotas.commands import (
    Hold,
    grant_budget,
    raise_budget,
    reserve,
    settle_reservation,
)
from accounts.quotas.models import Budget, Kind, Reservation
from accounts.quotas.queries import discrepancies, quota_of
from core.errors import InvalidOrder, QuotaExceeded
from core.ids import new_id

Place = tuple[UUID | None, UUID | None]
amounts = some.integers(1, 40)
limits = some.integers(0, 120)
PARTIES = 2
LINEAGES = 2  # the second has no budget of its own


@dataclass
class Sums:
    """What a budget should say, kept by the simplest code that can."""

    limit: int
    reserved: int = 0
    spent: int = 0

    @property
    def left(self) -> int:
        return self.limit - self.reserved - self.spent


class Quota(RuleBasedStateMachine):
    """One programme with two parties, a lineage with a budget of its own below each."""

    def __init__(self) -> None:
        super().__init__()
        self.undo = transaction.savepoint()
        self.programme = make_programme(slug=f"p-{new_id()}", wish=ParticularsWish("Sums")).id
        self.parties = [Party.objects.create(kind="person").id for _ in range(PARTIES)]
        self.lineages = [[new_id() for _ in range(LINEAGES)] for _ in range(PARTIES)]
        self.expected: dict[Place, Sums] = {}
        self.held: dict[UUID, tuple[list[Place], int]] = {}
        for place in self._places():
            self._grant(place, 100)

    def teardown(self) -> None:
        transaction.savepoint_rollback(self.undo)

    def _places(self) -> list[Place]:
        parties: list[Place] = [(party, None) for party in self.parties]
        leaves: list[Place] = [
            (party, own[0]) for party, own in zip(self.parties, self.lineages, strict=True)
        ]
        return [(None, None), *parties, *leaves]

    def _grant(self, place: Place, limit: int) -> None:
        party, lineage = place
        grant_budget(
            programme_id=self.programme,
            kind=Kind.CREDITS,
            limit=limit,
            party_id=party,
            lineage_id=lineage,
        )
        self.expected.setdefault(place, Sums(limit)).limit = limit

    def _path(self, party: int, lineage: int) -> list[Place]:
        leaf: Place = (self.parties[party], self.lineages[party][lineage])
        path: list[Place] = [leaf] if leaf in self.expected else []
        return [*path, (self.parties[party], None), (None, None)]

    @rule(
        party=some.integers(0, PARTIES - 1), lineage=some.integers(0, LINEAGES - 1), amount=amounts
    )
    def reserve(self, party: int, lineage: int, amount: int) -> None:
        work, path = new_id(), self._path(party, lineage)
        fits = all(self.expected[place].left >= amount for place in path)
        try:
            reserve(
                work_id=work,
                programme_id=self.programme,
                party_id=self.parties[party],
                lineage_id=self.lineages[party][lineage],
                holds=[Hold(new_id(), Kind.CREDITS, amount)],
            )
        except QuotaExceeded as refused:
            assert not fits
            assert refused.facts["left"] < amount == refused.facts["asked"]  # noqa: PT017
            return
        assert fits
        self.held[work] = (path, amount)
        for place in path:
            self.expected[place].reserved += amount

    @precondition(lambda self: self.held)
    @rule(pick=some.integers(0), part=some.fractions(0, 1))
    def settle(self, pick: int, part: float) -> None:
        work = sorted(self.held)[pick % len(self.held)]
        path, amount = self.held.pop(work)
        charge = int(amount * part)
        assert settle_reservation(work_id=work, kind=Kind.CREDITS, charge=charge)
        assert not settle_reservation(work_id=work, kind=Kind.CREDITS, charge=charge)
        for place in path:
            self.expected[place].reserved -= amount
            self.expected[place].spent += charge

    @rule(pick=some.integers(0), limit=limits)
    def change_limit(self, pick: int, limit: int) -> None:
        place = self._places()[pick % len(self._places())]
        sums = self.expected[place]
        try:
            self._grant(place, limit)
        except InvalidOrder as refused:
            assert refused.code == "limit_below_use"  # noqa: PT017
            assert limit < sums.reserved + sums.spent
        else:
            assert sums.reserved + sums.spent <= limit

    @invariant()
    def every_budget_says_what_it_should(self) -> None:
        for row in Budget.objects.filter(programme_id=self.programme):
            expected = self.expected[row.party_id, row.lineage_id]
            assert (row.limit, row.reserved, row.spent) == (
                expected.limit,
                expected.reserved,
                expected.spent,
            )
            assert row.reserved + row.spent + row.left == row.limit
            assert row.left >= 0

    @invariant()
    def what_a_party_sees_is_the_smallest_rest_on_its_path(self) -> None:
        for number, party in enumerate(self.parties):
            seen = quota_of(
                programme_id=self.programme,
                party_id=party,
                lineage_id=self.lineages[number][0],
                kind=Kind.CREDITS,
            )
            assert seen.left == min(self.expected[place].left for place in self._path(number, 0))

    @invariant()
    def the_reservations_add_up_to_the_budgets(self) -> None:
        assert discrepancies() == []
        held = Reservation.objects.filter(programme_id=self.programme, state="held")
        assert {each.work_id for each in held} == set(self.held)


def test_the_sums_of_every_budget_hold_in_any_order_of_deeds(db):
    run_state_machine_as_test(Quota, settings=settings(max_examples=25, stateful_step_count=20))


def test_a_party_without_a_budget_of_its_own_has_nothing(programme, second_tester):
    lonely = Party.objects.create(kind="person")
    with pytest.raises(QuotaExceeded) as refused:
        reserve(
            work_id=new_id(),
            programme_id=programme.id,
            party_id=lonely.id,
            lineage_id=new_id(),
            holds=[Hold(new_id(), Kind.CREDITS, 1)],
        )
    assert refused.value.facts["left"] == 0
    assert not Reservation.objects.filter(party=lonely).exists()


def test_credits_and_money_are_held_both_or_neither(programme, tester):
    raise_budget(programme_id=programme.id, kind=Kind.MONEY, by=1_000_000)
    grant_budget(
        programme_id=programme.id, party_id=tester.party_id, kind=Kind.MONEY, limit=500_000
    )
    work = new_id()
    with_too_much_money = [
        Hold(new_id(), Kind.CREDITS, 10),
        Hold(new_id(), Kind.MONEY, 500_001),
    ]
    with pytest.raises(QuotaExceeded) as refused:
        reserve(
            work_id=work,
            programme_id=programme.id,
            party_id=tester.party_id,
            lineage_id=new_id(),
            holds=with_too_much_money,
        )
    assert refused.value.facts["budget_kind"] == "money"
    assert not Reservation.objects.filter(work_id=work).exists()
    assert discrepancies() == []
