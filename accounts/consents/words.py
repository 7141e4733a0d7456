"""What each purpose is about, and what taking it back stops and leaves."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.consents.rules import Purpose


@dataclass(frozen=True, slots=True)
class Effects:
    """``about``: what a yes allows. ``stops`` and ``stays``: what taking it back does, and not."""

    about: Promise
    stops: Promise
    stays: Promise


EFFECTS = {
    Purpose.LABOUR: Effects(
        about=_(
            "The programme may ask you for work besides your own clips, at its published rates."
        ),
        stops=_("Nobody asks you for such work any more; what you have not begun falls away."),
        stays=_("What you have done is paid as it was agreed. Your own clips go on as before."),
    ),
    Purpose.PUBLICITY: Effects(
        about=_(
            "The programme may show your released clips for its own ends, outside its showcase."
        ),
        stops=_("No new use begins from that moment, and the programme takes running ones down."),
        stays=_("Uses that have been stay paid. Your own releases are yours and are not touched."),
    ),
    Purpose.TRAINING: Effects(
        about=_("Your clips and prompts may go into data that models are trained on."),
        stops=_("Nothing of yours goes into any set of data put together from that moment on."),
        stays=_(
            "Models that were trained before are not unlearned; nobody could promise that. What you"
            " were paid stays yours."
        ),
    ),
    Purpose.EVALUATION: Effects(
        about=_("Your clips and prompts may be used to measure how good models are."),
        stops=_("Sets used for measuring leave out what is yours from their next version on."),
        stays=_("Measurements made before stand, and what you were paid stays yours."),
    ),
}
