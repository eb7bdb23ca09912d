"""Zip archives: one member is unpacked, under a name of our choice, so no name inside an archive matters as a path."""

import lzma
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from jindbench.errors import InputError


@contextmanager
def unzipped(path: Path, member_name: str) -> Iterator[Path]:
    """Yield the path of an archive's member, unpacked into a temporary folder; or `path` itself if it is no archive.

    Parameters
    ----------
    path
        A zip archive, or the file that such an archive would hold.
    member_name
        The member's name without its folders; exactly one member must have it.

    Raises
    ------
    InputError
        If the archive is damaged or encrypted, does not hold the member exactly once, or the disk is full.
    """
    if not zipfile.is_zipfile(path):
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        unpacked = Path(folder, member_name)
        try:
            with (
                zipfile.ZipFile(path) as archive,
                archive.open(_member(archive, member_name, path)) as member,
                open(unpacked, "wb") as file,
            ):
                shutil.copyfileobj(member, file, 1 << 20)  # zipfile compares the CRC-32
        # What zipfile and its decompressors raise for a damaged archive; RuntimeError: encrypted, or an unknown method.
        except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError, OSError) as error:
            raise InputError(f"{path}: {member_name} cannot be unpacked into {folder}: {error}") from error
        yield unpacked


def _member(archive: zipfile.ZipFile, name: str, path: Path) -> zipfile.ZipInfo:
    files = [member for member in archive.infolist() if not member.is_dir()]
    named = [member for member in files if PurePosixPath(member.filename).name == name]
    if len(named) != 1:
        listed = ", ".join(member.filename for member in files[:10]) + (", ..." if len(files) > 10 else "")
        raise InputError(
            f"{path}: holds {len(named)} files named '{name}', expected one; it holds: {listed or 'nothing'}"
        )
    return named[0]
