"""Who each clip of a cut is: matched to the clips of another, stage by stage, the surest traces first.

    use, marker    a mark of ours names use and shot
    token          a shot's id in a file name, clip name or reel
    content, path  the very file of a known clip
    name           a name that only one shot has, or the name of the same footage; with an overlapping range
    position       only the place in the cut: proposed, never applied

A wrong link is worse than none. Traces that contradict each other only propose. So do names in a cut whose other
clips carry our marks: there a clip without one is probably somebody else's of that name.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from rushes_otio.conforming.alignment import overlap
from rushes_otio.conforming.guessing import guesses
from rushes_otio.conforming.marks import By, Mark, marks, names_of
from rushes_otio.conforming.pairing import ANY, pair
from rushes_otio.conforming.returned import Cut, Placed


@dataclass(slots=True)
class Link:
    """`clip` is `shot` (empty for footage). `old` is the clip it goes on as; without one it is a further use, made
    from `source` where that is known. `take` is the take that its file name says."""

    clip: Placed
    shot: str
    old: Placed | None
    by: By
    source: Placed | None = None
    take: str = ""


@dataclass(slots=True)
class Proposal:
    """What a clip may be, and why that is not sure."""

    link: Link
    because: str


@dataclass(slots=True)
class Matching:
    """`links` by the order of the clip; clips without one are not known."""

    old: Cut
    new: Cut
    links: dict[int, Link] = field(default_factory=dict)
    proposed: list[Proposal] = field(default_factory=list)

    def link(self, clip: Placed) -> Link | None:
        return self.links.get(clip.order)


Contents = Callable[[Placed], str]
"""The shot whose take has the very content of a clip's file; empty where none has, or the file is not there."""


def match(old: Cut, new: Cut, gone: Container[str] = (), contents: Contents | None = None) -> Matching:
    """Match `new` to `old`. `gone` holds ids of shots that the film knows and its cut has no more."""
    return _Matcher(old, new, gone, contents or _unknown).matching()


def _unknown(_: Placed) -> str:
    return ""


class _Matcher:
    def __init__(self, old: Cut, new: Cut, gone: Container[str], contents: Contents) -> None:
        self._result = Matching(old, new)
        self._contents = contents
        self._hour = 3600.0 * old.rate.nominal
        self._uses = {clip.use: clip for clip in old.clips if clip.use}
        self._of_shot: dict[str, list[Placed]] = defaultdict(list)
        for clip in old.clips:
            if clip.shot and clip.is_video:
                self._of_shot[clip.shot].append(clip)
        self._shots = _Either(self._of_shot, gone)
        self._claims: dict[str, list[tuple[Placed, Mark]]] = defaultdict(list)
        self._beside = _Neighbours(self._result)

    def matching(self) -> Matching:
        found, result = self._result, self._result
        open_ = [clip for clip in result.new.clips if not self._by_marks(clip)]
        self._beside.learn(self._claims)
        for shot, claims in self._claims.items():
            self._assign(shot, claims)
        marked = bool(found.links)
        self._same_footage(open_, lambda clip: [f"use {clip.use}"] if clip.use else [], "use", ANY)
        open_ = [clip for clip in self._left(open_) if not self._by_content(clip)]
        self._same_footage(open_, lambda clip: [clip.url] if clip.url else [], "path")
        self._by_shot_name(self._left(open_), marked)
        self._same_footage(self._left(open_), lambda clip: list(dict.fromkeys(names_of(clip))), "name")
        decided = {proposal.link.clip.order for proposal in found.proposed}
        for clip, before in guesses(found, [c for c in self._left(open_) if c.order not in decided]):
            link = Link(clip, before.shot, before, "position")
            found.proposed.append(Proposal(link, "only its place in the cut speaks for it"))
        found.proposed.sort(key=lambda proposal: proposal.link.clip.order)
        return found

    def _left(self, clips: Sequence[Placed]) -> list[Placed]:
        return [clip for clip in clips if clip.order not in self._result.links]

    # -- shots, by our marks ---------------------------------------------------------------------------------

    def _by_marks(self, clip: Placed) -> bool:
        """Note which shot a clip is; whether that is settled, for sure or as a proposal."""
        if not clip.is_video or clip.item.kind != "Clip":
            return False
        found = list(marks(clip, self._shots))
        if not found:
            return False
        said = {mark.shot for mark in found}
        sure = found[0] if len(said) == 1 else next(m for m in reversed(found) if m.shot != found[0].shot)
        take = next((mark.take for mark in reversed(found) if mark.take and mark.shot == sure.shot), "")
        sure = sure._replace(take=take)
        if len(said) == 1:
            self._claims[sure.shot].append((clip, sure))
        else:
            names = " and ".join(sorted(said))
            link = Link(clip, sure.shot, None, sure.by, self._first_use(sure.shot), take)
            self._result.proposed.append(Proposal(link, f"its marks contradict each other: they name {names}"))
        return True

    def _first_use(self, shot: str) -> Placed | None:
        known = self._of_shot.get(shot)
        return known[0] if known else None

    def _assign(self, shot: str, claims: list[tuple[Placed, Mark]]) -> None:
        """Give the clips of a shot its uses: those that name one first."""
        by_use: dict[str, list[tuple[Placed, Mark]]] = defaultdict(list)
        for clip, mark in claims:
            known = self._uses.get(mark.use)
            by_use[mark.use if known is not None and known.shot == shot else ""].append((clip, mark))
        anonymous = by_use.pop("", [])
        for use, claimants in by_use.items():
            kept = self._paired([clip for clip, _ in claimants], [self._uses[use]])
            for clip, mark in claimants:
                self._settle(clip, mark, kept.get(clip.order), self._uses[use])
        free = [use for use in self._of_shot.get(shot, ()) if use.use not in by_use]
        kept = self._paired([clip for clip, _ in anonymous], free)
        for clip, mark in anonymous:
            self._settle(clip, mark, kept.get(clip.order), self._nearest(shot, clip))

    def _paired(self, new: list[Placed], old: list[Placed]) -> dict[int, Placed]:
        return pair(new, old, self._hour, self._beside.shared, ANY)

    def _settle(self, clip: Placed, mark: Mark, old: Placed | None, source: Placed | None) -> None:
        self._result.links[clip.order] = Link(clip, mark.shot, old, mark.by, old or source, mark.take)

    def _nearest(self, shot: str, clip: Placed) -> Placed | None:
        """The use that a copy or half was probably made of."""
        known = self._of_shot.get(shot, ())
        return max(known, key=lambda use: overlap(clip, use, self._hour), default=None)

    # -- shots, without marks --------------------------------------------------------------------------------

    def _by_content(self, clip: Placed) -> bool:
        shot = self._contents(clip) if clip.is_video and clip.item.kind == "Clip" else ""
        if shot not in self._shots:
            return False
        taken = {id(link.old) for link in self._result.links.values()}
        free = [use for use in self._of_shot.get(shot, ()) if id(use) not in taken]
        kept = self._paired([clip], free)
        self._settle(clip, Mark("content", "", shot, ""), kept.get(clip.order), self._nearest(shot, clip))
        return True

    def _by_shot_name(self, open_: list[Placed], marked: bool) -> None:
        """Names that only one use of one shot has, and only one clip that came back."""
        before: dict[str, set[Placed]] = defaultdict(set)
        for each in (use for uses in self._of_shot.values() for use in uses):
            for name in {*names_of(each), *([each.mine.name.casefold()] if each.mine and each.mine.name else [])}:
                before[name].add(each)
        single = {name: next(iter(uses)) for name, uses in before.items() if len(uses) == 1}
        now = Counter(name for clip in open_ if clip.is_video for name in set(names_of(clip)))
        linked = {link.shot for link in self._result.links.values()}
        for clip in open_:
            if not clip.is_video or clip.item.kind != "Clip":
                continue
            use = next((single[n] for n in names_of(clip) if n in single and now[n] == 1), None)
            if use is None or overlap(clip, use, self._hour) <= 0:
                continue
            link = Link(clip, use.shot, None if use.shot in linked else use, "name", use)
            if marked:
                why = "it has the shot's name, and none of the marks that the other clips have"
                self._result.proposed.append(Proposal(link, why))
            else:
                self._result.links[clip.order] = link

    # -- footage ---------------------------------------------------------------------------------------------

    def _same_footage(
        self, open_: Sequence[Placed], keys: Callable[[Placed], Iterable[str]], by: By, least: float = 0.0
    ) -> None:
        """Pair clips of the same footage on tracks of one kind, by what `keys` says, whose ranges overlap."""
        taken = {id(link.old) for link in self._result.links.values()}
        before = _grouped((c for c in self._result.old.clips if _shows_footage(c) and id(c) not in taken), keys)
        now = _grouped(self._left(open_), keys)
        for key in now.keys() & before.keys():
            new, old = self._left(now[key]), [c for c in before[key] if id(c) not in taken]
            kept = pair(new, old, self._hour, self._beside.shared, least)
            for order, clip in kept.items():
                self._result.links[order] = Link(
                    next(c for c in new if c.order == order), clip.shot, clip, by, clip
                )
                taken.add(id(clip))


def _shows_footage(clip: Placed) -> bool:
    """External, or a shot that still shows the footage it was made of."""
    return not clip.shot or (bool(clip.url) and clip.mine is not None and clip.mine.chosen is None)


def _grouped(
    clips: Iterable[Placed], keys: Callable[[Placed], Iterable[str]]
) -> Mapping[tuple[bool, str], list[Placed]]:
    found: dict[tuple[bool, str], list[Placed]] = defaultdict(list)
    for clip in clips:
        for key in keys(clip):
            found[clip.is_video, key].append(clip)
    return found


class _Either:
    """Shots of the cut, and those that the film knows besides."""

    def __init__(self, here: Container[str], gone: Container[str]) -> None:
        self._here, self._gone = here, gone

    def __contains__(self, shot: object) -> bool:
        return shot in self._here or shot in self._gone


class _Neighbours:
    """How many neighbours of two clips are the same shots: what tells a copy from its original."""

    def __init__(self, matching: Matching) -> None:
        self._new: dict[int, tuple[str, str]] = {}
        self._old = _around(matching.old.clips, {clip.order: clip.shot for clip in matching.old.clips})
        self._clips = matching.new.clips

    def learn(self, claims: Mapping[str, list[tuple[Placed, Mark]]]) -> None:
        said = {clip.order: shot for shot, each in claims.items() for clip, _ in each}
        self._new = _around(self._clips, said)

    def shared(self, new: Placed, old: Placed) -> int:
        before, after = self._new.get(new.order, ("", "")), self._old.get(old.order, ("", ""))
        return sum(bool(a) and a == b for a, b in zip(before, after, strict=True))


def _around(clips: Sequence[Placed], shots: Mapping[int, str]) -> dict[int, tuple[str, str]]:
    previous = {b.order: shots.get(a.order, "") for a, b in pairwise(clips) if a.track is b.track}
    following = {a.order: shots.get(b.order, "") for a, b in pairwise(clips) if a.track is b.track}
    return {clip.order: (previous.get(clip.order, ""), following.get(clip.order, "")) for clip in clips}
