"""Common steps of the scenes that tests play: money in, positions open, time and prices move."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from eth_abi.abi import decode

from relever.baselayer import Pool
from relever.chain import Receipt, Revert
from relever.protocol import PRICE_SCALE, UNLIMITED, WAD, Deployment

ETHER = 10**18
DAY = 86_400
# Of the ways out; the last names none.
SWAP, REDEEM, STABLE, BACKSTOP, BEST = 1, 2, 4, 8, 0
NO_DEADLINE = 2**256 - 1


def lend(scene: Deployment, amount: int, lender: str | None = None) -> Receipt:
    """A lender supplies WETH to the market."""
    lender = lender or scene.roles.lender
    market, weth = scene.protocol.market, scene.world.core.weth
    scene.world.fund(lender, weth=amount)
    weth.approve(market.address, amount, sender=lender)
    return market.deposit(amount, lender, sender=lender)


def restake(scene: Deployment, amount: int, depositor: str | None = None) -> Receipt:
    """A depositor puts wstETH into the vault for the LRT."""
    depositor = depositor or scene.roles.depositor
    vault, wsteth = scene.protocol.vault, scene.world.core.wsteth
    scene.world.fund(depositor, wsteth=amount)
    wsteth.approve(vault.address, amount, sender=depositor)
    return vault.deposit(amount, depositor, sender=depositor)


def borrow_against(
    scene: Deployment, collateral: int, debt: int, owner: str | None = None
) -> Receipt:
    """A borrower deposits wstETH for `collateral` LRT, supplies it and borrows `debt` WETH."""
    owner = owner or scene.roles.borrower
    market, vault, wsteth = scene.protocol.market, scene.protocol.vault, scene.world.core.wsteth
    needed = vault.previewMint(collateral)
    scene.world.fund(owner, wsteth=needed)
    wsteth.approve(vault.address, needed, sender=owner)
    vault.mint(collateral, owner, sender=owner)
    vault.approve(market.address, collateral, sender=owner)
    return market.adjust(owner, collateral, debt, owner, sender=owner)


def open_leveraged(
    scene: Deployment, equity: int, borrow: int, owner: str | None = None
) -> Receipt:
    """A looper opens a position in one transaction out of `equity` wstETH and borrowed WETH."""
    owner = owner or scene.roles.looper
    router, market = scene.protocol.router, scene.protocol.market
    wsteth = scene.world.core.wsteth
    scene.world.fund(owner, wsteth=equity)
    wsteth.approve(router.address, equity, sender=owner)
    if not market.is_authorized(owner, router.address):
        market.set_authorization(router.address, True, sender=owner)
    bounds = (0, UNLIMITED, 0, NO_DEADLINE, 0)
    return router.open(market.address, wsteth.address, equity, borrow, bounds, sender=owner)


def mint_lrt(scene: Deployment, receiver: str, amount: int) -> None:
    """A trader mints LRT to the receiver."""
    vault, wsteth, trader = scene.protocol.vault, scene.world.core.wsteth, scene.roles.trader
    needed = vault.previewMint(amount)
    scene.world.fund(trader, wsteth=needed)
    wsteth.approve(vault.address, needed, sender=trader)
    vault.mint(amount, receiver, sender=trader)


def back(scene: Deployment, amount: int, depositor: str | None = None) -> Receipt:
    """A depositor puts WETH into the backstop pool."""
    depositor = depositor or scene.roles.depositor
    pool, weth = scene.protocol.backstop, scene.world.core.weth
    scene.world.fund(depositor, weth=amount)
    weth.approve(pool.address, amount, sender=depositor)
    return pool.deposit(amount, depositor, sender=depositor)


def empty_pool(scene: Deployment, pool: Pool) -> None:
    """Who made a pool takes all of its liquidity out."""
    manager, provider = scene.world.core.position_manager, scene.roles.liquidity_provider
    liquidity = manager.positions(pool.position_id)[7]
    out = (pool.position_id, liquidity, 0, 0, NO_DEADLINE)
    manager.decreaseLiquidity(out, sender=provider)
    most = 2**128 - 1
    manager.collect((pool.position_id, provider, most, most), sender=provider)
    assert pool.contract.liquidity() == 0


def stake_idle(scene: Deployment, amount: int) -> Receipt:
    """The allocator stakes idle assets of the vault in EigenLayer."""
    vault, adapter = scene.protocol.vault, scene.protocol.eigenlayer
    return vault.allocate(adapter.address, amount, sender=scene.roles.allocator)


def stake_everything(scene: Deployment) -> None:
    """The allocator leaves nothing idle: a quarter to Symbiotic, what is left to EigenLayer."""
    vault, allocator = scene.protocol.vault, scene.roles.allocator
    vault.allocate(scene.protocol.symbiotic.address, vault.idle() // 4, sender=allocator)
    vault.allocate(scene.protocol.eigenlayer.address, vault.idle(), sender=allocator)


def slash_and_sync(scene: Deployment, wad: int) -> None:
    """EigenLayer slashes the operator, anyone books it, and the feed follows."""
    scene.world.slash(wad)
    scene.protocol.vault.sync(sender=scene.roles.stranger)
    scene.answer_fundamental()


def pass_days(scene: Deployment, days: int) -> None:
    """Time passes, and the feed repeats the fundamental price at its end."""
    scene.chain.advance(days * DAY)
    scene.answer_fundamental()


def price_e36(scene: Deployment) -> int:
    """The booked fundamental price, WETH per LRT scaled by 1e36."""
    price: int = scene.protocol.oracle.fundamental()
    return price


def worth(scene: Deployment, collateral: int) -> int:
    """Collateral at the booked fundamental price, in WETH, rounded down."""
    return collateral * price_e36(scene) // PRICE_SCALE


@contextmanager
def reverts(reason: str) -> Iterator[None]:
    """The block of code must end in a revert with exactly this reason."""
    with pytest.raises(Revert) as failure:
        yield
    assert failure.value.reason == reason


def reason_of(answer: bytes) -> str:
    """The reason string that a call reverted with; empty where there is none, as of a lock."""
    if not answer:
        return ""
    assert answer[:4] == bytes.fromhex("08c379a0"), answer.hex()
    (reason,) = decode(["string"], answer[4:])
    return str(reason)


def holdings(scene: Deployment, account: str) -> dict[str, int]:
    """What an account holds of everything, in smallest units; stETH in shares: they never round."""
    core, protocol = scene.world.core, scene.protocol
    reads = {
        "weth": core.weth.balanceOf,
        "steth shares": core.steth.sharesOf,
        "wsteth": core.wsteth.balanceOf,
        "lrt": protocol.vault.balanceOf,
        "market shares": protocol.market.balanceOf,
    }
    amounts = scene.chain.read_batch([read.build(account) for read in reads.values()])
    return {"ether": scene.chain.balance(account), **dict(zip(reads, amounts, strict=True))}


def allowances_given(scene: Deployment, account: str) -> dict[str, int]:
    """What an account allows any contract of the suite to take, where it is not nothing."""
    core, protocol = scene.world.core, scene.protocol
    tokens = {
        "weth": core.weth,
        "steth": core.steth,
        "wsteth": core.wsteth,
        "lrt": protocol.vault,
        "market shares": protocol.market,
    }
    spenders = {**protocol.addresses(), "wsteth": core.wsteth.address}
    pairs = [(name, who) for name in tokens for who in spenders]
    given = scene.chain.read_batch(
        [tokens[name].allowance.build(account, spenders[who]) for name, who in pairs]
    )
    return {
        f"{name} to {who}": amount
        for (name, who), amount in zip(pairs, given, strict=True)
        if amount
    }


def assert_empty(scene: Deployment, contract: str) -> None:
    """A helper contract keeps nothing between calls: no token, no ether, no allowance given."""
    held = holdings(scene, contract)
    assert not any(held.values()), held
    assert allowances_given(scene, contract) == {}


__all__ = [
    "BACKSTOP",
    "BEST",
    "DAY",
    "ETHER",
    "NO_DEADLINE",
    "REDEEM",
    "STABLE",
    "SWAP",
    "WAD",
    "allowances_given",
    "assert_empty",
    "back",
    "borrow_against",
    "empty_pool",
    "holdings",
    "lend",
    "mint_lrt",
    "open_leveraged",
    "pass_days",
    "price_e36",
    "reason_of",
    "restake",
    "reverts",
    "slash_and_sync",
    "stake_everything",
    "stake_idle",
    "worth",
]
