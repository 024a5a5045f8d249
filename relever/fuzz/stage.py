"""Where the fuzzer plays: the suite with everybody's money in it, and the model of just that."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random

from relever.artifacts import artifact
from relever.baselayer import build_world, deploy_core, load_core
from relever.chain import Anvil, Call, Chain
from relever.chain.revm import Revm
from relever.fuzz.actions.planner import Planner
from relever.fuzz.script import Author
from relever.fuzz.storage import Storage
from relever.model.deployed import KINDS, Deployed
from relever.model.parts import BORROWERS
from relever.model.protocol import Protocol
from relever.model.snapshot import Snapshot
from relever.protocol import contract_address, deploy

WAD = 10**18
# What everybody has of each token, in its unit.
EACH = 4_000 * WAD
# Markets that an example makes at most.
MARKETS = 60
# A node of a real network to stand on instead of our own with the base layer, and its name.
FORK_URL = os.environ.get("RELEVER_FORK_URL")
FORK_NETWORK = os.environ.get("RELEVER_FORK_NETWORK", "mainnet")


@dataclass
class Stage:
    """A node with the suite, after an opening that leaves something to act on; only read by us.

    Players fork it, so that each begins with this state.
    """

    node: Anvil
    deployed: Deployed
    # All players act on the one model, each from `begin` to its last step.
    model: Protocol
    begin: Snapshot
    # All words, and those that are looked at after each step where each costs a question.
    storage: Storage
    hot: Storage
    # What is called after each step: the Lens, for everything.
    look: Call

    @property
    def chain(self) -> Chain:
        return self.deployed.deployment.chain

    def author(self, storage: Storage) -> Author:
        """Who writes what is played here, with these words of storage in each line."""
        return Author(self.model, self.begin, storage, self.storage)

    @contextmanager
    def forked(self) -> Iterator[Chain]:
        """A node of its own that goes on from here."""
        with Anvil.fork(self.node.url) as node:
            # Requests by HTTP keep their order when sent in one breath; by its socket they do not.
            chain = Chain.connect(node.url)
            chain.know(self.chain)
            # Else the node asks ours for all that it reads, again in every transaction.
            chain.rpc("anvil_loadState", [self.chain.rpc("anvil_dumpState")])
            # A node gives its own accounts a balance of its own when it starts.
            for account in chain.accounts:
                chain.set_balance(account, self.chain.balance(account))
            yield chain
            chain.close()

    def in_process(self) -> Revm:
        """An EVM in this process that goes on from here."""

        def visit(evm: Revm) -> None:
            there = self.deployed.on(evm)
            # The model may still be where a sequence has left it.
            self.begin.restore()
            there.read(self.model.views(), self.model.state())
            evm.ask(self.look)

        return Revm(self.chain, self.node.url, visit)


@contextmanager
def set_up() -> Iterator[Stage]:
    """Deploy everything, hand out money, open positions. Ends the node at the end."""
    with _node() as (node, chain):
        world = build_world(load_core(chain, FORK_NETWORK) if FORK_URL else deploy_core(chain))
        deployment = deploy(world)
        deployed = Deployed.of(deployment)
        deployed.prepare(EACH)
        model = deployed.model()
        for step in Planner(model, Random(0)).opening():
            expected, found = model.step(step.action), deployed.send(step.action)
            if found.refused is not None or expected.refused is not None:
                raise RuntimeError(
                    f"the opening is refused: {step.action}: {found.refused!r} on the chain,"
                    f" {expected.refused!r} by the model"
                )
        slots = {name: artifact(kind).storage for name, kind in KINDS.items()}
        slots["steth"] = artifact("StETHDouble").storage
        slots["wsteth"] = artifact("WstETHDouble").storage
        suite = deployment.protocol
        owners = [deployed.addresses[name] for name in BORROWERS]
        look = suite.lens.watch.build(suite.market.address, owners)
        storage = Storage(deployed.addresses, slots)
        hot = Storage(deployed.addresses, slots, but_unlimited=True)
        for number in range(MARKETS):
            # Of markets that are made later.
            address = contract_address(chain, suite.factory.address, number)
            storage.learn(f"market{number + 2}", address)
            hot.learn(f"market{number + 2}", address)
        yield Stage(node, deployed, model, model.snapshot(), storage, hot, look)
        chain.close()


@contextmanager
def _node() -> Iterator[tuple[Anvil, Chain]]:
    with Anvil.fork(FORK_URL) if FORK_URL else Anvil.start() as node:
        yield node, Chain.connect(node.ipc)
