"""What every ``api.py`` builds on: endpoints, strict shapes, cursor pages, repeated requests.

Knows no feature and nobody who acts: authentication, permissions and words for problems are the
top floor's (``greenroom.api``).
"""

from core.api.endpoint import Endpoint, Parts
from core.api.fields import Moment, PublicId, Ratio, Seconds, Text, Whole
from core.api.operations import Operation, operation, operation_of
from core.api.pages import Page, PageWish, TimesWish, only, page_of, within
from core.api.shapes import Shape

__all__ = [
    "Endpoint",
    "Moment",
    "Operation",
    "Page",
    "PageWish",
    "Parts",
    "PublicId",
    "Ratio",
    "Seconds",
    "Shape",
    "Text",
    "TimesWish",
    "Whole",
    "only",
    "operation",
    "operation_of",
    "page_of",
    "within",
]
