"""What people own together, wherever it lies, as an exact number of loan units.

Nothing is rounded: what an attack moves between pockets does not change it, what it gains does.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from relever.artifacts import artifact
from relever.chain import Contract
from relever.protocol import PRICE_SCALE, WAD, Deployment
from tests.lrt_paths import MARKET_VIRTUAL_ASSETS, MARKET_VIRTUAL_SHARES, VAULT_VIRTUAL
from tests.scene import holdings
from tests.unit.market.conftest import Setup


def lent(market: Contract, shares: int) -> Fraction:
    """Worth of lenders' shares, in loan units."""
    state = market.state()
    assets = state.supply_assets + MARKET_VIRTUAL_ASSETS
    return Fraction(shares * assets, state.supply_shares + MARKET_VIRTUAL_SHARES)


def owned(setup: Setup, *accounts: str) -> Fraction:
    """At the market alone: tokens in hand, what is lent, collateral, less debt."""
    price = Fraction(setup.oracle.fundamental(), PRICE_SCALE)
    total = Fraction(0)
    for account in accounts:
        collateral, debt = setup.market.position(account)
        total += (setup.collateral.balanceOf(account) + collateral) * price
        total += setup.loan.balanceOf(account) - debt
        total += lent(setup.market, setup.market.balanceOf(account))
    return total


def lrt_price(scene: Deployment) -> Fraction:
    """WETH for an LRT: what is booked behind it, not rounded and under no cap."""
    vault = scene.protocol.vault
    backing = vault.totalAssets() + VAULT_VIRTUAL
    per_share = Fraction(backing, vault.totalSupply() + VAULT_VIRTUAL)
    return per_share * scene.world.core.wsteth.stEthPerToken() / WAD


def purse(scene: Deployment, *accounts: str) -> Fraction:
    """In the suite: ether and every token in hand, what is lent, collateral, less debt, in WETH."""
    core, market = scene.world.core, scene.protocol.market
    lrt, wsteth = lrt_price(scene), Fraction(core.wsteth.stEthPerToken(), WAD)
    total = Fraction(0)
    for account in accounts:
        held = holdings(scene, account)
        collateral, debt = market.position(account)
        total += held["ether"] + held["weth"] - debt + (held["lrt"] + collateral) * lrt
        total += (held["wsteth"] + held["steth shares"]) * wsteth
        total += lent(market, held["market shares"])
    return total


def in_one_transaction(
    wallet: Contract, steps: Sequence[tuple[str, bytes]], sender: str
) -> list[Any]:
    """Let a `CallbackWallet` make these calls, one after another; how each of them went."""
    wallet.set_steps(steps, sender=sender)
    wallet.on_liquidate(sender, 0, 0, b"", sender=sender)
    outcomes: list[Any] = wallet.all_outcomes()
    return outcomes


def new_wallet(scene: Deployment, sender: str) -> Contract:
    """An attacker's contract on the suite's chain."""
    return scene.chain.deploy(artifact("CallbackWallet"), sender=sender)
