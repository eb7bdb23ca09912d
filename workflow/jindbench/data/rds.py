"""R's files (RDS) without R: values are read, code that a file carries is stepped over and never runs.

The format is that of "Serialization Formats" in the manual "R Internals", in the binary form that `saveRDS` writes. Two
Python packages read it too (rds2py 0.10.6, rdata 1.1.0); neither could read a SummarizedExperiment with the assays of
versions before 2019, an object that carries R's byte code and namespaces.
"""

import bz2
import gzip
import io
import lzma
import sys
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from jindbench.errors import InputError

# What decompressors, and a wrong length, type, reference or nesting give.
FAULTS = (
    *(OSError, EOFError, zlib.error, lzma.LZMAError),
    *(ValueError, TypeError, AttributeError, LookupError, RecursionError, MemoryError),
)
COMPRESSED = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ": lzma.open}
BINARY = b"X\n"
MISSING = -(2**31)  # NA of whole numbers
NUMBERS = {10: "i4", 13: "i4", 14: "f8", 15: "c16", 24: "u1"}
# By R's numbers. A constant has no content; what is code has some, which is read past.
CONSTANTS = {241, 242, 247, 251, 252, 253, 254}
PAIRLIST, ENVIRONMENT, LANGUAGE, STRING, TEXT, BYTECODE, S4, ALTREP = 2, 4, 6, 9, 16, 21, 25, 238
LISTS = {19, 20}
NAMED = {249: "namespace", 250: "package"}
CODE = {3: "closure", 5: "promise", 6: "call", 7: "builtin", 8: "builtin", 17: "dots", 21: "byte code"}
FIELD = ".->data"  # where R keeps the value of a reference class's field that has a class of its own
# Of byte code's constants: those that are written in a way of their own.
ATTRIBUTED, REPEATED, FIRST_OF_REPEATED = {239, 240}, 243, 244


@dataclass(eq=False)
class Value:
    """A value of R.

    `content` is an array of numbers, a list of text (None: NA), a list of values, or a dictionary of values (pairlists
    and environments); of code and constants None.
    """

    kind: str
    content: Any = None
    attributes: dict[str, "Value"] = field(default_factory=dict)

    def named(self) -> dict[str, "Value"]:
        """A list's or environment's values by their names."""
        if isinstance(self.content, dict):
            return self.content
        names = self.attributes.get("names", Value("")).content
        return dict(zip(names or [], self.content or [], strict=False)) if self.kind == "list" else {}

    def text(self) -> list[str | None] | None:
        """Text, or a factor's levels; None of another value."""
        levels = self.attributes.get("levels")
        if levels is not None and self.kind == "numbers":
            return [None if code < 1 else levels.content[code - 1] for code in self.content.tolist()]
        return self.content if self.kind == "text" else None


def read(path: str | Path) -> Value:
    """Read a file that `saveRDS` wrote.

    Raises
    ------
    InputError
        If it is no such file, or damaged.
    """
    with open(path, "rb") as file:
        start = file.read(6)
    opened = next((how for magic, how in COMPRESSED.items() if start.startswith(magic)), open)
    try:
        with opened(path, "rb") as stream:
            return _Reader(io.BufferedReader(stream, 1 << 20)).read()
    except FAULTS as error:
        raise InputError(f"{path}: not a readable RDS file: {type(error).__name__}: {error}") from error


class _Reader:
    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream
        self.references: list[Value] = []

    def read(self) -> Value:
        if self.bytes(2) != BINARY:
            raise ValueError("not in R's binary format")
        version, _, _ = (self.integer() for _ in range(3))
        if version not in (2, 3):
            raise ValueError(f"version {version} of R's format; expected 2 or 3")
        if version == 3:
            self.bytes(self.length())  # the name of an encoding: each text says its own
        return self.item()

    def bytes(self, n: int) -> bytes:
        return self.array("u1", n).tobytes()

    def array(self, dtype: str, n: int) -> np.ndarray:
        values = np.empty(n, dtype)
        buffer = memoryview(values).cast("B") if n else b""
        if n and self.stream.readinto(buffer) < len(buffer):
            raise EOFError("it is cut off")
        return values.byteswap(inplace=True) if sys.byteorder == "little" else values

    def integer(self) -> int:
        four = self.stream.read(4)
        if len(four) < 4:
            raise EOFError("it is cut off")
        return int.from_bytes(four, "big", signed=True)

    def length(self) -> int:
        n = self.integer()
        if n == -1:  # a long vector's
            n = (self.integer() << 32) + self.integer() % (1 << 32)
        if n < 0:
            raise ValueError(f"a length of {n}")
        return n

    def item(self) -> Value:
        return self.rest(self.integer())

    def rest(self, flags: int) -> Value:
        """What follows the flags of a value."""
        number, has_attributes = flags & 0xFF, bool(flags & 0x200)
        if number in CONSTANTS:
            return Value("constant")
        if number == 255:
            return self.references[(flags >> 8 or self.integer()) - 1]
        if number == 1:
            return self.remember(Value("symbol", self.item().content))
        if number in NAMED:
            self.integer()
            return self.remember(Value(NAMED[number], [self.item() for _ in range(self.length())]))
        if number == ENVIRONMENT:
            return self.environment()
        if number == PAIRLIST or number in (3, 5, LANGUAGE, 17):
            return self.pairlist(flags)
        if number == ALTREP:
            return self.compact()
        value = self.content(number, flags)
        if has_attributes:
            value.attributes = self.attributes()
        return value

    def content(self, number: int, flags: int) -> Value:
        if number in NUMBERS:
            return Value("numbers", self.array(NUMBERS[number], self.length()))
        if number == STRING:
            n = self.integer()
            return Value("string", None if n == -1 else self.bytes(n).decode("latin-1" if flags >> 12 & 4 else "utf-8"))
        if number == TEXT:
            return Value("text", [self.item().content for _ in range(self.length())])
        if number in LISTS:
            return Value("list", [self.item() for _ in range(self.length())])
        if number == S4:
            return Value("S4")
        if number in (7, 8):
            self.bytes(self.length())
            return Value(CODE[number])
        if number == BYTECODE:
            self.integer()
            self.bytecode()
            return Value(CODE[number])
        if number in (22, 23):  # pointers, which mean nothing in a file; the first with two values
            value = self.remember(Value("pointer"))
            for _ in range(2 if number == 22 else 0):
                self.item()
            return value
        raise ValueError(f"a value of the unknown type {number}")

    def remember(self, value: Value) -> Value:
        self.references.append(value)
        return value

    def environment(self) -> Value:
        value = self.remember(Value("environment", {}))
        self.integer()  # whether it is locked
        _, frame, table = (self.item() for _ in range(3))
        for part in (frame, *(table.content or [])):
            value.content.update(part.content or {})
        value.attributes = self.attributes()
        return value

    def attributes(self) -> dict[str, Value]:
        content = self.item().content or {}
        if not isinstance(content, dict):
            raise ValueError("attributes without names")
        return content

    def pairlist(self, flags: int) -> Value:
        """A pairlist, in a loop: it may be long. Code is written as one too."""
        first, values, attributes = flags & 0xFF, {}, {}
        while True:
            if flags & 0x200:
                attributes = self.attributes()
            tag = self.item().content if flags & 0x400 else None
            values[tag if isinstance(tag, str) else len(values)] = self.item()
            flags = self.integer()
            if flags & 0xFF != PAIRLIST:
                self.rest(flags)  # its end
                break
        return Value("pairlist", values, attributes) if first == PAIRLIST else Value(CODE[first])

    def compact(self) -> Value:
        """A vector in another form, such as 1:n by its length, and the text of numbers by these."""
        form, state = self.item(), self.item()
        name = form.content[0].content
        if name in ("compact_intseq", "compact_realseq"):
            n, first, step = state.content.tolist()
            numbers = first + step * np.arange(int(n))
            value = Value("numbers", numbers.astype(np.int32) if name == "compact_intseq" else numbers)
        elif name.startswith("wrap_"):
            value = Value(*((inner := state.content[0]).kind, inner.content))
        elif name == "deferred_string" and (numbers := state.content[0].content).dtype.kind == "i":
            value = Value("text", [None if number == MISSING else str(number) for number in numbers.tolist()])
        else:
            value = Value(name)
        value.attributes = self.attributes()
        return value

    def bytecode(self) -> None:
        self.item()
        for _ in range(self.length()):
            number = self.integer()
            self.bytecode() if number == BYTECODE else self.constant(number)

    def constant(self, number: int) -> None:
        """A constant of byte code; calls and pairlists have the type of what follows between their parts."""
        while True:
            if number == FIRST_OF_REPEATED:
                self.integer()
                number = self.integer()
            if number == REPEATED:
                self.integer()
                return
            if number not in (PAIRLIST, LANGUAGE, *ATTRIBUTED):
                self.item()
                return
            if number in ATTRIBUTED:
                self.item()
            self.item()  # its tag
            self.constant(self.integer())
            number = self.integer()


def read_experiment(path: str | Path, assay: str, column: str) -> AnnData:
    """An assay of a SummarizedExperiment, or of what extends it, with one column of its colData.

    Returns
    -------
    Cells x genes, CSR float32, with `obs[column]`.

    Raises
    ------
    InputError
        If the file cannot be read, is another object, or lacks what was asked for; if it has code in its place.
    """
    slots = read(path).attributes
    if not {"assays", "colData"} <= set(slots):
        raise InputError(f"{path}: holds no SummarizedExperiment (its parts: {', '.join(slots) or 'none'})")
    try:
        assays = slots["assays"].attributes
        if ".xData" in assays:  # of versions before 2019: an environment, in which `data` is a function that checks
            fields = assays[".xData"].named()
            assays = {"data": fields[FIELD]} if FIELD in fields else fields
        assays = _get(assays, "data", "assays")
        matrix = _get(_get(assays.attributes, "listData", "assays").named(), assay, "assays")
        cells = slots["colData"].attributes
        labels = _get(_get(cells, "listData", "colData").named(), column, "colData").text()
        if labels is None:
            raise LookupError(f"'{column}' of colData is neither text nor a factor")
        X = _transposed(matrix)
        genes = _names_of_genes(slots, matrix)
        ids = cells.get("rownames", Value("")).text() or _dimnames(matrix)[1]
    except LookupError as error:
        raise InputError(f"{path}: {error.args[0]}") from error
    except (TypeError, AttributeError, ValueError) as error:
        raise InputError(f"{path}: not how R writes a SummarizedExperiment: {error}") from error
    for what, names, n in (("genes", genes, X.shape[1]), ("cells", ids, X.shape[0]), ("cells", labels, X.shape[0])):
        if names is None or len(names) != n:
            raise InputError(f"{path}: the matrix has {n} {what}, but {0 if names is None else len(names)} are named")
    return AnnData(X, obs=pd.DataFrame({column: labels}, index=ids), var=pd.DataFrame(index=genes))


def _get(values: dict[str, Value], name: str, where: str) -> Value:
    """One of several values; it must be no code."""
    if name not in values:
        raise LookupError(f"there is no '{name}' in {where} (there are: {', '.join(map(str, values)) or 'none'})")
    if (kind := values[name].kind) in CODE.values():
        raise LookupError(f"'{name}' in {where} is code of R (a {kind}), which is not run")
    return values[name]


def _transposed(matrix: Value) -> sparse.csr_matrix:
    """Cells x genes of a matrix of genes x cells, which R stores cell by cell, or of a dgCMatrix: the same arrays."""
    if matrix.kind == "numbers" and "dim" in matrix.attributes:
        by_cell = matrix.content.reshape(matrix.attributes["dim"].content[::-1])
        with np.errstate(over="ignore"):
            return sparse.csr_matrix(by_cell, dtype=np.float32)
    kind = matrix.attributes.get("class", Value("")).text()
    if kind != ["dgCMatrix"]:
        raise LookupError(f"the assay is a {kind[0] if kind else matrix.kind}; expected a matrix or a dgCMatrix")
    parts = [_get(matrix.attributes, name, "the matrix").content for name in ("x", "i", "p", "Dim")]
    if not all(isinstance(part, np.ndarray) for part in parts):
        raise LookupError("the matrix lacks its numbers")
    x, i, p, shape = parts
    try:
        with np.errstate(over="ignore"):  # what is too large becomes infinite, which the checks refuse
            X = sparse.csr_matrix((x.astype(np.float32), i, p), shape=(shape[1], shape[0]))
        X.check_format()
    except (ValueError, IndexError) as error:
        raise LookupError(f"the matrix is not sound: {error}") from error
    return X


def _names_of_genes(slots: dict[str, Value], matrix: Value) -> list | None:
    """They stand in one of several places, by the object's class."""
    ranges = slots.get("rowRanges", Value("")).attributes
    places = [
        slots.get("NAMES"),
        ranges.get("ranges", Value("")).attributes.get("NAMES"),
        ranges.get("partitioning", Value("")).attributes.get("NAMES"),
    ]
    return next((place.text() for place in places if place is not None and place.text()), _dimnames(matrix)[0])


def _dimnames(matrix: Value) -> list:
    names = matrix.attributes.get("Dimnames") or matrix.attributes.get("dimnames")
    return [None, None] if names is None else [side.text() for side in names.content]
