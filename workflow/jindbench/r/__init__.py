"""R code, the one module that runs it (`bridge`), and whether R is here at all."""

import os
import shutil
import subprocess
from functools import cache

from jindbench.errors import NotAvailable

HOW_TO_GET_R = "`make setup` installs it on Debian and Ubuntu; elsewhere: snakemake --sdm conda"


def require(packages: tuple[str, ...]) -> None:
    """Check that R is here with these packages, without starting R in this process.

    Raises
    ------
    NotAvailable
        If R or a package is missing; says how to get it.
    """
    if packages and (missing := _missing(packages)):
        raise NotAvailable(f"R with {missing} not found ({HOW_TO_GET_R})")


@cache
def _missing(packages: tuple[str, ...]) -> str:
    """The packages that R lacks; all of them without R."""
    rscript = shutil.which("Rscript") or shutil.which("Rscript", path=os.path.join(os.environ.get("R_HOME", ""), "bin"))
    names = ", ".join(packages)
    if rscript is None:
        return names
    quoted = ", ".join(f"'{package}'" for package in packages)
    code = f"cat(Filter(function(p) !length(find.package(p, quiet = TRUE)), c({quoted})), sep = ', ')"
    # No packages of a user's own library, as in the bridge.
    done = subprocess.run(
        [rscript, "--vanilla", "-e", code], capture_output=True, text=True, env=os.environ | {"R_LIBS_USER": os.devnull}
    )
    return done.stdout if done.returncode == 0 else names
