"""What a request for a motion asks of a model: the class to call, the pictures opened, the footage checked."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from rushes.generators.base import Footage, MotionRequest
from rushes.generators.cards import Run
from rushes.generators.diffusers import pictures
from rushes.generators.diffusers.calls import Call, Given, Mode, call_for
from rushes.generators.folders import Folder
from rushes_otio.errors import BadRequest


def run_of(run: Run | None) -> Run:
    """The run of a request; BadRequest where it has none."""
    if run is None:
        raise BadRequest("no model was named for diffusers", remedy="register one: rushes models add")
    return run


def asked(request: MotionRequest, footage: Footage | None, folder: Folder) -> tuple[Call, Given]:
    """What is called, and what it is given. BadRequest for what the model cannot do, MediaFault for a picture that
    cannot be read."""
    run, total = run_of(request.run), request.frames + request.overlap
    if request.frames < 1 or request.overlap < 0:
        raise BadRequest(f"a motion of {request.frames} frames", remedy="ask for one frame or more")
    first = request.first_frame or request.keyframe
    given = Given(
        size=run.size,
        frames=total,
        rate=Fraction(request.rate),
        steps=run.steps,
        goes_on=request.after is not None,
        first=None if first is None else pictures.given(first, run.size),
        last=None if request.last_frame is None else pictures.given(request.last_frame, run.size),
        **({} if footage is None else _over(footage, request.strength, (total, *reversed(run.size), 3))),
    )
    calls = [call_for(folder, mode) for mode in _modes(given)]
    return calls[0], given


def _modes(given: Given) -> list[Mode]:
    """All that the model must be able to do at once; the first says which class is called."""
    modes: list[Mode] = [given.mode]
    if given.plate is not None and given.last is not None:
        modes.append("two pictures")
    if given.goes_on:
        modes = ["after"] if modes == ["words"] else [*modes, "after"]
    return modes


def _over(footage: Footage, strength: str | None, shape: tuple[int, ...]) -> dict[str, Any]:
    masks = footage.mask
    if footage.plate.shape != shape or (masks is not None and masks.shape != shape[:3]):
        raise BadRequest(
            f"the footage is of shape {footage.plate.shape} under a motion of {shape}",
            remedy="render the shot again",
        )
    if masks is not None and strength not in (None, "1"):
        raise BadRequest(
            "inside a mask everything is made anew, so strength says nothing", remedy="unset strength, or the mask"
        )
    return {"plate": footage.plate, "mask": masks, **({} if strength is None else {"strength": float(strength)})}
