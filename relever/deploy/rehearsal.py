"""The whole deployment on a fork first: what each step takes, and whether the end is right."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from eth_account.signers.local import LocalAccount

from relever.chain import Anvil, Chain, Rpc
from relever.deploy.facts import Difference
from relever.deploy.plan import Plan
from relever.deploy.record import describe, genesis, opened
from relever.deploy.runner import Progress, RunError, Runner, prices
from relever.deploy.settings import Settings
from relever.deploy.suite import NOBODY
from relever.deploy.verify import verify

# What the account has on the fork, so that what is too little there is known in the end.
_ENOUGH = 10**24


@dataclass
class Rehearsal:
    """What came of it. Gas by step, 0 for what is done already; prices in wei.

    Attributes:
        places: where each step's contract will be.
        price: for a unit of gas on the network now, the next block's base fee and the tip.
        seeds: ether that becomes the seeds' and the first loan's tokens, 0 when that is done.
        balance: the account's on the network.
    """

    gas: dict[str, int] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    price: int = 0
    seeds: int = 0
    balance: int = 0

    @property
    def cost(self) -> int:
        """Of all that is left to do, in wei."""
        return sum(self.gas.values()) * self.price + self.seeds


def rehearse(
    url: str, settings: Settings, network: str, account: LocalAccount, path: Path
) -> Rehearsal:
    """Play what is left to do on a fork of the node's chain.

    Args:
        path: the record to go on from, which stays as it is.

    Raises:
        RunError: a step would fail, the end would not be as it should, or ether is missing.
        AnvilError, PartError, RpcError: there is no fork to play on.
    """
    upstream = Chain(Rpc(url), [NOBODY])
    with (
        Anvil.fork(url, chain_id=upstream.chain_id) as node,
        tempfile.TemporaryDirectory() as folder,
    ):
        chain = Chain(Rpc(node.url, timeout=300), [NOBODY])
        chain.rpc("evm_setAutomine", [True])
        chain.set_balance(account.address, _ENOUGH)
        plan = Plan(chain, settings, account.address)
        found = Rehearsal(price=sum(prices(upstream)), balance=upstream.balance(account.address))
        found.places = {
            step.name: step.creation.address for step in plan.steps if step.creation is not None
        }

        def note(progress: Progress) -> None:
            found.gas[progress.step] = progress.gas

        copy = Path(folder) / path.name
        if path.exists():
            shutil.copy(path, copy)
        about = describe(plan, network, genesis(upstream))
        with opened(copy, about) as record:
            Runner(
                chain, account, plan, record, confirmations=0, poll_seconds=0.01, tell=note
            ).run()
            wrong = verify(plan, about, record.document())
        if found.gas.get("seeds"):
            found.seeds = plan.cost_of_seeds()
        chain.close()
    _check(found, wrong, account.address)
    return found


def _check(found: Rehearsal, wrong: list[Difference], address: str) -> None:
    if wrong:
        listed = "; ".join(map(str, wrong))
        raise RunError(f"on a fork, the end is not as it should be: {listed}. Nothing was sent")
    if found.balance < found.cost:
        raise RunError(
            f"{address} has {found.balance / 10**18:.6f} ether, and the deployment takes about "
            f"{found.cost / 10**18:.6f} ({found.seeds / 10**18:.6f} of it for seeds and the first "
            "loan): send it the rest, and half as much again, for prices change. Nothing was sent"
        )
