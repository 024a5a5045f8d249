"""Anvil nodes: started, forked and ended by us, never anyone else's."""

import atexit
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType

from relever.chain.rpc import Rpc, RpcError

ROOT = Path(__file__).resolve().parents[2]

# A fixed start, so that two runs are the same to the last hash: 2023-11-14 22:13:20 UTC.
GENESIS_TIMESTAMP = 1_700_000_000

_LISTENING = re.compile(rb"Listening on 127\.0\.0\.1:(\d+)")
_START_SECONDS = 60.0


class AnvilError(Exception):
    """Anvil is missing, could not start, or ended by itself."""


class Anvil:
    """One running Anvil process; `url` is where it listens, `pid` its process id."""

    def __init__(self, process: "subprocess.Popen[bytes]", port: int, folder: Path) -> None:
        self._process = process
        self._folder = folder
        self._kept = False
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.pid = process.pid
        atexit.register(self.stop)

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
        `AnvilError`.
        """
        options = ["--timestamp", str(timestamp), "--chain-id", str(chain_id)]
        return cls._launch(options, port, accounts, hardfork, block_time, keep)

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
        """Start a node on another's state at `block` (its latest when None).

        Nothing of the upstream is cached on disk, since the cache knows a chain by its id and
        block only and would serve another chain's storage. Raises `AnvilError`.
        """
        options = ["--fork-url", upstream, "--no-storage-caching"]
        if block is not None:
            options += ["--fork-block-number", str(block)]
        if chain_id is not None:
            options += ["--chain-id", str(chain_id)]
        return cls._launch(options, port, accounts, hardfork, block_time, keep)

    @classmethod
    def _launch(
        cls,
        options: list[str],
        port: int | None,
        accounts: int,
        hardfork: str,
        block_time: int | None,
        keep: bool,
    ) -> "Anvil":
        binary = _binary()
        home = ROOT / "build" / "anvil"
        home.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix="node-", dir=home))
        mining = ["--no-mining"] if block_time is None else ["--block-time", str(block_time)]
        command = [
            str(binary), "--port", str(port or 0), "--accounts", str(accounts),
            "--hardfork", hardfork, "--order", "fifo", "--base-fee", "0", "--gas-price", "0",
            "--disable-block-gas-limit", "--no-request-size-limit",
            # Else every block's state goes to disk, and thousands of blocks slow it to a crawl.
            "--prune-history", "64", "--cache-path", str(folder),
            *mining, *options,
        ]  # fmt: skip
        out, err = folder / "stdout", folder / "stderr"
        with out.open("wb") as stdout, err.open("wb") as stderr:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                # Its own group: Ctrl-C reaches us first, and we end it.
                start_new_session=True,
                env={**os.environ, "HOME": str(folder)},
            )
        try:
            found = _wait(process, out, err, port)
            node = cls(process, found, folder)
            Rpc(node.url).call("anvil_setLoggingEnabled", False)
        except BaseException:
            process.kill()
            process.wait()
            shutil.rmtree(folder, ignore_errors=True)
            raise
        if keep:
            node.detach()
        return node

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self._process.poll() is None

    def stop(self) -> None:
        """End the process and remove its files. Safe to call twice."""
        atexit.unregister(self.stop)
        if self._kept:
            return
        if self.running:
            self._process.terminate()
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def detach(self) -> int:
        """Leave the node running after us, on purpose; returns its process id."""
        self._kept = True
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


def _binary() -> Path:
    given = os.environ.get("RELEVER_ANVIL")
    if given:
        if not os.access(given, os.X_OK):
            raise AnvilError(f"RELEVER_ANVIL names {given}, which is no program: correct or unset it")
        return Path(given)
    from relever.parts import anvil_binary

    return anvil_binary()


def _wait(process: "subprocess.Popen[bytes]", out: Path, err: Path, port: int | None) -> int:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if (match := _LISTENING.search(out.read_bytes())) is not None:
            return int(match[1])
        if process.poll() is not None:
            said = err.read_text(errors="replace").strip().splitlines()[-5:]
            told = " | ".join(said) or "nothing"
            if port is not None and "in use" in told:
                raise AnvilError(f"port {port} is taken: stop what listens there, or choose another")
            raise AnvilError(f"Anvil ended by itself with status {process.returncode}, saying: {told}")
        time.sleep(0.01)
    raise AnvilError(f"Anvil did not start within {_START_SECONDS:g} s: try again, or see its log")
