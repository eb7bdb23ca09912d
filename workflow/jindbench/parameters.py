"""What all models of the configuration share: their base class, and the types of names and titles.

A component's `Parameters` class is at once its default values, the check of what the configuration says, and the
text that documents each key.
"""

import os
import re
from typing import Annotated, ClassVar, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints, ValidationInfo

from jindbench.errors import hint

# Names of datasets, tasks, methods and runs become parts of paths.
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
# A path, or an address. No shell expands the `~` of a configuration.
UserPath = Annotated[str, AfterValidator(os.path.expanduser)]
T = TypeVar("T")


def existing(kind: str) -> AfterValidator:
    """A check that one or several names exist, by the lists in the validation's context; none without a context."""

    def check(given: T, info: ValidationInfo) -> T:
        names = [given] if isinstance(given, str) else list(given)
        known = info.context[kind] if info.context else names
        faults = [f"no {kind.removesuffix('s')} '{name}'{hint(name, known)}" for name in names if name not in known]
        twice = sorted({name for name in names if names.count(name) > 1})
        if faults := faults + [f"'{name}' is named twice" for name in twice]:
            raise ValueError(*faults)
        return given

    return AfterValidator(check)


DatasetName = Annotated[Name, existing("datasets")]


def _without_tags(title: str) -> str:
    """Snakemake's report holds titles as they are, in a script that a tag in one of them would end."""
    if re.search("<[a-z/!]", title, flags=re.IGNORECASE):
        raise ValueError("expected a title without HTML tags")
    return title


Title = Annotated[str, AfterValidator(_without_tags)]


class Parameters(BaseModel):
    """Parameters of one dataset or method: immutable, strictly typed, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    # Keys that all methods which build on each other have in common, with one value for all.
    OF_ALL_STAGES: ClassVar[tuple[str, ...]] = ()
