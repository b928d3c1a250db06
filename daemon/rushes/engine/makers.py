"""Who makes a stage: a generator that draws from a recipe's fields, or a registered model with its words.

What both have in common is what a stage needs: the request's part that is theirs, and what enters its key.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from rushes.engine.runs import Running
from rushes.engine.stagework import Answer, Ask, Stages
from rushes.generators.base import Fields, WordsRequest
from rushes.generators.cards import Card, Run
from rushes.generators.traits import Traits
from rushes.stages import keys
from rushes.worker import protocol
from rushes.worker.protocol import Work


@dataclass(frozen=True, slots=True)
class Prepared:
    """A maker that is ready for a stage."""

    key: keys.Maker
    fields: Fields
    run: Run | None = None


class Maker(Protocol):
    """One of the two. `name` is the model's; `generator` who runs it; `card` None for one without weights."""

    @property
    def name(self) -> str: ...
    @property
    def generator(self) -> str: ...
    @property
    def card(self) -> Card | None: ...

    def prepared(self, stage: str, stages: Stages) -> Generator[Ask, Answer, Prepared]:
        """Get ready for "keyframe" or "motion"."""

    def given(self) -> Prepared:
        """Ready to take a picture as the still: no words are needed for that."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A generator without models."""

    name: str
    traits: Traits
    recipe: dict[str, Any]
    fingerprint: str

    @property
    def generator(self) -> str:
        return self.traits.name

    @property
    def card(self) -> Card | None:
        return None

    def prepared(self, stage: str, stages: Stages) -> Generator[Ask, Answer, Prepared]:
        del stages
        yield from ()
        recipe = self.recipe
        own = (recipe.get("keyframe") or {}).get("prompt")
        fields = keys.fields_for(
            {**recipe, "prompt": own} if own and stage == "keyframe" else recipe, stage, self.traits
        )
        return Prepared(keys.drawn_by(self.fingerprint, fields), fields)

    def given(self) -> Prepared:
        fields = keys.fields_for(self.recipe, "keyframe", self.traits)
        return Prepared(keys.drawn_by(self.fingerprint, fields), fields)


@dataclass(frozen=True, slots=True)
class Modelled:
    """A registered model."""

    traits: Traits
    running: Running

    @property
    def name(self) -> str:
        return self.running.name

    @property
    def generator(self) -> str:
        return self.traits.name

    @property
    def card(self) -> Card | None:
        return self.running.card

    def prepared(self, stage: str, stages: Stages) -> Generator[Ask, Answer, Prepared]:
        running, run = self.running, self.running.run
        prompt, negative = running.texts(stage)
        for_words = running.for_words()
        key = keys.words_key(running.registry.words_fingerprint(self.name), for_words, prompt, negative)
        words = yield from stages.output(
            key, "text", f"{self.name} text", self._words(for_words, prompt, negative)
        )
        return Prepared(
            keys.run_by(run, words.digest), Fields(), msgspec.structs.replace(run, words=str(words.path))
        )

    def given(self) -> Prepared:
        return Prepared(keys.run_by(self.running.run, ""), Fields(), self.running.run)

    def _words(self, run: Run, prompt: str, negative: str) -> Callable[[str], Work]:
        request = WordsRequest(run, prompt, negative)
        return lambda out: protocol.Words(generator=self.generator, request=request, out=out)
