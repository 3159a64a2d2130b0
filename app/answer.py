"""What every answer is made of: a frozen model of named fields, each described by the docstring under it."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from app.described import described

Probability = Annotated[float, Field(ge=0, le=1)]


class Answer(BaseModel):
    """Something this service says. The docstrings under the fields become their descriptions in `openapi.yaml`."""

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra=described)
