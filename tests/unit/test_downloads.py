"""Downloads from real servers on this machine, with each fault that a server, a network and a disk can have."""

import gzip
import hashlib
import io
import logging
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import zipfile
from dataclasses import replace
from pathlib import Path

import anndata as ad
import numpy as np
import pytest

import servers
from jindbench.data import downloads
from jindbench.data.downloads import check_format, extract_member, fetch
from jindbench.data.parameters import Origin
from jindbench.errors import InputError
from servers import Reply, wait_for

WORKFLOW = Path(__file__).parents[2] / "workflow"

# No two stretches are alike, so that a piece at the wrong place shows.
CONTENT = b"".join(b"%07d\n" % number for number in range(40_000))
OTHER = CONTENT.replace(b"0", b"x")
SHA256 = hashlib.sha256(CONTENT).hexdigest()
MD5 = hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()
CUT = 100_000


@pytest.fixture(autouse=True)
def _quick_and_direct(monkeypatch):
    monkeypatch.setattr(downloads, "BACK_OFF", 0)
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def http():
    with servers.http() as server:
        yield server


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "downloads"


def visible(folder):
    return sorted(path.name for path in folder.glob("*") if not path.name.endswith(".lock"))


def ranges(http):
    return [range for _, range in http.requests]


def assert_right(fetched, folder):
    assert (fetched.sha256, fetched.bytes, fetched.path.parent) == (SHA256, len(CONTENT), folder)
    assert fetched.path.read_bytes() == CONTENT
    assert visible(folder) == [fetched.path.name]


def start(address, folder, file_limit=None):
    """Fetch in another process, which may be allowed no files larger than `file_limit` bytes."""
    program = f"""
import logging, resource, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
from jindbench.data import downloads
from jindbench.errors import InputError
logging.basicConfig(format="%(message)s")
if {file_limit!r}:
    resource.setrlimit(resource.RLIMIT_FSIZE, ({file_limit!r}, {file_limit!r}))
try:
    print(downloads.fetch([downloads.Origin({address!r}, "text")], {str(folder)!r}).sha256)
except InputError as error:
    sys.exit(f"InputError: {{error}}")
"""
    return subprocess.Popen(
        [sys.executable, "-c", program],
        env=os.environ | {"PYTHONPATH": str(WORKFLOW)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_http(http, folder, monkeypatch, caplog):
    monkeypatch.setattr(downloads, "LOG_EVERY", 0)
    caplog.set_level(logging.INFO)
    source = Origin(http.address("/data/a%20b.txt?download=1"), "text", len(CONTENT), MD5)
    http.replies["/data/a%20b.txt?download=1"] = Reply(CONTENT)
    fetched = fetch([source], folder)
    assert fetched.source == source
    assert fetched.path.name == "a b.txt"
    assert_right(fetched, folder)
    assert re.search(r"a b.txt: \d+ %, .*B/s, .* left", caplog.text)


def test_a_terminal_shows_a_bar(http, folder, monkeypatch):
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setattr(sys, "stderr", terminal)
    http.replies["/a.txt"] = Reply(CONTENT)
    fetch([Origin(http.address("/a.txt"), "text")], folder)
    assert re.search(r"a.txt: 100%.*320k/320k .*B/s", terminal.getvalue())


def test_ftp_and_a_file_that_it_does_not_have(tmp_path, folder, caplog):
    (tmp_path / "served").mkdir()
    (tmp_path / "served/a.txt").write_bytes(CONTENT)
    with servers.ftp(tmp_path / "served") as ftp:
        sources = [Origin(ftp.address(path), "text") for path in ("/b.txt", "/no/a.txt", "/a.txt")]
        fetched = fetch(sources, folder)
    assert fetched.source == sources[2]
    assert_right(fetched, folder)
    assert len(caplog.records) == 2  # one for each missing file: neither was tried again


def test_a_redirection_is_followed_but_not_to_this_machines_files(http, folder, tmp_path):
    (tmp_path / "a.txt").write_bytes(OTHER)
    http.replies = {
        "/1/a.txt": Reply(b"", 302, location=f"file://{tmp_path}/a.txt"),
        "/2/a.txt": Reply(b"", 302, location="/3/elsewhere"),
        "/3/elsewhere": Reply(CONTENT),
    }
    fetched = fetch([Origin(http.address(f"/{n}/a.txt"), "text") for n in (1, 2)], folder, attempts=1)
    assert_right(fetched, folder)
    assert fetched.path.name == "a.txt"


@pytest.mark.parametrize("status", [403, 404, 410])
def test_what_is_not_there_comes_from_the_mirror_at_once(http, folder, caplog, status):
    http.replies = {"/1/a.txt": Reply(b"gone", status), "/2/a.txt": Reply(CONTENT)}
    fetched = fetch([Origin(http.address(f"/{n}/a.txt"), "text") for n in (1, 2)], folder)
    assert_right(fetched, folder)
    assert [path for path, _ in http.requests] == ["/1/a.txt", "/2/a.txt"]
    [record] = caplog.records
    assert record.levelno == logging.WARNING
    assert record.message.startswith(http.address("/1/a.txt"))
    assert str(status) in record.message


@pytest.mark.parametrize(
    ("then", "requested"),
    [
        pytest.param(Reply(CONTENT), [f"bytes={CUT}-"], id="goes on"),
        pytest.param(Reply(CONTENT, ranges=False), [f"bytes={CUT}-", None], id="server without ranges"),
        pytest.param(Reply(CONTENT, etag='"2"'), [f"bytes={CUT}-", None], id="changed since"),
    ],
)
def test_a_cut_connection(http, folder, then, requested):
    first = Reply(CONTENT if then.etag == '"1"' else OTHER, cut=CUT)
    http.replies["/a.txt"] = [first, then]
    assert_right(fetch([Origin(http.address("/a.txt"), "text")], folder), folder)
    assert ranges(http) == [None, *requested]


def test_a_part_of_one_source_is_not_gone_on_with_from_another(http, folder):
    http.replies = {"/1/a.txt": [Reply(OTHER, cut=CUT), Reply(b"gone", 404)], "/2/a.txt": Reply(CONTENT)}
    assert_right(fetch([Origin(http.address(f"/{n}/a.txt"), "text") for n in (1, 2)], folder), folder)
    assert ranges(http) == [None, f"bytes={CUT}-", None]


@pytest.mark.parametrize(
    ("first", "then", "starts_over"),
    [
        pytest.param(CONTENT, Reply(CONTENT), False, id="same"),
        pytest.param(OTHER, Reply(CONTENT, ranges=False), True, id="server without ranges"),
        pytest.param(OTHER + OTHER, Reply(CONTENT), True, id="shorter since"),
    ],
)
def test_a_run_that_ended_between_the_last_byte_and_the_renaming(http, folder, monkeypatch, first, then, starts_over):
    http.replies["/a.txt"] = [Reply(first), then]
    source = Origin(http.address("/a.txt"), "text")
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(downloads.os, "replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        fetch([source], folder)
    assert visible(folder) == [".a.txt.part"]
    assert_right(fetch([source], folder), folder)
    assert ranges(http) == [None, f"bytes={len(first)}-"] + [None] * starts_over


@pytest.mark.parametrize(
    ("reply", "expected", "message"),
    [
        (Reply(CONTENT), {"bytes": 9}, f"has {len(CONTENT)} bytes, expected 9"),
        (Reply(CONTENT), {"md5": "0" * 32}, f"has the md5 {MD5}, expected {'0' * 32}"),
        (Reply(CONTENT), {"format": "h5ad"}, "is not an HDF5 (.h5ad) file; it begins with b'0000000\\n'"),
        (Reply(b"\n <!DOCTYPE html><p>Log in"), {}, "holds an HTML page instead of a text file (an error or log-in page"),
        (Reply(b""), {}, "is empty; expected a text file"),
        (Reply(CONTENT, status=202), {}, "the server answered 202 instead of sending the file"),
        (Reply(OTHER), {}, f"has changed since it was locked: it has {len(OTHER)} bytes and sha256 {hashlib.sha256(OTHER).hexdigest()}, locked are {len(CONTENT)} bytes and sha256 {SHA256}; to accept the new one, remove the line of 'a.txt'"),
    ],
    ids=["length", "md5", "format", "html", "empty", "status", "lock"],
)  # fmt: skip
def test_a_wrong_file_is_dropped_and_the_mirror_asked(http, folder, caplog, reply, expected, message):
    http.replies = {"/1/a.txt": reply, "/2/a.txt": Reply(CONTENT)}
    right = Origin(http.address("/2/a.txt"), "text", len(CONTENT))
    wrong = replace(right, address=http.address("/1/a.txt"), bytes=None)
    locked = {"a.txt": {"bytes": len(CONTENT), "sha256": SHA256}}
    wrong = replace(wrong, **expected)
    with pytest.raises(InputError, match=rf"\n  {wrong.address}: .*{re.escape(message)}"):
        fetch([wrong], folder, locked=locked)
    assert visible(folder) == []
    fetched = fetch([wrong, right], folder, locked=locked)
    assert fetched.source == right
    assert_right(fetched, folder)
    assert [path for path, _ in http.requests] == ["/1/a.txt", "/1/a.txt", "/2/a.txt"]  # each once, from the start
    assert ranges(http) == [None] * 3
    assert message in caplog.text


def test_a_server_that_stalls(http, folder, caplog):
    http.replies = {"/1/a.txt": Reply(CONTENT, gate=threading.Event()), "/2/a.txt": Reply(CONTENT)}
    sources = [Origin(http.address(f"/{n}/a.txt"), "text") for n in (1, 2)]
    try:
        assert_right(fetch(sources, folder, attempts=1, timeout=1), folder)
    finally:
        http.replies["/1/a.txt"].gate.set()
    assert "Operation too slow" in caplog.text


def test_a_file_put_there_by_hand(http, folder, tmp_path):
    source = Origin(http.address("/a.txt"), "text", bytes=len(CONTENT))
    folder.mkdir()
    (folder / "a.txt").write_bytes(CONTENT[:-1])
    with pytest.raises(InputError, match=re.escape(f"{folder}/a.txt: has {len(CONTENT) - 1} bytes, expected")):
        fetch([source], folder)
    assert (folder / "a.txt").read_bytes() == CONTENT[:-1]

    # It may be the one of any of the sources, and is used before anything is downloaded.
    (folder / "a.txt").write_bytes(CONTENT)
    others = [Origin(http.address("/b.txt"), "text"), replace(source, bytes=9)]
    fetched = fetch([*others, source], folder)
    assert fetched.source == source
    assert_right(fetched, folder)
    assert http.requests == []


def test_a_local_source_is_used_where_it_is(folder, tmp_path):
    (tmp_path / "a.txt").write_bytes(CONTENT)
    missing = Origin(str(tmp_path / "b.txt"), "text", note="on the cluster")
    source = Origin(str(tmp_path / "a.txt"), "text", bytes=len(CONTENT))
    fetched = fetch([missing, source], folder)
    assert (fetched.path, fetched.sha256) == (tmp_path / "a.txt", SHA256)
    assert not folder.exists()
    with pytest.raises(InputError, match=re.escape(f"{missing.address} (on the cluster): no such file")):
        fetch([missing], folder)


@pytest.mark.parametrize(
    ("protocol", "sent"), [("http", signal.SIGKILL), ("ftp", signal.SIGKILL), ("http", signal.SIGINT)]
)
def test_a_killed_run_is_gone_on_with(http, folder, tmp_path, protocol, sent):
    (tmp_path / "served").mkdir()
    (tmp_path / "served/a.txt").write_bytes(CONTENT)
    gate = threading.Event()
    http.replies["/a.txt"] = Reply(CONTENT, gate=gate)
    part = folder / ".a.txt.part"
    with servers.ftp(tmp_path / "served") as ftp:
        ftp.rate = 20_000
        address = {"http": http, "ftp": ftp}[protocol].address("/a.txt")
        run = start(address, folder)
        wait_for(lambda: part.is_file() and part.stat().st_size > 0)
        run.send_signal(sent)
        run.communicate(timeout=30)
        assert run.returncode == -sent
        had = part.stat().st_size
        assert 0 < had < len(CONTENT)
        assert visible(folder) == [part.name]
        gate.set()
        ftp.rate = 0
        assert_right(fetch([Origin(address, "text")], folder), folder)
        if protocol == "http":
            assert ranges(http) == [None, f"bytes={had}-"]
        else:
            assert [command for command in ftp.commands if command[0] == "REST"] == [("REST", str(had))]


def test_a_full_disk(http, folder):
    http.replies["/a.txt"] = Reply(CONTENT)
    run = start(http.address("/a.txt"), folder, file_limit=CUT)
    _, errors = run.communicate(timeout=60)
    assert re.search(
        rf"InputError: {folder}: cannot write a\.txt there: .*; {len(CONTENT)} bytes are needed, \d+ bytes are free",
        errors,
    )
    assert visible(folder) == [".a.txt.part"]
    assert len(http.requests) == 1  # neither another attempt nor another source would help
    assert_right(fetch([Origin(http.address("/a.txt"), "text")], folder), folder)
    assert ranges(http) == [None, f"bytes={CUT}-"]


def test_two_processes_download_once(http, folder):
    gate = threading.Event()
    http.replies["/a.txt"] = Reply(CONTENT, gate=gate)
    first = start(http.address("/a.txt"), folder)
    wait_for(lambda: http.requests)
    second = start(http.address("/a.txt"), folder)
    assert "another process is writing it; waiting" in second.stderr.readline()
    gate.set()
    for run in (first, second):
        output, errors = run.communicate(timeout=60)
        assert (output.strip(), errors) == (SHA256, "")
    assert len(http.requests) == 1


def test_offline(folder, monkeypatch):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        refused = Origin(f"http://127.0.0.1:{unused.getsockname()[1]}/a.txt", "text")
        unknown = Origin("https://nowhere.invalid/b.txt", "text", note="needs an account")
        pauses = []
        monkeypatch.setattr(downloads, "BACK_OFF", 1)
        monkeypatch.setattr(downloads.time, "sleep", pauses.append)
        with pytest.raises(InputError) as error:
            fetch([refused, unknown], folder, attempts=4)
    first, *lines, last = str(error.value).splitlines()
    assert first == "none of these gave a.txt or b.txt:"
    assert re.match(rf"  {re.escape(refused.address)}: .*connect", lines[0])
    assert re.match(rf"  {re.escape(unknown.address)} \(needs an account\): .*resolve", lines[1])
    assert (
        last
        == f"or fetch one of these by hand and put it at {folder}/a.txt or {folder}/b.txt; it is verified like any other"
    )
    assert pauses == [1, 2, 4]  # of the refused connection alone


@pytest.mark.parametrize(
    "address", ["https://x.org/", "https://x.org", "https://x.org/..%2Fa.h5ad", "https://x.org/.a", "https://x.org/a%0Ab"]
)  # fmt: skip
def test_an_address_without_a_usable_file_name(address, folder):
    with pytest.raises(InputError, match=re.escape(f"{address}: must end in a file name")):
        fetch([Origin(address, "text")], folder)


# mtime=0: these bytes become the tests' names, which must be the same in every process of pytest
@pytest.mark.parametrize(
    ("format", "right", "wrong"),
    [
        ("h5ad", b"\x89HDF\r\n\x1a\n", b"HDF"),
        ("zip", b"PK\x03\x04", b"PK"),
        ("rds", gzip.compress(b"X\n", mtime=0), b"PK\x03\x04"),
        ("rds", b"X\n\0\0", b"x"),
        ("text", gzip.compress(b"a\tb\n", mtime=0), b"a\0b"),
        ("text", "γδ\n".encode(), b"<HTML lang='en'>"),
    ],
)
def test_formats(format, right, wrong, tmp_path):
    (tmp_path / "a").write_bytes(right)
    check_format(tmp_path / "a", format)
    (tmp_path / "a").write_bytes(wrong)
    with pytest.raises(InputError, match=re.escape(f"{tmp_path}/a: ")):
        check_format(tmp_path / "a", format)


def test_the_lock_file(http, folder, tmp_path):
    path = tmp_path / "config/downloads.lock.tsv"
    assert downloads.read_lock(path) == {}
    http.replies = {"/b.txt": Reply(CONTENT), "/a.txt": Reply(OTHER)}
    b, a = (fetch([Origin(http.address(f"/{name}.txt"), "text")], folder) for name in "ba")
    assert downloads.lock([b.record, a.record], path) == ["b.txt", "a.txt"]
    locked = downloads.read_lock(path)
    assert list(locked) == ["a.txt", "b.txt"]
    assert {"bytes": len(CONTENT), "sha256": SHA256, "address": b.source.address}.items() <= locked["b.txt"].items()
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", locked["b.txt"]["date"])

    # What is locked stays, and so does the file.
    written = path.stat().st_mtime_ns, path.stat().st_ino
    assert downloads.lock([b.record | {"sha256": "0" * 64}, a.record], path) == []
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == written


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("sha256\t", "sha\t", "has the columns"),
        ("a.txt\t12", "a.txt\ttwelve", "a.txt: bytes must be a whole number"),
        ("f" * 64, "f" * 63, "a.txt: bytes must be a whole number and sha256 64"),
        ("b.txt", "a.txt", "a.txt: is there twice"),
    ],
)
def test_a_lock_file_that_was_mangled(tmp_path, old, new, message):
    entry = {"bytes": 12, "sha256": "f" * 64, "address": "https://x.org/a", "date": "2024-01-01"}
    path = tmp_path / "lock.tsv"
    downloads.write_lock({"a.txt": entry, "b.txt": entry}, path)
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(InputError, match=re.escape(f"{path}: {message}")):
        downloads.read_lock(path)


def zipped(path, *members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


def test_a_member_of_an_archive(tmp_path):
    archive = zipped(
        tmp_path / "a.zip", ("deep/down/a.txt", CONTENT), ("deep/other.txt", OTHER), ("deep/a.txt.md5", b"")
    )
    path = extract_member(archive, "a.txt", tmp_path / "out")
    assert path == tmp_path / "out/a.txt"
    assert path.read_bytes() == CONTENT
    assert visible(tmp_path / "out") == ["a.txt"]


def symlink(name):
    member = zipfile.ZipInfo(name)
    member.external_attr = 0o120777 << 16
    return member


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ([("a.txt", CONTENT), ("../b.txt", b"")], "its member '../b.txt' leads out of the folder"),
        ([("a.txt", CONTENT), ("x\\..\\b.txt", b"")], "leads out of the folder"),
        ([("/tmp/a.txt", CONTENT)], "its member '/tmp/a.txt' has an absolute path"),
        ([("C:/a.txt", CONTENT)], "its member 'C:/a.txt' has an absolute path"),
        ([("a.txt", CONTENT), (symlink("b.txt"), b"/etc/passwd")], "its member 'b.txt' is a symbolic link"),
        ([("b.txt", CONTENT), ("c.txt", b"")], "holds 0 files named 'a.txt', expected one; it holds: b.txt, c.txt"),
        ([("1/a.txt", CONTENT), ("2/a.txt", b"")], "holds 2 files named 'a.txt', expected one"),
    ],
)
def test_archives_that_are_refused(tmp_path, members, message):
    archive = zipped(tmp_path / "a.zip", *members)
    with pytest.raises(InputError, match=rf"{archive}: .*{re.escape(message)}"):
        extract_member(archive, "a.txt", tmp_path / "out")
    assert visible(tmp_path / "out") == []


def damage(kind, content):
    directory = content.index(b"PK\x01\x02")
    if kind == "truncated":
        return content[: len(content) // 2]
    if kind == "data":  # in the compressed bytes
        return content[:5000] + bytes(100) + content[5100:]
    if kind == "CRC":
        return content[: directory + 16] + bytes(4) + content[directory + 20 :]
    # The bit that says that the member is encrypted.
    return content[: directory + 8] + b"\x01" + content[directory + 9 :]


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("truncated", "not a sound zip archive: File is not a zip file"),
        ("data", "not a sound zip archive: "),
        ("CRC", "not a sound zip archive: Bad CRC-32 for file 'a.txt'"),
        ("encrypted", "its member 'a.txt' is encrypted"),
    ],
)
def test_archives_that_are_damaged_or_encrypted(tmp_path, kind, message):
    archive = zipped(tmp_path / "a.zip", ("a.txt", CONTENT))
    archive.write_bytes(damage(kind, archive.read_bytes()))
    with pytest.raises(InputError, match=re.escape(f"{archive}: {message}")):
        extract_member(archive, "a.txt", tmp_path / "out")
    assert visible(tmp_path / "out") == []


def test_a_full_disk_while_a_member_is_taken_out(tmp_path):
    archive = zipped(tmp_path / "a.zip", ("a.txt", CONTENT))
    program = f"""
import resource
from jindbench.data.downloads import extract_member
resource.setrlimit(resource.RLIMIT_FSIZE, ({CUT}, {CUT}))
extract_member({str(archive)!r}, "a.txt", {str(tmp_path / "out")!r})
"""
    run = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"PYTHONPATH": str(WORKFLOW)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert f"InputError: {tmp_path}/out: cannot write a.txt there: " in run.stderr
    assert f"; {len(CONTENT)} bytes are needed, " in run.stderr
    assert visible(tmp_path / "out") == []


def test_a_file_of_another_address_is_not_taken_for_this_one(http, folder):
    http.replies = {"/1/content": Reply(CONTENT), "/2/content": Reply(OTHER)}
    fetch([Origin(http.address("/1/content"), "text")], folder)
    message = (
        f"{folder}/content: was downloaded from {http.address('/1/content')}, not from {http.address('/2/content')}"
    )
    with pytest.raises(InputError, match=re.escape(message)):
        fetch([Origin(http.address("/2/content"), "text")], folder)
    both = [Origin(http.address(f"/{n}/content"), "text") for n in (2, 1)]
    assert fetch(both, folder).source == both[1]  # a mirror's file is the mirror's


@pytest.mark.parametrize("format", ["h5ad", "zip"])
def test_a_file_that_was_cut_off_before_it_was_published(http, folder, tmp_path, format):
    path = tmp_path / "whole"
    if format == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a", CONTENT)
    else:
        ad.AnnData(np.ones((50, 50))).write_h5ad(path)
    whole = path.read_bytes()
    http.replies = {"/1/a": Reply(whole[: len(whole) - 500]), "/2/a": Reply(whole)}
    sources = [Origin(http.address(f"/{n}/a"), format) for n in (1, 2)]
    assert fetch(sources, folder).source == sources[1]


def test_a_file_that_changed_since_it_was_downloaded(tmp_path, monkeypatch):
    monkeypatch.setattr(downloads, "LOCK", tmp_path / "lock.tsv")
    record = {"file": "a", "bytes": 1, "sha256": "0" * 64, "address": "https://x.org/a"}
    downloads.check_unchanged(tmp_path, "0" * 64, record)
    with pytest.raises(InputError, match="changed since it was downloaded"):
        downloads.check_unchanged(tmp_path, "1" * 64, record)
    downloads.lock([record | {"sha256": "1" * 64}], tmp_path / "lock.tsv")
    with pytest.raises(InputError, match="changed since it was locked"):
        downloads.check_unchanged(tmp_path, "0" * 64, record)
