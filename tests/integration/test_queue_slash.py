"""The withdrawal queue over EigenLayer itself: who waits shares a slash, who is paid does not."""

from collections.abc import Iterator

import pytest

from relever.baselayer import build_world, deploy_core
from relever.chain import Anvil, Chain, Contract, Revert
from tests.suites import (
    DAY,
    PATIENCE,
    SEED,
    UNLIMITED,
    VIRTUAL,
    WAD,
    Suite,
    deploy_adapter,
    deploy_exits,
    deploy_vault,
    enter,
    stake,
)


class LineSuite(Suite):
    """The depositor holds 60 shares, the lender 40; 80 are staked in EigenLayer, 20 idle."""

    @property
    def adapter(self) -> Contract:
        return self.adapters[0]

    @property
    def leaver(self) -> str:
        return self.world.roles.depositor

    @property
    def stayer(self) -> str:
        return self.world.roles.lender

    def bring_home(self, exit_id: int) -> None:
        self.world.pass_withdrawal_delay()
        self.finish_exit(self.adapter, exit_id)


@pytest.fixture(scope="module")
def built() -> Iterator[LineSuite]:
    with Anvil.start() as node:
        world = build_world(deploy_core(Chain.connect(node.ipc)))
        roles, vault = world.roles, deploy_vault(world)
        adapter = deploy_adapter(world, vault)
        queue = deploy_exits(world, vault)
        for who, amount in ((roles.depositor, 60), (roles.lender, 40)):
            enter(world, vault, who, amount * WAD)
        stake(world, vault, adapter, 80 * WAD)
        yield LineSuite(world, vault, queue, (adapter,))


@pytest.fixture
def suite(built: LineSuite) -> Iterator[LineSuite]:
    with built.world.chain.isolated():
        yield built


def test_slash__while_waiting__is_shared_by_who_leaves_and_who_stays(suite: LineSuite) -> None:
    vault, leaver, stayer = suite.vault, suite.leaver, suite.stayer
    request = suite.join(60 * WAD, leaver)
    exit_id = suite.start_exit(suite.adapter, 50 * WAD)
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


def test_slash__request_of_the_whole_supply__everybody_gets_the_same(suite: LineSuite) -> None:
    first = suite.join(60 * WAD, suite.leaver)
    second = suite.join(40 * WAD, suite.stayer)
    exit_id = suite.start_exit(suite.adapter, 80 * WAD)
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


def test_slash__after_part_was_filled__reaches_only_what_still_waits(suite: LineSuite) -> None:
    leaver = suite.leaver
    request = suite.join(60 * WAD, leaver)
    suite.finalize()
    aside = suite.queue.set_aside()
    assert aside == 20 * WAD + SEED
    suite.world.slash(WAD // 2)
    exit_id = suite.start_exit(suite.adapter, UNLIMITED >> 8)
    suite.bring_home(exit_id)
    assert suite.queue.set_aside() == aside
    suite.finalize()
    suite.conserved()
    rest = 60 * WAD - aside
    expected = aside + rest * (40 * WAD + VIRTUAL) // (80 * WAD + VIRTUAL)
    paid = suite.claim(request, leaver)
    assert expected - 2 <= paid <= expected


def test_slash__after_it_was_finalised__leaves_the_claim_alone(suite: LineSuite) -> None:
    request = suite.join(60 * WAD, suite.leaver)
    exit_id = suite.start_exit(suite.adapter, 50 * WAD)
    suite.bring_home(exit_id)
    suite.finalize()
    suite.world.slash(WAD)
    suite.vault.sync()
    suite.conserved()
    assert suite.claim(request, suite.leaver) == 60 * WAD


def test_slash__between_the_exit_and_the_request__is_paid_at_the_rate_of_the_request(
    suite: LineSuite,
) -> None:
    """A gain after the request stays with the others, a loss before it is in its rate already."""
    suite.world.slash(WAD // 4)
    request = suite.join(60 * WAD, suite.leaver)
    worth = suite.queue.request(request).assets
    assert worth == 60 * WAD * (80 * WAD + SEED + VIRTUAL) // (100 * WAD + SEED + VIRTUAL)
    suite.vault.pay_rewards(8 * WAD, sender=suite.stayer)
    suite.world.chain.advance(7 * DAY)
    exit_id = suite.start_exit(suite.adapter, 40 * WAD)
    suite.bring_home(exit_id)
    suite.finalize()
    suite.conserved()
    assert suite.claim(request, suite.leaver) == worth


def test_overdue__nobody_takes_stake_back__a_stranger_does(suite: LineSuite) -> None:
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


def test_everything_slashed__with_a_line__pays_what_is_idle(suite: LineSuite) -> None:
    first = suite.join(60 * WAD, suite.leaver)
    second = suite.join(40 * WAD, suite.stayer)
    suite.world.slash(WAD)
    suite.finalize()
    suite.conserved()
    paid = [suite.claim(first, suite.leaver), suite.claim(second, suite.stayer)]
    total, supply = 20 * WAD + SEED + VIRTUAL, 100 * WAD + SEED + VIRTUAL
    assert paid == [60 * WAD * total // supply, 40 * WAD * total // supply]
    assert suite.vault.queued_shares() == 0
