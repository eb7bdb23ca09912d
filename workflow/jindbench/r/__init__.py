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
        If R or a package is missing; says how to get it. Or if R is left out on purpose: `make R=no ...`.
    """
    if not packages:
        return
    if os.environ.get("JINDBENCH_R") == "no":
        raise NotAvailable("R is left out (R=no)")
    rscript = shutil.which("Rscript") or shutil.which("Rscript", path=os.path.join(os.environ.get("R_HOME", ""), "bin"))
    missing = ", ".join(packages) if rscript is None else _missing(rscript, packages)
    if missing:
        raise NotAvailable(f"R with {missing} not found ({HOW_TO_GET_R})")


@cache
def _missing(rscript: str, packages: tuple[str, ...]) -> str:
    """The packages that an R lacks."""
    quoted = ", ".join(f"'{package}'" for package in packages)
    code = f"cat(Filter(function(p) !length(find.package(p, quiet = TRUE)), c({quoted})), sep = ', ')"
    # No packages of a user's own library, as in the bridge.
    environment = os.environ | {"R_LIBS_USER": os.devnull}
    done = subprocess.run([rscript, "--vanilla", "-e", code], capture_output=True, text=True, env=environment)
    return done.stdout if done.returncode == 0 else ", ".join(packages)
