"""The process in which a foreign file is opened: one order on stdin, its answers on stdout, then the end.

    python -P -B -m rushes.limited.child

What a task needs is imported after the limits are set, and by that task alone.
"""

from __future__ import annotations

import os
import signal
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NoReturn

import msgspec

from rushes.limited import tasks
from rushes.limited.confine import allow_computing, confine, die_with_parent
from rushes.limited.tasks import Answer, End, Fault, Order, Part
from rushes_otio.errors import FileFault, RushesError
from rushes_otio.rawjson import MAX_BYTES
from rushes_otio.timing import Rate

Output = tuple[Part, bytes | memoryview]


def main() -> NoReturn:
    """Carry out one order and end the process."""
    order = msgspec.json.decode(sys.stdin.buffer.readline(), type=Order)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent too, which ends this in its own way
    answers = _take_stdout()
    die_with_parent(order.parent)
    confine(order.limits)
    try:
        _say(answers, _carried_out(order, answers))
    finally:
        os._exit(0)  # taking the interpreter down would only cost time


def outputs(task: tasks.Task) -> Iterator[Output]:
    """What comes of `task`, as it is made. Raises what its library raises."""
    path = Path(task.path)
    match task:
        case tasks.Cut():
            from rushes_otio.formats.reading import read_cut

            cut = read_cut(path, _content(path), Rate.parse(task.rate))
            yield _file(msgspec.json.encode(cut.notes))
            yield _file(cut.text)
        case tasks.Written():
            from rushes_otio.formats.writing import write_cut

            written = write_cut(_content(path), task.suffix, Rate.parse(task.rate), task.program)
            yield _file(msgspec.json.encode(written.lost))
            yield _file(written.text)
        case tasks.Probe():
            from rushes.media.probe import probe

            yield _file(msgspec.json.encode(probe(path)))
        case tasks.Frames():
            from rushes.media.frames import iter_deep_frames, iter_frames

            decoded = iter_frames if task.depth == 8 else iter_deep_frames
            for frame in decoded(path, task.start, task.count):
                yield Part(frame.nbytes, frame.shape), frame.data.cast("B")
        case tasks.Sound():
            from rushes.media.sound import iter_sound

            for block in iter_sound(path, task.start, task.seconds):
                yield Part(block.nbytes, block.shape), block.data.cast("B")
        case tasks.Picture():
            from rushes.limited.pictures import upright_png

            yield _file(upright_png(task))


def _carried_out(order: Order, answers: BinaryIO) -> Answer:
    """Everything is said but the last word, which is returned."""
    try:
        for part, body in outputs(order.task):
            _say(answers, part, body)
            allow_computing(order.limits.computing)
    except MemoryError:
        return Fault("memory")
    except RushesError as error:
        if isinstance(error.__cause__, MemoryError):
            return Fault("memory")
        return msgspec.convert({"type": "fault", "kind": type(error).__name__, **error.as_dict()}, Fault)
    except Exception as error:
        return Fault("unknown", f"{type(error).__name__}: {error}"[:1000])
    return End()


def _content(path: Path) -> bytes:
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):  # a pipe that nobody writes to keeps its reader waiting
            raise FileFault("this is not a file", where=str(path), remedy="name the file of a cut")
        if found.st_size > MAX_BYTES:
            too_long = f"the file has {found.st_size:,} bytes; the limit is {MAX_BYTES:,}"
            raise FileFault(too_long, where=str(path), remedy="export a part of it")
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)  # one more than is allowed is refused as too long
    except FileNotFoundError:
        raise FileFault("there is no such file", where=str(path), remedy="check the path") from None
    except OSError as error:
        raise FileFault(
            f"the cut cannot be read: {error.strerror}", where=str(path), remedy="check the path"
        ) from error


def _file(content: bytes) -> Output:
    return Part(len(content)), content


def _say(answers: BinaryIO, answer: Answer, body: bytes | memoryview = b"") -> None:
    answers.write(msgspec.json.encode(answer) + b"\n")
    answers.write(body)
    answers.flush()


def _take_stdout() -> BinaryIO:
    """Standard output, moved away from 1: what a library prints, there or on stderr, is lost."""
    answers = os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
    os.close(null)
    return answers


if __name__ == "__main__":
    main()
