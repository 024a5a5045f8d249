"""Symbiotic in the base layer: the parts are real, and slashing reaches what it should."""

from collections.abc import Iterator

import pytest

from relever.baselayer import SymbioticVault, World, build_world, deploy_core, load_core
from relever.baselayer.settings import local_base_layer
from relever.baselayer.symbiotic import BURNER
from relever.chain import Anvil, Chain, Event, Revert

WAD = 10**18
UNLIMITED = 2**256 - 1
STAKE = 38 * WAD


@pytest.fixture(scope="module")
def base_node() -> Iterator[Anvil]:
    with Anvil.start() as node:
        yield node


@pytest.fixture(scope="module")
def built(base_node: Anvil) -> World:
    """The depositor has put 38 wstETH into each of the two vaults."""
    world = build_world(deploy_core(Chain.connect(base_node.url)))
    core, staker = world.core, world.roles.depositor
    world.fund(staker, wsteth=2 * STAKE)
    for position in (world.symbiotic.instant, world.symbiotic.veto):
        core.wsteth.approve(position.vault.address, STAKE, sender=staker)
        position.vault.deposit(staker, STAKE, sender=staker)
    return world


@pytest.fixture
def world(built: World) -> Iterator[World]:
    with built.chain.isolated():
        yield built


def active(world: World, position: SymbioticVault) -> int:
    """What the depositor has staked there and not withdrawn."""
    balance: int = position.vault.activeBalanceOf(world.roles.depositor)
    return balance


def test_build__twice__same_addresses() -> None:
    seen = []
    for _ in range(2):
        with Anvil.start() as node:
            world = build_world(deploy_core(Chain.connect(node.url)))
            seen.append((world.symbiotic.addresses(), world.chain.block_number))
    assert seen[0] == seen[1]
    assert len(set(seen[0][0].values())) == 8


def test_build__settings__are_in_force(world: World) -> None:
    symbiotic, settings = world.symbiotic, local_base_layer()
    for position, slasher_type in ((symbiotic.instant, 0), (symbiotic.veto, 1)):
        vault = position.vault
        assert vault.isInitialized()
        assert vault.version() == 1
        assert vault.collateral() == world.core.wsteth.address
        assert vault.epochDuration() == settings.symbiotic_epoch_duration_seconds
        assert vault.delegator() == position.delegator.address
        assert vault.slasher() == position.slasher.address
        assert position.slasher.TYPE() == slasher_type
    slasher = symbiotic.veto.slasher
    assert slasher.vetoDuration() == settings.symbiotic_veto_duration_seconds
    assert slasher.resolver(symbiotic.subnetwork, b"") == world.roles.resolver


def test_slash__instant__takes_exactly_the_amount(world: World) -> None:
    position = world.symbiotic.instant
    captured = world.chain.timestamp

    receipt = world.symbiotic.slash(WAD)

    assert active(world, position) == STAKE - WAD
    assert world.core.wsteth.balanceOf(BURNER) == WAD
    arguments = {
        "subnetwork": world.symbiotic.subnetwork,
        "operator": world.roles.operator,
        "slashedAmount": WAD,
        "captureTimestamp": captured,
    }
    assert receipt.events[-1] == Event("Slash", arguments, position.slasher.address)
    assert active(world, world.symbiotic.veto) == STAKE


@pytest.mark.parametrize("kind", ["instant", "veto"])
def test_slash__everything__leaves_nothing(world: World, kind: str) -> None:
    symbiotic = world.symbiotic
    if kind == "instant":
        symbiotic.slash(UNLIMITED)
    else:
        index = symbiotic.request_slash(UNLIMITED)
        symbiotic.pass_veto_window()
        symbiotic.execute_slash(index)
    assert active(world, getattr(symbiotic, kind)) == 0


def test_slash__more_than_an_epoch_late__refused(world: World) -> None:
    captured = world.chain.timestamp
    world.chain.advance(world.symbiotic.instant.vault.epochDuration() + 1)
    with pytest.raises(Revert) as failure:
        world.symbiotic.slash(WAD, captured)
    assert failure.value.reason == "InvalidCaptureTimestamp()"


def test_execute_slash__within_the_veto_window__refused_until_it_ends(world: World) -> None:
    symbiotic = world.symbiotic
    index = symbiotic.request_slash(WAD)
    world.chain.advance(symbiotic.veto.slasher.vetoDuration() - 1)
    with pytest.raises(Revert) as failure:
        symbiotic.execute_slash(index)
    assert failure.value.reason == "VetoPeriodNotEnded()"
    assert active(world, symbiotic.veto) == STAKE
    world.chain.advance(1)
    symbiotic.execute_slash(index)
    assert active(world, symbiotic.veto) == STAKE - WAD


def test_veto_slash__requested__never_executes(world: World) -> None:
    symbiotic = world.symbiotic
    index = symbiotic.request_slash(WAD)
    symbiotic.veto_slash(index)
    symbiotic.pass_veto_window()
    with pytest.raises(Revert) as failure:
        symbiotic.execute_slash(index)
    assert failure.value.reason == "SlashRequestCompleted()"


def test_withdraw__either_end_of_an_epoch__claimable_after_the_next(world: World) -> None:
    position, staker = world.symbiotic.instant, world.roles.depositor
    position.vault.withdraw(staker, WAD, sender=staker)
    epoch = position.vault.currentEpoch() + 1
    position.pass_epoch()
    with pytest.raises(Revert) as failure:
        position.vault.claim(staker, epoch, sender=staker)
    assert failure.value.reason == "InvalidEpoch()"
    position.pass_epoch()
    position.vault.claim(staker, epoch, sender=staker)
    assert world.core.wsteth.balanceOf(staker) == WAD
    position.vault.withdraw(staker, WAD, sender=staker)
    position.pass_exit_delay()
    position.vault.claim(staker, epoch + 2, sender=staker)
    assert world.core.wsteth.balanceOf(staker) == 2 * WAD


def test_fork__of_a_built_chain__same_vaults_live_on(base_node: Anvil, world: World) -> None:
    with Anvil.fork(base_node.url) as node:
        forked = world.on(Chain.connect(node.url))
        assert forked.symbiotic.addresses() == world.symbiotic.addresses()
        forked.symbiotic.slash(WAD)
        assert active(forked, forked.symbiotic.instant) == STAKE - WAD
    assert active(world, world.symbiotic.instant) == STAKE


def test_build_world__on_a_core_found_by_address__slashable() -> None:
    with Anvil.start() as node:
        core = deploy_core(Chain.connect(node.url))
        found = load_core(core.chain, core.addresses())
        world = build_world(found)
        staker = world.roles.depositor
        world.fund(staker, wsteth=WAD)
        vault = world.symbiotic.instant.vault
        found.wsteth.approve(vault.address, WAD, sender=staker)
        vault.deposit(staker, WAD, sender=staker)
        world.symbiotic.slash(WAD // 4)
        assert vault.activeBalanceOf(staker) == 3 * WAD // 4
