"""Probing, exact frames, joining, and what is refused."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rushes.media import ffmpeg
from rushes.media.frames import frames_digest, iter_frames, read_frame
from rushes.media.join import join, remux
from rushes.media.probe import BT709, probe
from rushes.media.process import run
from rushes.media.tags import Tags, read_tags, tags_in
from rushes.stages.encode import CODECS, Encoder, EncodeSpec
from rushes_otio.errors import BadRequest, MediaFault

SIZE = (256, 144)
LONG_GOP = {
    "l.mp4": ["-c:v", "libx264", "-g", "12", "-bf", "3", "-timecode", "10:00:00:00"],
    "open.mp4": ["-c:v", "libx264", "-g", "12", "-bf", "3", "-x264-params", "open-gop=1"],
    "fragmented.mp4": ["-c:v", "libx264", "-g", "12", "-movflags", "frag_keyframe+empty_moov"],
    "l.mkv": ["-c:v", "libx264", "-g", "12", "-bf", "3"],
    "l.avi": ["-c:v", "mpeg4", "-g", "12", "-bf", "2", "-q:v", "3"],
    "l.mxf": ["-c:v", "mpeg2video", "-g", "12", "-bf", "2", "-q:v", "3"],
    "intra.mov": ["-c:v", "prores_ks", "-timecode", "00:59:58:00"],
}
COUNT = 40


def foreign(path: Path, *options: str) -> Path:
    source = ["-f", "lavfi", "-i", f"testsrc2=size={SIZE[0]}x{SIZE[1]}:rate=24"]
    run([ffmpeg.binary(), "-v", "error", *source, "-frames:v", str(COUNT), *options, str(path)])
    return path


def take(path: Path, first: int, count: int, codec: str, tags: Tags, size: tuple[int, int] = SIZE) -> Path:
    width, height = size
    how = EncodeSpec(size, "24000/1001", codec, "01:00:00:00", tags.shot, tags.to_metadata())
    with Encoder(path, how) as encoder:
        for n in range(first, first + count):
            noise = np.random.default_rng(n).integers(0, 255, (height // 8, width // 8, 3), np.uint8)
            encoder.write(noise.repeat(8, 0).repeat(8, 1))
    return path


OLD = Tags("7kq3m9ab", "t001", "aa", '{"n": 1}')
NEW = Tags("9zzzzzz1", "t002", "bb", '{"text": "🎬 \\n"}')


@pytest.mark.parametrize("name", LONG_GOP)
def test_frames_are_exact_in_every_format(tmp_path: Path, name: str) -> None:
    path = foreign(tmp_path / name, *LONG_GOP[name])
    assert probe(path).frames == COUNT
    everything = list(iter_frames(path))
    assert len(everything) == COUNT
    assert everything[0].shape == (SIZE[1], SIZE[0], 3)
    for number in (0, 1, 11, 12, 13, 25, COUNT - 1):
        assert np.array_equal(read_frame(path, number), everything[number]), number
    assert frames_digest(path, 13, 9) != frames_digest(path, 14, 9)
    assert frames_digest(path) == frames_digest(path, 0, COUNT)


def test_frames_that_are_not_there_are_refused(tmp_path: Path) -> None:
    path = take(tmp_path / "a.mov", 0, 3, "h264", OLD)
    for start, count in ((3, 1), (-1, 1), (0, 4), (2, -1)):
        with pytest.raises(BadRequest, match="has frames 0 to 2"):
            list(iter_frames(path, start, count))
    assert list(iter_frames(path, 3)) == []


@pytest.mark.parametrize("codec", CODECS)
def test_join_keeps_both_parts_bit_for_bit(tmp_path: Path, codec: str) -> None:
    old = take(tmp_path / "old.mov", 0, 6, codec, OLD)
    tail = take(tmp_path / "tail.mov", 6, 4, codec, OLD)
    out = tmp_path / "new.mov.part"
    join(old, tail, out, NEW.to_metadata(), NEW.shot)
    seen = probe(out)
    assert (seen.frames, seen.rate, seen.size, seen.colour) == (10, "24000/1001", SIZE, BT709)
    assert (seen.timecode, seen.reel, seen.tags) == ("01:00:00:00", NEW.shot, NEW.to_metadata())
    assert frames_digest(out, 0, 6) == frames_digest(old)
    assert frames_digest(out, 6, 4) == frames_digest(tail)
    again = tmp_path / "newer.mov"
    join(out, tail, again, OLD.to_metadata(), OLD.shot)
    assert frames_digest(again, 0, 10) == frames_digest(out)
    assert probe(again).reel == OLD.shot


@pytest.mark.parametrize("codec", CODECS)
def test_remux_changes_identity_only(tmp_path: Path, codec: str) -> None:
    old = take(tmp_path / "old.mov", 0, 5, codec, OLD)
    remux(old, tmp_path / "fork.mov", NEW.to_metadata(), NEW.shot)
    before, after = probe(old), probe(tmp_path / "fork.mov")
    assert (after.reel, after.tags) == (NEW.shot, NEW.to_metadata())
    assert read_tags(tmp_path / "fork.mov") == NEW
    same = ("frames", "size", "rate", "codec", "pixel_format", "colour", "timecode")
    assert [getattr(before, field) for field in same] == [getattr(after, field) for field in same]
    assert frames_digest(old) == frames_digest(tmp_path / "fork.mov")


def test_parts_that_do_not_fit_are_not_joined(tmp_path: Path) -> None:
    old = take(tmp_path / "old.mov", 0, 3, "prores", OLD)
    others = {
        "codec": take(tmp_path / "a.mov", 0, 3, "dnxhr", OLD),
        "size": take(tmp_path / "b.mov", 0, 3, "prores", OLD, (320, 144)),
        "rate": foreign(tmp_path / "c.mov", "-c:v", "prores", "-pix_fmt", "yuv422p10le"),
    }
    for what, other in others.items():
        with pytest.raises(MediaFault, match=what):
            join(old, other, tmp_path / "out.mov", {}, "x")
    long_gop = foreign(tmp_path / "long.mp4", *LONG_GOP["l.mp4"])
    with pytest.raises(MediaFault, match="key frame"):
        join(long_gop, long_gop, tmp_path / "out.mov", {}, "x")
    assert not (tmp_path / "out.mov").exists()


def test_files_that_are_no_movies_are_refused(tmp_path: Path) -> None:
    secret = foreign(tmp_path / "secret.mp4", *LONG_GOP["l.mp4"])
    texts = {
        "text.mov": b"just text",
        "empty.mp4": b"",
        "concat.mp4": f"ffconcat version 1.0\nfile '{secret}'\n".encode(),
        "hls.mp4": f"#EXTM3U\n#EXTINF:1,\n{secret}\n#EXT-X-ENDLIST\n".encode(),
        "box.mov": b"\0\0\0\x08free" + b"\0\0\0\x08mdat",
    }
    for name, content in texts.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(MediaFault) as refused:
            probe(tmp_path / name)
        assert name in refused.value.text
        assert refused.value.remedy
        with pytest.raises(MediaFault):
            run(ffmpeg.arguments(ffmpeg.raw_output(ffmpeg.movie_input(tmp_path / name), "rgb24")))
    for missing in (tmp_path / "not there.mov", tmp_path):
        with pytest.raises(MediaFault):
            probe(missing)


def test_sound_without_a_picture_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.mov"
    run([ffmpeg.binary(), "-v", "error", "-f", "lavfi", "-i", "sine=duration=1", str(path)])
    with pytest.raises(MediaFault, match="no picture"):
        probe(path)


@pytest.mark.parametrize("name", ["intra.mov", "l.mp4", "fragmented.mp4", "l.avi", "l.mxf"])
def test_a_truncated_file_is_refused(tmp_path: Path, name: str) -> None:
    whole = foreign(tmp_path / name, *LONG_GOP[name]).read_bytes()
    (tmp_path / name).write_bytes(whole[: len(whole) * 2 // 3])
    with pytest.raises(MediaFault):
        probe(tmp_path / name)
    with pytest.raises(MediaFault):
        read_frame(tmp_path / name, 0)


def test_strangers_tags_are_not_taken_for_ours(tmp_path: Path) -> None:
    path = foreign(tmp_path / "a.mov", "-c:v", "libx264", "-metadata", "title=a film")
    assert read_tags(path) is None
    assert tags_in({"rushes_shot": "../../etc"}) is None


def test_a_wrong_ffmpeg_is_named(tmp_path: Path) -> None:
    code = "from rushes.media.ffmpeg import binary; binary()"
    environment = {**os.environ, ffmpeg.OVERRIDE: str(tmp_path / "no\x1b[31mne")}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert "MediaFault: the ffmpeg that was asked for is not a program" in done.stderr
    assert ffmpeg.version() != "unknown"
