"""Forms as a browser without scripts sends them: what the page holds, and what somebody typed."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

from django.test import Client


class Forms(HTMLParser):
    """The forms of a page: address and the fields a browser would send as they stand."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self._text: str | None = None
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self.found.append((given.get("action") or "", {}))
        elif self.found and given.get("name"):
            self._field(tag, given)

    def handle_data(self, data: str) -> None:
        if self._text is not None:
            self.found[-1][1][self._text] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._text = None

    def _field(self, tag: str, given: dict[str, str | None]) -> None:
        name, fields = str(given["name"]), self.found[-1][1]
        kind = given.get("type") or "text"
        if tag == "textarea":
            fields[name], self._text = "", name
        elif tag == "input" and (kind not in ("radio", "checkbox") or "checked" in given):
            fields[name] = given.get("value") or ""


def send(browser: Client, page: str, action: str, *, status: int = 200, **typed: Any) -> Any:
    """Open ``page``, fill in its form whose address ends with ``action``, send it, go where it
    leads. ``status`` is that of the page at the end."""
    opened = browser.get(page)
    assert opened.status_code == 200, (page, opened.status_code)
    forms = [form for form in Forms(opened.text).found if form[0].endswith(action)]
    assert forms, f"{page} has no form for {action}"
    address, fields = forms[0]
    answer = browser.post(address, {**fields, **typed}, follow=True)
    assert answer.status_code == status, (address, answer.status_code, answer.text[-3000:])
    return answer
