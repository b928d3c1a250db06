"""Reference pictures, as a pipeline takes them: beside the video (Wan VACE), or by an IP-Adapter (SDXL, Flux).

What several references mean differs. VACE gets each as a picture of its own, which stands before the first frame
and costs as much as four frames, so more than MOST are refused: several can be put side by side into one picture.
An IP-Adapter looks at all of them at once, however many there are, as in other programs.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps

from rushes.generators.base import Watch
from rushes.generators.cards import Reference, Run
from rushes.generators.diffusers.adapters_image import adapter_on
from rushes.limited.foreign import picture
from rushes_otio.errors import BadRequest

MOST = 4
"""References that VACE takes."""


@contextmanager
def reference_arguments(pipe: Any, run: Run, watch: Watch) -> Iterator[dict[str, Any]]:  # noqa: ANN401
    """What the call of `pipe` gets for the references of a run, and the pipeline fit to take it meanwhile. To be
    entered before LoRAs are put on and before the pipeline is placed on a device.

    BadRequest for a pipeline that looks at no references, and for more than it takes; FileFault for an IP-Adapter
    that cannot be used; MediaFault for what is no picture.
    """
    if not run.references:
        yield {}
    elif type(pipe).__name__ == "WanVACEPipeline":
        yield {"reference_images": _beside(run.references, run.size, watch)}
    elif hasattr(pipe, "load_ip_adapter") and run.card.adapter:
        pictures = {reference.digest: _opened(reference, watch) for reference in run.references}
        with adapter_on(pipe, run, pictures, watch) as arguments:
            yield arguments
    else:
        raise _looks_at_none(type(pipe).__name__, run)


def _looks_at_none(pipeline: str, run: Run) -> BadRequest:
    still = 'draw or choose a still that shows it: keyframe={"image": "FILE"}'
    if pipeline.startswith(("StableDiffusionXL", "Flux")):
        return BadRequest(
            f"the model {run.card.name} has no IP-Adapter, by which it would look at reference pictures",
            where="references",
            remedy=f"name the file of one as adapter of [models.{run.card.name}] in models.toml, or {still}",
        )
    return BadRequest(
        f"the model {run.card.name} ({pipeline}) does not look at reference pictures",
        where="references",
        remedy=f"use a model that does (Wan VACE, or SDXL and Flux with an IP-Adapter, for the still), or {still}",
    )


def _beside(references: Sequence[Reference], size: tuple[int, int], watch: Watch) -> list[Image.Image]:
    """Each whole, as large as it fits into `size`, on white: so VACE was trained."""
    if len(references) > MOST:
        raise BadRequest(
            f"{len(references)} reference pictures; this model takes {MOST}",
            where="references",
            remedy="put several of them side by side into one picture, on white",
        )
    method = Image.Resampling.LANCZOS
    return [ImageOps.pad(_opened(each, watch), size, method, color="white") for each in references]


def _opened(reference: Reference, watch: Watch) -> Image.Image:
    """RGB, on white where it is transparent."""
    watch.now("looking at references")
    watch.progress(0, 1)
    with Image.open(io.BytesIO(picture(Path(reference.path)))) as opened:
        whole = opened.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", whole.size, "white"), whole).convert("RGB")
