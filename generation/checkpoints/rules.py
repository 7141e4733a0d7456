"""Licences of video models that oblige or exclude, and price tables nobody had to think about."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from generation.catalogue.rules import Offered
from generation.engines.limits import Capabilities
from generation.engines.order import OrderRefused

# fmt: off
EUROPEAN_UNION = (
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU",
    "IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
)
# fmt: on


@dataclass(frozen=True, slots=True)
class Licence:
    """``excluded`` are territories where it grants nothing; ``provenance_duty``: whoever publishes
    must keep the marks that say what made a clip."""

    name: str
    address: str = ""
    excluded: tuple[str, ...] = ()
    provenance_duty: bool = False


# What their texts say; an operator may add to it on the command line and never take away.
KNOWN = {
    licence.name.casefold(): licence
    for licence in (
        Licence("Apache-2.0", "https://www.apache.org/licenses/LICENSE-2.0"),
        Licence("MIT", "https://opensource.org/license/mit"),
        Licence(
            "LTX-2 Community",
            "https://github.com/Lightricks/LTX-2/blob/main/LICENSE",
            provenance_duty=True,
        ),
        Licence(
            "Tencent Hunyuan Community",
            "https://github.com/Tencent-Hunyuan/HunyuanVideo/blob/main/LICENSE.txt",
            excluded=(*EUROPEAN_UNION, "GB", "KR"),
        ),
    )
}

_SIZES = ((1920, 1080), (1280, 720), (832, 480), (640, 360), (256, 256), (128, 128), (64, 64))
_PIXELS_OF_A_CREDIT = 1280 * 720


class TerritoryUnknown(ValueError):
    def __init__(self, word: str) -> None:
        super().__init__(word)
        self.word = word


def licence_of(
    name: str, *, address: str = "", excluded: Iterable[str] = (), provenance_duty: bool = False
) -> Licence:
    """A known licence with what was added to it, or one as it was described.

    Raises ``TerritoryUnknown``.
    """
    known = KNOWN.get(name.strip().casefold(), Licence(name.strip()))
    added = territories(excluded)
    return Licence(
        known.name,
        address or known.address,
        tuple(sorted({*known.excluded, *added})),
        known.provenance_duty or provenance_duty,
    )


def territories(words: Iterable[str]) -> tuple[str, ...]:
    """ISO 3166-1 codes of two letters; ``EU`` stands for its members, ``UK`` for ``GB``."""
    found: set[str] = set()
    for word in words:
        code = word.strip().upper()
        if code == "EU":
            found.update(EUROPEAN_UNION)
        elif len(code) == 2 and code.isascii() and code.isalpha():
            found.add("GB" if code == "UK" else code)
        else:
            raise TerritoryUnknown(word)
    return tuple(sorted(found))


def usual_prices(able: Capabilities, steps: dict[str, int]) -> tuple[Offered, ...]:
    """Every tier at every usual size the model can make, priced by generated pixels and steps.

    One credit is a second of 1280 × 720 at the fewest steps of the table, and never less than one.
    """
    fewest = min(steps.values())
    return tuple(
        Offered(tier, width, height, count, _credits(_pixels(able, width, height), count, fewest))
        for width, height in able.sizes.offered or _SIZES
        if fits(able, width, height)
        for tier, count in steps.items()
    )


def _pixels(able: Capabilities, width: int, height: int) -> int:
    """Those that the model makes: enlarging them costs no device time."""
    return width * height // able.sizes.enlarged_by(width, height) ** 2


def _credits(pixels: int, steps: int, fewest: int) -> int:
    return max(1, round(Fraction(pixels, _PIXELS_OF_A_CREDIT) * Fraction(steps, fewest)))


def fits(able: Capabilities, width: int, height: int) -> bool:
    try:
        able.sizes.check(width, height)
    except OrderRefused:
        return False
    return True
