"""What borrowing, liquidating and opening cost with the real oracle, over one real adapter and two.

The whole suite is deployed; the vault lists EigenLayer's adapter, or Symbiotic's too, with stake in
each and the rest idle. Every figure is of a user who has done the same before, 12 seconds after the
transaction before it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from bench.report import Row
from bench.venues import gas_of
from relever.baselayer import build_world, deploy_core
from relever.chain import Chain
from relever.model import signing
from relever.model.paths import MINT_ALL
from relever.protocol import ADAPTERS, UNLIMITED, WAD, Deployment, deploy

# Gas of each operation when it was cheapest, rounded up: no change makes it dearer unseen. The best
# of all ways was 432,000 and 491,000 before the backstop was one to try.
CEILINGS = {
    "one adapter: stop order": 780_000,
    "one adapter: liquidate many, each": 135_000,
    "one adapter: liquidate many by the best way, each": 475_000,
    "one adapter: borrow": 248_000,
    "one adapter: open": 378_000,
    "one adapter: open, rate asked": 391_000,
    "one adapter: close": 335_000,
    "one adapter: liquidate": 142_000,
    "one adapter: liquidate, no capital": 234_000,
    "two adapters: stop order": 860_000,
    "two adapters: liquidate many, each": 135_000,
    "two adapters: liquidate many by the best way, each": 534_000,
    "two adapters: borrow": 308_000,
    "two adapters: open": 444_000,
    "two adapters: open, rate asked": 457_000,
    "two adapters: close": 394_000,
    "two adapters: liquidate": 142_000,
    "two adapters: liquidate, no capital": 234_000,
}
BLOCK = 12  # seconds
LENT = 1_000 * WAD
DEPOSITED = 500 * WAD
STAKED = 200 * WAD  # in each protocol
COLLATERAL = 20 * WAD
DEBT_SHARE = 90 * WAD // 100  # of what the collateral is worth
SLASH = 12 * WAD // 100  # of the stake in EigenLayer: 4.8 % of the vault
AMOUNT = WAD
SWAP, BEST = 1, 0  # of the ways out that `IRoute` knows, and none of them
STOP_LOSS = 1
NO_BOUNDS = (0, UNLIMITED, 0, UNLIMITED, 0)


def oracle_rows(chain: Chain) -> list[Row]:
    """Every row, each with its ceiling."""
    rows: list[Row] = []
    for name, adapters in (("one adapter", ADAPTERS[:1]), ("two adapters", ADAPTERS)):
        for what, gas in play(chain, adapters).items():
            operation = f"{name}: {what}"
            rows.append(Row(operation, gas, ceiling=CEILINGS[operation]))
    return rows


def play(chain: Chain, adapters: Sequence[str]) -> dict[str, int]:
    """Gas of each operation, on a suite that is made for it and gone afterwards."""
    with chain.isolated():
        scene = deploy(build_world(deploy_core(chain)), adapters=adapters)
        _prepare(scene, adapters)
        return {
            **_of_four(scene),
            "borrow": _borrow(scene),
            "open, rate asked": _open_asking(scene),
            "open": _open(scene, MINT_ALL),
            "close": _close(scene),
            **_liquidate(scene),
        }


def _prepare(scene: Deployment, adapters: Sequence[str]) -> None:
    """A lender, a depositor whose money is staked, and a borrower at the limit."""
    world, roles, protocol = scene.world, scene.roles, scene.protocol
    vault, market = protocol.vault, protocol.market
    weth, wsteth = world.core.weth, world.core.wsteth
    world.fund(roles.lender, weth=LENT)
    weth.approve(market.address, UNLIMITED, sender=roles.lender)
    market.deposit(LENT, roles.lender, sender=roles.lender)
    world.fund(roles.depositor, wsteth=DEPOSITED)
    wsteth.approve(vault.address, UNLIMITED, sender=roles.depositor)
    vault.deposit(DEPOSITED, roles.depositor, sender=roles.depositor)
    for name in adapters:
        adapter = getattr(protocol, name)
        vault.allocate(adapter.address, STAKED, sender=roles.allocator)
    scene.answer_fundamental()
    vault.transfer(roles.borrower, COLLATERAL, sender=roles.depositor)
    vault.approve(market.address, UNLIMITED, sender=roles.borrower)
    debt = COLLATERAL * protocol.oracle.price() // 10**36 * DEBT_SHARE // WAD - 2 * AMOUNT
    market.adjust(roles.borrower, COLLATERAL, debt, roles.borrower, sender=roles.borrower)


def _borrow(scene: Deployment) -> int:
    borrower, market = scene.roles.borrower, scene.protocol.market
    return _second(scene, lambda: market.borrow(AMOUNT, borrower, borrower, sender=borrower))


def _open(scene: Deployment, mint_rate: int) -> int:
    """A looper with twice as much as it brings."""
    looper, protocol, wsteth = scene.roles.looper, scene.protocol, scene.world.core.wsteth
    router, market = protocol.router, protocol.market
    scene.world.fund(looper, wsteth=3 * AMOUNT)
    wsteth.approve(router.address, UNLIMITED, sender=looper)
    market.set_authorization(router.address, True, sender=looper)
    inputs = (market.address, wsteth.address, AMOUNT, AMOUNT, NO_BOUNDS, mint_rate)
    return _second(scene, lambda: router.open(*inputs, sender=looper))


def _open_asking(scene: Deployment) -> int:
    """The same, when the router looks for itself whether the pool gives more than minting."""
    with scene.chain.isolated():
        return _open(scene, 0)


def _close(scene: Deployment) -> int:
    """A part of what the looper has opened, sold in the pool of the LRT."""
    looper, protocol = scene.roles.looper, scene.protocol
    inputs = (protocol.market.address, AMOUNT // 2, AMOUNT // 4, SWAP, NO_BOUNDS)
    return _second(scene, lambda: protocol.router.close(*inputs, sender=looper))


def _of_four(scene: Deployment) -> dict[str, int]:
    """Positions of four more: a stop order of one, and the liquidation of all in one call."""
    protocol, roles = scene.protocol, scene.roles
    market, vault = protocol.market, protocol.vault
    owners = (roles.looper, roles.trader, roles.treasury, roles.stranger)
    with scene.chain.isolated():
        for owner in owners:
            vault.transfer(owner, COLLATERAL // 4, sender=roles.depositor)
            vault.approve(market.address, UNLIMITED, sender=owner)
            debt = COLLATERAL // 4 * protocol.oracle.price() // 10**36 * DEBT_SHARE // WAD
            market.adjust(owner, COLLATERAL // 4, debt, owner, sender=owner)
        order = _second_order(scene, owners[0])
        # Nobody liquidates for the first time.
        scene.world.slash(SLASH)
        vault.sync(sender=roles.stranger)
        scene.answer_fundamental()
        many = protocol.liquidator.liquidate_many

        def liquidate(route: int) -> int:
            with scene.chain.isolated():
                many(market.address, [roles.borrower], route, 0, sender=roles.keeper)
                scene.chain.advance(BLOCK)
                call = many(market.address, owners, route, 0, sender=roles.keeper)
                if sum(event.name == "LiquidatedFor" for event in call.events) != len(owners):
                    raise RuntimeError("not all of them were liquidated: what is said is wrong")
                return gas_of(call) // len(owners)

        return {
            "stop order": order,
            "liquidate many, each": liquidate(SWAP),
            "liquidate many by the best way, each": liquidate(BEST),
        }


def _second_order(scene: Deployment, owner: str) -> int:
    """Of a part of a position, by somebody else; the sale is tried in all ways."""
    orders, market = scene.protocol.orders, scene.protocol.market
    market.set_authorization(orders.address, True, sender=owner)

    def execute(nonce: int) -> Any:
        due, bounds = (STOP_LOSS, UNLIMITED, 0, AMOUNT), (WAD // 10, WAD // 100)
        order = (owner, market.address, *due, *bounds, 0, nonce, UNLIMITED)
        signature = signing.order(scene.chain, orders, owner, order)
        return orders.execute(order, signature, sender=scene.roles.keeper)

    nonces = iter(range(2))
    return _second(scene, lambda: execute(next(nonces)))


def _liquidate(scene: Deployment) -> dict[str, int]:
    """After a slash that anyone has booked already, at the fundamental price."""
    world, protocol, liquidator = scene.world, scene.protocol, scene.roles.liquidator
    market, borrower = protocol.market, scene.roles.borrower
    world.fund(liquidator, weth=LENT)
    world.core.weth.approve(market.address, UNLIMITED, sender=liquidator)
    world.slash(SLASH)
    protocol.vault.sync(sender=scene.roles.stranger)
    scene.answer_fundamental()

    def alone() -> Any:
        return market.liquidate(borrower, AMOUNT, 0, sender=liquidator)

    def without_capital() -> Any:
        inputs = (market.address, borrower, AMOUNT, SWAP, 0)
        return protocol.liquidator.liquidate(*inputs, sender=liquidator)

    return {
        "liquidate": _second(scene, alone),
        "liquidate, no capital": _second(scene, without_capital),
    }


def _second(scene: Deployment, act: Callable[[], Any]) -> int:
    """Gas of doing something for the second time, a block after the first."""
    act()
    scene.chain.advance(BLOCK)
    return gas_of(act())
