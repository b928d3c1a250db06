"""The camera: which part of the picture each frame shows.

A pose is (x, y, s): the middle of what is seen, and its size, all as parts of the picture. The poses that lie
inside the picture, |x - 1/2| and |y - 1/2| at most (1 - s) / 2, are a convex set, and every path here is made by
mixing such poses: so no frame can ever show what is not there, and whatever is mixed smoothly moves smoothly.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rushes.generators.animatic.lexicon import Lexicon, chance, plain

Path = NDArray[np.float64]
"""Poses by frame: (frames, 3)."""

UNITS = 10_000_000
"""Poses are stored as integers of this, so that the last bit of a sine changes no digest."""

DRIFT = "drift"
_MOVES = Lexicon(
    {
        "static": "static,locked,locked off,lock off,tripod,fixed,still,no movement,does not move",
        "push in": "push in,push,pushes in,dolly in,zoom in,track in,tracks in,move in,moves in,creep in,"
        "close in,dolly,dolly forward,zoom,zooms in,push forward",
        "pull out": "pull out,pull back,pulls out,pulls back,pull,dolly out,dolly back,zoom out,zooms out,"
        "track out,move out,reveal",
        "pan left": "pan left,pans left,pan to the left,truck left,track left,tracks left,dolly left,"
        "slide left,move left",
        "pan right": "pan right,pans right,pan to the right,pan,pans,panning,truck right,track right,"
        "tracks right,tracking,dolly right,slide right,move right,follow,follows,orbit,arc",
        "tilt up": "tilt up,tilts up,tilt,pedestal up,look up",
        "tilt down": "tilt down,tilts down,pedestal down,look down",
        "crane up": "crane up,crane,jib up,jib,boom up,rise,rises,drone,aerial",
        "crane down": "crane down,jib down,boom down,descend,lower,lowers",
        "handheld": "handheld,hand held,shaky,shaky cam,shoulder camera",
    }
)
_REST = 0.9


def _framing(s: float, u: float, v: float) -> tuple[float, float, float]:
    """The pose of size `s` whose middle lies at `u`, `v` of what room there is: -1 is the left or upper edge."""
    return (0.5 + u * (1 - s) / 2, 0.5 + v * (1 - s) / 2, s)


WHOLE = np.array(_framing(1.0, 0, 0))
"""The pose that sees the whole picture."""
_PATHS = {
    "static": (_framing(_REST, 0, 0), _framing(_REST, 0, 0)),
    "push in": (_framing(0.95, 0, 0), _framing(0.75, 0, -0.2)),
    "pull out": (_framing(0.75, 0, -0.2), _framing(0.95, 0, 0)),
    "pan left": (_framing(0.8, 0.9, -0.3), _framing(0.8, -0.9, -0.3)),
    "pan right": (_framing(0.8, -0.9, -0.3), _framing(0.8, 0.9, -0.3)),
    "tilt up": (_framing(0.8, 0, 0.9), _framing(0.8, 0, -0.9)),
    "tilt down": (_framing(0.8, 0, -0.9), _framing(0.8, 0, 0.9)),
    "crane up": (_framing(0.76, 0, 0.9), _framing(0.88, 0, -0.9)),
    "crane down": (_framing(0.88, 0, -0.9), _framing(0.76, 0, 0.9)),
    DRIFT: (_framing(0.93, -0.15, 0), _framing(0.89, 0.15, -0.1)),
}
_FULL_MOVE_SECONDS = 1.6
_RAMP_SECONDS = 1.5
_BREATH_SECONDS = 20.0
_SHAKES = (0.23, 0.41, 0.67, 1.03)  # in hertz: a person who stands and breathes


def named(text: str) -> str:
    """The first move that `text` names; without one, `drift`: barely visible, but the picture is alive."""
    return _MOVES.first(plain(text)) or DRIFT


def from_rest(move: str, frames: int, fps: float, seed: int) -> Path:
    """The move over the whole length, eased at both ends. A short shot makes as much of it as is comfortable."""
    if move == "handheld":
        return _handheld(frames, fps, seed)
    return _eased(*_PATHS[move], frames, fps)


def from_whole(move: str, frames: int, fps: float, seed: int) -> Path:
    """The move, starting at rest with the whole picture in view. With nothing outside, a pull out stays."""
    whole = np.tile(WHOLE, (frames, 1))
    if move in {"static", "pull out"}:
        return whole
    if move == "handheld":
        return _mixed(whole, _handheld(frames, fps, seed), _ramp(frames, fps))
    return _eased(WHOLE, _PATHS[move][1], frames, fps)


def going_on(move: str, frames: int, fps: float, seed: int, before: Path) -> Path:
    """The path after `before`: its speed runs out, then the picture breathes; handheld is handheld again."""
    steps = np.arange(1, frames + 1)[:, None]
    last = before[-1]
    speed = np.asarray(last - before[-2] if len(before) > 1 else np.zeros(3))
    slowing = min(fps * 0.5, _room(last, speed))
    coast = last + speed * slowing * (1 - np.exp(-steps / max(slowing, 1e-9)))
    if move == "static":
        return np.asarray(coast)
    if move == "handheld":
        return _mixed(coast, _handheld(frames, fps, seed), _ramp(frames + 1, fps)[1:])
    nearer = coast * (1, 1, 0.96)
    return _mixed(coast, nearer, (1 - np.cos(2 * np.pi * steps[:, 0] / (fps * _BREATH_SECONDS))) / 2)


def dissolve(frames: int, fps: float) -> NDArray[np.float64]:
    """How much of the last frame's picture each frame shows: 1 in the last frame, 0 until shortly before."""
    length = min(frames - 1, max(1, round(fps * 0.8)))
    if length == 0:
        return np.ones(frames)
    return _ease(np.clip((np.arange(frames) - (frames - 1 - length)) / length, 0, 1))


def stored(path: Path) -> NDArray[np.int32]:
    """Poses as integers of 1 / `UNITS`."""
    return np.rint(path * UNITS).astype(np.int32)


def window(pose: ArrayLike, picture: tuple[int, int], size: tuple[int, int]) -> tuple[float, float, float, float]:
    """What a frame of `size` shows of a `picture` (width, height) at a stored pose: left, top, right, bottom in
    pixels. An output of another shape sees the largest part of the pose's that has its shape."""
    x, y, s = (float(v) / UNITS for v in np.asarray(pose))
    w, h = picture[0] * s, picture[1] * s
    shape = size[0] / size[1]
    w, h = min(w, h * shape), min(h, w / shape)
    left = min(max(0.0, x * picture[0] - w / 2), picture[0] - w)
    top = min(max(0.0, y * picture[1] - h / 2), picture[1] - h)
    return (left, top, min(left + w, picture[0]), min(top + h, picture[1]))


def _eased(start: ArrayLike, end: ArrayLike, frames: int, fps: float) -> Path:
    # Squared, so that a short shot is not a jerk: starting and stopping are never harder than in a full move.
    reach = min(1.0, frames / fps / _FULL_MOVE_SECONDS) ** 2
    along = _ease(np.linspace(0, 1, frames) if frames > 1 else np.zeros(1))
    return _mixed(np.tile(start, (frames, 1)), np.tile(end, (frames, 1)), along * reach)


def _handheld(frames: int, fps: float, seed: int) -> Path:
    luck, t = chance("handheld", seed), np.arange(frames) / fps
    u, v, s = (_sway(t, [luck.uniform(0, 2 * np.pi) for _ in _SHAKES]) for _ in range(3))
    size = _REST + 0.008 * s
    room = (1 - size) / 2
    return np.stack([0.5 + 0.75 * u * room, 0.5 + 0.9 * v * room, size], axis=1)


def _sway(t: NDArray[np.float64], phases: list[float]) -> NDArray[np.float64]:
    """Smooth noise within -1 and 1."""
    parts = [np.sin(2 * np.pi * hertz * t + phase) for hertz, phase in zip(_SHAKES, phases, strict=True)]
    return np.asarray(np.average(parts, axis=0, weights=[1, 1 / 2, 1 / 3, 1 / 4]))


def _room(last: NDArray[np.float64], speed: NDArray[np.float64]) -> float:
    """How many frames of `speed` fit before the picture's edge, or before less than a third of it is seen."""
    (x, y, s), (dx, dy, ds) = last - (0.5, 0.5, 0), speed
    limits = [((1 - s) / 2 - side * p, side * d + ds / 2) for p, d in ((x, dx), (y, dy)) for side in (-1, 1)]
    limits += [(1 - s, ds), (s - 0.33, -ds)]
    return float(max(0.0, min((left / rate for left, rate in limits if rate > 1e-12), default=np.inf)))


def _ramp(frames: int, fps: float) -> NDArray[np.float64]:
    return _ease(np.clip(np.arange(frames) / (fps * _RAMP_SECONDS), 0, 1))


def _ease(t: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(t * t * (3 - 2 * t))


def _mixed(a: Path, b: Path, amount: NDArray[np.float64]) -> Path:
    return np.asarray(a + (b - a) * amount[:, None])
