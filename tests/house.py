"""`make house`: how many rooms there are, how large, who imports whom. The last line is JSON.

Limits and what exceeds them with a reason: `tests/house.toml`, which a unit test holds.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import grimp

ROOT: Final = Path(__file__).parents[1]
PRODUCT: Final = ("config", "gateway", "smpp", "ivr", "campaigns")
_FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef)
LIMITS: Final = ROOT / "tests" / "house.toml"


class Size(NamedTuple):
    """A file, class or function with its lines, or a folder with its modules. `name`: dotted."""

    kind: str
    name: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """`most`: by kind. `excused`: by kind, name -> why; a class or function may stand without its module."""

    most: dict[str, int]
    excused: dict[str, dict[str, str]]

    def excess(self, sizes: Sequence[Size]) -> list[Size]:
        """What is larger than its kind may be and has no reason, the largest first."""
        return [
            one for one in self.over(sizes) if not {one.name, _short(one)} & self.excused[one.kind].keys()
        ]

    def over(self, sizes: Sequence[Size]) -> list[Size]:
        """What is larger than its kind may be, the largest first."""
        found = [one for one in sizes if one.size > self.most[one.kind]]
        return sorted(found, key=lambda one: -one.size / self.most[one.kind])

    def needless(self, sizes: Sequence[Size]) -> list[str]:
        """Reasons that nothing needs any more."""
        over = {(one.kind, name) for one in self.over(sizes) for name in (one.name, _short(one))}
        told = [(kind, name) for kind, names in self.excused.items() for name in names]
        return [f"{kind} {name}" for kind, name in told if (kind, name) not in over]


def limits() -> Limits:
    """What the file says."""
    told = tomllib.loads(LIMITS.read_text(encoding="utf-8"))
    return Limits(most=told["most"], excused={kind: told.get(kind, {}) for kind in told["most"]})


def sizes(root: Path = ROOT) -> list[Size]:
    """Every folder, file, class and function of the product."""
    found: list[Size] = []
    for room in PRODUCT:
        for folder in (root / room, *(p for p in sorted((root / room).rglob("*")) if p.is_dir())):
            modules = [path for path in sorted(folder.glob("*.py")) if path.name != "__init__.py"]
            if modules:
                found.append(Size("folder", _dotted(folder, root), len(modules)))
            for path in modules:
                found += _within(path, root)
    return found


def _within(path: Path, root: Path) -> Iterator[Size]:
    source = path.read_text(encoding="utf-8")
    yield Size("file", _dotted(path, root), source.count("\n"))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ClassDef):
            yield Size("class", f"{_dotted(path, root)}:{node.name}", _lines(node))
        elif isinstance(node, _FUNCTIONS):
            yield Size("function", f"{_dotted(path, root)}:{node.name}", _lines(node) - _inner(node))


def _lines(node: ast.AST) -> int:
    return int(getattr(node, "end_lineno", 0)) - int(getattr(node, "lineno", 0)) + 1


def _inner(function: ast.AST) -> int:
    """Lines of functions that are defined inside: they are rooms of their own."""
    children = list(ast.iter_child_nodes(function))
    return sum(_lines(child) if isinstance(child, _FUNCTIONS) else _inner(child) for child in children)


def _dotted(path: Path, root: Path) -> str:
    return ".".join(path.relative_to(root).with_suffix("").parts)


def _short(one: Size) -> str:
    return one.name.rpartition(":")[2]


def twice(found: Sequence[Size]) -> dict[str, list[str]]:
    """Public names of classes that two modules and more have."""
    where: dict[str, list[str]] = {}
    for one in found:
        if one.kind == "class" and not _short(one).startswith("_"):
            where.setdefault(_short(one), []).append(one.name.partition(":")[0])
    return {name: modules for name, modules in sorted(where.items()) if len(set(modules)) > 1}


def layer_of(module: str) -> str:
    """The layer in which a module stands."""
    parts = module.split(".")
    return ".".join(parts[: 2 if parts[0] == "gateway" else 1])


def arrows(graph: grimp.ImportGraph) -> Counter[tuple[str, str]]:
    """How often a layer imports another one."""
    found: Counter[tuple[str, str]] = Counter()
    for module in graph.modules:
        for imported in graph.find_modules_directly_imported_by(module):
            ends = layer_of(module), layer_of(imported)
            if ends[0] != ends[1]:
                found[ends] += 1
    return found


def circles(graph: grimp.ImportGraph) -> list[list[str]]:
    """Sets of modules that import one another, by Tarjan's algorithm."""
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(module: str) -> None:
        order[module] = low[module] = len(order)
        stack.append(module)
        for imported in graph.find_modules_directly_imported_by(module):
            if imported not in order:
                visit(imported)
                low[module] = min(low[module], low[imported])
            elif imported in stack:
                low[module] = min(low[module], order[imported])
        if low[module] == order[module]:
            circle = stack[stack.index(module) :]
            del stack[stack.index(module) :]
            if len(circle) > 1:
                found.append(sorted(circle))

    sys.setrecursionlimit(max(sys.getrecursionlimit(), 10 * len(graph.modules)))
    for module in sorted(graph.modules):
        if module not in order:
            visit(module)
    return found


def contracts() -> list[dict[str, str]]:
    """What `make lint` holds, by name, and whether it is kept."""
    told = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    program = Path(sys.executable).with_name("lint-imports")
    said = subprocess.run([program], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    return [
        {"name": one["name"], "state": "kept" if f"{one['name']} KEPT" in said else "broken"}
        for one in told["tool"]["importlinter"]["contracts"]
    ]


def main() -> None:
    """Print it all."""
    found, bounds = sizes(), limits()
    graph = grimp.build_graph(*PRODUCT)
    _table("modules a folder", [(one.name, one.size) for one in found if one.kind == "folder"])
    for kind, most in bounds.most.items():
        over = [(one.name, one.size) for one in bounds.over(found) if one.kind == kind]
        _table(f"{kind}: more than {most}", over)
    _table("without a reason in tests/house.toml", [(o.name, o.size) for o in bounds.excess(found)])
    _table("reasons that nothing needs any more", [(name, "") for name in bounds.needless(found)])
    _table("public classes of one name", [(name, " ".join(of)) for name, of in twice(found).items()])
    between = arrows(graph)
    _table("imports between layers", [(f"{a} -> {b}", n) for (a, b), n in sorted(between.items())])
    around = circles(graph)
    _table("circles", [(" ".join(circle), len(circle)) for circle in around])
    held = contracts()
    _table("contracts", [(one["name"], one["state"]) for one in held])
    told: dict[str, Any] = {
        "modules": sum(one.kind == "file" for one in found),
        "lines": sum(one.size for one in found if one.kind == "file"),
        "folders": {one.name: one.size for one in found if one.kind == "folder"},
        "over": [one._asdict() for one in bounds.over(found)],
        "excess": [one._asdict() for one in bounds.excess(found)],
        "names_twice": twice(found),
        "imports": {f"{a} -> {b}": n for (a, b), n in sorted(between.items())},
        "circles": around,
        "contracts": held,
    }
    print(json.dumps(told))


def _table(title: str, rows: Sequence[tuple[str, object]]) -> None:
    print(f"\n{title}: {len(rows)}")
    width = max((len(name) for name, _ in rows), default=0)
    for name, said in rows:
        print(f"  {name:<{width}}  {said}".rstrip())


if __name__ == "__main__":
    main()
