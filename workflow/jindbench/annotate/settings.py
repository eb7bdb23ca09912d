"""What can be asked for, and the checks that open no file."""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from pydantic import Field, field_validator

from jindbench import registry
from jindbench.data.remedies import is_zarr
from jindbench.errors import InputError, NotAvailable, hint
from jindbench.parameters import Parameters

REFERENCE_FOLDER = "reference"  # of the model that a run has fitted, below its output folder
LOG = "logs/annotate.log"  # below the output folder, which it marks as one of results
SUFFIXES = (".h5ad", ".h5", ".h5mu")  # of files with cells
CONSENSUS = "consensus"  # the method whose forecasts were compared with real cells
AUTO = "auto"  # whatever is best on the reference itself
PRESETS = (CONSENSUS, "robust", "paper", "preprint", "published")  # of JIND
COPY, TABLE, PAGE = "annotated.h5ad", "labels.tsv", "report.html"


def methods() -> list[str]:
    """Names of all that can label: presets of JIND, `auto`, the benchmark's methods but controls that see labels."""
    others = [name for name in registry.names("methods") if name not in PRESETS]
    return [
        *PRESETS,
        AUTO,
        *(name for name in others if not hasattr(registry.component("methods", name), "SEES_LABELS")),
    ]


def can_forecast(method: str) -> bool:
    """Whether it can say how many labels will be right."""
    return method == CONSENSUS or method not in PRESETS


def check_method(method: str, max_error: float | None) -> None:
    """Check that a method's packages are here, and that it can do what is asked of it.

    Raises
    ------
    InputError
        Saying what it lacks.
    """
    if method not in (*PRESETS, AUTO):
        try:
            for stage in registry.stages(method):
                registry.require(registry.component("methods", stage))
        except NotAvailable as error:
            raise InputError(f"method: {method} cannot run here: {error}") from error
    if max_error is not None and not can_forecast(method):
        raise InputError(f"max_error: expected a method with a forecast, such as {CONSENSUS}; '{method}' has none")


class Settings(Parameters):
    """The keys of `snakemake annotate --config ...` and the options of `jindbench annotate`."""

    reference: str = Field(
        description="Labelled cells, an AnnData file (.h5ad, .zarr; .h5mu with `rna`); or the folder of a model stored "
        "by an earlier run."
    )
    label_key: str | None = Field(
        None, description="Column of the reference's `obs` with the cell types. A stored model needs none."
    )
    keep_labels: list[str] = Field(
        [],
        description="Labels to keep as cell types although they look like missing values, such as `unknown`; "
        "comma-separated.",
    )
    query: list[str] = Field(
        min_length=1,
        description="Cells to annotate: AnnData files (.h5ad, .zarr; .h5mu with `rna`), 10x files (.h5) or 10x folders "
        "(with matrix.mtx(.gz)).",
    )
    output: str = Field("results/annotate", description="Folder for the results, with a folder for each query.")
    layer: str | None = Field(
        None,
        description="Where the queries' counts are: the name of a layer, `X` or `raw`. Found automatically by default.",
    )
    reference_layer: str | None = Field(None, description="The same for the reference.")
    method: str | None = Field(
        None,
        description="Method: `consensus` (the default); JIND with another preset (`robust`, `paper`, `preprint`, "
        "`published`); any method of the benchmark, such as `svm_rej`; or `auto`, the best on the reference itself. A "
        "stored model keeps its own.",
    )
    batch_key: str | None = Field(
        None, description="With `auto`: column of the reference's `obs` with batches or donors, each held out in turn."
    )
    max_error: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="Share of labels that may be wrong, such as 0.05: sets one threshold instead of one for each type.",
    )
    seed: int = Field(0, ge=0, description="Random seed.")
    cluster_key: str | None = Field(
        None,
        description="Column of the queries' `obs` with clusters: adds the most frequent label of each cell's cluster.",
    )
    sample_key: str | None = Field(
        None, description="Column of the queries' `obs` with samples: each is aligned and judged separately."
    )
    broad_key: list[str] = Field(
        [],
        description="Broader types for cells without a label: columns of the reference's `obs`, the narrowest first, "
        "comma-separated; or a table (.tsv) of types and such columns. Learnt from the reference by default.",
    )
    ontology: str | None = Field(
        None,
        description="Table (.tsv) of labels and Cell Ontology ids, to be written to `cell_type_ontology_term_id`.",
    )
    probabilities: bool = Field(False, description="Add the probability of every type, not only of the best two.")
    embedding: bool = Field(True, description="Add latent codes and a tSNE, which the report's maps show.")

    @field_validator("query", mode="before")
    @classmethod
    def _one_or_several(cls, value: Any) -> Any:
        """Paths, or several in one text, separated by commas."""
        given = [value] if isinstance(value, str) else value
        if not (isinstance(given, list) and all(isinstance(path, str) for path in given)):
            return value
        parts = [[path] if os.path.exists(os.path.expanduser(path)) else path.split(",") for path in given]
        return [part.strip() for among in parts for part in among]

    @field_validator("method")
    @classmethod
    def _a_method(cls, value: str | None) -> str | None:
        if value is not None and value not in (known := methods()):
            raise ValueError(f"no method '{value}'{hint(value, known)}")
        return value

    @field_validator("reference", "query", "output", "broad_key", "ontology")
    @classmethod
    def _home(cls, value: str | list[str] | None) -> str | list[str] | None:
        """No shell expands `~` behind `reference=`."""
        if isinstance(value, list):
            return [*map(os.path.expanduser, value)]
        return value and os.path.expanduser(value)

    @field_validator("keep_labels", "broad_key", mode="before")
    @classmethod
    def _labels(cls, value: Any) -> Any:
        """Snakemake's command line takes `nan` for a number."""
        return value if isinstance(value, list) else [label.strip() for label in str(value).split(",")]

    @property
    def stored(self) -> bool:
        """Whether the reference is a stored model."""
        return Path(self.reference, "model.json").is_file()

    @property
    def broad_table(self) -> Path | None:
        """The table of broader types; None where they are columns, or to be learnt."""
        path = Path(self.broad_key[0]) if len(self.broad_key) == 1 else None
        return path if path and (path.is_file() or path.suffix == ".tsv") else None

    @property
    def tables(self) -> list[str]:
        """Tables beside the cells."""
        return [str(path) for path in (self.broad_table, self.ontology) if path is not None]

    @property
    def model_folder(self) -> Path:
        """Where the model lies, or is stored once it is fitted."""
        return Path(self.reference) if self.stored else Path(self.output, REFERENCE_FOLDER)

    def folders(self) -> dict[str, Path]:
        """The results' folder of each query: its name, where several have the same after those of the folders above."""
        # Not resolved: a link has the name that its user chose.
        paths = [Path(os.path.abspath(query)) for query in self.query]
        ours = [path.suffix == ".zarr" or (path.suffix in SUFFIXES and not path.is_dir()) for path in paths]
        paths = [path.with_suffix("") if known else path for path, known in zip(paths, ours, strict=True)]

        def name(parts: tuple[str, ...]) -> str:
            depths = range(1, len(parts) + 1)
            alone = (n for n in depths if sum(path.parts[-n:] == parts[-n:] for path in paths) == 1)
            return "_".join(parts[-next(alone, 1) :])

        return {query: Path(self.output, name(path.parts)) for query, path in zip(self.query, paths, strict=True)}

    def results(self) -> list[Path]:
        """Every file that is written, the model's folder apart."""
        return [folder / name for folder in self.folders().values() for name in (COPY, TABLE, PAGE)]

    def input_bytes(self) -> int:
        """Size of all inputs."""
        return sum(map(_size, [self.reference, *self.query]))

    def check(self) -> None:
        """Check that the inputs are there and that no result would overwrite what is not a result.

        Raises
        ------
        InputError
            For the first fault found.
        """
        tables = {"broad_key": self.broad_table, "ontology": self.ontology}
        given = {"reference": [self.reference], "query": self.query}
        for key, paths in (given | {key: [path] for key, path in tables.items() if path is not None}).items():
            for path in paths:
                if not os.path.exists(path):
                    raise InputError(f"{key}: {path}: no such file or folder")
                if not os.access(path, os.R_OK | (os.X_OK if os.path.isdir(path) else 0)):
                    raise InputError(f"{key}: {path}: you have no permission to read it")
        if not self.stored and self.label_key is None:
            if os.path.isdir(self.reference):
                raise InputError(f"reference: {self.reference}: no stored model, which has a model.json")
            raise InputError("label_key: this key is required: the column of the reference's obs with the cell types")
        if self.stored and self.label_key is not None:
            raise InputError(f"label_key: {self.reference} is a stored model, which knows its types; leave the key out")
        if self.stored and self.keep_labels:
            raise InputError(
                f"keep_labels: {self.reference} is a stored model, which knows its types; leave the key out"
            )
        if self.stored and self.reference_layer is not None:
            raise InputError(f"reference_layer: {self.reference} is a stored model, which has no layers")
        if self.batch_key is not None and (self.stored or self.method != AUTO):
            raise InputError(
                f"batch_key: expected method={AUTO} and labelled cells as the reference; leave the key out"
            )
        if self.method is not None:
            check_method(self.method, self.max_error)
        folders = [Path(os.path.abspath(folder)) for folder in (*self.folders().values(), self.model_folder)]
        written = folders[:-1] if self.stored else folders
        for folder in written:
            if folders.count(folder) > 1:
                raise InputError(f"query: two results would go to {folder}; rename one of the files")
            for place in (folder, *folder.parents):
                if place.exists() and not place.is_dir():
                    raise InputError(f"output: {place} is a file; a folder is to be made there")
        output = Path(self.output)
        if output.is_dir() and any(output.iterdir()) and not (output / LOG).exists():
            raise InputError(f"output: {output} holds files that no annotation has written; name a folder of its own")
        for path in self.results():
            if path.is_dir():
                raise InputError(f"output: {path} is a folder; a file is to be written there")
            for given in (self.reference, *self.query):
                if path.exists() and os.path.samefile(path, given):  # links of both kinds included
                    raise InputError(f"output: {path} is the input {given}, which is never written to")
        for folder in written:
            _check_writable(_that_is_there(folder))
        self._check_space()

    def _check_space(self) -> None:
        """Each query's cells are copied; a disk that is full is to be noticed before the work, not after."""
        size = sum(map(_size, self.query))
        there = _that_is_there(Path(self.output))
        if (free := shutil.disk_usage(there).free) < size:
            raise InputError(
                f"output: the copies of the queries need {size / 1e9:.1f} GB, {there} has {free / 1e9:.1f} GB"
            )


def _that_is_there(folder: Path) -> Path:
    """The folder, or the nearest above it that exists."""
    return next(place for place in (folder, *folder.absolute().parents) if place.exists())


def _size(path: str) -> int:
    """Bytes of a file, or of a folder's files."""
    below = Path(path).rglob("*") if is_zarr(Path(path)) else Path(path).glob("*")
    return sum(file.stat().st_size for file in (Path(path), *below) if file.is_file())


def _check_writable(folder: Path) -> None:
    """By writing: permissions do not tell of a read-only disk, nor of /proc."""
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise InputError(f"output: {folder}: cannot be written to ({error.strerror}); name another folder") from error
