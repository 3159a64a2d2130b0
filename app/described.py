"""What fields mean: the docstring under each, read out of the source when somebody asks for a schema.

Pydantic can do this itself (`use_attribute_docstrings`), but reads the source of every model while it is imported, which is a
tenth of a start for words that only `openapi.json` shows.
"""

import ast
import inspect
import sys
from functools import cache
from itertools import pairwise
from typing import Any

from pydantic import BaseModel


def described(schema: dict[str, Any], model: type[BaseModel]) -> None:
    """`json_schema_extra` of a model: gives its properties what stands under their fields, and never replaces a description."""
    properties = schema.get("properties", {})
    for one in model.__mro__:
        for name, words in _docstrings(one.__module__).get(one.__qualname__, {}).items():
            if name in properties:
                properties[name].setdefault("description", words)


@cache
def _docstrings(module: str) -> dict[str, dict[str, str]]:
    """Of each class at the top of a module: its fields and the docstrings under them."""
    if not module.startswith(f"{__package__}."):
        return {}
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    return {one.name: dict(_under_fields(one)) for one in tree.body if isinstance(one, ast.ClassDef)}


def _under_fields(model: ast.ClassDef) -> list[tuple[str, str]]:
    found = []
    for field, below in pairwise(model.body):
        if not (isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)):
            continue
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant) and isinstance(below.value.value, str):
            found.append((field.target.id, inspect.cleandoc(below.value.value)))
    return found
