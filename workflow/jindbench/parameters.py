"""Base classes of the parameters that a dataset or method file declares.

A component's `Parameters` class is at once its default values, the check of what the configuration says, and the
text that documents each key.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

# Names of datasets, tasks, methods and runs become parts of paths.
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]


class Parameters(BaseModel):
    """Parameters of one dataset or method: immutable, strictly typed, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class CountParameters(Parameters):
    """What every dataset of counts has."""

    normalize: bool = Field(
        False, description="Scale each cell to 10,000 counts in total. The log belongs to the method."
    )
