"""Checking what was sent against a model, and saying which rule it breaks where, without a value in it."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import AwareDatetime, BaseModel, BeforeValidator, Field, ValidationError
from pydantic_core import PydanticCustomError

from app.errors import Fault, InvalidInput
from app.strict_json import read_json

IDENTIFIER = r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}$"
Identifier = Annotated[str, Field(pattern=IDENTIFIER)]
"""How nominals and incidents may be called."""

_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def _written_out(value: Any) -> Any:
    """Only RFC 3339: pydantic would also take a bare number for seconds since 1970."""
    if not isinstance(value, str) or _MOMENT.fullmatch(value) is None:
        raise PydanticCustomError("time-format", "expected RFC 3339")
    return value


Moment = Annotated[AwareDatetime, BeforeValidator(_written_out)]
"""A time with its zone, such as 2020-03-11T09:30:00Z."""

Form = TypeVar("Form", bound=BaseModel)
_QUOTED = re.compile(r"'([^']*)'")
_SHOWN_FIELD = re.compile(r"[a-z_]{1,40}", re.ASCII)


def body_of(model: type[BaseModel]) -> dict[str, Any]:
    """What OpenAPI says of the body of a route that reads it by itself."""
    schema = {"$ref": f"#/components/schemas/{model.__name__}"}
    return {"required": True, "content": {"application/json": {"schema": schema}}}


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
        found = error.errors(include_input=False, include_url=False)
        faults = [_fault(one["loc"], one["type"], allowed_words(one)) for one in found]
        raise InvalidInput("The request breaks the rules named in errors.", faults) from None


def allowed_words(found: Mapping[str, Any]) -> tuple[str, ...]:
    """The words of the closed list that something is not in, from pydantic's account of it, which quotes each."""
    expected = found.get("ctx", {}).get("expected", "") if found["type"] == "literal_error" else ""
    return tuple(_QUOTED.findall(expected))


def _fault(location: tuple[int | str, ...], kind: str, allowed: tuple[str, ...]) -> Fault:
    """Turn pydantic's location into an RFC 6901 pointer; an unknown field's name is shown only if it is a plain word."""
    unknown = kind == "extra_forbidden"
    if unknown and not _SHOWN_FIELD.fullmatch(str(location[-1])):
        location = location[:-1]
    pointer = "".join(f"/{part}" for part in location)
    return Fault(pointer, "unknown-field" if unknown else kind.replace("_", "-"), allowed)
