"""The withdrawal queue over EigenLayer itself: who waits shares a slash, who is paid does not."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from relever.artifacts import artifact
from relever.baselayer import World, build_world, deploy_core
from relever.chain import Anvil, Chain, Contract, Revert
from relever.protocol import contract_address

WAD = 10**18
DAY = 86_400
UNLIMITED = 2**256 - 1
NO_CAP = 2**112
NOBODY = "0x0000000000000000000000000000000000000000"
SEED = 10**15
VIRTUAL = 10**9
PATIENCE = 3 * DAY


@dataclass(frozen=True)
class Suite:
    """The depositor holds 60 shares, the lender 40; 80 are staked in EigenLayer, 20 idle."""

    world: World
    vault: Contract
    adapter: Contract
    queue: Contract

    @property
    def leaver(self) -> str:
        return self.world.roles.depositor

    @property
    def stayer(self) -> str:
        return self.world.roles.lender

    def join(self, shares: int, who: str) -> int:
        self.vault.approve(self.queue.address, shares, sender=who)
        receipt = self.queue.requestRedeem(shares, who, who, sender=who)
        return int(receipt.events[-1].args["requestId"])

    def start_exit(self, amount: int) -> int:
        receipt = self.vault.deallocate(
            self.adapter.address, amount, sender=self.world.roles.allocator
        )
        return int(receipt.events[-1].args["id"])

    def bring_home(self, exit_id: int) -> None:
        self.world.pass_withdrawal_delay()
        self.vault.finish_exit(self.adapter.address, exit_id, sender=self.world.roles.stranger)

    def finalize(self) -> None:
        self.queue.finalize(10, sender=self.world.roles.stranger)

    def claim(self, request: int, who: str) -> int:
        wsteth = self.world.core.wsteth
        had = wsteth.balanceOf(who)
        self.queue.claim(request, who, sender=who)
        return int(wsteth.balanceOf(who) - had)

    def conserved(self) -> None:
        """Every unit is idle, staked, leaving or set aside, and every token in its place."""
        vault, queue, wsteth = self.vault, self.queue, self.world.core.wsteth
        assert wsteth.balanceOf(vault.address) == vault.idle()
        assert wsteth.balanceOf(queue.address) == queue.set_aside()
        assert vault.balanceOf(queue.address) == vault.queued_shares()
        booked = vault.booked(self.adapter.address)
        assert vault.totalAssets() + vault.locked_profit() == vault.idle() + booked
        assert booked == self.adapter.staked() + self.adapter.exiting()


@pytest.fixture(scope="module")
def built() -> Iterator[Suite]:
    with Anvil.start() as node:
        world = build_world(deploy_core(Chain.connect(node.url)))
        chain, roles, core = world.chain, world.roles, world.core
        for who in (roles.owner, roles.depositor, roles.lender):
            world.fund(who, wsteth=1_000 * WAD)
        core.wsteth.approve(contract_address(chain, roles.owner, after=1), SEED, sender=roles.owner)
        vault = chain.deploy(
            artifact("LRTVault"),
            core.wsteth.address,
            "Relever LRT",
            "rLRT",
            roles.allocator,
            roles.guardian,
            7 * DAY,
            NO_CAP,
            roles.owner,
            sender=roles.owner,
        )
        adapter = chain.deploy(
            artifact("EigenLayerAdapter"),
            vault.address,
            core.wsteth_strategy.address,
            core.delegation_manager.address,
            core.strategy_manager.address,
            roles.operator,
            NOBODY,
            NOBODY,
            sender=roles.owner,
        )
        queue = chain.deploy(
            artifact("WithdrawalQueue"), vault.address, PATIENCE, sender=roles.owner
        )
        vault.add_adapter(adapter.address, NO_CAP, WAD, sender=roles.owner)
        pocket = chain.deploy(artifact("SidePocket"), vault.address, sender=roles.owner)
        vault.set_exits(queue.address, pocket.address, sender=roles.owner)
        for who, amount in ((roles.depositor, 60 * WAD), (roles.lender, 40 * WAD)):
            core.wsteth.approve(vault.address, UNLIMITED, sender=who)
            vault.deposit(amount, who, sender=who)
        vault.allocate(adapter.address, 80 * WAD, sender=roles.allocator)
        yield Suite(world, vault, adapter, queue)


@pytest.fixture
def suite(built: Suite) -> Iterator[Suite]:
    with built.world.chain.isolated():
        yield built


def test_slash__while_waiting__is_shared_by_who_leaves_and_who_stays(suite: Suite) -> None:
    vault, leaver, stayer = suite.vault, suite.leaver, suite.stayer
    request = suite.join(60 * WAD, leaver)
    exit_id = suite.start_exit(50 * WAD)
    suite.world.slash(WAD // 4)
    suite.bring_home(exit_id)

    suite.finalize()
    suite.conserved()
    paid = suite.claim(request, leaver)

    total, supply = 80 * WAD + SEED, 100 * WAD + SEED
    worth = 60 * WAD * (total + VIRTUAL) // (supply + VIRTUAL)
    assert worth - 1 <= paid <= worth
    # Both lose the same part: 60 shares to 40, to the few units that rounding and the virtual
    # assets take.
    kept = vault.previewRedeem(vault.balanceOf(stayer))
    assert abs((60 * WAD - paid) * 40 - (40 * WAD - kept) * 60) <= 100 * 10
    assert vault.queued_shares() == 0


def test_slash__request_of_the_whole_supply__everybody_gets_the_same(suite: Suite) -> None:
    first = suite.join(60 * WAD, suite.leaver)
    second = suite.join(40 * WAD, suite.stayer)
    exit_id = suite.start_exit(80 * WAD)
    suite.world.slash(WAD // 2)
    suite.finalize()
    suite.conserved()
    suite.bring_home(exit_id)
    suite.finalize()
    suite.conserved()
    paid = [suite.claim(first, suite.leaver), suite.claim(second, suite.stayer)]
    # Of 100 and the seed 40 are lost; the seed stays behind with what is left of it. The virtual
    # parts count; what the first one's two fills round down is shared by who comes after.
    total, supply = 60 * WAD + SEED + VIRTUAL, 100 * WAD + SEED + VIRTUAL
    worth = [shares * total // supply for shares in (60 * WAD, 40 * WAD)]
    assert worth[0] - 2 <= paid[0] <= worth[0]
    assert worth[1] - 1 <= paid[1] <= worth[1] + 2
    assert suite.queue.set_aside() == suite.vault.queued_shares() == 0
    assert suite.vault.totalAssets() <= SEED


def test_slash__after_part_was_filled__reaches_only_what_still_waits(suite: Suite) -> None:
    leaver = suite.leaver
    request = suite.join(60 * WAD, leaver)
    suite.finalize()
    aside = suite.queue.set_aside()
    assert aside == 20 * WAD + SEED
    suite.world.slash(WAD // 2)
    exit_id = suite.start_exit(UNLIMITED >> 8)
    suite.bring_home(exit_id)
    assert suite.queue.set_aside() == aside
    suite.finalize()
    suite.conserved()
    rest = 60 * WAD - aside
    expected = aside + rest * (40 * WAD + VIRTUAL) // (80 * WAD + VIRTUAL)
    paid = suite.claim(request, leaver)
    assert expected - 2 <= paid <= expected


def test_slash__after_it_was_finalised__leaves_the_claim_alone(suite: Suite) -> None:
    request = suite.join(60 * WAD, suite.leaver)
    exit_id = suite.start_exit(50 * WAD)
    suite.bring_home(exit_id)
    suite.finalize()
    suite.world.slash(WAD)
    suite.vault.sync()
    suite.conserved()
    assert suite.claim(request, suite.leaver) == 60 * WAD


def test_slash__between_the_exit_and_the_request__is_paid_at_the_rate_of_the_request(
    suite: Suite,
) -> None:
    """A gain after the request stays with the others, a loss before it is in its rate already."""
    suite.world.slash(WAD // 4)
    request = suite.join(60 * WAD, suite.leaver)
    worth = suite.queue.request(request).assets
    assert worth == 60 * WAD * (80 * WAD + SEED + VIRTUAL) // (100 * WAD + SEED + VIRTUAL)
    suite.vault.pay_rewards(8 * WAD, sender=suite.stayer)
    suite.world.chain.advance(7 * DAY)
    exit_id = suite.start_exit(40 * WAD)
    suite.bring_home(exit_id)
    suite.finalize()
    suite.conserved()
    assert suite.claim(request, suite.leaver) == worth


def test_overdue__nobody_takes_stake_back__a_stranger_does(suite: Suite) -> None:
    stranger = suite.world.roles.stranger
    request = suite.join(60 * WAD, suite.leaver)
    with pytest.raises(Revert) as failure:
        suite.queue.pull_back(suite.adapter.address, UNLIMITED, sender=stranger)
    assert failure.value.reason == "queue: not overdue"
    suite.world.chain.advance(PATIENCE)
    receipt = suite.queue.pull_back(suite.adapter.address, UNLIMITED, sender=stranger)
    pulled = receipt.events[-1].args
    assert pulled["amount"] == 60 * WAD - 20 * WAD - SEED
    suite.bring_home(pulled["exit_id"])
    suite.finalize()
    suite.conserved()
    # EigenLayer rounds the exit down by some units: they wait on, the rest is paid.
    assert 60 * WAD - 100 <= suite.claim(request, suite.leaver) <= 60 * WAD


def test_everything_slashed__with_a_line__pays_what_is_idle(suite: Suite) -> None:
    first = suite.join(60 * WAD, suite.leaver)
    second = suite.join(40 * WAD, suite.stayer)
    suite.world.slash(WAD)
    suite.finalize()
    suite.conserved()
    paid = [suite.claim(first, suite.leaver), suite.claim(second, suite.stayer)]
    total, supply = 20 * WAD + SEED + VIRTUAL, 100 * WAD + SEED + VIRTUAL
    assert paid == [60 * WAD * total // supply, 40 * WAD * total // supply]
    assert suite.vault.queued_shares() == 0
