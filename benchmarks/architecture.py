"""Files, levels and cycles of the imports: `python -m benchmarks.architecture [SRC]`.

SRC is the folder that holds the package `gatewise`; the default is `src` of this checkout. grimp (installed with
import-linter) reads the imports and counts those under TYPE_CHECKING and inside functions as well. For each package:

- files: its Python files, `__init__.py` included; parts: the files and folders directly in it, without `__init__.py`;
- levels: the files (or parts) on the longest chain of imports inside the package, where a cycle counts as one;
- cycles: groups of two or more files (or parts) that import each other, directly or through others of the group.
"""

import sys
from argparse import ArgumentParser
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.machinery import PathFinder
from pathlib import Path

import grimp

ROOT = "gatewise"
SRC = Path(__file__).parent.parent / "src"
WHOLE = "whole package"
COLUMNS = ("levels", "cycles")

Graph = Mapping[str, Collection[str]]  # each file or package, and those that it imports
Cycle = list[str]


def read_imports(src: Path, root: str = ROOT) -> Graph:
    """The import graph of the package `root` in the folder `src`: each module and the modules that it imports."""
    if not (src / root).is_dir():
        raise SystemExit(f"{src} holds no folder {root}; give the folder that does, for example src")
    with only_from(src, root):
        graph = grimp.build_graph(root, cache_dir=None)
    return {module: sorted(graph.find_modules_directly_imported_by(module)) for module in sorted(graph.modules)}


@contextmanager
def only_from(src: Path, root: str) -> Iterator[None]:
    """Find `root` in `src`, whichever version of it is installed or imported already."""
    path, finders, modules = list(sys.path), list(sys.meta_path), dict(sys.modules)
    sys.path.insert(0, str(src.resolve()))
    sys.meta_path.insert(0, PathFinder)
    sys.modules.pop(root, None)
    try:
        yield
    finally:
        sys.path[:], sys.meta_path[:] = path, finders
        if root in modules:
            sys.modules[root] = modules[root]


def inside(graph: Graph, package: str) -> Graph:
    """The part of the graph that lies in one package; imports from elsewhere are left out."""
    members = {module for module in graph if module == package or module.startswith(f"{package}.")}
    return {module: [imported for imported in graph[module] if imported in members] for module in sorted(members)}


def between(graph: Graph, root: str = ROOT) -> Graph:
    """The import graph of the direct children of `root`, each with everything inside it; `root` is left out."""
    children: dict[str, set[str]] = {child_of(root, module): set() for module in graph if module != root}
    for module, imports in graph.items():
        if module != root:
            child = child_of(root, module)
            children[child] |= {child_of(root, imported) for imported in imports if imported != root} - {child}
    return children


def child_of(root: str, module: str) -> str:
    return ".".join(module.split(".")[: root.count(".") + 2])


def packages(graph: Graph, root: str = ROOT) -> list[str]:
    """The direct children of `root` that hold files of their own."""
    parents = {module.rpartition(".")[0] for module in graph}
    return sorted({child_of(root, module) for module in graph if module != root} & parents)


def components(graph: Graph) -> list[Cycle]:
    """The strongly connected components; imported ones come before those that import them (Tarjan, 1972)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    result: list[Cycle] = []

    def visit(module: str) -> None:
        index[module] = low[module] = len(index)
        stack.append(module)
        for imported in graph[module]:
            if imported not in index:
                visit(imported)
            if imported in stack:
                low[module] = min(low[module], low[imported])
        if low[module] == index[module]:
            start = stack.index(module)
            result.append(sorted(stack[start:]))
            del stack[start:]

    for module in graph:
        if module not in index:
            visit(module)
    return result


def cycles(graph: Graph) -> list[Cycle]:
    """Groups of two or more modules that import each other."""
    return [component for component in components(graph) if len(component) > 1]


def levels(graph: Graph) -> int:
    """The number of modules on the longest chain of imports; a cycle counts as one."""
    depth: dict[str, int] = {}
    for component in components(graph):
        below = [depth[imported] for module in component for imported in graph[module] if imported not in component]
        depth.update(dict.fromkeys(component, 1 + max(below, default=0)))
    return max(depth.values(), default=0)


def table(graph: Graph, root: str = ROOT) -> str:
    """A line for each package and one for the whole: first its files, then its parts; the cycles follow below."""
    by_name = {package.removeprefix(f"{root}."): package for package in packages(graph, root)} | {WHOLE: root}
    lines = [f"{'package':<14}" + "".join(f"{title:>8}" for title in ("files", *COLUMNS, "parts", *COLUMNS))]
    groups = cycles(graph)
    for name, package in by_name.items():
        files = inside(graph, package)
        parts = between(files, package)
        lines.append(f"{name:<14}" + "".join(f"{number:>8}" for number in (*measures(files), *measures(parts))))
        groups += [cycle for cycle in cycles(parts) if cycle not in groups]
    return "\n".join(lines + [f"cycle: {', '.join(cycle)}" for cycle in groups])


def measures(graph: Graph) -> tuple[int, int, int]:
    """Members, levels and cycles of a graph."""
    return len(graph), levels(graph), len(cycles(graph))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = ArgumentParser(prog="python -m benchmarks.architecture", description="Measure the imports of the package.")
    parser.add_argument("src", nargs="?", type=Path, default=SRC, metavar="SRC", help=f"folder that holds {ROOT}/")
    print(table(read_imports(parser.parse_args(arguments).src)))


if __name__ == "__main__":
    main()
