"""A cut that came back, conformed: matched to the film, and put in place of the film's own cut."""

from __future__ import annotations

import hashlib
import os
import stat
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

from rushes.engine import keptcuts
from rushes.engine.choosing import choose_by_hand
from rushes.engine.cuts import returned_cut
from rushes.engine.studio import Desk
from rushes.engine.undoing import cut_before, remembering_cut
from rushes.store import films
from rushes.store.manifests import sent_from
from rushes.store.takes import scan
from rushes_otio.conforming.applying import Conformed, conformed
from rushes_otio.conforming.carried import CARRIED
from rushes_otio.conforming.marks import shot_in_name
from rushes_otio.conforming.matching import Link, Matching, Proposal, match
from rushes_otio.conforming.omitted import omitted_rows
from rushes_otio.conforming.returned import Cut, Placed
from rushes_otio.conforming.standins import stands_for
from rushes_otio.errors import BadRequest, RushesError
from rushes_otio.film import Film
from rushes_otio.paths import MediaPaths, is_relative, local_path
from rushes_otio.text import printable

Result = dict[str, Any]


def conform(desk: Desk, path: Path, out: Path | None, *, accept: bool) -> Result:
    """Conform the film to the cut in `path`, or write the conformed film to `out` and leave this one as it is.
    `accept` takes what is only proposed. FileFault or BadRequest when the cut cannot be used; nothing is changed
    then.
    """
    film = desk.read()
    cut, notes = returned_cut(path, film.rate, {*film.shots, *omitted_rows(film)})
    if out is None:
        label = printable(f"conform {path.name}", 120)
        with remembering_cut(desk, label) as film:
            if accept and (before := cut_before(desk, film, label)):
                # Seen without --accept a moment ago: what was proposed then rested on the cut before.
                keptcuts.bring_back(desk, film, before)
            return _conformed(desk, film, cut, path, notes, accept=accept)
    _check_out(desk, out)
    result = _conformed(desk, film, cut, path, notes, accept=accept)
    films.create(desk.studio.places, out, film)
    return result


def _check_out(desk: Desk, out: Path) -> None:
    """A film's takes and pictures lie in the folder beside it, and its paths count from there."""
    if out.suffix != ".otio":
        raise BadRequest(f"a film is an .otio file, not {out.name!r}", remedy=f"-o {out.stem}.otio")
    if Path(os.path.realpath(out.parent)) != desk.places.film.parent:
        raise BadRequest(
            "the conformed film shares the takes of the film, so it must lie beside it",
            where=str(out),
            remedy=f"-o {desk.places.film.parent / out.name}",
        )


def _conformed(desk: Desk, film: Film, cut: Cut, path: Path, notes: list[str], *, accept: bool) -> Result:
    contents = _Contents(desk, path.parent)
    matching = match(Cut.of_film(film), cut, omitted_rows(film), contents.shot)
    proposed = [] if accept else list(matching.proposed)
    if accept:
        _take_proposals(matching)
    folders = MediaPaths(desk.places.film.parent, Path(os.path.realpath(path)).parent)
    done = conformed(film, matching, CARRIED[path.suffix.lower()], folders)
    film.become(done.text)
    done.notes += _other_files(matching, film)
    if not done.matched and done.omitted:
        done.notes.append("no clip of the cut is known to be a shot of this film: is it a cut of another one?")
    switched, open_ = _switched(desk, film, done, accept=accept)
    return {
        "matched": done.matched,
        "new": done.new,
        "omitted": done.omitted,
        "reinstated": done.reinstated,
        "proposed": [_proposal(film, each) for each in proposed] + open_,
        "external": done.external,
        "switched": switched,
        "notes": [*notes, *done.notes],
    }


def _take_proposals(matching: Matching) -> None:
    """Link what was proposed; a use that is taken stays where it is, and the clip becomes a further one."""
    taken = {id(link.old) for link in matching.links.values() if link.old is not None}
    for proposal in matching.proposed:
        link = proposal.link
        link.source = link.source or link.old
        if link.old is not None and id(link.old) in taken:
            link.old = None
        taken.add(id(link.old))
        matching.links[link.clip.order] = link


def _proposal(film: Film, proposal: Proposal) -> Result:
    link = proposal.link
    shot = film.shots.get(link.shot)
    return {
        "use": link.old.use if link.old else "",
        "shot": link.shot,
        "by": link.by,
        "name": shot.block.name if shot else _name_of(link),
        "clip": printable(link.clip.name, 200),
        "place": link.clip.place,
        "because": proposal.because,
    }


def _name_of(link: Link) -> str:
    known = link.source or link.old
    return (known.mine.name if known.mine else "") or known.name if known else ""


# -- takes ---------------------------------------------------------------------------------------------------


def _switched(desk: Desk, film: Film, done: Conformed, *, accept: bool) -> tuple[list[Result], list[Result]]:
    """Choose the takes that the editor put into the cut; a second list holds those that are only proposed.

    A cut that shows an older take than the film may have been on its way while the film went on. What was exported
    tells; where no export fits, the take is only proposed.
    """
    chosen = {shot: film.shots[shot].block.chosen for shot in done.takes if shot in film.shots}
    other = {s: t for s, t in done.takes.items() if s in chosen and t != (c.take if (c := chosen[s]) else "")}
    if not other:
        return [], []
    sent = sent_from(desk.places, done.takes)
    before = sent.takes if sent else {}
    shelf, switched, proposed = desk.shelf(), [], []
    older: list[str] = []
    for shot, take in other.items():
        if before.get(shot) == take:  # the cut shows what it was sent
            older.append(f"{printable(film.shots[shot].block.name, 60)} {take}")
            continue
        block = film.shots[shot].block
        row = {"shot": shot, "name": block.name, "take": take, "was": block.chosen.take if block.chosen else ""}
        if not (accept or shot in before):
            proposed.append(row | {"by": "token", "because": "the cut shows another take, and no export fits it"})
            continue
        try:
            choose_by_hand(desk, film, shelf, block, take)
            switched.append(row)
        except RushesError as fault:
            proposed.append(row | {"by": "token", "because": fault.text})
    if older:
        done.notes.append(
            f"the cut shows takes that the film has replaced since ({_some(older)}); the newer ones stay. "
            "rushes takes FILM SHOT --choose brings an older one back"
        )
    return switched, proposed


def _some(names: list[str]) -> str:
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")


def _other_files(matching: Matching, film: Film) -> list[str]:
    """A note on clips that are shots of the film and show files that are no takes of any."""
    found = [
        f"{printable(film.shots[link.shot].block.name, 60)} {printable(link.clip.url, 120)}"
        for link in matching.links.values()
        if link.shot in film.shots and link.clip.url and link.by != "content"
        and shot_in_name(link.clip.url) is None and not stands_for(link.clip.url)
        and not (link.source and link.source.url and Path(link.source.url).name == Path(link.clip.url).name)
        and "slate__" not in link.clip.url
    ]  # fmt: skip
    said = f"{len(found)} clips show files that are no takes ({_some(found)}); the film shows its own takes there"
    return [said] if found else []


class _Contents:
    """Finds our takes among files that were renamed: by size first, then by content. Nothing but a plain file that
    is exactly as long as a take is ever opened."""

    def __init__(self, desk: Desk, folder: Path) -> None:
        self._desk = desk
        self._folder = folder
        self._digests: dict[Path, bytes] = {}

    def shot(self, clip: Placed) -> str:
        """The shot whose take is a copy of the clip's file; empty where none is, or the file is not there."""
        url = local_path(clip.url)
        if not url or "\0" in url:
            return ""
        path = self._folder / url if is_relative(url) else Path(url)
        try:
            found = path.stat()
        except (OSError, ValueError):
            return ""
        if not stat.S_ISREG(found.st_mode) or found.st_size not in self._of_size:
            return ""
        takes = self._of_size[found.st_size]
        return next((shot for movie, shot in takes if self._digest(movie) == self._digest(path) != b""), "")

    @cached_property
    def _of_size(self) -> dict[int, list[tuple[Path, str]]]:
        sizes: dict[int, list[tuple[Path, str]]] = {}
        for take in scan(self._desk.places.takes):
            with suppress(OSError):
                sizes.setdefault(take.movie.stat().st_size, []).append((take.movie, take.shot))
        return sizes

    def _digest(self, path: Path) -> bytes:
        """sha256 of a file; nothing where it cannot be read."""
        if path not in self._digests:
            self._digests[path] = b""
            with suppress(OSError), path.open("rb") as file:
                self._digests[path] = hashlib.file_digest(file, "sha256").digest()
        return self._digests[path]
