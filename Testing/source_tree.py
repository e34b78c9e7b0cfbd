"""What the source files say about themselves, read without running them: for the tests of the tree as a whole."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

REPOSITORY_ROOT = Path(__file__).resolve().parents[1]
PACKAGE = REPOSITORY_ROOT / "MedSegAI"
FACES = ("CommandLine", "Web", "Widgets")


@dataclass(frozen=True)
class Import:
    """One imported module and where it stands."""

    module: str
    line: int
    at_file_scope: bool

    @property
    def top(self) -> str:
        return self.module.partition(".")[0]


def python_files(*folders: str) -> list[Path]:
    """Every Python file of the package below the named folders; of the whole package where none is named."""
    roots = [PACKAGE / folder for folder in folders] or [PACKAGE]
    return sorted(path for root in roots for path in root.rglob("*.py"))


def face_files() -> list[Path]:
    """The files of all three faces, Slicer's module file among them."""
    module_file = PACKAGE / "MedSegAI.py"
    return python_files(*FACES) + ([module_file] if module_file.exists() else [])


def module_name(path: Path) -> str:
    """``MedSegAI.Logic.geometry`` for its file."""
    return ".".join(path.relative_to(REPOSITORY_ROOT).with_suffix("").parts)


def imports_of(path: Path) -> list[Import]:
    """Every import of a file, lazy ones and those by name through ``import_module`` included."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return list(_imports(tree, inside=False))


def packages_located(path: Path) -> set[str]:
    """Packages that a file finds on the disk without importing them, such as one whose data it reads."""
    calls = (node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call))
    located = (call.args[0] for call in calls if call.args and _called_name(call) in ("find_spec", "files"))
    return {name.value for name in located if isinstance(name, ast.Constant) and isinstance(name.value, str)}


def _imports(node: ast.AST, *, inside: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (Import(name.name, child.lineno, not inside) for name in child.names)
        elif isinstance(child, ast.ImportFrom):
            # ``from MedSegAI.CommandLine import demo`` imports the module demo as well.
            yield Import(child.module or "", child.lineno, not inside)
            yield from (Import(f"{child.module}.{name.name}", child.lineno, not inside) for name in child.names)
        elif isinstance(child, ast.Call) and _called_name(child) == "import_module":
            yield from (
                Import(argument.value, child.lineno, not inside)
                for argument in child.args[:1]
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
            )
        deeper = isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)) or _is_type_checking(child)
        yield from _imports(child, inside=inside or deeper)


def _called_name(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def statements_that_run_on_import(path: Path) -> list[str]:
    """Statements at file scope that do more than import, define or name something, as ``line: text``."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [f"{node.lineno}: {ast.unparse(node).splitlines()[0]}" for node in tree.body if not _only_declares(node)]


def _only_declares(node: ast.stmt) -> bool:
    if isinstance(node, (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return True
    if isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
        return True
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    if isinstance(node, ast.If):
        return _is_type_checking(node) or "__name__ == '__main__'" in ast.unparse(node.test)
    if isinstance(node, ast.Try):
        return all(map(_only_declares, node.body)) and all(
            _only_declares(statement) for handler in node.handlers for statement in handler.body
        )
    return False
