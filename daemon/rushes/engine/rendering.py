"""A render from beginning to end in this process: the wishes read, a worker started and ended."""

from __future__ import annotations

from collections.abc import Sequence

from rushes.engine.outcome import Outcome, Reporter
from rushes.engine.render import Render
from rushes.engine.studio import Desk
from rushes.engine.wishes import Wishes
from rushes.worker.ledger import Patience
from rushes.worker.supervisor import WorkerProcess, WorkerSettings
from rushes_otio.errors import BadRequest
from rushes_otio.pointing import find_shot

STAGES_TO_STOP_AT = ("", "keyframe")


def wishes_for(desk: Desk, shots: Sequence[str], another: int, until: str, model: str) -> Wishes:
    """What a person asked for, with shots found in the film. BadRequest for what cannot be asked."""
    if until not in STAGES_TO_STOP_AT:
        raise BadRequest(f"a render cannot stop at {until!r}", remedy="--until keyframe makes stills")
    film = desk.read()
    if model:
        desk.studio.registry.traits(str(desk.studio.registry.route(model, None, "--model")["name"]))
    return Wishes(tuple(find_shot(film, text).block.shot for text in shots), another, until, model)


def render_film(desk: Desk, wishes: Wishes, reporter: Reporter) -> Outcome:
    """Render with a worker process of this process's own."""
    settings = desk.studio.settings
    patience = Patience(silence=settings.silence_s)
    workers = WorkerProcess(WorkerSettings(desk.studio.places.state, patience=patience))
    try:
        return Render(desk, workers, reporter).run(wishes)
    finally:
        workers.stop()
