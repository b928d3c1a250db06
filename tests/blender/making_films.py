"""Makes a film, as a program of the Python that has `rushes`: FOLDER and a JSON object with intents, frames, size,
characters and whether it is rendered. Prints its shots."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from rendering import Shoot, rendered, shoot


def main(folder: Path, wanted: dict[str, Any]) -> list[dict[str, Any]]:
    folder.mkdir(parents=True)
    film = shoot(folder, *wanted["intents"], frames=wanted["frames"], **wanted["characters"])
    film.set(f"delivery.size={wanted['size']}", "delivery.codec=h264")
    if wanted["rendered"]:
        rendered(film.render())
    return [_row(film, shot.block.name) for shot in film.film.shots.values()]


def _row(film: Shoot, name: str) -> dict[str, Any]:
    block = film.block(name)
    take = block.chosen.take if block.chosen else None
    path = str(film.movie(name).relative_to(film.path.parent)) if take else ""
    return {"shot": block.shot, "name": block.name, "use": block.use, "take": take, "path": path}


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), json.loads(sys.argv[2]))))
