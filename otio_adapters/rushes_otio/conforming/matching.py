"""Who each clip of a cut is: matched to the clips of another, stage by stage, the surest traces first.

    use, marker    a mark of ours names use and shot
    token          a shot's id in a file name, clip name or reel
    content, path  the very file of a known clip
    name           the name of the same footage, with an overlapping range; a name that only one shot has: proposed
    position       only the place in the cut: proposed

A wrong link is worse than none. Traces that contradict each other only propose. So do names of shots: editors name
clips after other shots, and others call their versions of a shot by its name.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

from rushes_otio.conforming.alignment import overlap, run
from rushes_otio.conforming.dissolves import put_back
from rushes_otio.conforming.footage import (
    Keys,
    doubt_of,
    file_of,
    grouped,
    shared_names,
    shows_footage,
    standin_of,
)
from rushes_otio.conforming.guessing import guesses
from rushes_otio.conforming.marks import By, Mark, marks, names_of, shot_in_name
from rushes_otio.conforming.pairing import ANY, pair
from rushes_otio.conforming.returned import Cut, Placed
from rushes_otio.text import printable
from rushes_otio.tracks import without_gc


@dataclass(slots=True)
class Link:
    """`clip` is `shot` (empty for footage). `old` is the clip it goes on as; without one it is a further use, made
    from `source` where that is known. `take` is the take that its file name says, `use` the use a mark names."""

    clip: Placed
    shot: str
    old: Placed | None
    by: By
    source: Placed | None = None
    take: str = ""
    use: str = ""


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
    with without_gc():
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
        self._doubted: set[int] = set()
        self._taken: set[int] = set()  # clips of the film that others go on as, by their `id`

    def matching(self) -> Matching:
        found = self._result
        open_ = [clip for clip in found.new.clips if not self._by_marks(clip)]
        self._beside.learn(self._claims)
        for shot, claims in self._claims.items():
            self._assign(shot, claims)
        marked = bool(found.links)
        self._same_footage(open_, lambda clip, _: [f"use {clip.use}"] if clip.use else [], "use", ANY)
        open_ = [clip for clip in self._left(open_) if not self._is_external(clip)]  # without copies
        self._same_footage(open_, standin_of, "token", ANY)
        open_ = [clip for clip in self._left(open_) if not self._by_content(clip)]
        self._same_footage(open_, file_of, "path")
        self._by_shot_name(self._left(open_), marked)
        self._same_footage(open_, lambda clip, _: dict.fromkeys(names_of(clip)), "name")
        for clip, before in guesses(found, self._left(open_)):
            link = Link(clip, before.shot, before, "position")
            found.proposed.append(Proposal(link, "only its place in the cut speaks for it"))
        found.proposed.sort(key=lambda proposal: proposal.link.clip.order)
        put_back(found.new.clips, {order: link.old for order, link in found.links.items() if link.old is not None})
        return found

    def _left(self, clips: Sequence[Placed]) -> list[Placed]:
        return [clip for clip in clips if clip.order not in self._result.links and clip.order not in self._doubted]

    def _propose(self, link: Link, because: str) -> None:
        self._result.proposed.append(Proposal(link, because))
        self._doubted.add(link.clip.order)

    # -- shots, by our marks ---------------------------------------------------------------------------------

    def _by_marks(self, clip: Placed) -> bool:
        """Note which shot a clip is; whether that is settled, for sure or as a proposal."""
        if not clip.is_video or clip.item.kind != "Clip":
            return False
        if self._is_plainly(clip):
            return True
        if self._is_external(clip):
            return False
        found = list(marks(clip, self._shots))
        if not found:
            return False
        said = {mark.shot for mark in found}
        sure = found[0] if len(said) == 1 else next(m for m in reversed(found) if m.shot != found[0].shot)
        takes = [mark.take for mark in found if mark.take and mark.shot == sure.shot]
        shown = [mark.take for mark in found if mark.take and mark.shot == sure.shot and mark.by == "token"]
        take = (shown or takes or [""])[0]  # the file's name comes first: it is what is seen
        sure = sure._replace(take=take)
        if len(said) == 1 and self._is_longer(clip, sure):
            link = Link(clip, sure.shot, self._uses.get(sure.use), sure.by, self._first_use(sure.shot), take)
            self._propose(link, "its marks are the shot's, its file is another, longer one")
        elif len(said) == 1:
            self._claims[sure.shot].append((clip, sure))
        else:
            names = " and ".join(sorted(self._name(shot) for shot in said))
            link = Link(clip, sure.shot, None, sure.by, self._first_use(sure.shot), take)
            self._propose(link, f"its marks contradict each other: they name {names}")
        return True

    def _name(self, shot: str) -> str:
        use = self._first_use(shot)
        return printable(use.mine.name, 60) if use is not None and use.mine and use.mine.name else shot

    def _is_longer(self, clip: Placed, mark: Mark) -> bool:
        """Whether a clip that a mark alone speaks for shows a file that cannot be a copy of the shot's."""
        use = self._uses.get(mark.use) or self._first_use(mark.shot)
        if mark.by == "token" or use is None or not clip.url or clip.url == use.url or shot_in_name(clip.url):
            return False
        return (clip.media_length or 0.0) > (use.media_length or float("inf")) + 1

    def _is_plainly(self, clip: Placed) -> bool:
        """Most clips of a cut that kept our metadata: it names a use, and the file is the take that it names."""
        mine = clip.mine
        known = self._uses.get(mine.use) if mine is not None else None
        if mine is None or known is None or known.shot != mine.shot or mine.chosen is None:
            return False
        take = mine.chosen.take
        if f"_{mine.shot}_{take}." not in clip.url:
            return False
        self._claims[mine.shot].append((clip, Mark("use", mine.use, mine.shot, take)))
        return True

    def _is_external(self, clip: Placed) -> bool:
        """Whether a clip names a use of the film that is no shot: then it is none, whatever its file is called."""
        known = self._uses.get(clip.use)
        return known is not None and not known.shot and not clip.shot

    def _first_use(self, shot: str) -> Placed | None:
        known = self._of_shot.get(shot)
        return known[0] if known else None

    def _assign(self, shot: str, claims: list[tuple[Placed, Mark]]) -> None:
        """Give the clips of a shot its uses: those that name one first."""
        if len(claims) == 1:
            clip, mark = claims[0]
            only = self._uses.get(mark.use)
            if only is not None and only.shot == shot:
                self._settle(clip, mark, only, only)
                return
        by_use: dict[str, list[tuple[Placed, Mark]]] = defaultdict(list)
        anonymous: list[tuple[Placed, Mark]] = []
        for clip, mark in claims:
            known = self._uses.get(mark.use)
            if known is not None and known.shot == shot:
                by_use[mark.use].append((clip, mark))
            elif mark.use and shot in self._of_shot:  # a use that the film had once: nobody else's
                self._settle(clip, mark, None, self._nearest(shot, clip))
            else:
                anonymous.append((clip, mark))
        free = {use.order: use for use in self._of_shot.get(shot, ()) if use.use not in by_use}
        for use, claimants in by_use.items():
            kept = self._paired([clip for clip, _ in claimants], [self._uses[use]])
            for clip, mark in claimants:
                own = kept.get(clip.order) or self._same_range(clip, free)
                self._settle(clip, mark, own, self._uses[use])
        kept = self._paired([clip for clip, _ in anonymous], list(free.values()))
        for clip, mark in anonymous:
            self._settle(clip, mark, kept.get(clip.order), self._nearest(shot, clip))

    def _same_range(self, clip: Placed, free: dict[int, Placed]) -> Placed | None:
        """The use that an earlier conform of the same cut made of a half or copy; it is free no more."""
        for order, use in free.items():
            if overlap(clip, use, self._hour) == run(clip) == run(use):
                return free.pop(order)
        return None

    def _paired(self, new: list[Placed], old: list[Placed]) -> dict[int, Placed]:
        return pair(new, old, self._hour, self._beside.shared, ANY)

    def _settle(self, clip: Placed, mark: Mark, old: Placed | None, source: Placed | None) -> None:
        self._result.links[clip.order] = Link(clip, mark.shot, old, mark.by, old or source, mark.take, mark.use)
        self._taken.add(id(old))

    def _nearest(self, shot: str, clip: Placed) -> Placed | None:
        """The use that a copy or half was probably made of."""
        known = self._of_shot.get(shot, ())
        return max(known, key=lambda use: overlap(clip, use, self._hour), default=None)

    # -- shots, without marks --------------------------------------------------------------------------------

    def _by_content(self, clip: Placed) -> bool:
        shot = self._contents(clip) if clip.is_video and clip.item.kind == "Clip" else ""
        if shot not in self._shots:
            return False
        free = [use for use in self._of_shot.get(shot, ()) if id(use) not in self._taken]
        kept = self._paired([clip], free)
        self._settle(clip, Mark("content", "", shot, ""), kept.get(clip.order), self._nearest(shot, clip))
        return True

    def _by_shot_name(self, open_: list[Placed], marked: bool) -> None:
        """Names that only one use of one shot has, and only one clip that came back."""
        if not open_:
            return
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
            only = "none of the marks that the other clips have" if marked else "no mark of ours"
            self._propose(link, f"it has the shot's name, and {only}")

    # -- footage ---------------------------------------------------------------------------------------------

    def _same_footage(self, open_: Sequence[Placed], keys: Keys, by: By, least: float = 0.0) -> None:
        """Pair clips of the same footage on tracks of one kind, by what `keys` says, whose ranges overlap."""
        if not open_:
            return
        cut, came = self._result.old, self._result.new
        taken = self._taken
        before = grouped((c for c in cut.clips if shows_footage(c) and id(c) not in taken), keys, cut.where)
        now = grouped(self._left(open_), keys, came.where)
        shared = shared_names(cut, came) if by == "name" else set()
        for key in (key for key in now if key in before):
            new, old = self._left(now[key]), [c for c in before[key] if id(c) not in taken]
            kept = pair(new, old, self._hour, self._beside.shared, least)
            for clip in (clip for clip in new if clip.order in kept):
                link = Link(clip, kept[clip.order].shot, kept[clip.order], by, kept[clip.order])
                taken.add(id(link.old))
                doubt = doubt_of(clip, kept[clip.order], key[1], shared) if by == "name" else ""
                if doubt:
                    self._propose(link, doubt)
                else:
                    self._result.links[clip.order] = link
            if by == "path":
                self._further_pieces(self._left(now[key]), before[key])

    def _further_pieces(self, open_: list[Placed], old: list[Placed]) -> None:
        """More clips of the file that a shot without a take shows: halves of a blade, or the footage itself."""
        for clip in open_:
            shown = [use for use in old if use.shot and overlap(clip, use, self._hour) > 0]
            if shown:
                link = Link(clip, shown[0].shot, None, "path", shown[0])
                self._propose(link, "it shows more of the footage that a shot shows, and has no mark")


class _Either:
    """Shots of the cut, and those that the film knows besides."""

    def __init__(self, here: Container[str], gone: Container[str]) -> None:
        self._here, self._gone = here, gone

    def __contains__(self, shot: object) -> bool:
        return shot in self._here or shot in self._gone


class _Neighbours:
    """How many neighbours of two clips are the same shots: what tells a copy from its original."""

    def __init__(self, matching: Matching) -> None:
        self._matching = matching
        self._claims: Mapping[str, list[tuple[Placed, Mark]]] = {}

    def learn(self, claims: Mapping[str, list[tuple[Placed, Mark]]]) -> None:
        """Which shots the clips that came back say they are."""
        self._claims = claims

    def shared(self, new: Placed, old: Placed) -> int:
        before, after = self._of_new.get(new.order, ("", "")), self._of_old.get(old.order, ("", ""))
        return sum(bool(a) and a == b for a, b in zip(before, after, strict=True))

    @cached_property
    def _of_new(self) -> dict[int, tuple[str, str]]:
        said = {clip.order: shot for shot, each in self._claims.items() for clip, _ in each}
        return _around(self._matching.new.clips, said)

    @cached_property
    def _of_old(self) -> dict[int, tuple[str, str]]:
        clips = self._matching.old.clips
        return _around(clips, {clip.order: clip.shot for clip in clips})


def _around(clips: Sequence[Placed], shots: Mapping[int, str]) -> dict[int, tuple[str, str]]:
    previous = {b.order: shots.get(a.order, "") for a, b in pairwise(clips) if a.track is b.track}
    following = {a.order: shots.get(b.order, "") for a, b in pairwise(clips) if a.track is b.track}
    return {clip.order: (previous.get(clip.order, ""), following.get(clip.order, "")) for clip in clips}
