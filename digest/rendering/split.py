"""A block of a template, split where its syntax allows, so that what is alike in many cards is rendered once.

Rules
-----
1. A block is a sequence of *runs* of output, of choices (`{% if %}`) between sequences, and of loops with a run for
   each value. Which values are there, and so which choices are taken, is the *form* of a card.
2. A run is rendered once for the same values that it reads: those attributes of the card that its syntax names, or all
   of them where it uses the card in another way.
3. Some attributes are a reader's own, and of several kinds. What stands together and reads only one kind is one run.
   A slot ends it, so that all of what stands before a slot, in most cases, is the same for all cards.
4. What may come to something else in pieces is a run as a whole: a choice by more than what is there, a loop that asks
   for `loop`, a block that sets names.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, NamedTuple, TypeVar

from jinja2 import nodes

SLOT = "slot"
"""The kind of those attributes that are slots."""
_NAMING = nodes.Assign, nodes.AssignBlock, nodes.Import, nodes.FromImport, nodes.Include, nodes.Block
T = TypeVar("T", bound=nodes.Node)


class Each(NamedTuple):
    """A run is there for each of the values in one of the card's, and knows it by this name."""

    name: str
    values: Callable[[object], Iterable[Hashable]]


class Run(NamedTuple):
    """Output: the name of its block, and what it reads of a card."""

    name: str
    read: Callable[[object], tuple[Any, ...]]
    each: Each | None


@dataclass(frozen=True, slots=True)
class _Choice:
    test: nodes.Node
    body: Sequence[Run | _Choice]
    other: Sequence[Run | _Choice]


class Split:
    """A block, which shows a thing of this type under this `name`. `own`: which attributes are of which kind."""

    def __init__(self, body: Sequence[nodes.Node], name: str, type_: type, own: Mapping[str, str]) -> None:
        self.bodies: dict[str, list[nodes.Node]] = {}
        """What is to be compiled for the runs, by their names."""
        self._name, self._type, self._own = name, type_, own
        self._tested: set[str] = set()
        self._macros = [node for node in body if isinstance(node, nodes.Macro)]
        self._steps = self._sequence(body) if self._can_be_split(body) else [self._run(body)]
        self._form = _values(self._tested)
        self._runs: dict[tuple[bool, ...], Sequence[Run]] = {}

    def runs(self, card: object) -> Sequence[Run]:
        """The runs of a card, in order."""
        form = tuple(map(bool, self._form(card)))
        if (found := self._runs.get(form)) is None:
            found = self._runs[form] = tuple(_taken(self._steps, card))
        return found

    def _can_be_split(self, body: Sequence[nodes.Node]) -> bool:
        """Whether nothing is named in it but macros, each once and for all of it."""
        tree = nodes.Scope(list(body))
        names = {macro.name for macro in self._macros}
        naming = any(isinstance(node, _NAMING) for node in tree.find_all(nodes.Stmt))
        return not naming and len(names) == len(self._macros) == len(list(tree.find_all(nodes.Macro)))

    def _sequence(self, body: Iterable[nodes.Node]) -> list[Run | _Choice]:
        steps: list[Run | _Choice] = []
        together: list[nodes.Node] = []
        for node in _singly(body):
            divided = self._divided(node)
            if together and (divided or len(self._kinds([*together, node])) > 1):
                steps.append(self._run(together))
                together = []
            if divided:
                steps.append(divided)
            else:
                together.append(node)
            if isinstance(node, nodes.Output) and self._kinds([node]) == {SLOT}:
                steps.append(self._run(together))
                together = []
        return [*steps, self._run(together)] if together else steps

    def _divided(self, node: nodes.Node) -> Run | _Choice | None:
        """What a statement is divided into, if it is."""
        if isinstance(node, nodes.If) and len(self._kinds([node])) > 1 and self._asks_what_is_there(node.test):
            other = [_first(node.elif_, node.else_)] if node.elif_ else node.else_
            return _Choice(node.test, self._sequence(node.body), self._sequence(other))
        if isinstance(node, nodes.For) and self._kinds([node]) and (each := self._each(node)):
            return self._run(node.body, each)
        return None

    def _kinds(self, body: Sequence[nodes.Node]) -> set[str]:
        return {self._own[node.attr] for node in _all(nodes.Getattr, body) if self._attribute(node) in self._own}

    def _asks_what_is_there(self, test: nodes.Node) -> bool:
        if isinstance(test, nodes.Not):
            return self._asks_what_is_there(test.node)
        if isinstance(test, nodes.And | nodes.Or):
            return self._asks_what_is_there(test.left) and self._asks_what_is_there(test.right)
        if attribute := self._attribute(test):
            self._tested.add(attribute)
        return bool(attribute)

    def _each(self, node: nodes.For) -> Each | None:
        values, names = self._attribute(node.iter), _names([node.target, *node.body])
        if not values or node.else_ or node.test or node.recursive or "loop" in names:
            return None
        target = node.target.name if isinstance(node.target, nodes.Name) else self._name
        return None if target == self._name else Each(target, attrgetter(values))

    def _run(self, body: Sequence[nodes.Node], each: Each | None = None) -> Run:
        name = f"{self._name}_{len(self.bodies)}"
        macros = self._macros if {macro.name for macro in self._macros} & _names(body) else []
        self.bodies[name] = whole = [*(macro for macro in macros if macro not in body), *body]
        read = [node.attr for node in _all(nodes.Getattr, whole) if self._attribute(node)]
        uses = [one for one in _all(nodes.Name, whole) if one.name == self._name]
        return Run(name, _values(read) if len(read) == len(uses) else _itself, each)

    def _attribute(self, node: nodes.Node) -> str:
        """The attribute of the card that this is ("": it is none)."""
        if not (isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name) and node.node.name == self._name):
            return ""
        return node.attr if hasattr(self._type, node.attr) else ""


def _singly(body: Iterable[nodes.Node]) -> Iterator[nodes.Node]:
    """What stands in a sequence: each thing that is put out, and each statement but macros."""
    for node in body:
        if isinstance(node, nodes.Output):
            yield from (nodes.Output([one], lineno=one.lineno) for one in node.nodes)
        elif not isinstance(node, nodes.Macro):
            yield node


def _first(choices: Sequence[nodes.If], other: list[nodes.Node]) -> nodes.If:
    """A chain of choices as one with another in it."""
    return nodes.If(choices[0].test, choices[0].body, list(choices[1:]), other, lineno=choices[0].lineno)


def _taken(steps: Sequence[Run | _Choice], card: object) -> Iterator[Run]:
    for step in steps:
        if isinstance(step, Run):
            yield step
        else:
            yield from _taken(step.body if _holds(step.test, card) else step.other, card)


def _holds(test: nodes.Node, card: object) -> bool:
    match test:
        case nodes.Not():
            return not _holds(test.node, card)
        case nodes.And():
            return _holds(test.left, card) and _holds(test.right, card)
        case nodes.Or():
            return _holds(test.left, card) or _holds(test.right, card)
        case nodes.Getattr():
            return bool(getattr(card, test.attr))
    raise AssertionError(test)


def _names(body: Iterable[nodes.Node]) -> set[str]:
    return {one.name for one in _all(nodes.Name, body)}


def _all(kind: type[T], body: Iterable[nodes.Node]) -> list[T]:
    return list(nodes.Scope(list(body)).find_all(kind))


def _values(names: Collection[str]) -> Callable[[object], tuple[Any, ...]]:
    """What gives these attributes of a thing."""
    match sorted(set(names)):
        case []:
            return lambda _: ()
        case [name]:
            one = attrgetter(name)
            return lambda card: (one(card),)
        case several:
            return attrgetter(*several)


def _itself(card: object) -> tuple[object]:
    return (card,)
