"""LRT out of nothing, brought to the market as collateral.

After Kelp's rsETH (2026-04-18): one forged message of a bridge made 116,500 rsETH, 18 % of the
supply, and lenders that took it as collateral had more than 124 million dollars of bad debt. Here
the forger writes the vault's storage: how the supply came to be is not what the gate asks.
After Bedrock's uniBTC too (2024-09-26): books that the tokens held do not cover.
"""

import pytest

from relever.chain import Contract
from relever.protocol import UNLIMITED, WAD, Deployment
from tests.scene import (
    ETHER,
    REDEEM,
    SWAP,
    open_leveraged,
    pass_days,
    restake,
    reverts,
)
from tests.unit.router.conftest import FREE

HOUR = 3_600
SUPPLY = 400_000 * ETHER
# Kelp's: 18 % of what there was.
FORGED = SUPPLY * 18 // 100


@pytest.fixture
def large(scene: Deployment) -> Deployment:
    """An LRT as large as those that were forged, its launch explained; loopers in the market."""
    protocol, roles = scene.protocol, scene.roles
    protocol.vault.set_deposit_cap(10 * SUPPLY, sender=roles.owner)
    restake(scene, SUPPLY)
    pass_days(scene, 1)
    protocol.oracle.accept_supply(protocol.vault.totalSupply(), sender=roles.owner)
    open_leveraged(scene, 3 * ETHER, 10 * ETHER)
    open_leveraged(scene, 3 * ETHER, 28 * ETHER, owner=roles.trader)
    assert protocol.oracle.supply_gate()[0]
    return scene


def slot_of(scene: Deployment, token: Contract, read: bytes) -> str:
    """The one storage slot that a view of the token reads."""
    call = {"to": token.address, "data": "0x" + read.hex()}
    listed = scene.chain.rpc("eth_createAccessList", [call, "latest"])["accessList"]
    (keys,) = [entry["storageKeys"] for entry in listed if entry["storageKeys"]]
    (slot,) = keys
    return str(slot)


def write(scene: Deployment, token: Contract, read: bytes, value: int) -> None:
    slot = slot_of(scene, token, read)
    scene.chain.rpc("anvil_setStorageAt", [token.address, slot, f"0x{value:064x}"])


def forge(scene: Deployment, amount: int) -> None:
    """The attacker has `amount` LRT more, and nobody paid."""
    vault, attacker = scene.protocol.vault, scene.roles.stranger
    write(scene, vault, vault.totalSupply.encode(), vault.totalSupply() + amount)
    held = vault.balanceOf(attacker)
    write(scene, vault, vault.balanceOf.encode(attacker), held + amount)
    assert vault.balanceOf(attacker) == held + amount
    vault.approve(scene.protocol.market.address, UNLIMITED, sender=attacker)


def try_to_borrow(scene: Deployment, collateral: int, debt: int) -> None:
    """The attacker brings LRT and borrows."""
    market, attacker = scene.protocol.market, scene.roles.stranger
    market.adjust(attacker, collateral, debt, attacker, sender=attacker)


def test_forged_supply__as_collateral__borrows_nothing(large: Deployment) -> None:
    protocol, roles = large.protocol, large.roles
    forge(large, FORGED)
    before = large.world.core.weth.balanceOf(protocol.market.address)
    for debt in (ETHER, before // 2):
        with reverts("oracle: supply burst"):
            try_to_borrow(large, FORGED, debt)
    # Not bit by bit either, nor after a poke, nor by whoever is handed the tokens.
    protocol.oracle.poke(sender=roles.stranger)
    with reverts("oracle: supply burst"):
        try_to_borrow(large, 100 * ETHER, ETHER)
    protocol.vault.transfer(roles.keeper, FORGED // 2, sender=roles.stranger)
    protocol.vault.approve(protocol.market.address, UNLIMITED, sender=roles.keeper)
    with reverts("oracle: supply burst"):
        protocol.market.adjust(roles.keeper, ETHER, ETHER // 2, roles.keeper, sender=roles.keeper)
    assert large.world.core.weth.balanceOf(protocol.market.address) == before
    assert protocol.market.position(roles.stranger) == (0, 0)


def test_forged_supply__gate_is_what_stops_it(large: Deployment) -> None:
    """The same call goes through where the owner takes the forgery for explained."""
    protocol, roles = large.protocol, large.roles
    forge(large, FORGED)
    with reverts("oracle: supply burst"):
        try_to_borrow(large, FORGED, 500 * ETHER)
    protocol.oracle.accept_supply(UNLIMITED, sender=roles.owner)
    try_to_borrow(large, FORGED, 500 * ETHER)


def test_forged_supply__in_parts_and_between_pokes__stays_under_the_bound(
    large: Deployment,
) -> None:
    """9 % go through, as the terms say; what comes next does not, however often it pokes."""
    protocol, roles = large.protocol, large.roles
    forge(large, SUPPLY * 9 // 100)
    try_to_borrow(large, ETHER, ETHER // 2)
    accepted = SUPPLY * 9 // 100
    for _ in range(12):
        large.chain.advance(HOUR // 2)
        protocol.oracle.poke(sender=roles.stranger)
        forge(large, SUPPLY // 100)
        accepted += SUPPLY // 100
        protocol.oracle.poke(sender=roles.stranger)
        if not protocol.oracle.supply_gate()[0]:
            break
    # In an hour or two it has had one capacity and what is accepted in that time.
    assert accepted <= SUPPLY * 12 // 100
    with reverts("oracle: supply burst"):
        try_to_borrow(large, ETHER, ETHER // 2)
    # Burning it all and making it anew does not help.
    burnt = protocol.vault.balanceOf(roles.stranger)
    forge(large, -burnt)
    protocol.oracle.poke(sender=roles.stranger)
    forge(large, burnt)
    with reverts("oracle: supply burst"):
        try_to_borrow(large, ETHER, ETHER // 2)


def test_forged_supply__while_shut__who_repays_closes_or_liquidates_goes_on(
    large: Deployment,
) -> None:
    protocol, roles, core = large.protocol, large.roles, large.world.core
    market = protocol.market
    forge(large, FORGED)
    protocol.oracle.poke(sender=roles.keeper)
    with reverts("oracle: supply burst"):
        market.borrow(ETHER, roles.borrower, roles.borrower, sender=roles.borrower)
    with reverts("oracle: supply burst"):
        market.withdraw_collateral(ETHER, roles.borrower, roles.borrower, sender=roles.borrower)

    # Repay and add collateral.
    large.world.fund(roles.borrower, weth=ETHER)
    core.weth.approve(market.address, ETHER, sender=roles.borrower)
    market.repay(ETHER, roles.borrower, sender=roles.borrower)
    restake(large, 2 * ETHER, roles.borrower)
    protocol.vault.approve(market.address, ETHER, sender=roles.borrower)
    market.supply_collateral(ETHER, roles.borrower, sender=roles.borrower)

    # The forgery thins every share, so that the highest leverage is under water: it is liquidated.
    with reverts("market: healthy"):
        protocol.liquidator.liquidate(
            market.address, roles.looper, UNLIMITED, SWAP, 0, sender=roles.keeper
        )
    _, debt = market.position(roles.trader)
    protocol.liquidator.liquidate(
        market.address, roles.trader, UNLIMITED, SWAP, 0, sender=roles.keeper
    )
    assert market.position(roles.trader)[1] < debt

    # Close in part and whole, withdraw collateral that bears no debt, take back what was lent.
    collateral, debt = market.position(roles.looper)
    for part, repaid in (
        (collateral // 4, debt // 4 + 2),
        (collateral - collateral // 4, UNLIMITED),
    ):
        protocol.router.close(market.address, part, repaid, REDEEM, FREE, sender=roles.looper)
    assert market.position(roles.looper) == (0, 0)
    restake(large, 2 * ETHER, roles.keeper)
    protocol.vault.approve(market.address, ETHER, sender=roles.keeper)
    market.supply_collateral(ETHER, roles.keeper, sender=roles.keeper)
    market.withdraw_collateral(ETHER, roles.keeper, roles.keeper, sender=roles.keeper)
    market.withdraw(ETHER, roles.lender, roles.lender, sender=roles.lender)


def test_real_supply_in_a_burst__opens_with_time(large: Deployment) -> None:
    """A fifth comes at once by honest deposits. Nobody explains it; keepers poke."""
    protocol, roles = large.protocol, large.roles
    restake(large, SUPPLY // 5, roles.keeper)
    protocol.oracle.poke(sender=roles.keeper)
    # A whole capacity too much, of which the growing capacity covers a tenth.
    for _ in range(21):
        with reverts("oracle: supply burst"):
            protocol.market.borrow(ETHER, roles.borrower, roles.borrower, sender=roles.borrower)
        large.chain.advance(HOUR)
        large.answer_fundamental()
        protocol.oracle.poke(sender=roles.keeper)
    protocol.market.borrow(ETHER, roles.borrower, roles.borrower, sender=roles.borrower)


def test_real_supply_in_a_burst__withdrawn_again__opens_at_once(large: Deployment) -> None:
    protocol, roles = large.protocol, large.roles
    before = protocol.oracle.supply_gate()
    restake(large, SUPPLY // 5, roles.keeper)
    protocol.oracle.poke(sender=roles.keeper)
    with reverts("oracle: supply burst"):
        protocol.oracle.price()
    shares = protocol.vault.balanceOf(roles.keeper)
    protocol.vault.redeem(shares, roles.keeper, roles.keeper, sender=roles.keeper)
    assert protocol.oracle.supply_gate() == before
    protocol.market.borrow(ETHER, roles.borrower, roles.borrower, sender=roles.borrower)


def test_burst_by_leaving_and_coming_again__in_one_block__shuts_nothing(
    large: Deployment,
) -> None:
    """A whale, or who borrows its tokens for one transaction, cannot stop others from borrowing."""
    protocol, roles, core = large.protocol, large.roles, large.world.core
    vault, whale = protocol.vault, roles.depositor
    core.wsteth.approve(vault.address, UNLIMITED, sender=whale)
    for _ in range(3):
        large.chain.advance(12)
        shares = vault.balanceOf(whale) // 2
        assert shares > 3 * protocol.oracle.supply_gate()[2] // 2
        assets = vault.redeem(shares, whale, whale, sender=whale).events[-1].args["assets"]
        protocol.oracle.poke(sender=whale)
        vault.deposit(assets, whale, sender=whale)
        protocol.oracle.poke(sender=whale)
        assert protocol.oracle.supply_gate()[0]
    protocol.market.borrow(ETHER, roles.borrower, roles.borrower, sender=roles.borrower)


def test_owners_word__given_before_a_forgery__does_not_cover_it(large: Deployment) -> None:
    """The owner's call waits in a timelock; the forger comes first."""
    protocol, roles = large.protocol, large.roles
    restake(large, SUPPLY // 5, roles.keeper)
    explained = protocol.vault.totalSupply()
    forge(large, FORGED)
    with reverts("oracle: not the vault's owner"):
        protocol.oracle.accept_supply(UNLIMITED, sender=roles.stranger)
    protocol.oracle.accept_supply(explained, sender=roles.owner)
    opened, level, _ = protocol.oracle.supply_gate()
    assert (opened, level) == (False, FORGED)
    with reverts("oracle: supply burst"):
        try_to_borrow(large, FORGED, ETHER)


def test_tokens_gone_from_the_vault__borrows_nothing_and_repays(large: Deployment) -> None:
    """The books still say what they said; the tokens behind them do not."""
    protocol, roles, core = large.protocol, large.roles, large.world.core
    vault, market = protocol.vault, protocol.market
    held = core.wsteth.balanceOf(vault.address)
    assert held == vault.idle()
    write(large, core.wsteth, core.wsteth.balanceOf.encode(vault.address), held - 1)
    with reverts("oracle: supply unbacked"):
        market.borrow(ETHER, roles.borrower, roles.borrower, sender=roles.borrower)
    large.world.fund(roles.borrower, weth=ETHER)
    core.weth.approve(market.address, ETHER, sender=roles.borrower)
    market.repay(ETHER, roles.borrower, sender=roles.borrower)
    assert protocol.oracle.liquidation_prices()[2]
    # A gift puts it right: who would shut the gate by one cannot.
    large.world.fund(roles.trader, wsteth=2)
    core.wsteth.transfer(vault.address, 2, sender=roles.trader)
    assert protocol.oracle.supply_gate()[0]
    market.borrow(ETHER, roles.borrower, roles.borrower, sender=roles.borrower)


def test_suite__normal_looping__is_never_near_the_gate(scene: Deployment) -> None:
    """The local parameters leave room for a young LRT that loopers multiply."""
    oracle = scene.protocol.oracle
    for equity in (10 * ETHER, 20 * ETHER, 20 * ETHER):
        open_leveraged(scene, equity, 8 * equity)
    opened, level, capacity = oracle.supply_gate()
    assert opened
    assert level * 10 < capacity == 30_000 * WAD
