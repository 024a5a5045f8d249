"""Set-up on bad days: an unfit Python, corrupt and hostile downloads, no network, interruptions.

Each test runs the real script, as its own process, in a small copy of the repository whose one npm
part comes from a stand-in for npm; nothing here needs a network.
"""

import base64
import fcntl
import hashlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest

from relever import parts

PART = "@scope/tokens"
TARBALL = "scope-tokens-1.0.0.tgz"
COPIED = ("Makefile", "scripts/_bootstrap.py", "relever/__init__.py", "relever/parts.py")
LIMIT = 60  # seconds


class Copy:
    """A copy of the repository, with a virtual environment that passes for finished."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for name in COPIED:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(parts.ROOT / name, root / name)
        for name in ("requirements.txt", "requirements-build.txt"):
            (root / name).write_text("")
        self.tools = root / "tools"
        self.tools.mkdir()
        self.environment = {
            "HOME": str(root),
            "PATH": f"{self.tools}{os.pathsep}{os.environ['PATH']}",
            "PYTHONDONTWRITEBYTECODE": "1",
            "RELEVER_ANVIL": self.tool("known-anvil", "echo anvil Version: 1.7.1"),
        }
        self.serves(tarball({"package/out/Token.json": b"{}"}))
        self.finish_venv()

    @property
    def part(self) -> Path:
        return self.root / ".parts" / "npm" / PART

    def tool(self, name: str, script: str) -> str:
        path = self.tools / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return str(path)

    def serves(self, content: bytes, *, pinned: bytes | None = None, before: str = ":") -> None:
        """Let npm hand out `content`, and the manifest pin it, or `pinned` in its place."""
        (self.root / TARBALL).write_bytes(content)
        self.tool("npm", f'[ "$1" = pack ] || exit 0; {before}; exec cp {self.root / TARBALL} .')
        digest = hashlib.sha512(content if pinned is None else pinned).digest()
        part = {
            "version": "1.0.0",
            "integrity": "sha512-" + base64.b64encode(digest).decode(),
            "files": ["out/*.json"],
        }
        manifest = {
            "anvil": {"versions": ["1.7.1"], "packages": {}},
            "npm": {PART: part},
            "bench": {},
            "bench_wheels": {},
            "wheels": {},
            "node": {"package": "node", "lock": "requirements.txt", "files": []},
        }
        (self.root / "parts.json").write_text(json.dumps(manifest))

    def finish_venv(self) -> None:
        """Stamp the virtual environment as the script itself would."""
        (self.root / ".venv" / "bin").mkdir(parents=True)
        (self.root / ".venv" / "bin" / "python").symlink_to(sys.executable)
        code = "import _bootstrap as b; b._write_stamp(b.parts.VENV, {'key': b.venv_key()})"
        subprocess.run(
            [sys.executable, "-c", code],
            env={**self.environment, "PYTHONPATH": str(self.root / "scripts")},
            check=True,
            timeout=LIMIT,
        )

    def start(self, *command: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            command or [sys.executable, "scripts/_bootstrap.py"],
            cwd=self.root,
            env=self.environment,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *command: str) -> tuple[int, list[str]]:
        """Run the script, or a command, to its end; gives the exit code and the lines it said."""
        process = self.start(*command)
        _, said = process.communicate(timeout=LIMIT)
        return process.returncode, said.splitlines()

    def scratch_folders(self) -> list[Path]:
        return list((self.root / ".parts").glob("tmp-*"))


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    return Copy(tmp_path)


def tarball(files: dict[str, bytes], link: str | None = None) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        if link is not None:
            info = tarfile.TarInfo(link)
            info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
            archive.addfile(info)
    return buffer.getvalue()


def wait_for_line(process: "subprocess.Popen[str]", start: str) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith(start):
            return
    pytest.fail(f"the set-up ended without saying {start!r}")


def set_up_well(copy: Copy) -> bool:
    """Whether set-up works now, leaves the part in place, and then has nothing more to do."""
    code, said = copy.run()
    good = code == 0 and said[-1] == "relever: ready" and (copy.part / "out/Token.json").is_file()
    return good and copy.run() == (0, []) and copy.scratch_folders() == []


# --- Python ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [(3, 10), (3, 13)])
def test_bootstrap__unfit_python__one_clear_line(copy: Copy, version: tuple[int, int]) -> None:
    pretend = f"import runpy, sys; sys.version_info = ({version[0]}, {version[1]}, 0, 'final', 0)"
    run = "runpy.run_path('scripts/_bootstrap.py', run_name='__main__')"
    assert copy.run(sys.executable, "-c", f"{pretend}; {run}") == (
        1,
        [
            f"relever: this is Python {version[0]}.{version[1]}; 3.11 or 3.12 is needed: name one"
            " by `make PYTHON=/path/to/python ...`"
        ],
    )
    assert not (copy.root / ".parts").exists()


def test_make_setup__no_fitting_python__one_clear_line(copy: Copy) -> None:
    code, said = copy.run("make", "setup", f"PYTHON={copy.tool('old', 'exit 1')}")
    assert code == 2
    assert said[0].startswith("relever: no fitting Python among: ")
    assert "make PYTHON=/path/to/python" in said[0]
    assert len(said) == 2  # the second is make's own


def test_make_setup__first_python_unfit__takes_the_next(copy: Copy) -> None:
    unfit, fit = copy.tool("old", "exit 1"), copy.tool("new", f'exec "{sys.executable}" "$@"')
    assert copy.run("make", "setup", f"PYTHON={unfit} {fit}")[0] == 0
    assert (copy.part / "out" / "Token.json").is_file()


# --- downloads ------------------------------------------------------------------------------------


def test_bootstrap__fresh__fetches_what_is_used_and_is_then_silent(copy: Copy) -> None:
    copy.serves(tarball({"package/out/Token.json": b"{}", "package/src/Token.sol": b"..."}))
    assert set_up_well(copy)
    assert not (copy.part / "src").exists()


def test_bootstrap__part_for_the_bench__is_fetched_when_asked(copy: Copy) -> None:
    manifest = json.loads((copy.root / "parts.json").read_text())
    two_versions = f"{PART}-1.0.0"
    manifest |= {"npm": {}, "bench": {two_versions: manifest["npm"][PART]}}
    (copy.root / "parts.json").write_text(json.dumps(manifest))
    copy.tool("node", "exit 0")
    asked = copy.root / "asked"
    copy.tool("npm", f'[ "$1" = pack ] || exit 0; echo $2 > {asked}; cp {copy.root / TARBALL} .')
    assert copy.run() == (0, [])
    command = (sys.executable, "scripts/_bootstrap.py", "--bench")
    code, said = copy.run(*command)
    assert (code, said[-1]) == (0, "relever: ready")
    assert asked.read_text() == f"{PART}@1.0.0\n"
    assert (copy.root / ".parts/npm" / two_versions / "out/Token.json").read_bytes() == b"{}"
    assert copy.run(*command) == copy.run() == (0, [])


def test_bootstrap__wheel_for_the_bench__is_left_out_otherwise(copy: Copy) -> None:
    manifest = json.loads((copy.root / "parts.json").read_text())
    manifest |= {"npm": {}, "bench_wheels": {"sdk": {"lock": "requirements.txt", "files": []}}}
    (copy.root / "parts.json").write_text(json.dumps(manifest))
    assert copy.run() == (0, [])
    copy.tool("node", "exit 0")
    code, said = copy.run(sys.executable, "scripts/_bootstrap.py", "--bench")
    assert (code, said[0]) == (1, "relever: fetching sdk (PyPI) ...")


def test_bootstrap__corrupt_tarball__is_deleted_and_fetched_again(copy: Copy) -> None:
    good = tarball({"package/out/Token.json": b"{}"})
    copy.serves(tarball({"package/out/Token.json": b"{ }"}), pinned=good)
    code, said = copy.run()
    assert code == 1
    assert said[-1].startswith(f"relever: the download of {PART} 1.0.0 is corrupt")
    assert "run the same command again" in said[-1]
    assert not copy.part.exists()
    assert copy.scratch_folders() == []
    copy.serves(good)
    assert set_up_well(copy)


@pytest.mark.parametrize("name", ["package/../../../out/x.json", "package//etc/x.json"])
def test_bootstrap__member_outside_its_folder__is_refused(copy: Copy, name: str) -> None:
    copy.serves(tarball({"package/out/Token.json": b"{}", name: b"{}"}))
    code, said = copy.run()
    assert code == 1
    assert said[-1].startswith(f"relever: {PART} has a file that would land outside its folder")
    assert not copy.part.exists()
    assert list(copy.root.rglob("x.json")) == []


def test_bootstrap__link_in_a_tarball__is_not_made(copy: Copy) -> None:
    copy.serves(tarball({"package/out/Token.json": b"{}"}, link="package/out/Passwords.json"))
    assert set_up_well(copy)
    assert not (copy.part / "out" / "Passwords.json").is_symlink()


def test_bootstrap__named_file_not_in_the_package__is_said(copy: Copy) -> None:
    copy.serves(tarball({"package/src/Token.sol": b"..."}))
    code, said = copy.run()
    assert code == 1
    assert said[-1] == f"relever: {PART} has no out/*.json: parts.json and it disagree"
    assert not copy.part.exists()


def test_bootstrap__no_network__says_so_and_works_later(copy: Copy) -> None:
    failing = "echo npm error code ECONNREFUSED >&2; exit 1"
    copy.serves(tarball({"package/out/Token.json": b"{}"}), before=failing)
    code, said = copy.run()
    assert code == 1
    assert said[-1] == (
        f"relever: fetching {PART} 1.0.0 (npm) failed: npm cannot reach its registry; check the"
        " network, and npm's proxy and registry settings, then run the same command again"
        " (.parts/setup.log has all that npm said)"
    )
    assert (copy.root / ".parts/setup.log").read_text() == "npm error code ECONNREFUSED\n"
    copy.serves(tarball({"package/out/Token.json": b"{}"}))
    assert set_up_well(copy)


# --- what is there already ------------------------------------------------------------------------


def test_bootstrap__other_version_in_the_manifest__replaces_the_part(copy: Copy) -> None:
    assert set_up_well(copy)
    copy.serves(tarball({"package/out/Token.json": b'{"new": 1}'}))
    assert set_up_well(copy)
    assert (copy.part / "out" / "Token.json").read_bytes() == b'{"new": 1}'


def test_bootstrap__file_of_a_part_lost__is_put_back(copy: Copy) -> None:
    assert set_up_well(copy)
    (copy.part / "out" / "Token.json").unlink()
    assert set_up_well(copy)


def test_bootstrap__stamp_unreadable__fetches_again(copy: Copy) -> None:
    assert set_up_well(copy)
    (copy.part / ".relever-stamp.json").write_text('{"key": ')
    assert set_up_well(copy)


def test_bootstrap__lock_changed__remakes_the_virtual_environment(copy: Copy) -> None:
    assert set_up_well(copy)
    old = copy.root / ".venv" / "old-file"
    old.write_text("")
    (copy.root / "requirements.txt").write_text("# another lock\n")
    code, said = copy.run()
    assert (code, said[-1]) == (0, "relever: ready")
    assert not old.exists()
    python = str(copy.root / ".venv" / "bin" / "python")
    where = "import os, relever; print(os.environ['APE_DATA_FOLDER'], relever.__path__[0])"
    answer = subprocess.run(
        [python, "-I", "-c", where],
        env=copy.environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=LIMIT,
    )
    ape, package = map(Path, answer.stdout.split())
    assert (ape, package) == (copy.root / ".parts" / "ape", copy.root / "relever")
    assert copy.run() == (0, [])


def test_bootstrap__unfit_anvil_named__stops_before_anything_is_fetched(copy: Copy) -> None:
    copy.environment["RELEVER_ANVIL"] = copy.tool("old-anvil", "echo anvil Version: 1.0.0")
    code, said = copy.run()
    assert code == 1
    assert len(said) == 1
    assert "is version 1.0.0, and Relever is known to work with 1.7.1" in said[0]
    assert not (copy.root / ".parts").exists()


# --- interruptions and company --------------------------------------------------------------------


@pytest.mark.parametrize(("end", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_bootstrap__interrupted__ends_its_child_and_works_later(
    copy: Copy, end: signal.Signals, code: int
) -> None:
    child = copy.root / "child"
    good = tarball({"package/out/Token.json": b"{}"})
    copy.serves(good, before=f"echo $$ > {child}.new; mv {child}.new {child}; exec sleep 60")
    process = copy.start()
    deadline = time.monotonic() + LIMIT
    while not child.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(end)
    process.communicate(timeout=LIMIT)
    assert process.returncode == code
    with pytest.raises(ProcessLookupError):
        os.kill(int(child.read_text()), 0)
    assert not copy.part.exists()
    copy.serves(good)
    assert set_up_well(copy)


def test_bootstrap__killed_half_way__leaves_nothing_that_lasts(copy: Copy) -> None:
    left_over = copy.root / ".parts" / "tmp-killed" / "new" / "out"
    left_over.mkdir(parents=True)
    (left_over / "Token.json").write_text("half")
    assert set_up_well(copy)


def test_bootstrap__another_at_work__waits_for_it(copy: Copy) -> None:
    (copy.root / ".parts").mkdir()
    with (copy.root / ".parts" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        process = copy.start()
        wait_for_line(process, "relever: another set-up is at work in this folder")
        assert process.poll() is None
        assert not copy.part.exists()
    process.communicate(timeout=LIMIT)
    assert process.returncode == 0
    assert (copy.part / "out" / "Token.json").is_file()


def test_bootstrap__two_at_once__both_end_well(copy: Copy) -> None:
    copy.serves(tarball({"package/out/Token.json": b"{}"}), before="sleep 0.5")
    both = [copy.start(), copy.start()]
    said = [process.communicate(timeout=LIMIT)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert "".join(said).count("(npm): done") == 1  # the second finds the first one's work
