"""Downloads from real servers on this machine, with the faults that servers, networks and disks have."""

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
from jindbench.data.downloads import fetch
from jindbench.data.parameters import Origin
from jindbench.errors import InputError
from servers import Reply, wait_for

WORKFLOW = Path(__file__).parents[2] / "workflow"

# No two stretches are alike, so that a piece at the wrong place shows.
CONTENT = b"".join(b"%07d\n" % number for number in range(40_000))
OTHER = CONTENT.replace(b"0", b"x")
SHA256, MD5 = hashlib.sha256(CONTENT).hexdigest(), hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()
CUT = 100_000


@pytest.fixture(autouse=True)
def _quick_direct_and_unlocked(monkeypatch, tmp_path):
    monkeypatch.setattr(downloads, "BACK_OFF", 0)
    monkeypatch.setattr(downloads, "LOCK", tmp_path / "config/lock.tsv")
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


def texts(http, *paths, **keys):
    return [Origin(http.address(path), "text", **keys) for path in paths]


def assert_right(fetched, folder, origin):
    path, record = fetched
    assert path.parent == folder
    assert path.read_bytes() == CONTENT
    assert visible(folder) == [path.name]
    assert record == {"file": path.name, "bytes": len(CONTENT), "sha256": SHA256, "address": origin.address}


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
    print(downloads.fetch([downloads.Origin({address!r}, "text")], {str(folder)!r})[1]["sha256"])
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
    http.replies["/data/a%20b.txt?download=1"] = Reply(CONTENT)
    [origin] = texts(http, "/data/a%20b.txt?download=1", bytes=len(CONTENT), checksum=f"md5:{MD5}")
    fetched = fetch([origin], folder)
    assert fetched[0].name == "a b.txt"
    assert_right(fetched, folder, origin)
    assert re.search(r"a b.txt: \d+% .*k/320k .*B/s", caplog.text)


def test_a_terminal_shows_a_bar(http, folder, monkeypatch):
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setattr(sys, "stderr", terminal)
    http.replies["/a.txt"] = Reply(CONTENT)
    fetch(texts(http, "/a.txt"), folder)
    assert re.search(r"a.txt: 100%.*320k/320k .*B/s", terminal.getvalue())


def test_ftp_and_a_file_that_it_does_not_have(tmp_path, folder, caplog):
    (tmp_path / "served").mkdir()
    (tmp_path / "served/a.txt").write_bytes(CONTENT)
    with servers.ftp(tmp_path / "served") as ftp:
        origins = texts(ftp, "/b.txt", "/no/a.txt", "/a.txt")
        assert_right(fetch(origins, folder), folder, origins[2])
    assert len(caplog.records) == 2  # one for each missing file: neither was tried again


def test_a_redirection_is_followed_but_not_to_this_machines_files(http, folder, tmp_path):
    (tmp_path / "a.txt").write_bytes(OTHER)
    http.replies = {
        "/1/a.txt": Reply(b"", 302, location=f"file://{tmp_path}/a.txt"),
        "/2/a.txt": Reply(b"", 302, location="/3/elsewhere"),
        "/3/elsewhere": Reply(CONTENT),
    }
    origins = texts(http, "/1/a.txt", "/2/a.txt")
    assert_right(fetch(origins, folder), folder, origins[1])


@pytest.mark.parametrize(("status", "attempts"), [(403, 1), (404, 1), (410, 1), (503, 4)])
def test_the_mirror_is_asked_at_once_unless_the_server_says_later(http, folder, caplog, status, attempts):
    http.replies = {"/1/a.txt": Reply(b"gone", status), "/2/a.txt": Reply(CONTENT)}
    origins = texts(http, "/1/a.txt", "/2/a.txt")
    assert_right(fetch(origins, folder), folder, origins[1])
    assert [path for path, _ in http.requests] == ["/1/a.txt"] * attempts + ["/2/a.txt"]
    assert re.search(rf"WARNING .*{re.escape(origins[0].address)}: .*{status}", caplog.text)


@pytest.mark.parametrize(
    ("first", "then", "requested"),
    [
        pytest.param(CONTENT, Reply(CONTENT), [f"bytes={CUT}-"], id="resumed"),
        pytest.param(OTHER, Reply(CONTENT, ranges=False), [f"bytes={CUT}-", None], id="server without ranges"),
        pytest.param(OTHER, Reply(CONTENT, changed=True), [f"bytes={CUT}-", None], id="changed since"),
        pytest.param(OTHER, Reply(CONTENT), [f"bytes={CUT}-", None], id="changed, as its checksum says"),
    ],
)
def test_a_cut_connection(http, folder, first, then, requested):
    http.replies["/a.txt"] = [Reply(first, cut=CUT), then]
    origins = texts(http, "/a.txt", checksum=f"sha256:{SHA256}")
    assert_right(fetch(origins, folder), folder, origins[0])
    assert ranges(http) == [None, *requested]


def test_a_part_of_a_file_that_changed_on_an_ftp_server_is_dropped(tmp_path, folder):
    for path, content in (("served/a.txt", CONTENT), ("downloads/.a.txt.part", OTHER[:CUT])):
        (tmp_path / path).parent.mkdir()
        (tmp_path / path).write_bytes(content)
    os.utime(folder / ".a.txt.part", (1e9, 1e9))  # older than the server's file
    with servers.ftp(tmp_path / "served") as ftp:
        [origin] = texts(ftp, "/a.txt")
        (folder / ".a.txt.lock").write_text(origin.address)
        assert_right(fetch([origin], folder), folder, origin)


def test_a_part_of_one_address_is_not_resumed_from_another(http, folder, monkeypatch):
    monkeypatch.setattr(downloads, "ATTEMPTS", 1)
    http.replies = {"/1/a.txt": Reply(OTHER, cut=CUT), "/2/a.txt": Reply(CONTENT)}
    origins = texts(http, "/1/a.txt", "/2/a.txt")
    assert_right(fetch(origins, folder), folder, origins[1])
    assert ranges(http) == [None, None]


def test_a_run_that_was_killed_before_the_renaming(http, folder, monkeypatch):
    http.replies["/a.txt"] = Reply(CONTENT)
    origins = texts(http, "/a.txt")
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(downloads.os, "replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        fetch(origins, folder)
    assert visible(folder) == [".a.txt.part"]
    assert_right(fetch(origins, folder), folder, origins[0])
    assert ranges(http) == [None, f"bytes={len(CONTENT)}-"]


@pytest.mark.parametrize(
    ("content", "expected", "message"),
    [
        (CONTENT, {"bytes": 9}, f"has {len(CONTENT)} bytes, expected 9"),
        (CONTENT, {"checksum": f"md5:{'0' * 32}"}, f"has the md5 {MD5}, expected {'0' * 32}"),
        (CONTENT, {"checksum": f"git-blob:{'0' * 40}"}, "has the git-blob "),
        (CONTENT, {"format": "h5ad"}, "is not an HDF5 (.h5ad) file, or is cut off; it begins with b'0000000\\n'"),
        (b"\n <!DOCTYPE html><p>Log in", {}, "holds an HTML page instead of a text file (an error or log-in page"),
        (b"", {}, "is empty; expected a text file"),
        (OTHER, {}, f"has changed since it was locked: it has {len(OTHER)} bytes and sha256 {hashlib.sha256(OTHER).hexdigest()}, locked are {len(CONTENT)} bytes and sha256 {SHA256}; to accept the new file, remove the line of 'a.txt' from "),
    ],
    ids=["length", "md5", "git blob", "format", "html", "empty", "lock"],
)  # fmt: skip
def test_a_wrong_file_is_dropped_and_the_mirror_asked(http, folder, caplog, content, expected, message):
    http.replies = {"/1/a.txt": Reply(content), "/2/a.txt": Reply(CONTENT)}
    wrong, right = texts(http, "/1/a.txt", "/2/a.txt")
    downloads.lock([{"file": "a.txt", "bytes": len(CONTENT), "sha256": SHA256, "address": "any"}], downloads.LOCK)
    wrong = replace(wrong, **expected)
    with pytest.raises(InputError, match=rf"\n  {wrong.address}: .*{re.escape(message)}"):
        fetch([wrong], folder)
    assert visible(folder) == []
    assert_right(fetch([wrong, right], folder), folder, right)
    assert http.requests == [("/1/a.txt", None), ("/1/a.txt", None), ("/2/a.txt", None)]  # each once, from the start
    assert message in caplog.text


def test_the_id_of_a_git_blob(http, folder):
    http.replies["/a.txt"] = Reply(b"hello\n")
    # What `git hash-object` says of it.
    fetch(texts(http, "/a.txt", checksum="git-blob:ce013625030ba8dba906f756967f9e9ca394464a"), folder)
    assert (folder / "a.txt").read_bytes() == b"hello\n"


def test_a_server_that_stalls(http, folder, caplog, monkeypatch):
    monkeypatch.setattr(downloads, "TIMEOUT", 1)
    monkeypatch.setattr(downloads, "ATTEMPTS", 1)
    http.replies = {"/1/a.txt": Reply(CONTENT, gate=threading.Event()), "/2/a.txt": Reply(CONTENT)}
    origins = texts(http, "/1/a.txt", "/2/a.txt")
    try:
        assert_right(fetch(origins, folder), folder, origins[1])
    finally:
        http.replies["/1/a.txt"].gate.set()
    assert "Operation too slow" in caplog.text


def test_a_file_put_there_by_hand(http, folder):
    origins = [*texts(http, "/b.txt"), *texts(http, "/a.txt", bytes=len(CONTENT))]
    folder.mkdir()
    (folder / "a.txt").write_bytes(CONTENT[:-1])
    with pytest.raises(InputError, match=re.escape(f"{folder}/a.txt: has {len(CONTENT) - 1} bytes, expected")):
        fetch(origins, folder)
    assert (folder / "a.txt").read_bytes() == CONTENT[:-1]

    (folder / "a.txt").write_bytes(CONTENT)
    assert_right(fetch(origins, folder), folder, origins[1])
    assert http.requests == []


@pytest.mark.parametrize(
    ("protocol", "sent"), [("http", signal.SIGKILL), ("ftp", signal.SIGKILL), ("http", signal.SIGINT)]
)
def test_a_killed_run_is_resumed(http, folder, tmp_path, protocol, sent):
    (tmp_path / "served").mkdir()
    (tmp_path / "served/a.txt").write_bytes(CONTENT)
    gate = threading.Event()
    http.replies["/a.txt"] = Reply(CONTENT, gate=gate)
    part = folder / ".a.txt.part"
    with servers.ftp(tmp_path / "served") as ftp:
        ftp.rate = 20_000
        [origin] = texts({"http": http, "ftp": ftp}[protocol], "/a.txt")
        run = start(origin.address, folder)
        wait_for(lambda: part.is_file() and part.stat().st_size > 0)
        run.send_signal(sent)
        run.communicate(timeout=30)
        assert run.returncode == -sent
        had = part.stat().st_size
        assert 0 < had < len(CONTENT)
        assert visible(folder) == [part.name]
        gate.set()
        ftp.rate = 0
        assert_right(fetch([origin], folder), folder, origin)
        if protocol == "http":
            assert ranges(http) == [None, f"bytes={had}-"]
        else:
            assert [command for command in ftp.commands if command[0] == "REST"] == [("REST", str(had))]


def test_a_full_disk(http, folder):
    http.replies["/a.txt"] = Reply(CONTENT)
    [origin] = texts(http, "/a.txt")
    _, errors = start(origin.address, folder, file_limit=CUT).communicate(timeout=60)
    assert re.fullmatch(rf"InputError: {folder}: cannot be written to: .*; \d+ bytes are free\n", errors)
    assert visible(folder) == [".a.txt.part"]
    assert len(http.requests) == 1  # neither another attempt nor another address would help
    assert_right(fetch([origin], folder), folder, origin)


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


def test_offline(folder):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        refused = Origin(f"http://127.0.0.1:{unused.getsockname()[1]}/a.txt", "text")
        unknown = Origin("https://nowhere.invalid/b.txt", "text", note="needs an account")
        with pytest.raises(InputError) as error:
            fetch([refused, unknown], folder)
    first, *lines, last = str(error.value).splitlines()
    assert first == "no address gave a.txt or b.txt:"
    assert re.match(rf"  {re.escape(refused.address)}: .*connect", lines[0])
    assert re.match(rf"  {re.escape(unknown.address)} \(needs an account\): .*resolve", lines[1])
    assert f"put the file at {folder}/a.txt or {folder}/b.txt; it is verified like a download" in last


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
        ("rds", gzip.compress(b"X\n", mtime=0), b"PK\x03\x04"),
        ("rds", b"X\n\0\0", b"x"),
        ("text", gzip.compress(b"a\tb\n", mtime=0), b"a\0b"),
        ("text", "γδ\n".encode(), b"<HTML lang='en'>"),
    ],
)
def test_formats(format, right, wrong, folder):
    folder.mkdir()
    (folder / "a").write_bytes(right)
    origin = Origin("https://x.org/a", format)
    assert fetch([origin], folder)[1]["bytes"] == len(right)
    (folder / "a").write_bytes(wrong)
    with pytest.raises(InputError, match=re.escape(f"{folder}/a: ")):
        fetch([origin], folder)


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
    origins = [Origin(http.address(f"/{n}/a"), format) for n in (1, 2)]
    assert fetch(origins, folder)[1]["address"] == origins[1].address


def test_a_file_of_another_address_is_not_taken_for_this_one(http, folder):
    http.replies = {"/1/content": Reply(CONTENT), "/2/content": Reply(OTHER)}
    first, second = texts(http, "/1/content", "/2/content")
    fetch([first], folder)
    with open(folder / ".content.lock", "a") as record:
        record.write('\n"etag"')  # as releases before this one did
    message = f"{folder}/content: was downloaded from {first.address}, not from {second.address}"
    with pytest.raises(InputError, match=re.escape(message)):
        fetch([second], folder)
    assert_right(fetch([second, first], folder), folder, first)  # a mirror's file is the mirror's


def test_the_lock_file(http, folder, tmp_path):
    path = tmp_path / "config/downloads.lock.tsv"
    assert downloads.read_lock(path) == {}
    http.replies = {"/b.txt": Reply(CONTENT), "/a.txt": Reply(OTHER)}
    b, a = (fetch(texts(http, f"/{name}.txt"), folder)[1] for name in "ba")
    assert downloads.lock([b, a], path) == ["b.txt", "a.txt"]
    locked = downloads.read_lock(path)
    assert list(locked) == ["a.txt", "b.txt"]
    assert (locked["b.txt"]["sha256"], locked["b.txt"]["address"]) == (SHA256, b["address"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", locked["b.txt"]["date"])

    # What is locked stays, and so does the file.
    written = path.stat().st_mtime_ns, path.stat().st_ino
    assert downloads.lock([b | {"sha256": "0" * 64}, a], path) == []
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == written

    content = path.read_text()
    for old, new in (("sha256\t", "sha\t"), ("b.txt", "a.txt")):
        path.write_text(content.replace(old, new))
        with pytest.raises(InputError, match=re.escape(f"{path}: expected the columns file, bytes, sha256")):
            downloads.read_lock(path)


def test_a_file_that_changed_since_it_was_downloaded(tmp_path):
    record = {"file": "a", "bytes": 1, "sha256": "0" * 64, "address": "https://x.org/a"}
    downloads.check_unchanged(tmp_path, "0" * 64, record)
    with pytest.raises(InputError, match="changed since it was downloaded"):
        downloads.check_unchanged(tmp_path, "1" * 64, record)
    downloads.lock([record | {"sha256": "1" * 64}], downloads.LOCK)
    with pytest.raises(InputError, match="changed since it was locked"):
        downloads.check_unchanged(tmp_path, "0" * 64, record)
