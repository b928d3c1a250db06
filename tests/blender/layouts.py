"""What a panel lays out, written down in place of drawn: a layout takes what Blender's takes, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import bpy

FUNCTIONS = bpy.types.UILayout.bl_rna.functions
PROPERTIES = bpy.types.UILayout.bl_rna.properties
ICONS = set(FUNCTIONS["label"].parameters["icon"].enum_items.keys())


@dataclass
class Recorded:
    """All that was laid out: texts in order, operators with what was set on them, names of properties."""

    texts: list[str] = field(default_factory=list)
    operators: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    properties: list[str] = field(default_factory=list)
    placeholders: dict[str, str] = field(default_factory=dict)
    progress: list[tuple[float, str]] = field(default_factory=list)
    pressed: list[str] = field(default_factory=list)
    greyed: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All texts, as one."""
        return "\n".join(self.texts)

    @property
    def buttons(self) -> list[str]:
        """The operators that are offered."""
        return [name for name, _ in self.operators]


class Layout:
    """A part of it. What this version of Blender does not know, by name or argument, fails."""

    def __init__(self, recorded: Recorded, enabled: bool = True) -> None:
        self.__dict__.update(recorded=recorded, enabled=enabled)

    def __setattr__(self, name: str, value: object) -> None:
        assert name in PROPERTIES, name
        assert not PROPERTIES[name].is_readonly, name
        self.__dict__[name] = value

    def __getattr__(self, name: str) -> Any:
        if name not in FUNCTIONS:
            raise AttributeError(name)  # as hasattr asks for what an older Blender lacks

        def call(*given: Any, **named: Any) -> Any:
            return self._called(name, *given, **named)

        return call

    def _called(self, name: str, *given: Any, **named: Any) -> Any:
        parameters = FUNCTIONS[name].parameters
        assert set(named) <= set(parameters.keys()), (name, named)
        assert isinstance(named.get("text", ""), str), named
        assert named.get("icon", "NONE") in ICONS, named
        said = getattr(self, f"_on_{name}", None)
        if said is not None:
            return said(*given, **named)
        return Layout(self.recorded, self.enabled)

    def _on_label(self, text: str = "", icon: str = "NONE") -> None:
        self.recorded.texts.append(text)

    def _on_operator(self, name: str, text: str | None = None, depress: bool = False, **_: Any) -> Any:
        group, _, verb = name.partition(".")
        rna = getattr(getattr(bpy.ops, group), verb).get_rna_type()  # KeyError where there is none
        set_on_it: dict[str, Any] = {}
        self.recorded.operators.append((name, set_on_it))
        self.recorded.texts += [text] if text else []
        self.recorded.pressed += [name] if depress else []
        self.recorded.greyed += [] if self.enabled else [name]
        return _Properties(rna, set_on_it)

    def _on_prop(self, data: Any, name: str, placeholder: str = "", **_: Any) -> None:
        getattr(data, name)  # as Blender reads it to draw it
        self.recorded.properties.append(name)
        if placeholder:
            self.recorded.placeholders[name] = placeholder

    def _on_progress(self, factor: float = 0.0, text: str = "", **_: Any) -> None:
        self.recorded.progress.append((factor, text))

    def _on_template_icon(self, icon_value: int, scale: float = 1.0) -> None:
        assert isinstance(icon_value, int)


class _Properties:
    """Of an operator: those that it has can be set."""

    def __init__(self, rna: Any, values: dict[str, Any]) -> None:
        self.__dict__.update(rna=rna, values=values)

    def __setattr__(self, name: str, value: object) -> None:
        assert name in self.rna.properties, name
        self.values[name] = value


def drawn(name: str) -> Recorded | None:
    """A panel as it lies in the sidebar now; None where it is not there."""
    panel = getattr(bpy.types, name)
    if not panel.poll(bpy.context):
        return None
    recorded = Recorded()
    stand_in = type(name, (), {"layout": Layout(recorded), "fill": panel.fill})()
    panel.draw(stand_in, bpy.context)
    return recorded
