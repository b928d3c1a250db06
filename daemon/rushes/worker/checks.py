"""Whether a file is what the worker says it is. Asked by the supervisor, of the file, never of the worker."""

from __future__ import annotations

import hashlib
import stat
from fractions import Fraction
from pathlib import Path

from rushes.media.probe import probe
from rushes.worker import protocol
from rushes.worker.jobs import MAX_MOTION
from rushes.worker.protocol import Done, Failed, Film, Motion, Work
from rushes_otio.errors import RushesError
from rushes_otio.text import printable

KEY_TAG = "rushes_key"
"""The tag of a movie that names the key of its encode stage."""


def checked(work: Work, answer: protocol.Last) -> protocol.Last:
    """`answer`, or Failed ("lied") where it says Done and the output is another one or none."""
    if not isinstance(answer, Done):
        return answer
    try:
        fault = _film_fault(work, answer) if isinstance(work, Film) else _file_fault(work, answer)
    except (OSError, ValueError, RushesError) as error:
        fault = f"the output cannot be read: {error}"
    if fault is None:
        return answer
    remedy = "render again; if it happens again, check the disk and the memory"
    return Failed(id=answer.id, kind="lied", error=printable(fault), remedy=remedy)


def _file_fault(work: Work, done: Done) -> str | None:
    least = work.request.frames if isinstance(work, Motion) else 1
    size = _size(Path(work.out))
    if size != done.size or size > MAX_MOTION or done.frames < least:
        return f"{size} bytes lie there for {done.frames} frames; {done.size} and {least} were expected"
    with Path(work.out).open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    return None if found == done.digest else "the file's digest is not the one that was reported"


def _film_fault(work: Film, done: Done) -> str | None:
    """The frames are counted in the file: a movie that was cut off may still be a valid one."""
    size = _size(Path(work.out))
    if size != done.size or done.frames != work.frames:
        return f"{size} bytes for {done.frames} frames; {done.size} and {work.frames} were expected"
    movie = probe(Path(work.out))
    spec = work.encode
    found = (movie.frames, movie.size, Fraction(movie.rate), movie.tags.get(KEY_TAG))
    wanted = (work.frames, spec.size, Fraction(spec.rate), spec.tags.get(KEY_TAG))
    named = zip(("frame count", "size", "rate", "key"), found, wanted, strict=True)
    wrong = [f"its {name} is {was}, not {asked}" for name, was, asked in named if was != asked]
    return "; ".join(wrong) or None


def _size(path: Path) -> int:
    """Bytes of a regular file; a link or a pipe is none of ours."""
    found = path.lstat()
    if not stat.S_ISREG(found.st_mode):
        raise FileNotFoundError(f"{path.name} is no regular file")
    return found.st_size
