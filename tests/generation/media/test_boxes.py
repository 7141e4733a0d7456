from fractions import Fraction

import pytest

from generation.media.boxes import boxes, check_boxes, is_faststart
from generation.media.failure import MediaCode, MediaFailure
from generation.media.probing import probe
from generation.media.recording import Shape, record


@pytest.fixture
def clip(tmp_path, scene):
    made = record(
        scene(6), tmp_path / "a", Shape(frames=6, width=192, height=128, rate=Fraction(24))
    )
    return made.clip.path


def test_a_finished_clip_has_its_index_first(clip):
    assert [kind for kind, _ in boxes(clip)][:2] == ["ftyp", "moov"]
    assert is_faststart(clip)


@pytest.mark.parametrize("cut", [1, 500])
def test_a_clip_cut_short_is_seen(clip, cut):
    clip.write_bytes(clip.read_bytes()[:-cut])
    with pytest.raises(MediaFailure) as failed:
        check_boxes(clip)
    assert failed.value.code is MediaCode.FILE_DAMAGED


@pytest.mark.parametrize("content", [b"", b"abc", b"\0" * 64, b"\0\0\0\4mdat", b"<html>no</html>"])
def test_what_is_no_clip_is_refused_without_a_crash(tmp_path, content):
    (tmp_path / "x.mp4").write_bytes(content)
    for reader in (check_boxes, probe):
        with pytest.raises(MediaFailure):
            reader(tmp_path / "x.mp4")
