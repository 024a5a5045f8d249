"""What our own contracts cost, with no peer beside: their sizes, and the gas of what users do.

The figures are the same on every machine: accounts, times and addresses are. They are kept in
tests/snapshots/costs.json, with which `make test` compares them; `make snapshot` writes it anew.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import cbor2

from bench.derivatives import derivative_gas
from bench.market import FEE, our_gas
from bench.oracle import oracle_rows
from bench.report import Row
from bench.vaults import with_syncs, without_stake
from relever.artifacts import Artifact, artifacts
from relever.baselayer import build_world, deploy_core
from relever.chain import Anvil, Chain

ROOT = Path(__file__).resolve().parents[1]
SNAPSHOT = ROOT / "tests" / "snapshots" / "costs.json"
COMMAND = "make snapshot"
# Left out: what is compiled into others, what has no code, and what stands for other people's.
NOT_DEPLOYED = ("modules", "interfaces", "doubles")
METADATA_LENGTH_BYTES = 2

Figures = dict[str, dict[str, int]]


def measure() -> Figures:
    """Bytes of every contract, and gas of every operation, each part on a chain of its own."""
    return {"bytes": sizes(), "gas": market_gas() | vault_gas() | oracle_gas() | tokens_gas()}


def sizes() -> dict[str, int]:
    """Of each contract: its creation code, and its code on the chain with its immutables."""
    found: dict[str, int] = {}
    for name, contract in artifacts(contracts()).items():
        found[f"{name}, creation"] = len(contract.bytecode)
        found[f"{name}, on chain"] = on_chain_size(contract)
    return found


def contracts() -> list[str]:
    """The names of all contracts that are deployed."""
    folder = ROOT / "contracts"
    return sorted(
        path.stem
        for path in folder.glob("*/**/*.vy")
        if path.relative_to(folder).parts[0] not in NOT_DEPLOYED
    )


def on_chain_size(contract: Artifact) -> int:
    """Bytes of the code once deployed: Vyper's metadata, at the end, say what immutables take."""
    code = contract.bytecode
    length = int.from_bytes(code[-METADATA_LENGTH_BYTES:], "big")
    _, runtime, _, immutables, _ = cbor2.loads(code[-length:-METADATA_LENGTH_BYTES])
    return int(runtime) + int(immutables)


def market_gas() -> dict[str, int]:
    """The market over a constant oracle."""
    with Anvil.start() as node:
        chain = Chain.connect(node.ipc)
        return our_gas(chain, "market", 0) | our_gas(chain, "fee on", FEE)


def vault_gas() -> dict[str, int]:
    """The vault and its queue."""
    with Anvil.start() as node:
        world = build_world(deploy_core(Chain.connect(node.ipc)))
        alone = {f"no stake: {what}": gas for what, gas in without_stake(world).items()}
        return alone | _gas(with_syncs(world))


def oracle_gas() -> dict[str, int]:
    """Market and router over the real oracle."""
    with Anvil.start() as node:
        return _gas(oracle_rows(Chain.connect(node.ipc)))


def tokens_gas() -> dict[str, int]:
    """Leveraged tokens and the backstop, over the real oracle."""
    with Anvil.start() as node:
        return derivative_gas(Chain.connect(node.ipc))


def _gas(rows: list[Row]) -> dict[str, int]:
    return {row.operation: row.relever for row in rows}


def changes(old: Figures, new: Figures) -> list[str]:
    """A line for each figure that is not the same in both."""
    lines: list[str] = []
    for unit in sorted({*old, *new}):
        before, after = old.get(unit, {}), new.get(unit, {})
        for name in (*before, *(name for name in after if name not in before)):
            if name not in after:
                lines.append(f"{name}: gone, was {before[name]:,} {unit}")
            elif name not in before:
                lines.append(f"{name}: new, {after[name]:,} {unit}")
            elif before[name] != after[name]:
                was, now = before[name], after[name]
                lines.append(f"{name}: {was:,} -> {now:,} {unit} ({now - was:+,})")
    return lines


def load() -> Figures:
    """The figures in the snapshot."""
    figures: Figures = json.loads(SNAPSHOT.read_text(encoding="utf-8"))
    return figures


def main() -> int:
    """Write the snapshot and say what changed."""
    new = measure()
    old = load() if SNAPSHOT.exists() else {}
    SNAPSHOT.parent.mkdir(parents=True, exist_ok=True)
    SNAPSHOT.write_text(json.dumps(new, indent=2) + "\n", encoding="utf-8")
    for line in changes(old, new) or ["nothing changed"]:
        print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
