"""Circles in a graph: groups of nodes that all lead to each other, found in linear time and in any order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


def circles(graph: Mapping[str, Iterable[str]]) -> list[set[str]]:
    """The circles of a graph given as node -> nodes it points at; a node that points at itself is one of its own.

    Kosaraju's algorithm: a walk along the arrows orders the nodes, walks against them collect the circles.
    """
    finished: list[str] = []
    seen: set[str] = set()
    for node in graph:
        finished += _walk(node, graph, seen)
    against: dict[str, list[str]] = {}
    for node, targets in graph.items():
        for target in targets:
            against.setdefault(target, []).append(node)
    seen = set()
    groups = (set(_walk(node, against, seen)) for node in reversed(finished))
    return [g for g in groups if len(g) > 1 or any(node in graph.get(node, ()) for node in g)]


def _walk(start: str, graph: Mapping[str, Iterable[str]], seen: set[str]) -> list[str]:
    """Nodes not seen before that `start` leads to, each after those it leads to. No recursion: chains are long."""
    if start in seen:
        return []
    seen.add(start)
    done: list[str] = []
    path = [(start, iter(graph.get(start, ())))]
    while path:
        node, targets = path[-1]
        following = next((t for t in targets if t not in seen), None)
        if following is None:
            done.append(node)
            path.pop()
        else:
            seen.add(following)
            path.append((following, iter(graph.get(following, ()))))
    return done
