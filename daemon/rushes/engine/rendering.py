"""A render from beginning to end in this process: the wishes read, a worker started and ended."""

from __future__ import annotations

import queue
from collections.abc import Sequence

from rushes.engine.floor import Delivery, Floor
from rushes.engine.opendesk import OpenDesk
from rushes.engine.outcome import Outcome, row_of
from rushes.engine.shooting import Shooting
from rushes.engine.studio import Desk, Studio
from rushes.engine.telling import Tell
from rushes.engine.wishes import Wishes
from rushes.generators.models import QUALITIES
from rushes.generators.traits import DIFFUSERS
from rushes.store.durable import tidy_parts
from rushes.worker.ledger import Patience
from rushes.worker.supervisor import WorkerProcess, WorkerSettings
from rushes.worker.workers import Workers, drain
from rushes_otio.errors import BadRequest
from rushes_otio.pointing import find_shot

CANCEL_S = 5.0
"""Seconds for a cancel to be answered before the worker is ended: what a card was given already is waited for, and
loading the weights anew takes longer."""

STAGES_TO_STOP_AT = ("", "keyframe")


def wishes_for(desk: Desk, shots: Sequence[str], another: int, until: str, model: str) -> Wishes:
    """What a person asked for, with shots found in the film. BadRequest for what cannot be asked."""
    if until not in STAGES_TO_STOP_AT:
        raise BadRequest(f"a render cannot stop at {until!r}", remedy="--until keyframe makes stills")
    film = desk.read()
    if model and model not in QUALITIES:
        desk.studio.registry.known(model, "--model")
        desk.studio.registry.traits(model)
    return Wishes(tuple(find_shot(film, text).block.shot for text in shots), another, until, model)


def worker_of(studio: Studio) -> Workers:
    """A worker process of this process's own, as the settings say. What models need is imported at once where
    there are any; a card is held from their first stage on."""
    patience = Patience(silence=studio.settings.silence_s, cancel=CANCEL_S)
    warm = ("animatic", DIFFUSERS.name) if studio.registry.has_weights else ("animatic",)
    return WorkerProcess(WorkerSettings(studio.places.state, patience=patience, warm=warm))


def render_film(desk: Desk, wishes: Wishes, tell: Tell, workers: Workers | None = None) -> Outcome:
    """Render, with a worker process of this process's own unless `workers` are given; both end with it.
    KeyboardInterrupt leaves a film that names every take that was finished, and nothing in the queue."""
    studio = desk.studio
    floor = Floor(workers or worker_of(studio), studio.places.cache, studio.settings.rest_s)
    deliveries: queue.SimpleQueue[Delivery] = queue.SimpleQueue()
    open_desk = OpenDesk(studio, desk.places)
    shooting = Shooting(open_desk, floor.booth(deliveries.put), tell)
    try:
        return _render(open_desk, shooting, wishes, deliveries)
    except BaseException:
        shooting.cancel_all("interrupted")
        raise
    finally:
        shooting.close()
        floor.stop()
        tidy_parts(desk.places.takes)


def _render(
    desk: OpenDesk, shooting: Shooting, wishes: Wishes, deliveries: queue.SimpleQueue[Delivery]
) -> Outcome:
    found, rows = shooting.ask(wishes)
    jobs = desk.studio.jobs
    ids = {row.job for row in rows} | {job.id for job in jobs.pending(desk.places.key)}
    shooting.turn()
    while shooting.is_open:
        version = desk.version
        for event in drain(deliveries, shooting.patience()):
            shooting.on(event)
        desk.read()
        if desk.version != version:
            shooting.film_changed()
        shooting.turn()
    outcome = Outcome(failed=found.failed, skipped=found.skipped, fresh=found.fresh)
    outcome.add(row_of(job) for job in jobs.some(ids))
    return outcome
