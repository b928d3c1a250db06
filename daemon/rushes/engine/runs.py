"""How a registered model is run for one shot: its defaults with what the recipe asks for laid over them, and the
words it is given.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from rushes.generators.cards import Card, Lora, Reference, Run
from rushes.generators.loras import changes_words, for_model, sniff
from rushes.generators.models import Model
from rushes.generators.needs import recorded_quality
from rushes.generators.registry import Registry
from rushes_otio.errors import BadRequest, ShotFault

_OF_WORDS = ("max_sequence_length", "clip_skip")
"""Parameters of a pipeline that change what its text encoders make."""

_SIZE = re.compile(r"([1-9][0-9]{1,4})x([1-9][0-9]{1,4})")


@dataclass(frozen=True)
class Running:
    """One model at work for one recipe. `recorded` is the model as the recipe has it; `holding` finds the file of
    a content digest."""

    registry: Registry
    recipe: dict[str, Any]
    recorded: dict[str, Any]
    holding: Callable[[str], Path]

    @cached_property
    def model(self) -> Model:
        return self.registry.known(self.name, "")

    @property
    def name(self) -> str:
        return str(self.recorded["name"])

    @cached_property
    def card(self) -> Card:
        return self.registry.card(self.name)

    @cached_property
    def run(self) -> Run:
        """Without words. ShotFault for a size that the model cannot do, and for a LoRA that no model of the shot
        can take."""
        profile = self.model.profile(recorded_quality(self.recorded, self.model))
        params: dict[str, Any] = {**profile.params, **self.recipe.get("params", {})}
        size = self._size(params.pop("size", profile.size))
        return Run(
            card=self.card,
            size=size,
            steps=int(self.recipe.get("steps", profile.steps)),
            guidance=str(self.recipe.get("guidance", profile.guidance)),
            params={key: msgspec.Raw(msgspec.json.encode(value)) for key, value in sorted(params.items())},
            loras=self._loras(),
            references=self._references(),
        )

    def _size(self, text: object) -> tuple[int, int]:
        found = _SIZE.fullmatch(str(text))
        size = (int(found[1]), int(found[2])) if found else (0, 0)
        if not found or any(side % self.model.multiple for side in size):
            raise ShotFault(
                f"params.size is {text!r}; {self.name} makes pictures whose sides are multiples of "
                f"{self.model.multiple}",
                remedy=f"set params.size={self.model.final.size}, or unset it",
            )
        return size

    def _loras(self) -> tuple[Lora, ...]:
        rows = [
            Lora(str(self.holding(row["file"])), row["file"], row.get("weight", "1"))
            for row in self.recipe.get("loras", ())
        ]
        return for_model(rows, self.model.pipeline)[0]

    def _references(self) -> tuple[Reference, ...]:
        if "references" not in self.model.can:
            return ()
        rows = self.recipe.get("references", ())
        return tuple(Reference(str(self.holding(r["image"])), r["image"], r.get("as", "")) for r in rows)

    # -- words -----------------------------------------------------------------------------------------------

    def texts(self, stage: str) -> tuple[str, str]:
        """Prompt and negative as the model is given them for a stage ("keyframe", "motion")."""
        said = {name: str(self.recipe.get(name, "")) for name in ("prompt", "action", "camera")}
        if stage == "keyframe":
            own = (self.recipe.get("keyframe") or {}).get("prompt")
            prompt = own or said["prompt"]
        else:
            try:
                prompt = self.model.words.format(**said)
            except (KeyError, IndexError, ValueError) as error:
                raise BadRequest(
                    f"the prompt template of {self.name} is unusable: {error}",
                    where="models.toml",
                    remedy="use {prompt}, {action} and {camera} in words",
                ) from None
        negative = ", ".join(text for text in (self.model.negative, self.recipe.get("negative", "")) if text)
        return " ".join(prompt.split()), negative

    def for_words(self) -> Run:
        """The run as text encoders see it: what else the shot asks for makes no difference to them."""
        run = self.run
        return msgspec.structs.replace(
            run,
            size=(0, 0),
            steps=1,
            guidance="",
            params={key: value for key, value in run.params.items() if key in _OF_WORDS},
            loras=tuple(lora for lora in run.loras if changes_words(lora)),
            references=(),
        )


def unused_loras(runnings: Sequence[Running]) -> list[str]:
    """What to say of the LoRAs that none of a shot's models takes: a character may have one for each kind of
    model. ShotFault where no model takes any of them."""
    rows = runnings[0].recipe.get("loras", ())
    fitting = {lora.digest for running in runnings for lora in running.run.loras}
    paths = [runnings[0].holding(row["file"]) for row in rows if row["file"] not in fitting]
    made_for = [f"{path.name} ({sniff(path).made_for})" for path in paths]
    names = " and ".join(running.name for running in runnings)
    if made_for and not fitting:
        raise ShotFault(
            f"the LoRA was made for another kind of model: {', '.join(made_for)}",
            remedy=f"use one made for {names}, or take it off",
        )
    return [f"a LoRA was not used, for {names} cannot take it: {text}" for text in made_for]
