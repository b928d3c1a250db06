"""What clips of footage are known by: the path of their file, and its name as far as that goes."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from rushes_otio.conforming.marks import names_of
from rushes_otio.conforming.returned import Cut, Placed
from rushes_otio.conforming.standins import has_no_file, standin_name, stands_for
from rushes_otio.paths import is_relative, local_path

Keys = Callable[[Placed, str], Iterable[str]]
"""What footage is known by, of a clip in the cut whose place is given."""


_Range = tuple[str, float, float]


def shows_footage(clip: Placed) -> bool:
    """External, or a shot that still shows the footage it was made of."""
    return not clip.shot or (bool(clip.url) and clip.mine is not None and clip.mine.chosen is None)


def shared_names(*cuts: Cut) -> set[str | _Range]:
    """Names that several files of one cut have, and names with ranges that several have: cameras give the same
    names again and again."""
    shared: set[str | _Range] = set()
    for cut in cuts:
        files: dict[str | _Range, str] = {}
        for clip in cut.clips:
            for name in names_of(clip):
                keys: tuple[str, _Range] = (name, (name, clip.first, clip.length))
                shared.update(key for key in keys if files.setdefault(key, clip.url) != clip.url)
    return shared


def doubt_of(clip: Placed, before: Placed, name: str, shared: set[str | _Range]) -> str:
    """Why a clip may show other footage of the same name; empty when nothing says so."""
    if before.shot:
        return "its file has the name of the shot's footage, and no mark of ours"
    here, there = (name, clip.first, clip.length), (name, before.first, before.length)
    if name in shared and (here != there or here in shared):
        return "several files have the name of its file"
    now, then = clip.media_length, before.media_length
    other = now and then and abs(now - then) >= 1
    return "its file has the name of the footage, and another length" if other else ""


def file_of(clip: Placed, where: str) -> list[str]:
    """The whole path of a clip's file. Films say where files lie from the film, at `where`; exports do not."""
    url = local_path(clip.url)
    return [os.path.normpath(Path(where).absolute().parent / url if is_relative(url) else url)] if url else []


def standin_of(clip: Placed, where: str) -> list[str]:
    """What stands in for a clip without a file: of the film's clips what would, of others what they are called."""
    del where
    name = stands_for(clip.url) or (standin_name(clip.item) if has_no_file(clip.item) else "")
    return [f"stands for {name}"] if name else []


def grouped(clips: Iterable[Placed], keys: Keys, where: str) -> Mapping[tuple[bool, str], list[Placed]]:
    found: dict[tuple[bool, str], list[Placed]] = defaultdict(list)
    for clip in clips:
        for key in keys(clip, where):
            found[clip.is_video, key].append(clip)
    return found
