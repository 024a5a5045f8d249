"""Gas of ours beside that of peers, compiled from their sources and run on the same Anvil.

Each figure is the gas used by a whole transaction that an account sends. The exit code is 1 when a
target is missed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from bench.derivatives import derivative_rows
from bench.market import market_rows
from bench.oracle import oracle_rows
from bench.peers import Code, compile_peers
from bench.report import Row, table, verdict, write
from bench.router import router_rows
from bench.vaults import vault_rows
from relever.artifacts import CompileError, artifacts
from relever.baselayer import build_world, deploy_core
from relever.chain import Anvil, AnvilError, Chain
from relever.parts import PartError

OUTPUT = Path(__file__).resolve().parents[1] / "build" / "bench" / "gas.json"
HARDFORK = "prague"
WIDTH = 110  # columns of the table where there is no terminal to ask: no row breaks in it
TITLE = f"Gas of whole transactions (Anvil, {HARDFORK})"
CAPTION = (
    "new user, first: who had nothing there; cold: nobody had; before a colon: of what, or when"
)
# What is deployed, named here to be compiled side by side.
OURS = (
    *("LRTVault", "WithdrawalQueue", "SidePocket", "EigenLayerAdapter", "SymbioticAdapter"),
    *("StETHDouble", "WstETHDouble", "EigenPodManagerDouble", "AVSRegistrarDouble"),
    *("MarketFactory", "LendingMarket", "OneWordOracle", "FlashLooper"),
)


PARTS = ("market", "oracle", "router", "vault", "derivatives")


def measure(code: Code, parts: Sequence[str]) -> list[Row]:
    """Every row of these parts, on one chain of its own."""
    rows: list[Row] = []
    with Anvil.start(hardfork=HARDFORK) as node:
        chain = Chain.connect(node.ipc)
        if "market" in parts:
            rows += market_rows(chain, code)
        if "oracle" in parts:
            rows += oracle_rows(chain)
        if "router" in parts:
            rows += router_rows(chain, code)
        if "vault" in parts:
            with chain.isolated():
                rows += vault_rows(build_world(deploy_core(chain)), code)
        if "derivatives" in parts:
            rows += derivative_rows(chain, code)
    return rows


def main() -> int:
    """Compile the peers, measure, print the table, write build/bench/gas.json; the exit code."""
    parser = argparse.ArgumentParser(prog="bench-gas", description=__doc__)
    parser.add_argument("part", nargs="*", help=f"what to measure: {', '.join(PARTS)}; else all")
    parts = parser.parse_args().part or PARTS
    if unknown := set(parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    width = None if sys.stdout.isatty() else WIDTH
    out, log = Console(highlight=False, width=width), Console(stderr=True, highlight=False)

    def compiled(name: str) -> None:
        log.print(f"  {name}", style="dim")

    try:
        log.print("Compiling peers and ours (kept under build/ for the next time) ...")
        with log.status("compiling"):
            artifacts(OURS, compiled)
            code = compile_peers(compiled)
        with log.status("measuring"):
            rows = measure(code, parts)
    except (AnvilError, CompileError, PartError) as error:
        log.print(f"bench-gas: {error}", style="red", markup=False, soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        log.print("bench-gas: stopped")
        return 130
    write(rows, OUTPUT)
    out.print(table(rows, TITLE, CAPTION))
    return verdict(rows, log)


if __name__ == "__main__":
    sys.exit(main())
