"""Movies of the cut with its sound and with burn-in: what is heard when, and where a picture is drawn on."""

from __future__ import annotations

import json
import wave
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from cuts import LENGTH, RATE, SIZE, Cut, Json, dissolve, footage, gap
from rushes.engine.studio import Desk
from rushes.export.burnin import BurnIn
from rushes.export.movie import Shown, export_movie, plain
from rushes.export.pictures import Pictures
from rushes.export.sound import Sound
from rushes.limited import foreign
from rushes.media.frames import iter_frames
from rushes.media.probe import probe
from rushes.stages.encode import Encoder, EncodeSpec
from rushes_otio import rawjson
from rushes_otio.build import time_range
from rushes_otio.errors import BadRequest, MediaFault
from rushes_otio.film import Film

Wave = NDArray[np.float64]

HERE = 48_000
FRAME = HERE // 24
"""Samples in a frame of the film."""


def tone(seconds: float, pitch: float = 440, level: float = 0.25, rate: int = HERE) -> Wave:
    return level * np.sin(2 * np.pi * pitch * np.arange(round(seconds * rate)) / rate)


def ramp(seconds: float, rate: int = HERE) -> Wave:
    """Each sample says where in the file it stands: 0 to 0.5 at the end."""
    return np.linspace(0, 0.5, round(seconds * rate), endpoint=False)


def write_wav(path: Path, sound: Wave, channels: int = 1, rate: int = HERE) -> None:
    data = np.repeat(np.round(sound * 32767).astype("<i2")[:, None], channels, axis=1)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(data.tobytes())


def sound_cut(folder: Path, *tracks: list[Json], frames: int = LENGTH) -> Cut:
    """`frames` frames of picture, and audio tracks with these items."""
    cut = Cut(folder, "A")
    cut.put(*(cut.use("A", 0, min(LENGTH, frames - at)) for at in range(0, frames, LENGTH)))
    for number, items in enumerate(tracks, 1):
        cut.add_track("Audio")
        for at, item in enumerate(items):
            cut.film.insert(cut.film.tracks[number], at, rawjson.encode(item))
    return cut


def exported(
    cut: Cut, out: Path, finish: Callable[[Film], Callable[[Shown], Any]] = lambda film: plain
) -> dict[str, str]:
    """Export the cut; what was lost of its sound."""
    desk: Desk = cut.save()
    film = desk.read()
    sound = Sound(film, desk.files)
    pictures = Pictures(film, desk.files, SIZE, str(film.rate))
    codec = "prores" if out.suffix == ".mov" else "view"
    export_movie(film, pictures, out, codec, lambda done, total: None, sound, finish(film))
    assert sorted(p.name for p in out.parent.glob(".*")) == []
    assert probe(out).frames == film.length
    return sound.lost


def heard(path: Path) -> Wave:
    """The left side of a movie's sound; both sides sound the same."""
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray() for frame in container.decode(audio=0)]
        planar = container.streams.audio[0].format.is_planar
    sides = np.concatenate(frames, axis=1) if planar else np.concatenate(frames, axis=1).reshape(-1, 2).T
    full = 1.0 if sides.dtype.kind == "f" else float(2**31)
    assert np.abs(sides[0] - sides[1]).max() < 0.01
    return sides[0] / full


def loudness(sound: Wave, first: float, end: float) -> float:
    """Of a stretch of the film, in frames."""
    return float(np.sqrt(np.mean(sound[round(first * FRAME) : round(end * FRAME)] ** 2)))


def close(found: Wave, wanted: Wave) -> bool:
    """To the last bit of the 16 that the files of these tests have."""
    return found.shape == wanted.shape and bool(np.abs(found - wanted).max() < 2e-4)


@pytest.mark.parametrize("suffix", [".mov", ".mp4"])
def test_a_clip_is_heard_where_it_stands_and_nowhere_else(tmp_path: Path, suffix: str) -> None:
    write_wav(tmp_path / "tone.wav", tone(2))
    cut = sound_cut(tmp_path, [gap(12), footage("tone.wav", 0, 24)], frames=48)
    assert exported(cut, tmp_path / f"out{suffix}") == {}
    found = heard(tmp_path / f"out{suffix}")
    with av.open(str(tmp_path / f"out{suffix}")) as movie:
        stream = movie.streams.audio[0]
        assert (stream.codec_context.name, stream.rate) == ({".mov": "pcm_s24le", ".mp4": "aac"}[suffix], HERE)
        assert abs(stream.duration * stream.time_base - Fraction(2)) < Fraction(1, 40)
    assert loudness(found, 0, 11.4) < 1e-3 and loudness(found, 36.6, 48) < 1e-3
    assert loudness(found, 12.6, 35.4) == pytest.approx(0.25 / np.sqrt(2), rel=0.02)
    if suffix == ".mov":
        silence = np.zeros(12 * FRAME)
        assert close(found, np.concatenate([silence, tone(1), silence]))


def test_trims_count_from_the_beginning_of_the_media(tmp_path: Path) -> None:
    """Media that begins at 01:00:00:00, a rate of its own, and times counted in samples."""
    write_wav(tmp_path / "ramp.wav", ramp(2), channels=2)
    write_wav(tmp_path / "slow.wav", ramp(2, 24_000), rate=24_000)
    late = footage("ramp.wav", RATE.shot_zero + 6, 12)
    late["media_references"]["DEFAULT_MEDIA"]["available_range"] = time_range(RATE.shot_zero, 48, RATE)
    counted = footage("ramp.wav", 0, 12)
    for key, count in (("start_time", 500), ("duration", 500)):
        counted["source_range"][key] |= {"rate": 1000, "value": count}
    cut = sound_cut(tmp_path, [late, counted, footage("slow.wav", 12, 12)])
    assert exported(cut, tmp_path / "out.mov") == {}
    whole = ramp(2)
    wanted = [whole[6 * FRAME : 18 * FRAME], *[whole[HERE // 2 : HERE]] * 2]
    found = heard(tmp_path / "out.mov")
    assert close(found[: 24 * FRAME], np.concatenate(wanted[:2]))
    assert np.abs(found[24 * FRAME :] - wanted[2]).max() < 2e-3


def test_what_sounds_at_once_is_added_and_cut_off_at_full_level(tmp_path: Path) -> None:
    write_wav(tmp_path / "low.wav", tone(2, 440, 0.4))
    write_wav(tmp_path / "high.wav", tone(2, 660, 0.7))
    tracks = [[footage("low.wav", 0, 36)], [gap(12), footage("high.wav", 0, 24)]]
    cut = sound_cut(tmp_path, *tracks)
    lost = exported(cut, tmp_path / "out.mov")
    assert list(lost) == [""] and "full level" in lost[""]
    wanted = tone(1.5, 440, 0.4) + np.concatenate([np.zeros(12 * FRAME), tone(1, 660, 0.7)])
    assert np.abs(wanted).max() > 1
    assert close(heard(tmp_path / "out.mov"), np.clip(wanted, -1, 1))


def test_a_crossfade_and_fades(tmp_path: Path) -> None:
    """One file on both sides of a crossfade, in step: its level stays. Then it fades out beside a gap."""
    write_wav(tmp_path / "tone.wav", tone(2))
    items = [footage("tone.wav", 0, 12), dissolve(4, 6), footage("tone.wav", 12, 12), dissolve(6, 0), gap(12)]
    assert exported(sound_cut(tmp_path, items), tmp_path / "out.mov") == {}
    fade = np.interp(np.arange(36 * FRAME) + 0.5, (18 * FRAME, 24 * FRAME), (1, 0))
    assert close(heard(tmp_path / "out.mov"), tone(1.5) * fade)


def test_a_crossfade_between_two_files_is_linear(tmp_path: Path) -> None:
    for name, level in (("a", 0.5), ("b", 0.1)):
        write_wav(tmp_path / f"{name}.wav", np.full(2 * HERE, level))
    items = [footage("a.wav", 6, 18), dissolve(6, 6), footage("b.wav", 6, 18)]
    assert exported(sound_cut(tmp_path, items), tmp_path / "out.mov") == {}
    wanted = np.interp(np.arange(36 * FRAME) + 0.5, (12 * FRAME, 24 * FRAME), (0.5, 0.1))
    assert close(heard(tmp_path / "out.mov"), wanted)


def test_speeds_forwards_and_backwards(tmp_path: Path) -> None:
    """Longer than one block of the mix, so that blocks must meet."""
    write_wav(tmp_path / "ramp.wav", ramp(8))

    def at(start: int, frames: int, *scalars: float) -> Json:
        warps = [{"OTIO_SCHEMA": "LinearTimeWarp.1", "time_scalar": scalar} for scalar in scalars]
        return {**footage("ramp.wav", start, frames, available=8 * 24), "effects": warps}

    items = [at(12, 60, 2.0), at(24, 48, 0.5), at(24, 36, -1.0), at(12, 36, -2.0), at(0, 12, -1.0, -1.0)]
    assert exported(sound_cut(tmp_path, items, frames=192), tmp_path / "out.mov") == {}
    whole, steps = ramp(8), np.arange(192 * FRAME)
    wanted = [
        whole[12 * FRAME + 2 * steps[: 60 * FRAME]],
        np.interp(24 * FRAME + 0.5 * steps[: 48 * FRAME], steps, whole),
        whole[24 * FRAME : 60 * FRAME][::-1],
        whole[12 * FRAME + 2 * steps[: 36 * FRAME]][::-1],
        whole[: 12 * FRAME],
    ]
    assert close(heard(tmp_path / "out.mov"), np.concatenate(wanted))


def test_what_is_not_heard_is_said_and_the_movie_is_whole(tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("just text, no sound at all")
    write_wav(tmp_path / "short.wav", tone(0.25))
    write_wav(tmp_path / "long.wav", tone(40))
    with Encoder(tmp_path / "silent.mov", EncodeSpec(SIZE, "24/1", "prores", "01:00:00:00", "", {})) as encoder:
        encoder.write(np.zeros((SIZE[1], SIZE[0], 3), np.uint8))

    def warped(name: str, scalar: float) -> Json:
        kind = "LinearTimeWarp.1" if scalar else "FreezeFrame.1"
        effects = [{"OTIO_SCHEMA": kind, "time_scalar": scalar}]
        return {**footage("long.wav", 0, 6), "name": name, "effects": effects}

    names = ("gone.wav", "/etc/outside.wav", "text.wav", "silent.mov", "short.wav")
    off = {**footage("nowhere.wav", 0, 6), "enabled": False}
    items = [*(footage(name, 0, 12) for name in names), warped("frozen", 0), warped("racing", 20), off]
    cut = sound_cut(tmp_path, items, frames=LENGTH)
    for out in (tmp_path / "out.mov", tmp_path / "out.mp4"):
        lost = exported(cut, out)
        assert set(lost) == {"gone.wav", "outside.wav", "text.wav", "silent.mov", "short.wav", "frozen", "racing"}
        assert "no file" in lost["gone.wav"] and "outside" in lost["outside.wav"]
        assert "no sound" in lost["silent.mov"] and "does not have" in lost["short.wav"]
        assert probe(out).frames == 78
    found = heard(tmp_path / "out.mov")
    assert len(found) == 78 * FRAME
    assert loudness(found, 48, 54) > 0.1
    assert not found[: 48 * FRAME].any() and not found[54 * FRAME :].any()


def test_without_a_clip_that_is_on_there_is_no_sound_track(tmp_path: Path) -> None:
    write_wav(tmp_path / "tone.wav", tone(1))
    off = {**footage("tone.wav", 0, 12), "enabled": False}
    cut = sound_cut(tmp_path, [gap(6), off], [footage("tone.wav", 0, 12)])
    data = json.loads(cut.film.encode())
    data["tracks"]["children"][2]["enabled"] = False
    cut.film = Film(json.dumps(data).encode(), str(cut.path))
    for suffix in (".mov", ".mp4"):
        assert exported(cut, tmp_path / f"out{suffix}") == {}
        assert not probe(tmp_path / f"out{suffix}").has_audio


def test_wild_floats_do_not_reach_the_movie(tmp_path: Path) -> None:
    """A file may hold infinities and what is no number; and its head may promise more than there is."""
    wild = np.full(HERE, 0.25, "<f4")
    wild[100:104] = (np.inf, -np.inf, np.nan, 3e38)
    data = wild.tobytes()
    head = b"WAVEfmt \x10\0\0\0\x03\0\x01\0" + HERE.to_bytes(4, "little") + (4 * HERE).to_bytes(4, "little")
    head += b"\x04\0\x20\0data" + (8 * len(data)).to_bytes(4, "little")
    (tmp_path / "wild.wav").write_bytes(b"RIFF\xff\xff\xff\x7f" + head + data)
    cut = sound_cut(tmp_path, [footage("wild.wav", 0, 24)], [footage("wild.wav", 0, 24)], frames=24)
    assert list(exported(cut, tmp_path / "out.mov")) == [""]
    found = heard(tmp_path / "out.mov")
    assert found[100:104] == pytest.approx([1, -1, 0, 1], abs=1e-5)
    assert found[104:] == pytest.approx(0.5, abs=1e-5)


def test_sound_from_anywhere_in_a_file(tmp_path: Path) -> None:
    """At another rate, on one side or two, of a movie's AAC: the same samples whatever was read before."""
    write_wav(tmp_path / "tone.wav", tone(4, rate=44_100), rate=44_100)
    write_wav(tmp_path / "pair.wav", tone(4), channels=2)
    exported(sound_cut(tmp_path, [footage("pair.wav", 0, 96, available=96)], frames=96), tmp_path / "movie.mp4")
    for name in ("tone.wav", "pair.wav", "movie.mp4"):
        for start, seconds in ((0.0, 1.0), (1.23, 2.5)):
            sound = np.concatenate(list(foreign.iter_sound(tmp_path / name, start, seconds)))
            wanted = tone(4)[round(start * HERE) :][: len(sound)]
            assert sound.shape == (round(seconds * HERE), 2)
            assert np.abs(sound[1000:, 0] - wanted[1000:]).max() < (0.02 if name == "movie.mp4" else 1e-3)
    assert sum(map(len, foreign.iter_sound(tmp_path / "pair.wav", 3.5, 2))) == HERE // 2
    assert list(foreign.iter_sound(tmp_path / "pair.wav", 9, 2)) == []
    with pytest.raises(MediaFault, match="No such file"):
        list(foreign.iter_sound(tmp_path / "absent.wav", 0, 1))
    with pytest.raises(BadRequest):
        list(foreign.iter_sound(tmp_path / "pair.wav", -1, 1))


def test_the_burn_in_is_where_it_belongs_and_nowhere_else(tmp_path: Path) -> None:
    cut = Cut(tmp_path, "A")
    cut.put(cut.use("A", 0, 4), gap(2), footage("gone \x1b[2J.mov", 0, 2))
    exported(cut, tmp_path / "plain.mov")
    exported(cut, tmp_path / "burnt.mov", lambda film: BurnIn(film, SIZE))
    left, right = slice(0, SIZE[0] // 2), slice(SIZE[0] // 2, SIZE[0])
    pairs = zip(iter_frames(tmp_path / "plain.mov"), iter_frames(tmp_path / "burnt.mov"), strict=True)
    for number, (before, after) in enumerate(pairs):
        changed = np.abs(before.astype(int) - after).max(axis=2) > 8
        assert not changed[SIZE[1] // 4 :].any() and not changed[:4].any() and not changed[:, :4].any()
        assert changed[:, right].sum() > 200
        assert changed[:, left].any() == (number not in (4, 5)), "black is no shot"


def test_the_burn_in_leaves_the_frame_and_is_readable_on_any_picture(tmp_path: Path) -> None:
    cut = Cut(tmp_path, "A")
    cut.put(cut.use("A", 0, 4), footage("a very long name " * 9 + ".mov", 0, 2))
    shot, other = cut.film.video[0].items
    for size in ((16, 16), (256, 144), (1920, 1080), (1080, 1920)):
        burn = BurnIn(cut.film, size)
        for grey in (0, 128, 255):
            picture = np.full((size[1], size[0], 3), grey, np.uint8)
            for at, item in ((0, shot), (100, other), (86399, None)):
                drawn = burn(Shown(at, picture, item))
                assert drawn.shape == picture.shape and (picture == grey).all()
                corner = drawn[: size[1] // 8, size[0] // 2 :]
                assert size[0] < 100 or (corner.min() < 110 and corner.max() > 200)
