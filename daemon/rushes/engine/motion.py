"""The motion digest of a take: one sha256, or one for each piece after the take was extended. The digest of its
frames is written the same way, one for each pass in which they were encoded.

Written `<sha256>` or `<sha256>+<first frame>:<sha256>…`. An edge to another shot names the piece its frame lies
in, so an extension changes nothing for those who continue from an earlier frame.
"""

from __future__ import annotations

from collections.abc import Sequence


def joined(pieces: Sequence[tuple[int, str]]) -> str:
    """The motion digest of pieces given as (first shot frame, sha256), the first of them from frame 0."""
    return "+".join(digest if start == 0 else f"{start}:{digest}" for start, digest in pieces)


def pieces(motion: str) -> list[tuple[int, str]]:
    """The reverse of `joined`."""
    found = []
    for part in motion.split("+"):
        start, _, digest = part.rpartition(":")
        found.append((int(start or 0), digest))
    return found


def piece_at(motion: str, frame: int) -> str:
    """The digest of the piece that a shot frame lies in."""
    return next(digest for start, digest in reversed(pieces(motion)) if start <= frame)
