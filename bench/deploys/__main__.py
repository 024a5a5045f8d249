"""A deployment that is killed five times and suffers a reorganisation, beside one left in peace.

Two chains of the same kind: Anvil with Sepolia's chain id and a block a second, the base layer laid
first, and a keystore account that the node does not know. On the second chain the deployment is
killed at five random points and begun again, and three blocks are taken back. At the end `verify`
finds nothing, and both records say the same but for hashes, numbers, times and gas. The last line
says whether that is so; the exit code is 1 when not.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from eth_utils.crypto import keccak
from rich.console import Console

from bench.deploys.stage import ETHER, Keystore, keystore, lay_base, network_file
from relever.chain import Anvil, AnvilError, Chain, RpcError
from relever.deploy.record import lasting
from relever.parts import PartError

ROOT = Path(__file__).resolve().parents[2]
OUTPUT = ROOT / "build" / "deploys"
SEPOLIA = 11_155_111
BLOCK_SECONDS = 1
KILLS, REORG_BLOCKS = 5, 3
CONFIRMATIONS_BLOCKS = 5
# Where the disturbances fall, by steps that are mined: not after the last, which would be no kill.
FIRST_STEP, LAST_STEP = 1, 26
MOST_SECONDS = 300


class Deployment:
    """One chain, and the deployer on it, a process of its own."""

    def __init__(self, folder: Path, key: bytes) -> None:
        folder.mkdir(parents=True)
        self.folder, self.record = folder, folder / "record.json"
        self._node = Anvil.start(chain_id=SEPOLIA)
        self.chain = Chain.connect(self._node.ipc)
        _, addresses = lay_base(self.chain)
        settings = network_file(
            folder, SEPOLIA, addresses, confirmations_blocks=CONFIRMATIONS_BLOCKS
        )
        account: Keystore = keystore(folder, key)
        self.chain.set_balance(account.address, 20 * ETHER)
        self.chain.rpc("anvil_setBlockTimestampInterval", [BLOCK_SECONDS])
        self.chain.rpc("evm_setIntervalMining", [BLOCK_SECONDS])
        common = [
            *("--config", str(settings)),
            *("--rpc", self._node.url),
            *("--record", str(self.record)),
        ]
        self._command = [
            *(sys.executable, "-m", "relever.deploy", *common),
            *("--keystore", str(account.file)),
            *("--password-file", str(account.password_file)),
            *("--yes", "--no-dry-run", "--poll-seconds", "0.05"),
        ]
        self._verify = [sys.executable, "-m", "relever.deploy", "verify", *common]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Begin, or go on with what is recorded."""
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=ROOT
            )

    def kill(self) -> bool:
        """SIGKILL: nothing can be put in order before. False where it had ended already."""
        if self._process is None or self._process.poll() is not None:
            return False
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        return True

    def wait(self) -> int:
        """Its exit code."""
        assert self._process is not None
        return self._process.wait(MOST_SECONDS)

    def mined(self) -> int:
        """How many steps are, by the record."""
        if not self.record.exists():
            return 0
        return sum(step["block"] > 0 for step in self.content()["steps"].values())

    def reach(self, steps: int) -> None:
        """Wait until so many are mined. Raises `RuntimeError` when the process ends before."""
        deadline = time.monotonic() + MOST_SECONDS
        while self.mined() < steps:
            assert self._process is not None
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the deployment does not go on: see {self.folder / 'log'}")
            time.sleep(0.02)

    def content(self) -> dict[str, Any]:
        """The record."""
        found: dict[str, Any] = json.loads(self.record.read_text())
        return found

    def verified(self) -> bool:
        """Whether `verify` finds nothing."""
        return subprocess.run(self._verify, cwd=ROOT, check=False).returncode == 0

    def sent(self, address: str) -> int:
        """How many transactions of the account the chain has."""
        return int(self.chain.rpc("eth_getTransactionCount", [address, "latest"]), 16)

    def close(self) -> None:
        """End process and node."""
        self.kill()
        self.chain.close()
        self._node.stop()


def run(seed: int, console: Console) -> list[str]:
    """Play it once; everything that is wrong."""
    OUTPUT.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=OUTPUT))
    console.print(f"Records and logs: {folder.relative_to(ROOT)}", style="dim")
    key = keccak(text=f"deployer {seed}")
    undisturbed, disturbed = (Deployment(folder / name, key) for name in ("peace", "trouble"))
    try:
        undisturbed.start()
        _disturb(disturbed, random.Random(seed), console)
        return _judge(undisturbed, disturbed)
    finally:
        undisturbed.close()
        disturbed.close()


def _disturb(deployment: Deployment, chance: random.Random, console: Console) -> None:
    """Kill it and go on, again and again; take blocks back once, while it runs."""
    points = sorted(chance.sample(range(FIRST_STEP, LAST_STEP + 1), KILLS + 1))
    reorg = chance.randrange(KILLS + 1)
    deployment.start()
    for number, steps in enumerate(points):
        deployment.reach(steps)
        # Anywhere within a block: before it is signed, written down, sent, mined, or noted.
        time.sleep(chance.uniform(0, BLOCK_SECONDS))
        if number == reorg:
            deployment.chain.rpc("anvil_reorg", [REORG_BLOCKS, []])
            console.print(f"{deployment.mined():3} steps: {REORG_BLOCKS} blocks are taken back")
            continue
        if not deployment.kill():
            raise RuntimeError(f"it ended before it was killed: see {deployment.folder / 'log'}")
        console.print(f"{deployment.mined():3} steps: killed, and begun again")
        deployment.start()


def _judge(undisturbed: Deployment, disturbed: Deployment) -> list[str]:
    wrong = []
    for name, one in (("undisturbed", undisturbed), ("disturbed", disturbed)):
        if (code := one.wait()) != 0:
            wrong.append(f"the {name} deployment ended with {code}: see {one.folder / 'log'}")
            return wrong
        if not one.verified():
            wrong.append(f"verify finds differences in the {name} deployment")
    first, second = undisturbed.content(), disturbed.content()
    if lasting(first) != lasting(second):
        wrong.append("the records differ")
    sent, steps = disturbed.sent(second["deployer"]), len(second["steps"])
    if sent != steps:
        wrong.append(f"{sent} transactions were mined for {steps} steps")
    return wrong


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit code."""
    parser = argparse.ArgumentParser(prog="make e2e-deploy", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="for the points where it is killed")
    options = parser.parse_args(arguments)
    console = Console(highlight=False)
    try:
        wrong = run(options.seed, console)
    except (RuntimeError, AnvilError, PartError, RpcError, subprocess.TimeoutExpired) as error:
        wrong = [str(error)]
    if wrong:
        console.print("WRONG: " + "; ".join(wrong), style="red", markup=False, soft_wrap=True)
        return 1
    console.print(
        f"RIGHT: killed {KILLS} times, {REORG_BLOCKS} blocks taken back, nothing deployed twice, "
        "verify clean, the record equal to that of an undisturbed deployment",
        style="green",
        soft_wrap=True,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
