"""Which of our own code a kept result follows from."""

import ast
import hashlib
import importlib.util
from functools import cache
from pathlib import Path

_COMPUTING = (
    "app.harm.conformal", "app.harm.drift", "app.harm.experience", "app.harm.features", "app.harm.harm_index",
    "app.harm.history", "app.harm.incidents", "app.harm.model", "app.harm.subject",
)  # fmt: skip
"""What of the service computes figures; the rest of it reads, writes, words and guards, and changes none."""


@cache
def code_digest(module: str) -> str:
    """SHA-256 over a module and every module it imports, however far down, that trains, reads extracts or computes figures.

    Comments, docstrings and layout do not count: they change no number. Raises ModuleNotFoundError for an unknown name.
    """
    seen: dict[str, str] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            tree = _tree(name)
            seen[name] = hashlib.sha256(ast.dump(tree).encode()).hexdigest()
            waiting += [one for one in _imports(tree) if one not in seen]
    return hashlib.sha256("\n".join(f"{name} {seen[name]}" for name in sorted(seen)).encode()).hexdigest()


def _tree(name: str) -> ast.Module:
    """The module without its docstrings."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(name)
    tree = ast.parse(Path(spec.origin).read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [part for part in node.body if not _is_text(part)]
    return tree


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _imports(tree: ast.Module) -> set[str]:
    """Modules that count which a module names anywhere; `from a import b` names `a`, and `a.b` where that is a module."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return {name for name in found if _is_ours(name) and _is_module(name)}


def _is_ours(name: str) -> bool:
    return name.startswith(("training.", "app.extract.")) or name in _COMPUTING


@cache
def _is_module(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:  # its parent is a module, not a package
        return False
