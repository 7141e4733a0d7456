"""manage.py rate publish|list: what acts earn, published before it applies."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from accounts.programmes.models import Programme
from accounts.rates.commands import publish_rate
from accounts.rates.models import Rate
from accounts.rates.queries import rates_of
from accounts.rates.rules import ActKind
from core.command_line import HouseCommand
from core.errors import Refusal
from core.ids import shown
from core.money import Money, read_money


class Command(HouseCommand):
    help = "Publish a rate, or list those of a programme."

    def add_arguments(self, parser: CommandParser) -> None:
        deeds = parser.add_subparsers(dest="deed", required=True)
        publish = deeds.add_parser("publish", help="Publish what acts of a kind earn.")
        publish.add_argument("--programme", required=True, help="The programme's slug.")
        publish.add_argument("--kind", required=True, choices=ActKind.values)
        publish.add_argument("--amount", required=True, help="Like 25.00; 0 pays nothing.")
        publish.add_argument(
            "--from", dest="begins", help="ISO 8601 with a zone; without it, from now."
        )
        publish.add_argument("--words", default="", help="One line that stands beside it.")
        listing = deeds.add_parser("list", help="Every rate, kind by kind, the newest first.")
        listing.add_argument("--programme", help="The programme's slug; without it, all.")

    def handle(self, *_: Any, deed: str, programme: str | None, **options: Any) -> None:
        found = list(_programmes(programme))
        if not found and programme:
            raise CommandError("There is no programme of this slug.")
        if deed == "publish":
            self._publish(found[0], options)
        else:
            for each in found:
                self._list(each)

    def _publish(self, programme: Programme, options: dict[str, Any]) -> None:
        money = read_money(options["amount"], programme.currency)
        if money is None:
            raise CommandError("An amount is written in figures, like 25.00.")
        try:
            rate = publish_rate(
                programme_id=programme.id,
                kind=ActKind(options["kind"]),
                amount_micro=money.amount_micro,
                applies_from=_moment(options["begins"]),
                words=options["words"],
            )
        except Refusal as refusal:
            raise CommandError(refusal.sentence) from refusal
        self.stdout.write(_line(programme, rate))

    def _list(self, programme: Programme) -> None:
        for rate in rates_of(programme.id):
            self.stdout.write(_line(programme, rate))


def _programmes(slug: str | None) -> QuerySet[Programme]:
    every = Programme.objects.order_by("slug")
    return every.filter(slug=slug) if slug else every


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = parse_datetime(text)
    except ValueError:
        moment = None
    if moment is None or timezone.is_naive(moment):
        raise CommandError("A moment is written like 2026-05-01T00:00+02:00, with its zone.")
    return moment


def _line(programme: Programme, rate: Rate) -> str:
    money = Money(rate.amount_micro, rate.currency)
    begins = rate.applies_from.isoformat(timespec="seconds")
    words = f" ({rate.words})" if rate.words else ""
    return f"{programme.slug} {shown('rate', rate.id)} {rate.kind} {money} from {begins}{words}"
