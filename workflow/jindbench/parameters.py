"""Base classes of the parameters that a dataset or method file declares.

A component's `Parameters` class is at once its default values, the check of what the configuration says, and the
text that documents each key.
"""

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

# Names of datasets, tasks, methods and runs become parts of paths.
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]


def _without_tags(title: str) -> str:
    """Snakemake's report holds titles as they are, in a script that a tag in one of them would end."""
    if re.search("<[a-z/!]", title, flags=re.IGNORECASE):
        raise ValueError("expected a title without HTML tags")
    return title


Title = Annotated[str, AfterValidator(_without_tags)]


class Parameters(BaseModel):
    """Parameters of one dataset or method: immutable, strictly typed, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
