"""Downloads: a file from the first address that gives the right one, and the lock file that says which one that is.

libcurl transfers to a part file beside the file's place, so a run that was killed is resumed by the next. Only a
verified part gets the file's name.
"""

import fcntl
import hashlib
import logging
import os
import shutil
import sys
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from jindbench import __version__, io
from jindbench.data.parameters import Origin
from jindbench.errors import InputError

log = logging.getLogger(__name__)


TIMEOUT = 60  # seconds without a connection, or with less than SLOWEST, after which an attempt ends
SLOWEST = 1000  # bytes a second
ATTEMPTS = 4  # at one address, when the connection breaks or the server says "later"
BACK_OFF = 1.0  # seconds before the second attempt; each further pause is twice as long
LATER = (408, 421, 425, 429, 500, 502, 503, 504)  # answers that say so; 421 is an ftp server's
LOG_EVERY = 10.0  # seconds between two log lines about a transfer's progress

# Tracked in the checkout. No rule has it as input: a new line must not prepare a dataset again.
LOCK = Path(__file__).parents[3] / "config/downloads.lock.tsv"
LOCK_COLUMNS = ["file", "bytes", "sha256", "address", "date"]

FORMATS = {"h5ad": "an HDF5 (.h5ad) file", "zip": "a zip archive", "rds": "an R (.rds) file", "text": "a text file"}
RDS_STARTS = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00", b"X\n", b"RDX")  # gzip, bzip2, xz, uncompressed


def fetch(origins: list[Origin], folder: str | Path) -> tuple[Path, dict]:
    """Find a verified file in the folder, or download it from the first address that gives the right one.

    Parameters
    ----------
    origins
        Addresses, the preferred one first. Those whose file has the same name must mean the same file.
    folder
        Where downloads are kept, and where a user may put a file by hand.

    Returns
    -------
    The file's path, and its record for the lock file: file, bytes, sha256 and address.

    Raises
    ------
    InputError
        If no address gave the right file, the folder holds a wrong one, or it cannot be written to.
    """
    folder = Path(folder)
    faults = []
    try:
        for origin in origins:
            path = folder / origin.file_name
            if path.exists():
                return path, _check_present(path, origins)
        for origin in origins:
            path = folder / origin.file_name
            with _held(path):
                if path.exists():  # fetched by another process while this one waited
                    return path, _check_present(path, origins)
                try:
                    record = _download(origin, path)
                except (InputError, _Interrupted) as error:
                    faults.append(str(error))
                else:
                    for fault in faults:  # without success, the error has them
                        log.warning("%s", fault)
                    log.info("%s: downloaded from %s", path, origin)
                    return path, record
    except OSError as error:
        free = shutil.disk_usage(next(place for place in (folder, *folder.parents) if place.exists())).free
        raise InputError(f"{folder}: cannot be written to: {error.strerror}; {free} bytes are free") from error
    names = list(dict.fromkeys(origin.file_name for origin in origins))
    raise InputError(
        "\n  ".join([f"no address gave {' or '.join(names)}:", *faults])
        + f"\nTo go on without a network, put the file at {' or '.join(str(folder / name) for name in names)}; "
        "it is verified like a download"
    )


def _check_present(path: Path, origins: list[Origin]) -> dict:
    """Verify a file that is in the folder already, downloaded or put there by hand, and return its record."""
    address = _address(path)
    named = [origin for origin in origins if origin.file_name == path.name]
    fitting = [origin for origin in named if address in ("", origin.address)]
    if not fitting:
        raise InputError(
            f"{path}: was downloaded from {address}, not from {named[0].address}; remove it, or set another "
            "downloads.folder"
        )
    try:
        return _verified(path, fitting[0], f"{path}")
    except InputError as error:
        raise InputError(f"{error} (it was there already: remove it, or put the right file there)") from None


def _verified(path: Path, origin: Origin, where: str) -> dict:
    """Check all that is known of a file, the most telling fault first, and return its record."""
    _check_format(path, origin.format, where)
    size, sha256 = path.stat().st_size, io.sha256(path)
    if origin.bytes not in (None, size):
        raise InputError(f"{where}: has {size} bytes, expected {origin.bytes}")
    if origin.checksum is not None:
        kind, _, expected = origin.checksum.partition(":")
        if (digest := _digest(path, kind)) != expected:
            raise InputError(f"{where}: has the {kind} {digest}, expected {expected}")
    entry = read_lock(LOCK).get(origin.file_name)
    if entry is not None and sha256 != entry["sha256"]:
        raise InputError(
            f"{where}: has changed since it was locked: it has {size} bytes and sha256 {sha256}, locked are "
            f"{entry['bytes']} bytes and sha256 {entry['sha256']}; to accept the new file, remove the line of "
            f"'{origin.file_name}' from {LOCK}"
        )
    return {"file": origin.file_name, "bytes": size, "sha256": sha256, "address": origin.address}


def _check_format(path: Path, format: str, where: str) -> None:
    """Check by its first bytes, and where the format allows by its length, that a file is what it should be."""
    import h5py

    expected = FORMATS[format]
    with open(path, "rb") as file:
        start = file.read(4096)
    if not start:
        raise InputError(f"{where}: is empty; expected {expected}")
    # Many servers report success and send a page that describes an error.
    if start.removeprefix(b"\xef\xbb\xbf").lstrip().lower().startswith((b"<!doctype html", b"<html")):
        raise InputError(f"{where}: holds an HTML page instead of {expected} (an error or log-in page of the server)")
    try:
        if format == "h5ad":
            h5py.File(path, "r").close()
        elif format == "zip":
            zipfile.ZipFile(path).close()
        elif format == "rds" and not start.startswith(RDS_STARTS):
            raise ValueError("not how R begins a file")
        elif format == "text" and b"\0" in start and not start.startswith(b"\x1f\x8b"):
            raise ValueError("a NUL byte in a text")
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise InputError(f"{where}: is not {expected}, or is cut off; it begins with {start[:8]!r}: {error}") from error


def _digest(path: Path, kind: str) -> str:
    """A checksum of a file, as hexadecimal digits. The id of a git blob is the SHA-1 of a header and the content."""
    start = b"blob %d\0" % path.stat().st_size if kind == "git-blob" else b""
    algorithm = "sha1" if kind == "git-blob" else kind
    with open(path, "rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.new(algorithm, start, usedforsecurity=False)).hexdigest()


def _address_file(path: Path) -> Path:
    """Beside a download: holds the address that it comes from, and is locked while a process writes the download."""
    return path.with_name(f".{path.name}.lock")


def _address(path: Path) -> str:
    """The address that a download, or its part, comes from; "" if it was put there by hand."""
    file = _address_file(path)
    # Releases before this one wrote more lines.
    return file.read_text(encoding="utf-8").partition("\n")[0] if file.is_file() else ""


@contextmanager
def _held(path: Path) -> Iterator[None]:
    """Keep other processes, on machines that share the folder too, from writing this file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(_address_file(path), "a", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            log.warning("%s: another process is writing it; waiting", path)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


class _Interrupted(Exception):
    """A transfer ended early; another attempt may resume it."""


def _download(origin: Origin, path: Path) -> dict:
    """Transfer a file to its part, from where a part of the same address ends, verify it and give it its name."""
    part = path.with_name(f".{path.name}.part")
    if _address(path) != origin.address:
        part.unlink(missing_ok=True)  # two addresses may have different files
        _address_file(path).write_text(origin.address, encoding="utf-8")
    attempt = 1
    while True:
        begun = part.stat().st_size if part.exists() else 0
        try:
            _transfer(origin, part, begun)
            record = _verified(part, origin, f"{origin}")
            os.replace(part, path)
            return record
        except InputError as error:
            part.unlink(missing_ok=True)
            if not begun:
                raise
            log.info("%s; starting over", error)  # the part may have been one of another file
        except _Interrupted as error:
            if attempt == ATTEMPTS:
                raise
            pause = BACK_OFF * 2 ** (attempt - 1)
            attempt += 1
            log.info("%s; attempt %d of %d in %g s", error, attempt, ATTEMPTS, pause)
            time.sleep(pause)


def _transfer(origin: Origin, part: Path, begun: int) -> None:
    """Append to the part what follows the bytes that it has. libcurl compares the length with what the server states.

    Raises
    ------
    InputError
        If the server does not send the file, or not the rest of it.
    _Interrupted
        If another attempt may do better.
    OSError
        If the part cannot be written.
    """
    import certifi
    import pycurl

    curl, stopped = pycurl.Curl(), []

    def keeping_errors(callback: Callable) -> Callable:
        """Stop the transfer at an exception and keep it, which libcurl would swallow."""

        def call(*arguments: Any) -> int | None:
            try:
                return callback(*arguments)
            except BaseException as error:
                stopped.append(error)
                return -1

        return call

    with open(part, "ab") as file, _progress(origin.file_name, begun) as show:
        options = {
            pycurl.URL: origin.address.encode(),
            pycurl.USERAGENT: f"jindbench/{__version__}",  # some servers turn away clients without a name
            pycurl.FOLLOWLOCATION: True,
            pycurl.FAILONERROR: True,
            # A network with certificates of its own names them in the variables that curl and OpenSSL know.
            pycurl.CAINFO: os.environ.get("CURL_CA_BUNDLE") or os.environ.get("SSL_CERT_FILE") or certifi.where(),
            pycurl.CONNECTTIMEOUT: TIMEOUT,
            pycurl.LOW_SPEED_LIMIT: SLOWEST,
            pycurl.LOW_SPEED_TIME: TIMEOUT,
            pycurl.WRITEFUNCTION: keeping_errors(file.write),
            pycurl.XFERINFOFUNCTION: keeping_errors(show),
            pycurl.NOPROGRESS: False,
        }
        if begun:  # the rest of the file, if it has not changed since
            options |= {
                pycurl.RESUME_FROM_LARGE: begun,
                pycurl.TIMECONDITION: pycurl.TIMECONDITION_IFUNMODSINCE,
                pycurl.TIMEVALUE: int(part.stat().st_mtime),
            }
        for option, value in options.items():
            curl.setopt(option, value)
        try:
            curl.perform()
            if curl.getinfo(pycurl.CONDITION_UNMET):
                raise InputError(f"{origin}: has changed since a part of it was downloaded")
        except pycurl.error as error:
            code, text = error.args
            if code in (pycurl.E_WRITE_ERROR, pycurl.E_ABORTED_BY_CALLBACK):
                # Nothing kept: Ctrl-C came on the very entry into a callback.
                raise (stopped or [KeyboardInterrupt()])[0] from None
            status = curl.getinfo(pycurl.RESPONSE_CODE)
            no_resume = (pycurl.E_RANGE_ERROR, pycurl.E_BAD_DOWNLOAD_RESUME, pycurl.E_FTP_COULDNT_USE_REST)
            broke = file.tell() > 0 and status < 400 and code not in no_resume
            raise (_Interrupted if broke or status in LATER else InputError)(f"{origin}: {text}") from None
        finally:
            curl.close()


@contextmanager
def _progress(name: str, begun: int) -> Iterator[Callable[[int, int, int, int], None]]:
    """Yield what libcurl tells its progress: it draws a bar on a terminal, else writes log lines."""
    from tqdm import tqdm

    terminal = sys.stderr.isatty()
    with tqdm(
        desc=name,
        initial=begun,
        unit="B",
        unit_scale=True,
        miniters=1,
        file=sys.stderr if terminal else _LogLines(),
        mininterval=0.1 if terminal else LOG_EVERY,
        ncols=None if terminal else 0,
    ) as bar:

        def show(to_come: int, received: int, *_upload: int) -> None:
            bar.total = begun + to_come if to_come else None
            bar.update(begun + received - bar.n)

        yield show


class _LogLines:
    """A file for tqdm where there is no terminal: each state of the bar becomes a line of the log."""

    def write(self, text: str) -> None:
        if text.strip() and "?B/s" not in text:  # something has come
            log.info("%s", text.strip())

    def flush(self) -> None:
        pass


def read_lock(path: str | Path) -> dict[str, dict]:
    """Read the lock file: for each file name its bytes, sha256, address and date. No lock file: nothing is locked.

    Raises
    ------
    InputError
        If it has other columns, or a file twice.
    """
    if not Path(path).is_file():
        return {}
    table = io.read_table(path, text=LOCK_COLUMNS)
    if list(table.columns) != LOCK_COLUMNS or table["file"].duplicated().any():
        raise InputError(f"{path}: expected the columns {', '.join(LOCK_COLUMNS)} and each file once")
    return table.set_index("file").to_dict("index")


def lock(records: Iterable[Mapping], path: str | Path) -> list[str]:
    """Add verified downloads to the lock file, sorted by file name; a file that is in it already stays as it is.

    Parameters
    ----------
    records
        What `fetch` returns for each download.

    Returns
    -------
    The names of the files that were added.
    """
    entries, today = read_lock(path), datetime.now(UTC).date().isoformat()
    new = {record["file"]: {**record, "date": today} for record in records if record["file"] not in entries}
    if new:  # else the file keeps its time
        rows = [{"file": name, **entry} for name, entry in sorted((entries | new).items())]
        io.write_table(pd.DataFrame(rows, columns=LOCK_COLUMNS), path)
    return list(new)


def check_unchanged(path: Path, sha256: str, record: Mapping) -> None:
    """Check that a download is still the file that was verified, and that the lock file knows no other.

    Parameters
    ----------
    path, sha256
        The file as it is now.
    record
        What `fetch` returned for the download.

    Raises
    ------
    InputError
        Naming the file and both checksums.
    """
    entry = read_lock(LOCK).get(record["file"], record)
    for expected, when in ((record["sha256"], "downloaded"), (entry["sha256"], "locked")):
        if sha256 != expected:
            raise InputError(f"{path}: has changed since it was {when}: it has sha256 {sha256}, expected {expected}")
