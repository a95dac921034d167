"""The shape of the repository: imports without cycles, short files, and pages that name every file."""

import re
from pathlib import Path

import pytest

from benchmarks.architecture import SRC, between, cycles, inside, levels, main, packages, read_imports, table

REPOSITORY = Path(__file__).parent.parent
LONGEST_FILE, LONGEST_README = 399, 150
SUFFIXES = {".py", ".hpp", ".cpp", ".h", ".typed"}
DESCRIBED = ["src/gatewise", "benchmarks", "examples", "native", "tests"]
TREE = re.compile(r"<!-- tree -->\n```\n(.*?)\n```", re.DOTALL)


@pytest.fixture(scope="module")
def graph():
    return read_imports(SRC)


@pytest.fixture
def write_package(tmp_path):
    """Write the files of a small package `sample` and read its imports."""

    def write(**files):
        for name, text in {"__init__": "", **files}.items():
            path = tmp_path / "sample" / f"{name.replace('.', '/')}.py"
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        return read_imports(tmp_path, "sample")

    return write


def python_files(*folders):
    return sorted(path for folder in folders for path in (REPOSITORY / folder).rglob("*.py"))


def test_no_file_is_in_an_import_cycle(graph):
    assert cycles(graph) == []


def test_no_package_is_in_an_import_cycle(graph):
    assert cycles(between(graph)) == []


def test_no_folder_inside_a_package_is_in_an_import_cycle(graph):
    groups = {package: cycles(between(inside(graph, package), package)) for package in packages(graph)}
    assert {package: folders for package, folders in groups.items() if folders} == {}


def test_cycles_that_are_only_for_types_or_inside_functions_are_counted(write_package):
    graph = write_package(
        a="from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    from sample.b import B\n",
        b="def call():\n    from sample import c\n",
        c="import sample.a\n",
        d="import sample.a\n",
    )
    assert cycles(graph) == [["sample.a", "sample.b", "sample.c"]]
    assert levels(graph) == 2


def test_levels_are_the_files_on_the_longest_chain(write_package):
    graph = write_package(a="import sample.b\nimport sample.c\n", b="import sample.c\n", c="", d="import sample.a\n")
    assert cycles(graph) == []
    assert levels(graph) == 4


def test_a_file_that_the_package_exports_must_not_import_the_package(write_package):
    graph = write_package(__init__="from sample.a import A\n", a="from sample import B\n")
    assert cycles(graph) == [["sample", "sample.a"]]


def test_the_table_has_a_line_for_each_package_and_names_the_cycles(write_package):
    files = {"a": "import sample.b", "b": "import sample.sub.c\nimport sample.a", "c": "import sample.sub.c"}
    graph = write_package(**files, **{"sub.__init__": "import sample.sub.c", "sub.c": "", "sub.d": "import sample.c"})
    assert table(graph, "sample").splitlines() == [
        "package          files  levels  cycles   parts  levels  cycles",
        "sub                  3       2       0       2       1       0",
        "whole package        7       3       1       4       2       2",
        "cycle: sample.a, sample.b",
        "cycle: sample.c, sample.sub",
    ]


def test_the_command_prints_the_table_of_this_checkout(capsys, graph):
    main([])
    printed = capsys.readouterr().out
    assert printed == table(graph) + "\n"
    assert {line.split()[0] for line in printed.splitlines()} >= {
        "forecast",
        "series",
        "engines",
        "classify",
        "cli",
        "nn",
    }


def test_the_command_needs_a_folder_that_holds_the_package(tmp_path):
    with pytest.raises(SystemExit) as stopped:
        main([str(tmp_path)])
    assert stopped.value.args == (f"{tmp_path} holds no folder gatewise; give the folder that does, for example src",)


@pytest.mark.parametrize("path", python_files("src", "tests"), ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_every_file_is_short(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE


def test_the_readme_is_short():
    assert len((REPOSITORY / "README.md").read_text(encoding="utf-8").splitlines()) <= LONGEST_README


def test_no_file_has_a_generic_name():
    assert [
        path for path in python_files("src", "tests") if path.stem in {"utils", "helpers", "base", "common", "misc"}
    ] == []


def paths_of_the_tree():
    """The paths in the tree of docs/architecture.md: folders end with a slash, two spaces of indentation a level."""
    (block,) = TREE.findall((REPOSITORY / "docs" / "architecture.md").read_text(encoding="utf-8"))
    folders, result = [], []
    for line in block.splitlines():
        depth = (len(line) - len(line.lstrip())) // 2
        name = line.split()[0]
        folders[depth:] = [name]
        if not name.endswith("/"):
            result.append("".join(folders))
    return result


def test_the_architecture_page_names_every_file_once():
    paths = paths_of_the_tree()
    assert len(paths) == len(set(paths))
    expected = {
        str(path.relative_to(REPOSITORY))
        for folder in DESCRIBED
        for path in (REPOSITORY / folder).rglob("*")
        if path.suffix in SUFFIXES and not is_empty_test_package(path)
    }
    described = {name for name in paths if name.startswith(tuple(f"{folder}/" for folder in DESCRIBED))}
    assert sorted(expected - described) == []
    assert sorted(described - expected) == []


def is_empty_test_package(path):
    return path.name == "__init__.py" and "tests" in path.relative_to(REPOSITORY).parts


def test_the_architecture_page_describes_every_file():
    (block,) = TREE.findall((REPOSITORY / "docs" / "architecture.md").read_text(encoding="utf-8"))
    assert [line for line in block.splitlines() if len(line.split()) < 2] == []


def test_the_architecture_page_refers_to_files_that_exist():
    text = (REPOSITORY / "docs" / "architecture.md").read_text(encoding="utf-8")
    files = [f"/{path.relative_to(REPOSITORY)}" for path in REPOSITORY.rglob("*.*") if path.suffix in SUFFIXES]
    paths = {name for name in re.findall(r"`([\w./]+\.(?:py|cpp|hpp|h))`", text) if not re.search("[A-Z]{4}", name)}
    assert sorted(name for name in paths if not any(file.endswith(f"/{name}") for file in files)) == []
