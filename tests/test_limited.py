"""Files from outside: read as they always were, and what is made to do harm harms a child only. Real processes."""

from __future__ import annotations

import json
import os
import signal
import struct
import time
import zlib
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cuts import RATE, footage, gap, movie
from processes import children, run
from rushes.engine.newfilm import create_film
from rushes.limited import foreign, tasks
from rushes.limited.process import GIB, parts
from rushes.limited.tasks import Limits
from rushes.media.frames import iter_frames, read_frame
from rushes.media.probe import probe
from rushes_otio.errors import BadRequest, FileFault, MediaFault, RushesError

LINUX = pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="a limit of Linux, or reads /proc")
PLENTY = Limits(memory=4 * GIB, computing=60, silence=30)
FRAMES = 40


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("media") / "clip.mov"
    movie(path, "A", frames=FRAMES)
    return path


def png_of_zeros(width: int, height: int) -> bytes:
    """A small file that becomes a black picture of any size, RGB."""
    packer = zlib.compressobj(9)
    data = b"".join(packer.compress(bytes(1 + 3 * width)) for _ in range(height)) + packer.flush()
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", data), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks
    )


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As large as a picture may be."""
    path = tmp_path_factory.mktemp("pictures") / "large.png"
    path.write_bytes(png_of_zeros(10_000, 8_000))
    return path


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """No test leaves a process behind."""
    before = children()
    yield
    assert children() == before


def cut(*items: dict[str, object]) -> bytes:
    track = {"OTIO_SCHEMA": "Track.1", "kind": "Video", "name": "V1", "children": list(items)}
    stack = {"OTIO_SCHEMA": "Stack.1", "name": "tracks", "children": [track]}
    odd = {"OTIO_SCHEMA": "Timeline.1", "metadata": {"other": {"big": 2**70}}, "name": "ü", "tracks": stack}
    return json.dumps(odd).encode()


def fault_of(act: Callable[[], object], kind: type[RushesError]) -> RushesError:
    with pytest.raises(RushesError) as raised:
        act()
    assert type(raised.value) is kind
    assert raised.value.remedy and raised.value.where
    return raised.value


def used_up(task: tasks.Task, limits: Limits) -> str:
    return fault_of(lambda: list(parts(task, limits)), task.fault).text


def wait_until(there: Callable[[], bool]) -> None:
    late = time.monotonic() + 5
    while not there():
        assert time.monotonic() < late
        time.sleep(0.01)


# -- as in this process ----------------------------------------------------------------------------------------


def test_a_movie_is_what_it_is(clip: Path) -> None:
    assert foreign.probe(clip) == probe(clip)
    for start, count in ((0, None), (7, 5), (FRAMES, None)):
        here, there = list(iter_frames(clip, start, count)), list(foreign.iter_frames(clip, start, count))
        assert len(here) == len(there)
        assert all(np.array_equal(a, b) for a, b in zip(here, there, strict=True))
    assert np.array_equal(foreign.read_frame(clip, 13), read_frame(clip, 13))


def test_its_errors_are_the_same(clip: Path, tmp_path: Path) -> None:
    (tmp_path / "text.mov").write_bytes(b"just text")
    for path, number in ((clip, FRAMES), (clip, -1), (tmp_path / "text.mov", 0), (tmp_path / "absent.mov", 0)):
        with pytest.raises(RushesError) as here:
            read_frame(path, number)
        there = fault_of(lambda path=path, number=number: foreign.read_frame(path, number), type(here.value))
        assert there.as_dict() == here.value.as_dict()
    assert fault_of(lambda: foreign.read_frame(clip, FRAMES), BadRequest)


def test_a_cut_becomes_the_same_film(tmp_path: Path) -> None:
    path = tmp_path / "cut.otio"
    path.write_bytes(cut(footage("a.mov", 0, 20), gap(4)))
    assert foreign.read_cut(path, RATE) == (path.read_bytes(), [])
    film, notes = create_film(tmp_path / "film.otio", path, "24/1")
    assert film.external_count() == 1
    assert not notes
    assert fault_of(lambda: foreign.read_cut(tmp_path / "absent.otio", RATE), FileFault)
    with pytest.raises(BadRequest, match="a film already"):
        create_film(tmp_path / "again.otio", tmp_path / "film.otio", "24/1")


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P", "CMYK"])
def test_a_picture_keeps_its_pixels_and_nothing_else(tmp_path: Path, mode: str) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (30, 40, 4), np.uint8)
    made = Image.fromarray(noise if mode == "RGBA" else noise[..., :3]).convert(mode)
    path = tmp_path / ("a.jpg" if mode == "CMYK" else "a.png")
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its side
    made.save(path, exif=exif, icc_profile=b"a profile")
    seen = Image.open(BytesIO(foreign.picture(path)))
    plain = "RGBA" if mode == "RGBA" else "RGB"
    assert (seen.format, seen.mode, seen.size, seen.info) == ("PNG", plain, (30, 40), {})
    upright = Image.open(path).transpose(Image.Transpose.ROTATE_270)
    assert np.array_equal(np.asarray(seen), np.asarray(upright.convert(plain)))


def test_grey_of_16_bits_keeps_its_range(tmp_path: Path) -> None:
    Image.fromarray(np.array([[0, 32896, 65535]], np.uint16)).save(tmp_path / "grey.png")
    seen = np.asarray(Image.open(BytesIO(foreign.picture(tmp_path / "grey.png"))))
    assert seen[0, :, 0].tolist() == [0, 128, 255]


# -- made to do harm -------------------------------------------------------------------------------------------


def test_a_playlist_that_calls_itself_a_movie_is_refused(tmp_path: Path, clip: Path) -> None:
    for text in (f"#EXTM3U\n#EXTINF:1,\n{clip}\n#EXT-X-ENDLIST\n", f"ffconcat version 1.0\nfile '{clip}'\n"):
        (tmp_path / "evil.mp4").write_text(text)
        for act in (foreign.probe, lambda path: foreign.read_frame(path, 0)):
            assert "not a movie" in fault_of(lambda act=act: act(tmp_path / "evil.mp4"), MediaFault).text


@pytest.mark.parametrize("kept", [0.2, 0.7])
def test_a_movie_that_is_cut_short_is_refused(tmp_path: Path, clip: Path, kept: float) -> None:
    whole = clip.read_bytes()
    (tmp_path / "short.mov").write_bytes(whole[: int(len(whole) * kept)])
    fault_of(lambda: foreign.probe(tmp_path / "short.mov"), MediaFault)
    fault_of(lambda: list(foreign.iter_frames(tmp_path / "short.mov")), MediaFault)


def test_a_timeline_of_200_000_levels_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "deep.otio"
    path.write_bytes(b'{"OTIO_SCHEMA":"Timeline.1","metadata":' + b'{"a":' * 200_000 + b"1" + b"}" * 200_001)
    assert "nested more than" in fault_of(lambda: foreign.read_cut(path, RATE), FileFault).text
    with pytest.raises(FileFault):
        create_film(tmp_path / "film.otio", path, "24/1")
    assert not (tmp_path / "film.otio").exists()


def test_a_bomb_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(png_of_zeros(30_000, 3_000))
    assert path.stat().st_size < 1_000_000
    assert "80,000,000 pixels" in fault_of(lambda: foreign.picture(path), MediaFault).text
    assert "more than 900 pixels" in used_up(tasks.Picture(str(path), most_pixels=900), PLENTY)


# -- limits ----------------------------------------------------------------------------------------------------


@LINUX
def test_memory_ends(tmp_path: Path, large: Path) -> None:
    small = Limits(memory=GIB // 4, computing=60, silence=30)
    assert "more than 0.25 GiB of memory" in used_up(tasks.Picture(str(large)), small)
    deep = tmp_path / "large.otio"
    deep.write_bytes(cut({**gap(4), "metadata": {"x": "y" * 100_000_000}}))
    assert "more than 0.25 GiB of memory" in used_up(tasks.Cut(str(deep)), small)


@LINUX
def test_computing_ends(large: Path) -> None:
    text = used_up(tasks.Picture(str(large)), Limits(memory=4 * GIB, computing=0, silence=30))
    assert "more than 0 seconds of computing" in text


@LINUX
def test_patience_ends(tmp_path: Path) -> None:
    """A pipe that nobody writes to: opening it takes for ever."""
    os.mkfifo(tmp_path / "pipe.mov")
    began = time.monotonic()
    limits = Limits(memory=GIB, computing=60, silence=0.5)
    assert "nothing for 0.5 seconds" in used_up(tasks.Probe(str(tmp_path / "pipe.mov")), limits)
    assert "not a file" in used_up(tasks.Cut(str(tmp_path / "pipe.mov")), limits)
    assert time.monotonic() - began < 3


@LINUX
def test_a_crash_is_an_error_with_a_remedy(clip: Path) -> None:
    frames = foreign.iter_frames(clip)
    next(frames)
    (child,) = children()
    os.kill(child, signal.SIGSEGV)
    assert "crash (SIGSEGV)" in fault_of(lambda: list(frames), MediaFault).text


@LINUX
def test_a_child_can_write_no_file_and_open_few(tmp_path: Path) -> None:
    code = """
import os, sys
from rushes.limited.confine import confine
from rushes.limited.tasks import Limits
confine(Limits(1 << 30, 5, 5.0))
for attempt in (lambda: os.write(os.open(sys.argv[1], os.O_CREAT | os.O_WRONLY), b"x"),
                lambda: [os.dup(0) for _ in range(40)]):
    try:
        attempt()
    except OSError as error:
        print(error.errno)
"""
    status, said, _ = run(code, tmp_path / "file")
    assert (status, said.split()) == (0, ["27", "24"])
    assert not (tmp_path / "file").read_bytes()


# -- the process -----------------------------------------------------------------------------------------------


@LINUX
def test_an_early_end_leaves_no_process_and_waiting_costs_nothing(tmp_path: Path) -> None:
    long = tmp_path / "long.mov"
    movie(long, "A", frames=120)
    frames = foreign.iter_frames(long)
    assert not children(), "it starts with the first frame"
    next(frames)
    (child,) = children()
    state = Path(f"/proc/{child}/stat")
    wait_until(lambda: state.read_text().rpartition(")")[2].split()[0] == "S")  # for its reader
    frames.close()
    assert not children()


def test_who_waits_for_long_is_not_silent(clip: Path) -> None:
    """The patience is with the child: however slowly its frames are taken, it is not late."""
    slow = parts(tasks.Frames(str(clip)), Limits(memory=8 * GIB, computing=60, silence=2))
    for number, _ in enumerate(slow):
        time.sleep(2.5 if number == 1 else 0)
    assert number == FRAMES - 1


@LINUX
def test_it_dies_with_who_started_it(clip: Path) -> None:
    code = """
import os, sys
from pathlib import Path
from rushes.engine.newfilm import create_film
from rushes.limited import foreign
frames = foreign.iter_frames(Path(sys.argv[1]))
next(frames)
print(*(child for task in Path("/proc/self/task").glob("*/children") for child in task.read_text().split()))
sys.stdout.flush()
os.kill(os.getpid(), 9)
"""
    status, said, _ = run(code, clip)
    assert status == -signal.SIGKILL
    wait_until(lambda: not Path(f"/proc/{int(said)}/exe").exists())


def test_a_cut_is_read_without_what_pictures_need(tmp_path: Path) -> None:
    path = tmp_path / "cut.otio"
    path.write_bytes(cut(gap(4)))
    code = """
import sys
from rushes.limited import child, foreign, tasks
list(child.outputs(tasks.Cut(sys.argv[1])))
print({"av", "numpy", "PIL", "opentimelineio"} & set(sys.modules))
"""
    assert run(code, path) == (0, "set()\n", "")
