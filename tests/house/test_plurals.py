"""Whatever is counted is said for one as well as for many."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from house.source import calls, files, modules, shown, texts

TEMPLATES = sorted(files("*.html", shelves=("templates",)))
NOUNS = "credits|clips|hours|days|minutes|steps|jobs|cases|pictures|people|testers|reviewers"
# Limits that are numbers of the code, none of them one, and counts that stand behind a "more than".
NEVER_ONE = {"most", "least", "most_s", "days_ago", "rate_days", "days", "minutes", "longest"}
IN_CODE = re.compile(rf"%\((\w+)\)s ({NOUNS})\b")
IN_PAGES = re.compile(rf"\{{\{{ ?(\w+) ?\}}\}}(?:</\w+>)? ({NOUNS})\b")
BLOCK = re.compile(r"{%\s*blocktranslate\b(.*?)%}(.*?){%\s*endblocktranslate\s*%}", re.DOTALL)


def hard_in_code() -> Iterator[str]:
    for path, module in modules():
        for name, call in calls(module):
            if name not in {"_", "gettext", "gettext_lazy"} or not call.args:
                continue
            for counted in IN_CODE.finditer("".join(texts(call.args[0]))):
                if counted[1] not in NEVER_ONE - {"days", "minutes"}:
                    yield f"{shown(path)}:{call.lineno} {counted[0]}"


def hard_in(text: str) -> list[str]:
    return [
        counted[0]
        for options, words in BLOCK.findall(text)
        if not re.search(r"\bcount\b", options)
        for counted in IN_PAGES.finditer(words)
        if counted[1] not in NEVER_ONE
    ]


def test_no_sentence_of_the_code_counts_one_as_many():
    assert list(hard_in_code()) == []


@pytest.mark.parametrize("path", TEMPLATES, ids=shown)
def test_no_page_counts_one_as_many(path):
    assert hard_in(path.read_text()) == []


def test_the_reader_of_plurals_sees_a_hard_one():
    bare = "{% blocktranslate with n=job.steps %}{{ n }} steps{% endblocktranslate %}"
    fine = (
        "{% blocktranslate count n=job.steps %}{{ n }} step{% plural %}{{ n }} steps"
        "{% endblocktranslate %}"
    )
    assert hard_in(bare) == ["{{ n }} steps"]
    assert hard_in(fine) == []
