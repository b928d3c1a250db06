"""A mill for foreign cuts: each is read, made a film of, compared and conformed to, as the commands do it.

For thousands of files a process each would take hours. Here a few processes that live on take them one by one,
under the limits of a child that reads one; one that dies, or takes ten seconds, is known by its file.
"""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import os
import resource
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

import msgspec

from films import PLAIN
from rushes.engine.keptcuts import name_of
from rushes.engine.plan import plan
from rushes.limited.foreign import CUTS
from rushes_otio.build import film_from_cut
from rushes_otio.conforming.applying import Conformed, conformed
from rushes_otio.conforming.carried import CARRIED
from rushes_otio.conforming.marks import mentions
from rushes_otio.conforming.matching import match
from rushes_otio.conforming.omitted import omitted_rows
from rushes_otio.conforming.returned import Cut
from rushes_otio.diffing.compare import compare
from rushes_otio.diffing.marked import marked_up
from rushes_otio.errors import RushesError
from rushes_otio.film import Film
from rushes_otio.formats.reading import read_cut
from rushes_otio.nesting import unnested
from rushes_otio.paths import MediaPaths
from source_tree import ROOT

LONGEST = 30
"""Seconds that one command may take."""

FOLDERS = MediaPaths(Path("/film"), Path("/cuts"))


@dataclass(frozen=True)
class Case:
    """What is in the file of a cut (its ending begins the name), and the film that it comes back to."""

    name: str
    data: bytes
    film: bytes

    @property
    def suffix(self) -> str:
        return self.name.partition(" ")[0]


@dataclass(frozen=True)
class Verdict:
    """What became of a case: which commands were carried out, and which refused with what words. `fault` is what
    must not be."""

    name: str
    done: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    fault: str = ""


def ground(cases: Iterable[Case], folder: Path, mills: int = 2) -> list[Verdict]:
    """Take all cases through. A file that did harm is left in `folder`."""
    lock, queue = threading.Lock(), iter(cases)
    found: list[Verdict] = []

    def turn(number: int) -> None:
        with _Mill(folder / f"mill{number}") as mill:
            while True:
                with lock:
                    case = next(queue, None)
                if case is None:
                    return
                found.append(mill.take(case))
                if found[-1].fault:
                    (folder / f"harm{len(found)}{case.suffix}").write_bytes(case.data)

    threads = [threading.Thread(target=turn, args=(number,)) for number in range(mills)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


class _Mill:
    """One process, started anew when it dies."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._folder = folder
        self._start()

    def __enter__(self) -> _Mill:
        return self

    def __exit__(self, *_: object) -> None:
        self._pipe.close()
        self._process.join()

    def take(self, case: Case) -> Verdict:
        self._pipe.send(case)
        try:
            verdict: Verdict = self._pipe.recv()
        except EOFError:
            self._process.join()
            code = self._process.exitcode or 0
            end = signal.Signals(-code).name if code < 0 else str(code)
            verdict = Verdict(case.name, fault=f"its process ended with {end}")
            self._start()
        return verdict

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, other = context.Pipe()
        self._process = context.Process(target=_work, args=(other, self._folder), daemon=True)
        self._process.start()
        other.close()


# -- in its process --------------------------------------------------------------------------------------------


def _work(pipe: Connection, folder: Path) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (CUTS.memory, CUTS.memory))
    logging.disable()
    warnings.simplefilter("error")
    warnings.simplefilter("ignore", ResourceWarning)  # the reader of AAF leaves broken files to the collector
    watch = _Watch([folder, ROOT, Path(sys.prefix), Path(sys.base_prefix)])
    with Path(os.devnull).open("w") as sys.stdout, contextlib.suppress(EOFError):  # adapters print
        while True:
            case: Case = pipe.recv()
            path = folder / f"cut{case.suffix}"
            path.write_bytes(case.data)
            watch.on = True
            verdict = _taken(case, path, watch)
            watch.on = False
            pipe.send(verdict)


class _Watch:
    """Hears of every file that is opened for writing, or outside `roots`, and whatever else reaches out."""

    def __init__(self, roots: list[Path]) -> None:
        self._roots = tuple(map(str, roots))
        self.on = False
        self.heard: list[str] = []
        sys.addaudithook(self._hear)

    def _hear(self, event: str, args: tuple[object, ...]) -> None:
        if not self.on or event in ("os.listdir", "os.scandir"):
            return
        if event == "open":
            name, _, flags = args
            inside = isinstance(name, int) or str(name).startswith(self._roots)
            if not inside or (isinstance(flags, int) and flags & os.O_ACCMODE):
                self.heard.append(f"open {name!r}")
        elif event.partition(".")[0] in ("os", "shutil", "socket", "subprocess", "urllib", "ctypes"):
            self.heard.append(f"{event} {args!r}"[:200])


def _taken(case: Case, path: Path, watch: _Watch) -> Verdict:
    done: list[str] = []
    refused: list[str] = []
    try:
        for act, words in _through(case, path):
            refused.append(f"{act}: {words}") if words else done.append(act)
        assert not watch.heard, watch.heard
    except Exception:
        watch.heard.clear()
        return Verdict(case.name, fault=traceback.format_exc()[-3000:])
    return Verdict(case.name, tuple(done), tuple(refused))


def _through(case: Case, path: Path) -> Iterator[tuple[str, str]]:
    """Each act and, where it was refused, in which words."""
    film = Film(case.film, "film.otio")
    texts = {case.data} if case.suffix == ".otio" else set()

    def read() -> None:
        texts.add(read_cut(path, case.data, film.rate).text)

    yield "read", _words_of(read)
    for text in texts:
        for act in (_new, _compared, _conformed):
            yield act.__name__[1:], _words_of(partial(act, film, text, case.suffix, str(path)))
    assert film.encode() == case.film, "the film was changed"


def _words_of(act: Callable[[], object]) -> str:
    """What an act was refused with; empty where it was carried out."""
    signal.alarm(LONGEST)  # what takes longer ends this process
    try:
        act()
    except RushesError as error:
        assert error.text and error.where and error.remedy, repr(error.as_dict())
        msgspec.json.encode(error.as_dict())
        return f"{type(error).__name__}: {error.text}"
    finally:
        signal.alarm(0)
    return ""


def _new(film: Film, text: bytes, suffix: str, where: str) -> None:
    """`rushes new --from`, `rushes status` and a first change."""
    made = film_from_cut(text, where)
    plan(made, PLAIN)
    made.patch_block(rate=str(made.rate))
    assert name_of(Film(made.encode(), where)) == name_of(made)


def _compared(film: Film, text: bytes, suffix: str, where: str) -> None:
    """`rushes diff`, in both directions, and its markers."""
    cut, before = Cut.read(text, where), Cut.of_film(film)
    compare(cut, before)
    found = compare(before, cut)
    msgspec.json.encode(found.changes)
    for change in found.changes:
        cut.timecode(change.record)
    Cut.read(marked_up(found, lambda url: url), where)


def _conformed(film: Film, text: bytes, suffix: str, where: str) -> None:
    """`rushes conform`, `rushes status`, `rushes undo`. A cut of another rate is refused before."""
    cut = Cut.read(text, where)
    if cut.rate != film.rate:
        return
    gone = omitted_rows(film)
    flat, _ = unnested(cut.data, film.rate, where, partial(mentions, shots={*film.shots, *gone}))
    done = conformed(film, match(Cut.of_film(film), Cut.read(flat, where), gone), CARRIED[suffix], FOLDERS)
    made = Film(done.text, film.where)
    _check(film, done, made)
    plan(made, PLAIN)
    before = Cut.read(film.encode(), where)
    undone = conformed(made, match(Cut.of_film(made), before, omitted_rows(made)), CARRIED[".otio"], FOLDERS)
    assert _times(Film(undone.text, film.where)) == _times(film), "undo does not bring the cut back"


def _check(film: Film, done: Conformed, made: Film) -> None:
    """No shot is lost or in two places, no use is there twice."""
    msgspec.json.encode([done.matched, done.new, done.omitted, done.reinstated, done.external, done.notes])
    omitted = omitted_rows(made).keys()
    lost = {*film.shots, *omitted_rows(film)} - {*made.shots, *omitted}
    assert not lost, f"lost: {lost}"
    assert not made.shots.keys() & omitted, "omitted and in the cut"
    uses = [item.use for track in made.tracks for item in track.items if item.use]
    assert len(set(uses)) == len(uses), "a use is there twice"


def _times(film: Film) -> list[tuple[object, ...]]:
    return [
        (track.kind, item.kind, item.length, item.source, item.enabled, item.warps, item.block and item.block.shot)
        for track in film.tracks
        for item in track.items
    ]
