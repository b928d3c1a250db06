"""A device's two lanes: while one encodes shot n, the other makes shot n+1."""

from __future__ import annotations

from rushes.worker.film import make_film
from rushes.worker.jobs import generate
from rushes.worker.lanes import Lane, Send, Task
from rushes.worker.loading import Generators
from rushes.worker.protocol import Done, Film, LaneName, Work


def make_lanes(generators: Generators, send: Send) -> dict[LaneName, Lane]:
    """The lanes, running. Answers leave through `send`, from either lane's thread."""

    def do(work: Work, task: Task) -> Done:
        if isinstance(work, Film):
            return make_film(work, task, generators)
        return generate(work, task, generators)

    return {"generate": Lane("generate", do, send), "encode": Lane("encode", do, send)}
