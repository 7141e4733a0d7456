"""``manage.py device …``: what renders here, and which model lives where."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from core.command_line import HouseCommand
from core.errors import Refusal
from generation.placement.commands import drain_device, place_model, serve_device, unplace_model
from generation.placement.models import Device
from generation.placement.queries import devices


class Command(HouseCommand):
    help = "Devices that render: list them, place models on them, drain them, let them serve."

    def add_arguments(self, parser: CommandParser) -> None:
        deeds = parser.add_subparsers(dest="deed", required=True)
        deeds.add_parser("list", help="every device, with its state and what was placed on it")
        for deed, words in (
            ("drain", "let it finish what it renders and take nothing new"),
            ("serve", "let it take jobs again; its deaths are forgotten"),
            ("place", "a model, or one tier of it, lives there; others are not rendered there"),
            ("unplace", "take that back"),
        ):
            one = deeds.add_parser(deed, help=words)
            one.add_argument("device", help="MACHINE/NAME, as “list” shows it")
            if deed.endswith("place"):
                one.add_argument("model", help="its slug, or SLUG:TIER")
            if deed == "place":
                one.add_argument("--warm", action="store_true", help="load it before a job asks")

    def handle(self, *_: Any, deed: str, **options: Any) -> None:
        if deed == "list":
            return self._list()
        device = _found(options["device"])
        slug, _colon, tier = (options.get("model") or "").partition(":")
        try:
            match deed:
                case "drain":
                    drain_device(device=device)
                case "serve":
                    serve_device(device=device)
                case "place":
                    place_model(device=device, slug=slug, tier=tier, is_warm=options["warm"])
                case "unplace":
                    unplace_model(device=device, slug=slug, tier=tier)
        except Refusal as refusal:
            raise CommandError(f"{refusal.sentence} ({refusal.code})") from refusal
        return None

    def _list(self) -> None:
        for device in devices():
            placed = [
                f"{one.slug}{':' if one.tier else ''}{one.tier}{' (warm)' if one.is_warm else ''}"
                for one in device.placements.all()
            ]
            why = f" ({device.out_reason})" if device.out_reason else ""
            self.stdout.write(
                f"{device.machine}/{device.name}  {device.state}{why}"
                f"  slots {device.slots}  {', '.join(placed) or 'every model that is ready'}"
            )


def _found(name: str) -> Device:
    machine, _slash, device = name.partition("/")
    found = Device.objects.filter(machine=machine, name=device).first()
    if found is None:
        raise CommandError(f"No device is called {name}. manage.py device list")
    return found
