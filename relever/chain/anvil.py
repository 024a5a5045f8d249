"""Anvil nodes: started, forked and ended by us, never anyone else's."""

import atexit
import os
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType

from relever.chain.rpc import Rpc

ROOT = Path(__file__).resolve().parents[2]

# A fixed start, so that two runs are the same to the last hash: 2023-11-14 22:13:20 UTC.
GENESIS_TIMESTAMP = 1_700_000_000

# EIP-2935's contract stores every block's hash. Anvil hashes the whole state for each block of a
# chain of its own, so with it block n costs time in proportion to n. Nothing here reads it.
_HISTORY_CONTRACT = "0x0000F90827F1C53a10cb7A02335B175320002935"

# Waits until its standard input ends, which it does when we die, however we die.
_WATCH = 'read -r _; kill -9 "$1" 2>/dev/null; rm -rf "$2"'

_LISTENING = re.compile(rb"Listening on 127\.0\.0\.1:(\d+)")
_START_SECONDS = 60.0
_STOP_SECONDS = 5.0


# In the node's own folder.
_SOCKET = "socket"
# What sockaddr_un holds on macOS, where it is shortest, with its end mark.
_LONGEST_SOCKET_PATH = 103


class AnvilError(Exception):
    """Anvil could not be started, or ended by itself."""


class Anvil:
    """One running Anvil process: `url` is where it listens, `pid` its process id.

    `ipc` is the path of its Unix socket, faster for calls, and for all while the cores are busy;
    where that path would be too long for a socket, it is the URL again.

    It ends with `stop()`, with the `with` block, and in any case with this process: by Ctrl-C,
    an exception, a signal or a crash. All its files are in a folder of its own under build/.
    """

    def __init__(self, command: list[str], port: int | None) -> None:
        """Start the command and wait until it listens. Raises `AnvilError`."""
        home = ROOT / "build" / "anvil"
        home.mkdir(parents=True, exist_ok=True)
        self._folder = Path(tempfile.mkdtemp(prefix="node-", dir=home))
        self._owner = os.getpid()
        self._process = self._launch(command)
        self._watch = self._launch_watch()
        self.pid = self._process.pid
        atexit.register(self.stop)
        try:
            self.port = self._listening(port)
            self.url = f"http://127.0.0.1:{self.port}"
            path = str(self._folder / _SOCKET)
            self.ipc = path if len(path.encode()) <= _LONGEST_SOCKET_PATH else self.url
            rpc = Rpc(self.url)
            rpc.call("anvil_setLoggingEnabled", False)
            rpc.close()
        except BaseException:
            self.stop()
            raise

    @classmethod
    def start(
        cls,
        port: int | None = None,
        *,
        accounts: int = 20,
        chain_id: int = 31337,
        hardfork: str = "prague",
        block_time: int | None = None,
        timestamp: int = GENESIS_TIMESTAMP,
        keep: bool = False,
    ) -> "Anvil":
        """Start a node with an empty chain; it mines only when told to.

        `port` None lets the kernel choose a free one; `block_time` in seconds mines by the
        clock; `timestamp` is the genesis block's; `keep` leaves it running after us. Raises
        `AnvilError`; `PartError` when there is no fit Anvil.
        """
        options = ["--timestamp", str(timestamp), "--chain-id", str(chain_id)]
        node = cls(_command(options, port, accounts, hardfork, block_time), port)
        rpc = Rpc(node.url)
        rpc.call("anvil_setCode", _HISTORY_CONTRACT, "0x")
        rpc.close()
        if keep:
            node.detach()
        return node

    @classmethod
    def fork(
        cls,
        upstream: str,
        block: int | None = None,
        *,
        port: int | None = None,
        accounts: int = 20,
        chain_id: int | None = None,
        hardfork: str = "prague",
        block_time: int | None = None,
        keep: bool = False,
    ) -> "Anvil":
        """Start a node on another's state at `block`, its latest when None.

        `chain_id` None takes the upstream's. Nothing of the upstream is cached on disk, since
        Anvil's cache knows a chain by its id and block only, and would serve another chain's
        storage. Raises `AnvilError`; `PartError` when there is no fit Anvil.
        """
        options = ["--fork-url", upstream, "--no-storage-caching"]
        if block is not None:
            options += ["--fork-block-number", str(block)]
        if chain_id is not None:
            options += ["--chain-id", str(chain_id)]
        node = cls(_command(options, port, accounts, hardfork, block_time), port)
        if keep:
            node.detach()
        return node

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self._process.poll() is None

    def stop(self) -> None:
        """End the process and remove its files. Safe to call twice; does nothing if detached."""
        # A forked copy of us holds this object too, but the node is not its own.
        if self._owner != os.getpid():
            return
        atexit.unregister(self.stop)
        if self._watch is None:
            return
        # Told to end before its watch goes, should we be killed in between; waited for after that,
        # since then its number may be another process's.
        self._process.terminate()
        self._end_watch(self._watch)
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def detach(self) -> int:
        """Leave the node running after us, on purpose; returns its process id."""
        atexit.unregister(self.stop)
        if self._watch is not None:
            self._end_watch(self._watch)
        return self.pid

    def __enter__(self) -> "Anvil":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _launch(self, command: list[str]) -> "subprocess.Popen[bytes]":
        with (self._folder / "out").open("wb") as out, (self._folder / "err").open("wb") as err:
            try:
                return subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=err,
                    # Away from the terminal's Ctrl-C and from any foundry.toml: we end it.
                    start_new_session=True,
                    cwd=self._folder,
                    env={**os.environ, "HOME": str(self._folder)},
                )
            except OSError as error:
                shutil.rmtree(self._folder, ignore_errors=True)
                raise AnvilError(
                    f"{command[0]} cannot be run ({error.strerror}): "
                    "is it an Anvil for this machine?"
                ) from error

    def _launch_watch(self) -> "subprocess.Popen[bytes] | None":
        return subprocess.Popen(
            ["/bin/sh", "-c", _WATCH, "watch", str(self._process.pid), str(self._folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def _end_watch(self, watch: "subprocess.Popen[bytes]") -> None:
        watch.kill()
        watch.communicate()
        self._watch = None

    def _listening(self, port: int | None) -> int:
        deadline = time.monotonic() + _START_SECONDS
        out = self._folder / "out"
        while time.monotonic() < deadline:
            if (match := _LISTENING.search(out.read_bytes())) is not None:
                return int(match[1])
            if not self.running:
                break
            time.sleep(0.01)
        else:
            raise AnvilError(f"Anvil did not start within {_START_SECONDS:g} s: try again")
        said = (self._folder / "err").read_text(errors="replace").strip()
        if port is not None and "in use" in said:
            raise AnvilError(f"port {port} is taken: stop what listens there, or choose another")
        last = " | ".join(said.splitlines()[-5:]) or "nothing"
        raise AnvilError(f"Anvil ended with status {self._process.returncode}, saying: {last}")


def _command(
    options: list[str], port: int | None, accounts: int, hardfork: str, block_time: int | None
) -> list[str]:
    # Imported here, since relever.parts is not needed to talk to a node.
    from relever.parts import anvil_binary

    mining = ["--no-mining"] if block_time is None else ["--block-time", str(block_time)]
    return [
        str(anvil_binary()),
        *("--host", "127.0.0.1"),
        *("--port", str(port or 0)),
        *("--accounts", str(accounts)),
        *("--hardfork", hardfork),
        *("--order", "fifo"),
        # One client, one worker: handing requests between threads costs more than it gains.
        *("--threads", "1"),
        *("--base-fee", "0"),
        *("--gas-price", "0"),
        *("--ipc", _SOCKET),
        # Room for batches of 2,000; without any limit, Ape offers more gas than it can pay for.
        *("--gas-limit", "30000000000"),
        "--no-request-size-limit",
        # Else each block's state goes to disk, and thousands of blocks slow it to a crawl.
        *("--prune-history", "64"),
        *mining,
        *options,
    ]
