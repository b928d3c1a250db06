"""The generator that is always there: it draws a storyboard panel from a shot's words and moves a camera over it.

No model, no weights, no network. A panel shows who is in the shot, where, at what time and how near; the move is
the camera's; the words of the shot stand under it. Same request, same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from rushes.generators.animatic import camera, pictures
from rushes.generators.animatic.captions import overlay
from rushes.generators.animatic.ink import NATIVE
from rushes.generators.animatic.panel import STEPS, panel
from rushes.generators.animatic.piece import ALL, Head, Piece, load, pack, unpack
from rushes.generators.base import Footage, Frame, KeyframeRequest, MotionRequest, Watch, WordsRequest
from rushes.generators.cards import Card
from rushes.limited.pictures import png
from rushes_otio.errors import BadRequest
from rushes_otio.text import printable
from rushes_otio.timing import Rate

_CAPTION = 400


class Animatic:
    """`Generator` without a model. Draws at any size; pictures that are handed on are 1920x1080."""

    def words(self, request: WordsRequest, watch: Watch) -> bytes:
        """It reads words itself."""
        raise BadRequest("the animatic has no text encoder", remedy="ask it for a picture")

    def keyframe(self, request: KeyframeRequest, watch: Watch) -> bytes:
        """The given picture on the native canvas, or a drawn panel. PNG, RGB, 1920x1080."""
        if request.image is None:
            made = png(panel(request.fields, request.seed, watch.progress))
        else:
            watch.progress(0, STEPS)
            made = pictures.given(request.image)
        watch.progress(STEPS, STEPS)
        return made

    def motion(self, request: MotionRequest, watch: Watch, footage: Footage | None = None) -> bytes:
        """The camera's path over the picture; see `piece` for the form and `camera` for the moves. It has nothing
        to say about footage that it is given."""
        watch.progress(0, 2)
        fps, move = float(Rate.parse(request.rate)), camera.named(request.fields.camera)
        if request.frames < 1:
            raise BadRequest(f"a motion of {request.frames} frames", remedy="ask for one frame or more")
        picture, path = _start(request, move, fps)
        watch.progress(1, 2)
        words, _, quiet = request.fields.caption.partition("\n")
        head = Head(1, request.frames, move, _said(words), _said(quiet))
        end, mixed = _end(request, fps)
        watch.progress(2, 2)
        return pack(Piece(head, camera.stored(path), np.rint(mixed * ALL).astype(np.uint16), picture, end))

    def length(self, motion: bytes) -> int:
        """Frames of a stored motion."""
        return unpack(motion).head.frames

    def frames(self, motion: bytes, size: tuple[int, int], card: Card | None, watch: Watch) -> Iterator[Frame]:
        """Every frame at exactly `size`, with its caption."""
        piece = unpack(motion)
        title = overlay(size, piece.head.caption, piece.head.action, piece.head.move)
        shown = _Shown(piece, size)
        for n in range(piece.head.frames):
            frame = np.array(shown.frame(n))
            yield title.lay(frame) if title else frame

    def picture(self, motion: bytes, frame: int, card: Card | None, watch: Watch) -> bytes:
        """PNG of one frame, 1920x1080, no caption. BadRequest beyond the last frame."""
        piece = unpack(motion)
        if not 0 <= frame < piece.head.frames:
            raise BadRequest(
                f"frame {frame} of a motion of {piece.head.frames} frames", remedy="ask for a frame inside it"
            )
        return png(_Shown(piece, NATIVE).frame(frame))

    def device(self) -> str:
        return ""

    def environment(self) -> Mapping[str, str]:
        return {}


class _Shown:
    """Frames of a piece at one size, without captions. Keeps the last one: a camera that stands costs nothing."""

    def __init__(self, piece: Piece, size: tuple[int, int]) -> None:
        self._piece, self._size = piece, size
        self._picture = pictures.decoded(piece.picture)
        self._how = _resampling(piece, size)
        self._end = self._seen(pictures.decoded(piece.end), camera.stored(camera.WHOLE)) if piece.end else None
        self._last: tuple[bytes, Image.Image] | None = None

    def frame(self, n: int) -> Image.Image:
        amount = int(self._piece.dissolve[n])
        if self._end is not None and amount == ALL:
            return self._end
        seen = self._camera(n)
        return seen if self._end is None or not amount else Image.blend(seen, self._end, amount / ALL)

    def _camera(self, n: int) -> Image.Image:
        pose = self._piece.poses[n]
        if self._last is None or self._last[0] != pose.tobytes():
            self._last = (pose.tobytes(), self._seen(self._picture, pose))
        return self._last[1]

    def _seen(self, picture: Image.Image, pose: NDArray[np.int32]) -> Image.Image:
        return picture.resize(self._size, self._how, box=camera.window(pose, picture.size, self._size))


def _resampling(piece: Piece, size: tuple[int, int]) -> Image.Resampling:
    """One filter for the whole piece, so that sharpness does not jump: the quick one unless much is enlarged."""
    left, _, right, _ = camera.window(piece.poses[piece.poses[:, 2].argmin()], NATIVE, size)
    return Image.Resampling.BICUBIC if size[0] > 1.35 * (right - left) else Image.Resampling.HAMMING


def _start(request: MotionRequest, move: str, fps: float) -> tuple[bytes, camera.Path]:
    """The picture that the camera moves over and its path over it."""
    count, seed = request.frames, request.seed
    if request.after is not None:
        before = load(request.after)
        if before.end is not None:
            return before.end, camera.going_on(move, count, fps, seed, camera.WHOLE[None])
        return before.picture, camera.going_on(move, count, fps, seed, before.poses / camera.UNITS)
    if request.first_frame is not None:
        return pictures.given(request.first_frame), camera.from_whole(move, count, fps, seed)
    if request.keyframe is None:
        raise BadRequest("a motion without a picture to start from", remedy="give it a keyframe or a first frame")
    return pictures.drawn(request.keyframe), camera.from_rest(move, count, fps, seed)


def _end(request: MotionRequest, fps: float) -> tuple[bytes | None, NDArray[np.float64]]:
    """The picture to end on and how much of it each frame shows. A single frame stays the first picture."""
    if request.last_frame is None or (request.frames == 1 and request.first_frame is not None):
        return None, np.zeros(request.frames)
    return pictures.given(request.last_frame), camera.dissolve(request.frames, fps)


def _said(text: str) -> str:
    """A caption as it is stored: harmless, and no longer than is ever shown."""
    return printable(text.strip(), _CAPTION)
