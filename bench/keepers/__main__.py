"""Two keepers on one chain through a slash of 6 % and ezETH's fall of April 2024.

Anvil mines by the clock while the blocks' timestamps follow the scenario. 200 positions, 24 with a
signed stop order; arbitrageurs trade the pool to what the market says; two keepers run as processes
of their own and take turns. One is killed while it liquidates, and begun again much later. An
observer reckons at every block who can be liquidated, and which order executed, at a profit. The
last line says whether the keepers did what they should; the exit code is 1 when not.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from eth_account import Account
from rich.console import Console

from bench.keepers.observer import ALLOWED_BLOCKS, Observer, Verdict
from bench.keepers.stage import ACCOUNTS, ORDERS, Stage, build
from bench.keepers.weather import Weather
from relever.chain import Anvil, AnvilError, Chain, Revert, RpcError
from relever.parts import PartError
from relever.protocol import WAD
from relever.risk.paths import ezeth_2024

ROOT = Path(__file__).resolve().parents[2]
OUTPUT = ROOT / "build" / "keepers"
# Blocks by the clock, and what each is in the scenario's time.
BLOCK_SECONDS, STEP_SECONDS = 2, 600
SLASH = 6 * WAD // 100
# From the first block that counts: the slash, and the path from 01:15 to 15:15 UTC.
SLASH_BLOCK, PATH_BLOCK = 5, 20
FIRST_MOMENT, LAST_MOMENT = 15_300, 65_700
BLOCKS = PATH_BLOCK + (LAST_MOMENT - FIRST_MOMENT) // STEP_SECONDS
# The first is killed once there are so many liquidations, and begun again so many blocks later.
KILL_AFTER, DEAD_BLOCKS = 20, 30
# The observer stays so far behind the head, so that the node is the keepers' while they are busy.
BEHIND_BLOCKS = 24
# What a liquidation must leave after gas, so that a part is not taken at every block: two thirds of
# what the observer calls profitable.
LEAST_NET_PROFIT = 10**16
LEAST_FULL, LEAST_DELEVERAGES, LEAST_ORDERS = 60, 20, 12
ETHER = 10**18


class Process:
    """One keeper, started, killed, started again with what it left on disk."""

    def __init__(self, number: int, url: str, folder: Path) -> None:
        self.folder = folder / f"keeper-{number}"
        self.folder.mkdir(parents=True)
        key = secrets.token_bytes(32)
        self.address: str = Account.from_key(key).address
        password = secrets.token_hex(16)
        (self.folder / "password").write_text(password)
        # Quick to open: the key is worth nothing, and lives as long as the chain.
        document = Account.encrypt(key, password, kdf="pbkdf2", iterations=1)
        (self.folder / "key.json").write_text(json.dumps(document))
        self._command = [
            *(sys.executable, "-m", "relever.keeper"),
            *("--node", url),
            *("--deployment", str(folder / "deployment.json")),
            *("--folder", str(self.folder / "state")),
            *("--orders", str(folder / "orders")),
            *("--keystore", str(self.folder / "key.json")),
            *("--password-file", str(self.folder / "password")),
            *("--share", f"{number}/2"),
            *("--poll-seconds", "0.05"),
            *("--least-net-profit-wei", str(LEAST_NET_PROFIT)),
            *("--silent-seconds", "30"),
            # The chain's time is the scenario's.
            *("--clock-lag-seconds", "0"),
        ]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Run it, and write its log beside its journal."""
        with (self.folder / "log.jsonl").open("ab") as log:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=ROOT
            )

    def kill(self) -> None:
        """SIGKILL: nothing can be put in order before."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()

    def has_begun(self) -> bool:
        """Whether it has looked at the chain."""
        log = self.folder / "log.jsonl"
        return log.exists() and b'"event":"begins"' in log.read_bytes()


def run(seed: int, log: Console) -> Verdict:
    """Play it once. Raises `RuntimeError` when a keeper ends by itself."""
    OUTPUT.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=OUTPUT))
    log.print(f"Keepers' logs and journals: {folder.relative_to(ROOT)}", style="dim")
    with Anvil.start(accounts=ACCOUNTS) as node:
        log.print("Deploying, and opening 200 positions ...")
        chain = Chain.connect(node.ipc)
        stage = build(chain, seed)
        record = {"addresses": stage.scene.protocol.addresses(), "start_block": 0}
        (folder / "deployment.json").write_text(json.dumps(record))
        (folder / "orders").mkdir()
        for number, signed in enumerate(stage.orders):
            (folder / "orders" / f"{number}.json").write_text(signed.text())
        # One by websocket, one by HTTP.
        first = Process(1, f"ws://127.0.0.1:{node.port}", folder)
        second = Process(2, node.url, folder)
        for keeper in (first, second):
            chain.set_balance(keeper.address, 20 * ETHER)
        try:
            return _play(stage, first, second, seed, log)
        finally:
            for keeper in (first, second):
                keeper.kill()
            chain.close()


def _play(stage: Stage, first: Process, second: Process, seed: int, log: Console) -> Verdict:
    chain = stage.chain
    for keeper in (first, second):
        keeper.start()
    _until(lambda: first.has_begun() and second.has_begun(), "the keepers did not begin")
    start, started = _number(chain), chain.timestamp
    weather = Weather(
        stage,
        ezeth_2024(),
        slash=SLASH,
        slash_block=start + SLASH_BLOCK,
        path_time=started + PATH_BLOCK * STEP_SECONDS - FIRST_MOMENT,
        seed=seed,
    )
    observer = Observer(stage, (first.address, second.address))
    chain.rpc("anvil_setBlockTimestampInterval", [STEP_SECONDS])
    weather.act(start, started + STEP_SECONDS)
    chain.rpc("evm_setIntervalMining", [BLOCK_SECONDS])
    acted = looked = start
    killed_at = liquidations = 0
    while looked < start + BLOCKS:
        head = _number(chain)
        if head > acted:
            acted = head
            weather.act(head, chain.timestamp + STEP_SECONDS)
            _say(log, head - start, observer.verdict)
            liquidations += 0 if killed_at else _liquidations(stage, head)
            if head >= start + BLOCKS:
                chain.rpc("evm_setIntervalMining", [0])
        elif head - looked > (BEHIND_BLOCKS if head < start + BLOCKS else 0):
            looked += 1
            observer.look(looked)
        else:
            time.sleep(0.01)
        if not killed_at and liquidations >= KILL_AFTER:
            first.kill()
            killed_at = head
            log.print(f"Block {head - start}: the first keeper is killed", style="yellow")
        if killed_at and not first.alive and head >= killed_at + DEAD_BLOCKS:
            first.start()
            log.print(f"Block {head - start}: it is begun again", style="yellow")
            killed_at = sys.maxsize - DEAD_BLOCKS
        if not second.alive:
            raise RuntimeError(f"the second keeper ended: see {second.folder / 'log.jsonl'}")
    if not first.alive:
        observer.verdict.wrong.append("the first keeper was not alive at the end")
    if killed_at < sys.maxsize - DEAD_BLOCKS:
        observer.verdict.wrong.append("the first keeper was never killed and begun again")
    return observer.verdict


def _say(log: Console, block: int, verdict: Verdict) -> None:
    if block % 10 == 0 and block <= BLOCKS:
        log.print(
            f"Block {block:3} of {BLOCKS}. Looked at, some blocks later: {verdict.full} full "
            f"liquidations, {verdict.deleverages} deleverages, {verdict.executed} orders, "
            f"{len(verdict.wrong)} things wrong"
        )


def _liquidations(stage: Stage, block: int) -> int:
    """How many a block has."""
    market = stage.scene.protocol.market.address
    query = {"fromBlock": hex(block), "toBlock": hex(block), "address": market}
    events = [stage.chain.decode_log(log) for log in stage.chain.rpc("eth_getLogs", [query])]
    return sum(event.name == "Liquidated" for event in events)


def judge(verdict: Verdict) -> list[str]:
    """What is wrong, in sentences."""
    wrong = list(verdict.wrong)
    if verdict.full < LEAST_FULL:
        wrong.append(f"{verdict.full} full liquidations, {LEAST_FULL} are needed")
    if verdict.deleverages < LEAST_DELEVERAGES:
        wrong.append(f"{verdict.deleverages} deleverages, {LEAST_DELEVERAGES} are needed")
    if verdict.executed < LEAST_ORDERS:
        wrong.append(f"{verdict.executed} orders executed, {LEAST_ORDERS} are needed")
    return wrong


def sentence(verdict: Verdict) -> str:
    """The figures in one line."""
    earning = [one for one in verdict.paid if one.earns]
    upkeep = [one for one in verdict.paid if not one.earns]
    earned, gas = sum(one.profit for one in earning), sum(one.gas for one in earning)
    return (
        f"{verdict.full} full liquidations and {verdict.deleverages} deleverages of "
        f"{len({one.owner for one in verdict.taken})} positions by "
        f"{len({one.sender for one in earning})} keepers, and {verdict.executed} of "
        f"{ORDERS} stop orders; what was profitable was dealt with within "
        f"{max(verdict.delays, default=0)} blocks ({ALLOWED_BLOCKS} allowed), "
        f"{verdict.twice} twice; "
        f"{sum(one.lost for one in verdict.paid)} of {len(earning)} transactions at a loss; "
        f"{earned / ETHER:.2f} WETH earned for {gas / ETHER:.3f} ETH of gas, "
        f"{sum(one.gas for one in upkeep) / ETHER:.3f} more for {len(upkeep)} of upkeep"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Play, judge, and say so in the last line; the exit code."""
    parser = argparse.ArgumentParser(prog="e2e-keeper", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="of positions and fees; 1 by default")
    options = parser.parse_args(arguments)
    out = Console(highlight=False, soft_wrap=True)
    log = Console(stderr=True, highlight=False, soft_wrap=True)
    try:
        verdict = run(options.seed, log)
    except (AnvilError, PartError, Revert, RpcError, RuntimeError) as error:
        log.print(f"e2e-keeper: {error}", style="red", markup=False, soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        log.print("e2e-keeper: stopped")
        return 130
    wrong = judge(verdict)
    for one in wrong:
        out.print(f"NO: {one}", style="red", markup=False)
    out.print(f"{'FAILED' if wrong else 'OK'}: {sentence(verdict)}")
    return 1 if wrong else 0


def _until(done: object, why: str, seconds: float = 60.0) -> None:
    assert callable(done)
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            raise RuntimeError(why)
        time.sleep(0.1)


def _number(chain: Chain) -> int:
    return int(chain.rpc("eth_blockNumber"), 16)


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    sys.exit(main())
