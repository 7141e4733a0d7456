"""Every word on a page can be translated."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from house.source import files, shown

from greenroom.checkout import CHECKOUT

TEMPLATES = sorted(files("*.html", shelves=("templates",)))

# What leaves the house brings its style along: there is nothing that it could be linked to.
LEAVING = {CHECKOUT / "templates" / name for name in ("mail/base.html", "exports/archive.html")}
COMMENT = re.compile(r"{%\s*comment\b.*?{%\s*endcomment\s*%}|{#.*?#}", re.DOTALL)
TRANSLATED = re.compile(r"{%\s*blocktranslate\b.*?{%\s*endblocktranslate\s*%}", re.DOTALL)
# Blocks that fill an attribute of the page around them with names for the stylesheet.
CLASSES = re.compile(r"{%\s*block\s+\w+_class\s*%}.*?{%\s*endblock\b.*?%}", re.DOTALL)
TAG = re.compile(r"{%.*?%}|{{.*?}}", re.DOTALL)
LETTERS = re.compile(r"[^\W\d_]{2,}")
# The name of the house, and what is the same in every language.
SAME_EVERYWHERE = {
    "Greenroom",
    "API",
    "OpenAPI",
    "JSON",
    "GET",
    "POST",
    "DELETE",
    "SHA",
    "px",
    "kB",
}
READ_ALOUD = {"alt", "title", "aria-label", "aria-description", "placeholder", "label", "content"}
SILENT = {"script", "style", "code", "svg"}


class Words(HTMLParser):
    """Texts and spoken attributes that stand in the template itself."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in SILENT
        named = dict(attrs)
        for name, value in attrs:
            is_meta = tag == "meta" and named.get("name") != "description"
            if name in READ_ALOUD and value and not is_meta:
                self._note(value)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in SILENT and self._silent > 0

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._note(data)

    def _note(self, text: str) -> None:
        self.found += [word for word in LETTERS.findall(text) if word not in SAME_EVERYWHERE]


def words_of(path: Path) -> list[str]:
    text = path.read_text()
    for taken_out in (COMMENT, TRANSLATED, CLASSES, TAG):
        text = taken_out.sub(" ", text)
    reader = Words()
    reader.feed(text)
    reader.close()
    return reader.found


@pytest.mark.parametrize("path", TEMPLATES, ids=shown)
def test_no_word_of_a_template_escapes_translation(path):
    assert words_of(path) == []


def test_the_reader_of_templates_sees_words(tmp_path):
    path = tmp_path / "page.html"
    path.write_text(
        '<p title="Spoken">{% translate "Fine" %} Bare {{ value }}<img alt="{{ x }}"></p>'
    )
    assert words_of(path) == ["Spoken", "Bare"]


SCROLLS = re.compile(r'<[a-z]+ [^<>]*class="(?:[^"]* )?scroll(?: [^"]*)?"(?:{%.*?%}|[^<>])*>')


@pytest.mark.parametrize("path", TEMPLATES, ids=shown)
def test_what_scrolls_sideways_is_reached_by_keys_and_has_a_name(path):
    for tag in SCROLLS.findall(COMMENT.sub(" ", path.read_text())):
        assert 'role="region"' in tag, tag
        assert 'tabindex="0"' in tag, tag
        assert re.search(r'aria-label(ledby)?="[^"]', tag), tag


def test_the_reader_of_templates_sees_what_scrolls():
    bare = '<div class="scroll"><table></table></div>'
    named = '<div class="scroll near" aria-label="{% translate "Rows" %}" tabindex="0">'
    assert SCROLLS.findall(bare + named) == ['<div class="scroll">', named]


@pytest.mark.parametrize("path", TEMPLATES, ids=shown)
def test_no_template_carries_script_or_style_of_its_own(path):
    text = COMMENT.sub(" ", path.read_text())
    styles = len(re.findall(r"<style>", text)) if path in LEAVING else 0
    assert not re.search(r"\sstyle=|\son[a-z]+=", text)
    assert len(re.findall(r"<style\b", text)) == styles
    for script in re.findall(r"<script\b[^>]*>", text):
        assert "src=" in script or 'type="application/json"' in script, script
