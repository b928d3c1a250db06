"""The project's own source, as the tests of its shape see it: modules, what each imports, files of text."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]

ADDON = "rushes_blender"
"""What runs inside Blender, whose package of that name no program of ours imports."""


@dataclass(frozen=True, slots=True)
class Import:
    """One name that one module imports. `runs` tells whether that happens when the module itself is imported."""

    importer: str
    target: str
    line: int
    runs: bool

    def __str__(self) -> str:
        return f"{self.importer}:{self.line} imports {self.target}"


def package_folders() -> list[Path]:
    """The import packages of the distribution, as pyproject.toml names them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return [ROOT / folder for folder in project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]]


@cache
def modules() -> dict[str, Path]:
    """Every module of the distribution by its dotted name."""
    return {_dotted(package, file): file for package in package_folders() for file in package.rglob("*.py")}


@cache
def imports() -> tuple[Import, ...]:
    """Every import that stands anywhere in the distribution."""
    return tuple(found for name, file in modules().items() for found in _imports_of(name, file))


def _dotted(package: Path, file: Path) -> str:
    return ".".join(file.relative_to(package.parent).with_suffix("").parts).removesuffix(".__init__")


def _imports_of(name: str, file: Path) -> Iterator[Import]:
    tree = ast.parse(file.read_text(encoding="utf-8"), str(file))
    late = {id(inner) for node in ast.walk(tree) if _is_put_off(node) for inner in ast.walk(node)}
    inside = name.split(".") if file.name == "__init__.py" else name.split(".")[:-1]
    for node in ast.walk(tree):
        for target in _targets(node, inside):
            yield Import(name, target, getattr(node, "lineno", 0), id(node) not in late)


def _is_put_off(node: ast.AST) -> bool:
    """Whether what stands in `node` runs later than its module, or never."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return True
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def _targets(node: ast.AST, inside: list[str]) -> list[str]:
    """The modules that an import statement in the package `inside` names: `from a import b` is a.b where that is a
    module, else a."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    source = _absolute(node, inside)
    whole = [f"{source}.{alias.name}" for alias in node.names]
    return [name if name in modules() else source for name in whole]


def _absolute(node: ast.ImportFrom, inside: list[str]) -> str:
    """Imports are absolute, those of the add-on's own relative: Blender gives an extension another name."""
    if not node.level:
        assert node.module and (inside[0], node.module.split(".")[0]) != (ADDON, ADDON), f"line {node.lineno}"
        return node.module
    assert inside[0] == ADDON, f"line {node.lineno}: imports are absolute here"
    return ".".join([*inside[: len(inside) + 1 - node.level], *filter(None, [node.module])])
