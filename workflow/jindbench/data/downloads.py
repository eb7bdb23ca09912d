"""Downloads: a file from the first of several sources that gives the right one, and the lock that says which it is.

A transfer goes to a part beside the file's place, under a fixed name, so that a run that was killed is gone on with by
the next. The part gets the file's name only after it was verified; nothing unverified is ever found there.
"""

import fcntl
import functools
import hashlib
import logging
import lzma
import os
import re
import shutil
import stat
import sys
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import IO

import pandas as pd

from jindbench import __version__, io
from jindbench.data.parameters import Origin
from jindbench.errors import InputError

log = logging.getLogger(__name__)


SLOWEST = 1000  # bytes a second; a server that stays below gives nothing


BACK_OFF = 1.0  # seconds before the second attempt; each further pause is twice as long


LOG_EVERY = 10.0  # seconds between two log lines on a transfer's progress


# Tracked in the checkout. No rule has it as input: a new line must not prepare a dataset again that came out.
LOCK = Path(__file__).parents[3] / "config/downloads.lock.tsv"


LOCK_COLUMNS = ["file", "bytes", "sha256", "address", "date"]


# How a file of each format begins. A text has no such mark; it is told by holding no NUL byte.
SIGNATURES = {
    "h5ad": (b"\x89HDF\r\n\x1a\n",),
    "zip": (b"PK\x03\x04",),
    "rds": (b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00", b"X\n", b"RDX"),  # gzip, bzip2, xz, uncompressed
}


FORMAT_NAMES = {
    "h5ad": "an HDF5 (.h5ad) file",
    "zip": "a zip archive",
    "rds": "an R (.rds) file",
    "text": "a text file",
}


@dataclass(frozen=True)
class Fetched:
    """A verified file on this machine, and the source it is from."""

    path: Path
    source: Origin
    sha256: str
    bytes: int

    @property
    def record(self) -> dict:
        """What is remembered of it, in its dataset's record and in the lock file."""
        return {
            "file": self.source.file_name,
            "bytes": self.bytes,
            "sha256": self.sha256,
            "address": self.source.address,
        }


def check_format(path: str | Path, format: str, where: str | None = None) -> None:
    """Check by a file's first bytes that it is what it should be.

    Parameters
    ----------
    path
        The file.
    format
        One of "h5ad", "zip", "rds", "text"; a text may be compressed with gzip.
    where
        What an error names instead of the path.

    Raises
    ------
    InputError
        Naming the file and what it is instead, where that can be told.
    """
    where = where or str(path)
    if not Path(path).is_file():
        raise InputError(f"{where}: no such file")
    with open(path, "rb") as file:
        start = file.read(4096)
    expected = FORMAT_NAMES[format]
    if not start:
        raise InputError(f"{where}: is empty; expected {expected}")
    # Many servers answer with a page and the status of a success where they mean an error.
    if start.removeprefix(b"\xef\xbb\xbf").lstrip().lower().startswith((b"<!doctype html", b"<html")):
        raise InputError(f"{where}: holds an HTML page instead of {expected} (an error or log-in page of the server)")
    if format == "text":
        fits = start.startswith(b"\x1f\x8b") or b"\0" not in start
    else:
        fits = start.startswith(SIGNATURES[format])
    if not fits:
        raise InputError(f"{where}: is not {expected}; it begins with {start[:8]!r}")


def fetch(
    sources: list[Origin],
    folder: str | Path,
    *,
    locked: Mapping[str, Mapping] | None = None,
    attempts: int = 4,
    timeout: float = 60.0,
) -> Fetched:
    """Return a file that is on this machine already, or download it from the first source that gives the right one.

    Parameters
    ----------
    sources
        Where the file can be had from, the preferred one first.
    folder
        Where downloads are kept, and where a user may put a file by hand. A local source is used where it is.
    locked
        The lock file's content (`read_lock`): a file named there must be the very one that was locked.
    attempts
        How often a source is tried where the connection breaks.
    timeout
        Seconds without a connection, or with less than 1000 bytes a second, after which an attempt ends.

    Raises
    ------
    InputError
        If no source gave the right file, a file in the folder is not the right one, or the disk is full.
    """
    folder = Path(folder)
    locked = locked or {}
    faults = []

    for source in sources:
        if source.is_local:
            try:
                return _verified(Path(source.address), source, locked, _shown(source))
            except InputError as error:
                faults.append(str(error))
    remote = [source for source in sources if not source.is_local]
    for source in remote:
        if found := _in_folder(folder, source.file_name, remote, locked):
            return found

    for source in remote:
        path = folder / source.file_name
        with _hold(path) as record:
            # Another process may have fetched it while this one waited.
            if found := _in_folder(folder, path.name, remote, locked):
                return found
            part = _part(path)
            try:
                _download(source, part, record, attempts, timeout)
                try:
                    fetched = _verified(part, source, locked, _shown(source))
                except InputError as error:
                    part.unlink()
                    raise _Unavailable(error) from None
                os.replace(part, path)
                log.info(
                    "%s: fetched from %s (%d bytes, sha256 %s)", path, source.address, fetched.bytes, fetched.sha256
                )
                return Fetched(path, source, fetched.sha256, fetched.bytes)
            except _Unavailable as error:
                log.warning("%s", error)
                faults.append(str(error))
                if part.exists() and part.stat().st_size == 0:
                    part.unlink()  # nothing to go on with

    message = "\n  ".join([f"none of these gave {' or '.join(dict.fromkeys(s.file_name for s in sources))}:", *faults])
    if remote:
        places = " or ".join(dict.fromkeys(str(folder / source.file_name) for source in remote))
        message += f"\nor fetch one of these by hand and put it at {places}; it is verified like any other"
    raise InputError(message)


def extract_member(archive: str | Path, member_name: str, folder: str | Path) -> Path:
    """Take one file out of a zip archive.

    Parameters
    ----------
    archive
        The zip file. It is refused as a whole if any of its members points out of the folder.
    member_name
        The member's name without its folders; exactly one member must have it.
    folder
        Where the file goes, under the same name.

    Raises
    ------
    InputError
        If the archive is unsafe, damaged or encrypted, or the member is not there exactly once, or the disk is full.
    """
    path = Path(folder) / member_name
    check_format(archive, "zip")
    try:
        with zipfile.ZipFile(archive) as opened, _hold(path):
            member = _only_member(opened, member_name, f"{archive}")
            part = _part(path)
            try:
                with opened.open(member) as source:
                    _copy(source, part, path, member.file_size)
                os.replace(part, path)
            finally:
                part.unlink(missing_ok=True)
    # What zipfile and the decompressors raise on a damaged archive; NotImplementedError: on an unknown compression.
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, OSError, EOFError, NotImplementedError) as error:
        raise InputError(f"{archive}: not a sound zip archive: {error}") from error
    return path


@contextmanager
def unzipped(path: Path, member_name: str) -> Iterator[Path]:
    """The file's path; of a zip archive, that of its only member with this name, which is there within the context.

    Raises
    ------
    InputError
        As `extract_member`.
    """
    if not zipfile.is_zipfile(path):
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        yield extract_member(path, member_name, folder)


def read_lock(path: str | Path) -> dict[str, dict]:
    """Read the lock file: for each file name its bytes, sha256, address and date. No lock file: nothing is locked.

    Raises
    ------
    InputError
        If the file is not as `write_lock` writes it.
    """
    if not Path(path).is_file():
        return {}
    table = io.read_table(path, text=LOCK_COLUMNS)
    if list(table.columns) != LOCK_COLUMNS:
        raise InputError(f"{path}: has the columns {', '.join(table.columns)}; expected {', '.join(LOCK_COLUMNS)}")
    entries = {}
    for row in table.to_dict("records"):
        name = row.pop("file")
        if not re.fullmatch(r"\d+", row["bytes"]) or not re.fullmatch(r"[0-9a-f]{64}", row["sha256"]):
            raise InputError(f"{path}: {name}: bytes must be a whole number and sha256 64 hexadecimal digits")
        if name in entries:
            raise InputError(f"{path}: {name}: is there twice")
        entries[name] = row | {"bytes": int(row["bytes"])}
    return entries


def write_lock(entries: Mapping[str, Mapping], path: str | Path) -> None:
    """Write the lock file, sorted by file name."""
    rows = [{"file": name, **entries[name]} for name in sorted(entries)]
    io.write_table(pd.DataFrame(rows, columns=LOCK_COLUMNS), path)


def lock(records: Iterable[Mapping], path: str | Path) -> list[str]:
    """Add verified downloads to the lock file; a file that it has already stays as it is.

    Parameters
    ----------
    records
        Of each download: file, bytes, sha256 and address.

    Returns
    -------
    The names of the files that were added.
    """
    entries, today = read_lock(path), datetime.now(UTC).date().isoformat()
    new = [record for record in records if record["file"] not in entries]
    for record in new:
        entries[record["file"]] = {key: record[key] for key in ("bytes", "sha256", "address")} | {"date": today}
    if new:  # else the file keeps its time
        write_lock(entries, path)
    return [record["file"] for record in new]


def _shown(source: Origin) -> str:
    return f"{source.address} ({source.note})" if source.note else source.address


def _part(path: Path) -> Path:
    return path.with_name(f".{path.name}.part")


def _verified(path: Path, source: Origin, locked: Mapping[str, Mapping], where: str) -> Fetched:
    """Check everything that is known of a file, the most telling fault first."""
    check_format(path, source.format, where)
    _check_whole(path, source.format, where)
    size = path.stat().st_size
    digest = io.sha256(path)
    entry = locked.get(source.file_name)
    if source.bytes not in (None, size):
        raise InputError(f"{where}: has {size} bytes, expected {source.bytes}")
    if source.md5 is not None:
        with open(path, "rb") as file:
            md5 = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
        if md5 != source.md5.lower():
            raise InputError(f"{where}: has the md5 {md5}, expected {source.md5.lower()}")
    if entry is not None and digest != entry["sha256"]:
        raise InputError(
            f"{where}: the file has changed since it was locked: it has {size} bytes and sha256 {digest}, locked are "
            f"{entry['bytes']} bytes and sha256 {entry['sha256']}; to accept the new one, remove the line of "
            f"'{source.file_name}' from the lock file"
        )
    return Fetched(path, source, digest, size)


def _check_whole(path: Path, format: str, where: str) -> None:
    """Check that a file is not cut off, where its format tells: not every server says how long a file is."""
    try:
        if format == "h5ad":
            import h5py

            h5py.File(path, "r").close()
        elif format == "zip":
            zipfile.ZipFile(path).close()
    except (OSError, zipfile.BadZipFile) as error:
        raise InputError(f"{where}: is cut off or damaged: {error}") from error


def check_unchanged(path: Path, sha256: str, record: Mapping) -> None:
    """Check that a download is still the file that was verified, and that the lock file does not know another.

    Parameters
    ----------
    path, sha256
        The file as it is now.
    record
        `Fetched.record` of the download.

    Raises
    ------
    InputError
        Naming the file and both checksums.
    """
    entry = read_lock(LOCK).get(record["file"], record)
    for expected, when in ((record["sha256"], "downloaded"), (entry["sha256"], "locked")):
        if sha256 != expected:
            raise InputError(f"{path}: has changed since it was {when}: it has sha256 {sha256}, expected {expected}")


def _in_folder(folder: Path, name: str, sources: list[Origin], locked: Mapping[str, Mapping]) -> Fetched | None:
    """Return the file of this name if it is there; refuse it, and leave it alone, if it fits none of the sources."""
    path = folder / name
    if not path.exists():
        return None
    # A file put there by hand has no record and may be of any source of its name.
    address = _begun(folder / f".{name}.lock")
    named = [source for source in sources if source.file_name == name]
    fitting = [source for source in named if address in (None, source.address)]
    if not fitting:
        raise InputError(
            f"{path}: was downloaded from {address}, not from {named[0].address}; remove it, or set another "
            "downloads.folder"
        )
    faults = []
    for source in fitting:
        try:
            return _verified(path, source, locked, f"{path}")
        except InputError as error:
            faults.append(str(error))
    raise InputError(
        "; ".join(dict.fromkeys(faults)) + " (it was there already: remove it, or put the right file there)"
    )


def _begun(record: Path) -> str | None:
    """The address that a file was downloaded from, of the record that `_transfer` keeps beside it."""
    text = record.read_text(encoding="utf-8") if record.is_file() else ""
    return text.partition("\n")[0] or None


def _hold(path: Path) -> IO[str]:
    """Hold off other processes that would write this file, until what is returned is closed; a record fits into it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        held = open(path.with_name(f".{path.name}.lock"), "a+", encoding="utf-8")  # noqa: SIM115  the caller closes it
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            log.warning("%s: another process is writing it; waiting", path)
            fcntl.flock(held, fcntl.LOCK_EX)
    except OSError as error:
        raise InputError(f"{path.parent}: cannot be written to and locked: {error.strerror}") from error
    return held


class _Unavailable(Exception):
    """A source does not give the file; the next one may."""


class _Interrupted(_Unavailable):
    """The same, but another attempt may do better."""


def _download(source: Origin, part: Path, record: IO[str], attempts: int, timeout: float) -> None:
    """Fill the part, with another attempt after each interruption."""
    for attempt in range(1, attempts + 1):
        try:
            if not _transfer(source, part, record, timeout):
                log.info("%s: cannot be gone on with, starts over", source.address)
                part.unlink()
                _transfer(source, part, record, timeout)
            return
        except _Interrupted as error:
            if attempt == attempts:
                raise
            pause = BACK_OFF * 2 ** (attempt - 1)
            log.warning("%s; attempt %d of %d in %g s", error, attempt + 1, attempts, pause)
            time.sleep(pause)


def _transfer(source: Origin, part: Path, record: IO[str], timeout: float) -> bool:
    """Go on with the part, or begin it. False if there is a part but it cannot be gone on with."""
    import pycurl

    record.seek(0)
    address, _, version = record.read().partition("\n")
    # A part of another source is not gone on with: the two files may differ.
    offset = part.stat().st_size if part.is_file() and address == source.address else 0
    curl = pycurl.Curl()
    receiver = _Receiver(source.address, offset, version, record)
    try:
        with (
            # Unbuffered: being killed loses nothing.
            open(part, "ab" if offset else "wb", buffering=0) as receiver.file,
            _progress(source.file_name, offset) as receiver.show,
        ):
            _prepare(curl, source, offset, receiver, timeout)
            try:
                curl.perform()
            except pycurl.error as failure:
                if receiver.error is not None:  # such as a full disk
                    raise receiver.error from None
                stopped = failure.args[0] in (pycurl.E_WRITE_ERROR, pycurl.E_ABORTED_BY_CALLBACK)
                if stopped and not receiver.has_changed:
                    # Ctrl-C on the very entry into a callback: pycurl prints that and goes on.
                    raise KeyboardInterrupt from None
                raise
            finally:
                os.fsync(receiver.file.fileno())  # what arrived is worth keeping after an error, too
        return _is_complete(curl, source, part, offset, receiver)
    except pycurl.error as failure:
        code, text = failure.args
        if receiver.has_changed or code in (
            pycurl.E_RANGE_ERROR,
            pycurl.E_BAD_DOWNLOAD_RESUME,
            pycurl.E_FTP_COULDNT_USE_REST,
        ):
            return False
        kind = _kind(code, curl.getinfo(pycurl.RESPONSE_CODE), begun=offset > 0)
        raise kind(f"{_shown(source)}: {text}") from None
    except OSError as error:
        path = part.with_name(source.file_name)
        raise _cannot_write(path, error, receiver.total or source.bytes) from error
    finally:
        curl.close()


def _prepare(curl: "pycurl.Curl", source: Origin, offset: int, receiver: "_Receiver", timeout: float) -> None:  # noqa: F821
    import certifi
    import pycurl

    protocols = pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS | pycurl.PROTO_FTP
    seconds = max(1, round(timeout))
    options = {
        pycurl.URL: source.address.encode(),
        pycurl.USERAGENT: f"jindbench/{__version__}",  # some servers turn away who does not say what it is
        pycurl.PROTOCOLS: protocols,
        pycurl.REDIR_PROTOCOLS: protocols,
        pycurl.FOLLOWLOCATION: True,
        pycurl.MAXREDIRS: 10,
        pycurl.FAILONERROR: True,
        # A network with its own certificates names them the way the curl command and OpenSSL know.
        pycurl.CAINFO: os.environ.get("CURL_CA_BUNDLE") or os.environ.get("SSL_CERT_FILE") or certifi.where(),
        pycurl.NOSIGNAL: True,
        pycurl.CONNECTTIMEOUT: seconds,
        pycurl.FTP_RESPONSE_TIMEOUT: seconds,
        pycurl.LOW_SPEED_LIMIT: SLOWEST,
        pycurl.LOW_SPEED_TIME: seconds,
        pycurl.OPT_FILETIME: True,  # asks an ftp server for the file's date
        pycurl.RESUME_FROM_LARGE: offset,
        pycurl.HEADERFUNCTION: receiver.header,
        pycurl.WRITEFUNCTION: receiver.body,
        pycurl.XFERINFOFUNCTION: receiver.progress,
        pycurl.NOPROGRESS: False,
    }
    for option, value in options.items():
        curl.setopt(option, value)


def _is_complete(
    curl: "pycurl.Curl",  # noqa: F821
    source: Origin,
    part: Path,
    offset: int,
    receiver: "_Receiver",
) -> bool:
    """Judge a transfer without an error. libcurl has compared the length with the one that the server stated."""
    import pycurl

    if curl.getinfo(pycurl.EFFECTIVE_URL).lower().startswith("ftp:"):
        return True
    status = curl.getinfo(pycurl.RESPONSE_CODE)
    if status == 416:  # nothing is left to send: a run was killed right at the end, or the part is of another file
        return receiver.whole == offset
    if status not in (200, 206):
        part.unlink()  # it holds the answer
        raise _Unavailable(f"{_shown(source)}: the server answered {status} instead of sending the file")
    # 200 to a part: the server sends the whole file, of the part's very length, which libcurl takes for done.
    return not (status == 200 and offset)


def _kind(code: int, status: int, *, begun: bool) -> type[_Unavailable]:
    """Tell what another attempt may mend from what it cannot; `begun`: a part of the file has arrived already."""
    import pycurl

    permanent = (
        pycurl.E_UNSUPPORTED_PROTOCOL,
        pycurl.E_URL_MALFORMAT,
        pycurl.E_COULDNT_RESOLVE_PROXY,
        pycurl.E_REMOTE_ACCESS_DENIED,
        pycurl.E_REMOTE_FILE_NOT_FOUND,
        pycurl.E_TOO_MANY_REDIRECTS,
        pycurl.E_PEER_FAILED_VERIFICATION,
        pycurl.E_SSL_CACERT_BADFILE,
    )
    # 408, 425 and 429 mean: later.
    refused = code == pycurl.E_HTTP_RETURNED_ERROR and 400 <= status < 500 and status not in (408, 425, 429)
    # Most often there is no network at all: say so at once; but a network that was there may come back.
    offline = code == pycurl.E_COULDNT_RESOLVE_HOST and not begun
    return _Unavailable if refused or offline or code in permanent else _Interrupted


def _callback(method: Callable) -> Callable:
    """Stop the transfer on an exception and keep it: libcurl would swallow it."""

    @functools.wraps(method)
    def call(self, *arguments):
        try:
            return method(self, *arguments)
        except BaseException as error:
            self.error = error
            return -1

    return call


class _Receiver:
    """What libcurl calls while it transfers a file."""

    def __init__(self, address: str, offset: int, begun_version: str, record: IO[str]):
        self.address = address
        self.offset = offset
        self.begun_version = begun_version
        self.record = record
        self.file = None  # set when they are opened
        self.show = None
        self.version = ""  # what tells one content of this address from another: ETag or date
        self.whole = None  # the file's length, where the server refuses to send more of it
        self.total = None  # the file's length
        self.has_begun = False
        self.has_changed = False
        self.error = None

    @_callback
    def header(self, line: bytes) -> None:
        text = line.decode("latin-1").strip()
        name, _, value = (part.strip() for part in text.partition(":"))
        if text.startswith("HTTP/"):  # of a redirection, or of the file
            self.version, self.whole = "", None
        elif name.lower() == "etag" or (name.lower() == "last-modified" and not self.version):
            self.version = value
        elif ftp_date := re.fullmatch(r"213 (\d{14}\S*)", text):
            self.version = ftp_date.group(1)
        elif name.lower() == "content-range" and (length := re.fullmatch(r"bytes \*/(\d+)", value)):
            self.whole = int(length.group(1))

    @_callback
    def body(self, block: bytes) -> int | None:
        if not self.has_begun:
            self.has_begun = True
            if self.offset and self.version != self.begun_version:
                self.has_changed = True  # the rest of another file must not be put behind the part
                return -1
            if not self.offset:
                self.record.truncate(0)
                self.record.write(f"{self.address}\n{self.version}")
                self.record.flush()
        _write(self.file, block)
        return None  # all taken

    @_callback
    def progress(self, to_come: int, received: int, *_upload: int) -> None:
        if to_come:
            self.total = self.offset + to_come
        self.show(self.offset + received, self.total)


@contextmanager
def _progress(name: str, start: int) -> Iterator[Callable[[int, int | None], None]]:
    """Yield a function that is told the bytes so far and in all: it draws a bar on a terminal, else logs at times."""
    from tqdm import tqdm

    begun = said = time.monotonic()
    with tqdm(desc=name, initial=start, unit="B", unit_scale=True, disable=not sys.stderr.isatty()) as bar:

        def show(done: int, total: int | None) -> None:
            nonlocal said
            now = time.monotonic()
            if not bar.disable:
                bar.total = total
                bar.update(done - bar.n)
            elif now - said >= LOG_EVERY:
                said = now
                form = "{percentage:.0f} %, {rate_fmt}, {remaining} left" if total else "{n_fmt}B, {rate_fmt}"
                text = tqdm.format_meter(
                    done, total, now - begun, unit="B", unit_scale=True, initial=start, bar_format=form
                )
                log.info("%s: %s", name, text)

        yield show


def _cannot_write(path: Path, error: OSError, needed: int | None) -> InputError:
    need = "" if needed is None else f"{needed} bytes are needed, "
    return InputError(
        f"{path.parent}: cannot write {path.name} there: {error.strerror}; {need}"
        f"{shutil.disk_usage(path.parent).free} bytes are free"
    )


def _copy(source: IO[bytes], part: Path, path: Path, needed: int) -> None:
    """Copy to the part; only a fault on the written side is one of the disk."""
    with open(part, "wb", buffering=0) as file:
        while block := source.read(1 << 20):
            try:
                _write(file, block)
            except OSError as error:
                raise _cannot_write(path, error, needed) from error
        try:
            os.fsync(file.fileno())
        except OSError as error:
            raise _cannot_write(path, error, needed) from error


def _write(file: IO[bytes], block: bytes) -> None:
    """Write all of it: a disk that is nearly full takes less than it is given, and only then fails."""
    left = memoryview(block)
    while left:
        left = left[file.write(left) :]


def _only_member(archive: zipfile.ZipFile, name: str, where: str) -> zipfile.ZipInfo:
    for member in archive.infolist():
        parts = re.split(r"[/\\]", member.filename)
        if parts[0] == "" or re.match("[A-Za-z]:", parts[0]):
            raise InputError(f"{where}: refused, its member '{member.filename}' has an absolute path")
        if ".." in parts:
            raise InputError(f"{where}: refused, its member '{member.filename}' leads out of the folder")
        if stat.S_ISLNK(member.external_attr >> 16):  # where the archive is from Unix, its high half is the file mode
            raise InputError(f"{where}: refused, its member '{member.filename}' is a symbolic link")
    files = [member for member in archive.infolist() if not member.is_dir()]
    named = [member for member in files if PurePosixPath(member.filename).name == name]
    if len(named) != 1:
        listed = ", ".join(member.filename for member in files[:10]) + (", ..." if len(files) > 10 else "")
        raise InputError(
            f"{where}: holds {len(named)} files named '{name}', expected one; it holds: {listed or 'nothing'}"
        )
    if named[0].flag_bits & 0x1:
        raise InputError(f"{where}: its member '{named[0].filename}' is encrypted")
    return named[0]
