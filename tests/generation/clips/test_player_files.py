"""What a page plays, and where the index says that the contact sheet is."""

from pathlib import Path
from urllib.parse import urljoin

import pytest
from django.conf import settings
from django.db import connection
from django.template.loader import render_to_string

from core.ids import shown
from generation.clips.commands import say_why
from generation.clips.words import player_files
from stage.builders import a_clip
from stage.review import a_claim_of, a_submission, open_review


def played(member, path):
    return member.client.get(path).content.decode().partition("<video ")[2].partition(">")[0]


def address(clip, kind):
    return f"/media/{shown('rendition', clip.renditions.get(kind=kind).id)}"


def page_of(clip):
    return f"/clips/{shown('clip', clip.id)}"


def test_an_owner_plays_the_master_and_staff_who_have_a_look_the_light_copy(tester, reviewer):
    clip = a_clip(tester)
    assert f'src="{address(clip, "master")}"' in played(tester, page_of(clip))
    say_why(actor=reviewer.actor, shown_id=shown("clip", clip.id), why="question")
    said = reviewer.client.get(page_of(clip)).content.decode()
    assert f'src="{address(clip, "proxy")}"' in played(reviewer, page_of(clip))
    assert "This is the light copy. So small a clip has the same bytes as its master" in said
    assert f'href="{address(clip, "master")}" data-swap' in said


def test_who_judges_plays_the_master_and_who_only_looks_at_the_case_the_light_copy(
    tester, reviewer, second_reviewer
):
    open_review(tester.programme)
    clip = a_clip(tester)
    a_submission(tester, clip)
    case = f"/desk/cases/{shown('case', a_claim_of(reviewer).id)}"
    assert f'src="{address(clip, "master")}"' in played(reviewer, case)
    say_why(actor=second_reviewer.actor, shown_id=shown("clip", clip.id), why="question")
    assert f'src="{address(clip, "proxy")}"' in played(second_reviewer, case)


def test_a_clip_without_a_light_copy_plays_its_master(tester):
    clip = a_clip(tester)

    class Earlier:
        """A clip from before there were light copies."""

        class renditions:  # noqa: N801
            @staticmethod
            def all():
                return clip.renditions.exclude(kind__in=["proxy", "index"])

    files = player_files(Earlier, "/media", plays_light=True, offers_both=True)
    assert (files["src"], files["copies"], files["index"]) == (address(clip, "master"), None, "")


@pytest.mark.parametrize("place", ["/media/", "/shared/secret/"])
def test_the_index_names_its_own_sheet_wherever_it_is_served(tester, place):
    clip = a_clip(tester)
    sprite, index = (clip.renditions.get(kind=kind) for kind in ("sprite", "index"))
    said = (Path(settings.MEDIA_FOLDER) / index.storage_key).read_text()
    named = said.splitlines()[3].partition("#")[0]
    there = urljoin(f"{place}{shown('rendition', index.id)}", named)
    assert there == f"{place}{shown('rendition', sprite.id)}"


def test_an_index_is_downloaded_under_a_name_of_its_kind(tester):
    clip = a_clip(tester)
    index = clip.renditions.get(kind="index")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT filename, media_type FROM rendition_for(%s, %s)", [index.id, tester.party_id]
        )
        assert cursor.fetchone() == (f"{shown('clip', clip.id)}-index.vtt", "text/vtt")


def test_of_a_lighter_copy_the_page_says_how_many_lines_it_has(tester):
    clip = a_clip(tester)
    said = render_to_string(
        "generation/clips/_player.html",
        {
            "clip": {
                "copies": {"master": "/m", "light": "/l", "plays_light": True, "is_same": False}
            }
        },
    )
    assert "This is the light copy, at most 480 lines." in said
    copies = player_files(clip, "/media", plays_light=True, offers_both=True)["copies"]
    assert copies["is_same"]
    files = Path(settings.MEDIA_FOLDER) / clip.renditions.get(kind="master").storage_key
    assert (files.parent / "proxy.mp4").samefile(files)
