from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from review.policies.queries import charter_in_force, policy_in_force
from review.policies.rules import Ground


def said(*words: str) -> str:
    out = StringIO()
    call_command("policy", *words, stdout=out)
    return out.getvalue()


def test_the_example_can_be_published_as_it_stands(programme, tmp_path):
    path = tmp_path / "policy.toml"
    path.write_text(said("example"))
    assert "Version 1" in said("publish", str(path), "--programme", "studio")
    grounds = [clause.ground for clause in policy_in_force(programme.id).clauses.all()]
    assert grounds == Ground.values


def test_a_file_says_which_files_an_owner_gets_and_one_that_does_not_changes_nothing(
    programme, tmp_path
):
    path = tmp_path / "policy.toml"
    whole = said("example")
    path.write_text(whole.replace('files_before = "clip"', 'files_before = "pictures"'))
    said("publish", str(path), "--programme", "studio")
    assert policy_in_force(programme.id).files_before == "pictures"
    path.write_text(whole.replace('files_before = "clip"', ""))
    said("publish", str(path), "--programme", "studio")
    assert policy_in_force(programme.id).files_before == "pictures"
    path.write_text(whole.replace('files_before = "clip"', 'files_before = "nothing"'))
    with pytest.raises(CommandError, match="Files: clip, preview, pictures"):
        said("publish", str(path), "--programme", "studio")


def test_the_clock_is_set_in_one_line(programme):
    said(
        *("charter", "--programme", "studio", "--decide-within-hours", "24"),
        *("--appeal-within-hours", "72", "--words", "Round the clock."),
    )
    charter = charter_in_force(programme.id)
    assert (charter.decide_within_hours, charter.appeal_open_days) == (24, 184)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("introduction = ", "no TOML"),
        ('introduction = "x"', r"\[\[clause\]\]"),
        (
            'introduction = "x"\n[[clause]]\nground = "criticism"\ntitle = "t"\nwords = "w"',
            "Grounds",
        ),
        (
            'introduction = ""\n[[clause]]\nground = "hate"\ntitle = "t"\nwords = "w"',
            "introduction",
        ),
    ],
)
def test_a_file_that_is_none_is_refused_in_words(programme, tmp_path, text, why):
    path = tmp_path / "policy.toml"
    path.write_text(text)
    with pytest.raises(CommandError, match=why):
        said("publish", str(path), "--programme", "studio")
    assert policy_in_force(programme.id) is None


def test_a_missing_file_and_an_unknown_programme_are_named(programme, tmp_path):
    with pytest.raises(CommandError, match="cannot be read"):
        said("publish", str(tmp_path / "none"), "--programme", "studio")
    with pytest.raises(CommandError, match="nowhere"):
        said("publish", str(tmp_path / "none"), "--programme", "nowhere")
