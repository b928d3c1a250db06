"""Which recipe a job failed with: a shot that asks for something else by now has not failed."""

from __future__ import annotations

import msgspec

from rushes.engine.recipe import Recipe
from rushes.store.canonical import digest_of
from rushes.store.jobs import Job

RECIPE = "recipe"
"""The digest of the recipe, in what is kept with the job."""


def mark(recipe: Recipe | None) -> dict[str, str]:
    """To be kept with a job that failed."""
    return {RECIPE: digest_of(recipe)} if recipe else {}


def still_failed(job: Job, recipe: Recipe | None) -> bool:
    """Whether what failed is what the shot asks for today, as far as that is known."""
    was = msgspec.json.decode(job.result).get(RECIPE) if job.result else None
    return was is None or recipe is None or was == digest_of(recipe)
