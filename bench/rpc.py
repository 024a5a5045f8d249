"""Transactions per second of the package's client, next to Ape's, on the same Anvil binary.

One WETH9 transfer is sent, mined and its receipt checked, from an account that the node knows.
The rounds take turns, so that a busy moment of the machine hits all alike; the medians count.
"""

import argparse
import json
import os
import socket
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from rich.console import Console
from rich.table import Table

from relever.baselayer.parts import weth9
from relever.chain import Anvil, Chain, Contract

ROOT = Path(__file__).resolve().parents[1]
OUTPUT = ROOT / "build" / "bench" / "rpc.json"
BATCH = 50
QUICK_ACK: int | None = getattr(socket, "TCP_QUICKACK", None)


@dataclass(frozen=True)
class Row:
    """One figure: `median` and `best` are per second, `ratio` is to Ape's median for the same."""

    name: str
    median: float
    best: float
    rounds: int
    ratio: float | None


@dataclass(frozen=True)
class Case:
    """What is measured: `run` does `size` of them; `peer` names the case it is compared with."""

    name: str
    run: Callable[[], Any]
    times: int
    size: int = 1
    peer: str | None = None


def _funded(chain: Chain) -> Contract:
    token = chain.deploy(weth9())
    token.deposit(value=10**20)
    return token


def ours(url: str) -> list[Case]:
    """The package's client."""
    chain = Chain.connect(url)
    token = _funded(chain)
    to = chain.accounts[1]
    transfers = [token.transfer.build(to, 1)] * BATCH
    reads = [token.balanceOf.build(to)] * BATCH
    sends, calls = "Ape: transaction", "Ape: call"
    return [
        Case("transaction", lambda: token.transfer(to, 1), 600, 1, sends),
        Case(f"transactions, {BATCH} in a block", lambda: chain.send_batch(transfers), 12, BATCH,
             sends),
        Case("call", lambda: token.balanceOf(to), 1_000, 1, calls),
        Case(f"calls, {BATCH} in a request", lambda: chain.read_batch(reads), 20, BATCH, calls),
    ]  # fmt: skip


def bare(url: str) -> list[Case]:
    """The same three requests on a bare socket, prepared and unread: what the node leaves over."""
    chain = Chain.connect(url)
    token = _funded(chain)
    transaction = {
        "from": chain.accounts[0],
        "to": token.address,
        "data": "0x" + token.transfer.encode(chain.accounts[1], 1).hex(),
        "gas": hex(15_000_000),
        "gasPrice": "0x0",
    }
    message = b"".join(
        _post({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        for method, params in (
            ("eth_sendTransaction", [transaction]),
            ("evm_mine", []),
            ("eth_getBlockReceipts", ["latest"]),
        )
    )
    parts = urlsplit(url)
    node = socket.create_connection((parts.hostname, parts.port))

    def transfer() -> None:
        node.sendall(message)
        got = b""
        while got.count(b'"jsonrpc"') < 3 or not got.endswith(b"}"):
            # Else the node holds its second answer back for 40 ms; only Linux lets us say so.
            if QUICK_ACK is not None:
                node.setsockopt(socket.IPPROTO_TCP, QUICK_ACK, 1)
            got += node.recv(65_536)

    return [Case("bare socket: transaction", transfer, 600)]


def _post(request: dict[str, Any]) -> bytes:
    body = json.dumps(request).encode()
    head = "POST / HTTP/1.1\r\nHost: node\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


@contextmanager
def apes(url: str) -> Iterator[list[Case]]:
    """Ape, its usual way: contract calls from one of its test accounts."""
    os.environ["APE_FOUNDRY_HOST"] = url
    # Else it writes to the home folder.
    os.environ.setdefault("APE_DATA_FOLDER", str(ROOT / "build" / "ape"))
    import ape
    from ape.logging import logger

    chain = Chain.connect(url)
    address = _funded(chain).address
    # Ape waits for the node to mine by itself.
    chain.rpc("evm_setAutomine", [True])
    chain.close()
    logger.set_level("ERROR")
    with ape.networks.parse_network_choice("ethereum:local:foundry"):
        sender, receiver = ape.accounts.test_accounts[0], ape.accounts.test_accounts[1]
        token = ape.Contract(address, abi=weth9().abi)
        to = receiver.address
        yield [
            Case("Ape: transaction", lambda: token.transfer(to, 1, sender=sender), 12),
            Case("Ape: call", lambda: token.balanceOf(to), 40),
        ]


def measure(cases: list[Case], rounds: int) -> list[Row]:
    """Run every case in turn, `rounds` times after one to warm up."""
    found: dict[str, list[float]] = {case.name: [] for case in cases}
    for turn in range(rounds + 1):
        for case in cases:
            start = time.perf_counter()
            for _ in range(case.times):
                case.run()
            rate = case.times * case.size / (time.perf_counter() - start)
            if turn:
                found[case.name].append(rate)
    medians = {name: statistics.median(rates) for name, rates in found.items()}
    return [
        Row(
            case.name,
            round(medians[case.name], 1),
            round(max(found[case.name]), 1),
            rounds,
            round(medians[case.name] / medians[case.peer], 1) if case.peer else None,
        )
        for case in cases
    ]


def show(rows: list[Row], what: str, load: float) -> None:
    """Print the figures as a table, `what` is measured and the machine in its title."""
    table = Table(title=f"{what} per second ({os.cpu_count()} cores, load {load:.1f} before)")
    table.add_column("what")
    for column in ("median", "best", "times Ape's"):
        table.add_column(column, justify="right")
    for row in rows:
        ratio = "" if row.ratio is None else f"{row.ratio:,.1f}"
        table.add_row(row.name, f"{row.median:,.0f}", f"{row.best:,.0f}", ratio)
    Console().print(table)


def main() -> None:
    """Measure, print the table and write it to build/bench/rpc.json."""
    parser = argparse.ArgumentParser(prog="bench-rpc", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="rounds measured (7)")
    rounds = max(1, parser.parse_args().rounds)
    load = os.getloadavg()[0]
    with (
        Anvil.start() as mine,
        Anvil.start() as plain,
        Anvil.start() as theirs,
        apes(theirs.url) as peers,
    ):
        rows = measure([*ours(mine.ipc), *bare(plain.url), *peers], rounds)
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    document = {"load": round(load, 2), "rows": [asdict(row) for row in rows]}
    OUTPUT.write_text(json.dumps(document, indent=2) + "\n")
    show(rows, "WETH9 transfers and calls", load)


if __name__ == "__main__":
    main()
