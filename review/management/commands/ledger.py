"""manage.py ledger prove|fund: the proof of the books, and money set aside by the operator."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from accounts.programmes.models import Programme
from core.command_line import HouseCommand
from core.errors import Refusal
from core.ids import PREFIXES, shown
from core.money import read_money
from review.ledger.commands import record_funding_at_the_machine
from review.ledger.queries import Discrepancy, ledger_discrepancies


class Command(HouseCommand):
    help = "Prove that every balance is the sum of its lines, or set money aside."

    def add_arguments(self, parser: CommandParser) -> None:
        deeds = parser.add_subparsers(dest="deed", required=True)
        deeds.add_parser("prove", help="Silent when everything adds up, as it must.")
        fund = deeds.add_parser("fund", help="Record money that lies ready at the bank.")
        fund.add_argument("--programme", required=True, help="The programme's slug.")
        fund.add_argument("--amount", required=True, help="Like 1000.00.")
        fund.add_argument("--words", default="", help="One line that says what it is.")

    def handle(self, *_: Any, deed: str, **options: Any) -> None:
        if deed == "prove":
            self._prove()
        else:
            self._fund(**options)

    def _prove(self) -> None:
        found = ledger_discrepancies()
        for discrepancy in found:
            self.stdout.write(_line(discrepancy))
        if found:
            raise CommandError(f"{len(found)} sums of the ledger do not add up.")

    def _fund(self, *, programme: str, amount: str, words: str, **_: Any) -> None:
        found = Programme.objects.filter(slug=programme).first()
        if found is None:
            raise CommandError("There is no programme of this slug.")
        money = read_money(amount, found.currency)
        if money is None:
            raise CommandError("An amount is written in figures, like 1000.00.")
        try:
            funding = record_funding_at_the_machine(
                programme_id=found.id, amount_micro=money.amount_micro, words=words
            )
        except Refusal as refusal:
            raise CommandError(refusal.sentence) from refusal
        self.stdout.write(f"{shown('transaction', funding.id)} {money} set aside")


def _line(found: Discrepancy) -> str:
    # An account has no public id.
    place = shown(found.thing, found.id) if found.thing in PREFIXES else f"account {found.id}"
    return (
        f"{place}: {found.what}, but {found.found_micro} stands where {found.expected_micro} should"
    )
