"""Checking what was sent against a model, and saying which rule it breaks where, without a value in it."""

import re
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, Field, ValidationError

from app.errors import Fault, InvalidInput
from app.strict_json import read_json

Identifier = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}$")]
"""How nominals and incidents may be called."""

Form = TypeVar("Form", bound=BaseModel)
_SHOWN_FIELD = re.compile(r"[a-z_]{1,40}", re.ASCII)


def read_form(raw: bytes, model: type[Form]) -> Form:
    """Read and check a request body.

    Raises MalformedInput (not readable) or InvalidInput with a pointer and rule for each fault; never echoes a value.
    """
    return check_form(read_json(raw), model)


def check_form(value: Any, model: type[Form]) -> Form:
    """Check an already read JSON value. Raises InvalidInput."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        faults = [_fault(found["loc"], found["type"]) for found in error.errors(include_input=False, include_url=False)]
        raise InvalidInput("The request breaks the rules named in errors.", faults) from None


def _fault(location: tuple[int | str, ...], kind: str) -> Fault:
    """Turn pydantic's location into an RFC 6901 pointer; an unknown field's name is shown only if it is a plain word."""
    unknown = kind == "extra_forbidden"
    if unknown and not _SHOWN_FIELD.fullmatch(str(location[-1])):
        location = location[:-1]
    pointer = "".join(f"/{part}" for part in location)
    return Fault(pointer, "unknown-field" if unknown else kind.replace("_", "-"))
