import re
import zipfile

import pytest

from jindbench.data.archives import unzipped
from jindbench.errors import InputError

CONTENT = b"".join(b"%07d\n" % number for number in range(40_000))


def zipped(path, *members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("member", ["a.txt", "deep/down/a.txt", "../../a.txt", "/a.txt"])
def test_a_member_is_unpacked_under_its_name_wherever_it_points(tmp_path, member):
    archive = zipped(tmp_path / "a.zip", (member, CONTENT), ("../other.txt", b"x"), ("deep/a.txt.md5", b""))
    before = sorted(tmp_path.parent.iterdir())
    with unzipped(archive, "a.txt") as path:
        assert path.read_bytes() == CONTENT
        assert [file.name for file in path.parent.iterdir()] == ["a.txt"]
    assert not path.exists()
    assert sorted(tmp_path.parent.iterdir()) == before


def test_a_symbolic_link_in_an_archive_is_no_link(tmp_path):
    link = zipfile.ZipInfo("a.txt")
    link.external_attr = 0o120777 << 16
    with unzipped(zipped(tmp_path / "a.zip", (link, b"/etc/passwd")), "a.txt") as path:
        assert not path.is_symlink()
        assert path.read_bytes() == b"/etc/passwd"


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["b.txt", "c.txt"], "holds 0 files named 'a.txt', expected one; it holds: b.txt, c.txt"),
        (["1/a.txt", "2/a.txt"], "holds 2 files named 'a.txt', expected one"),
    ],
)
def test_the_member_must_be_there_once(tmp_path, names, message):
    archive = zipped(tmp_path / "a.zip", *((name, b"x") for name in names))
    with pytest.raises(InputError, match=re.escape(f"{archive}: {message}")), unzipped(archive, "a.txt"):
        pass


def damage(kind, content):
    directory = content.index(b"PK\x01\x02")
    if kind == "data":  # in the compressed bytes
        return content[:5000] + bytes(100) + content[5100:]
    if kind == "CRC":
        return content[: directory + 16] + bytes(4) + content[directory + 20 :]
    # The bit that says that the member is encrypted.
    return content[: directory + 8] + b"\x01" + content[directory + 9 :]


@pytest.mark.parametrize(("kind", "message"), [("data", ""), ("CRC", "Bad CRC-32 "), ("encrypted", ".* is encrypted")])
def test_archives_that_are_damaged_or_encrypted(tmp_path, kind, message):
    archive = zipped(tmp_path / "a.zip", ("a.txt", CONTENT))
    archive.write_bytes(damage(kind, archive.read_bytes()))
    expected = rf"{archive}: a.txt cannot be unpacked into .*: {message}"
    with pytest.raises(InputError, match=expected), unzipped(archive, "a.txt"):
        pass
