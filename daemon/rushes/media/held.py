"""A movie of one picture that is held. It is encoded once, in this process, and its packet is written as often as
there are frames: a slate costs milliseconds, however long it is.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace

from rushes.media.frames import Picture
from rushes.media.join import new_movie

_BT709, _LIMITED = 1, 1  # code points of ITU-T H.273
_PIXELS = "yuv422p10le"


def hold(picture: Picture, frames: int, out: Path, rate: str, timecode: str, reel: str) -> None:
    """Write `picture` (height, width, RGB; even sides) as a movie of `frames` frames at `rate` ("24000/1001"):
    ProRes Proxy in BT.709, from `timecode` on, with a reel name. MediaFault when it cannot be written."""
    height, width, _ = picture.shape
    with new_movie(out) as container:
        stream = container.add_stream("prores", rate=Fraction(rate), options={"profile": "0", "vendor": "apl0"})
        stream.width, stream.height, stream.pix_fmt = width, height, _PIXELS
        stream.time_base = 1 / Fraction(rate)
        context = stream.codec_context
        context.colorspace = context.color_primaries = context.color_trc = _BT709
        context.color_range = _LIMITED
        stream.metadata["reel_name"] = reel
        container.metadata["timecode"] = timecode
        (packet,) = [*stream.encode(_frame(picture)), *stream.encode(None)]
        data = bytes(packet)
        for number in range(frames):
            copy = av.Packet(data)
            copy.stream, copy.time_base = stream, 1 / Fraction(rate)
            copy.pts = copy.dts = number
            copy.duration, copy.is_keyframe = 1, True
            container.mux(copy)


def _frame(picture: Picture) -> av.VideoFrame:
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
    converted = frame.reformat(format=_PIXELS, dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG)
    converted.pts = 0
    return converted
