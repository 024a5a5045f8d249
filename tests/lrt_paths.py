"""What the ways into and out of the LRT must give, from public numbers alone, and what they log."""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt
from typing import Any

from relever.baselayer import Pool
from relever.chain import Contract, Event
from relever.protocol import WAD, Deployment
from tests.scene import ETHER, NO_DEADLINE

NOBODY = "0x0000000000000000000000000000000000000000"
# Virtual parts of the vault's and of the market's shares.
VAULT_VIRTUAL = 10**9
MARKET_VIRTUAL_SHARES, MARKET_VIRTUAL_ASSETS = 10**6, 1
MILLION = 10**6
Q96 = 2**96


@dataclass
class Lido:
    """Pooled ether and shares; a stake changes them, so that the next one sees it."""

    pooled: int
    shares: int

    @classmethod
    def now(cls, scene: Deployment) -> Lido:
        steth = scene.world.core.steth
        return cls(steth.getTotalPooledEther(), steth.getTotalShares())

    def shares_down(self, ether: int) -> int:
        return ether * self.shares // self.pooled

    def ether_down(self, shares: int) -> int:
        return shares * self.pooled // self.shares

    def stake(self, ether: int) -> int:
        """The shares, which are the wstETH, for ether."""
        minted = self.shares_down(ether)
        self.pooled += ether
        self.shares += minted
        return minted


def vault_shares_down(scene: Deployment, assets: int) -> int:
    """LRT for wstETH; nothing is unbooked."""
    vault = scene.protocol.vault
    supply, total = vault.totalSupply(), vault.totalAssets()
    return assets * (supply + VAULT_VIRTUAL) // (total + VAULT_VIRTUAL)


def vault_assets_down(scene: Deployment, shares: int) -> int:
    """wstETH for LRT; nothing is unbooked."""
    vault = scene.protocol.vault
    supply, total = vault.totalSupply(), vault.totalAssets()
    return shares * (total + VAULT_VIRTUAL) // (supply + VAULT_VIRTUAL)


def debt_after_borrowing(state: Any, amount: int) -> int:
    """The debt that a position without one has after borrowing: shares up, and assets up again."""
    assets, shares = state.borrow_assets, state.borrow_shares
    added = -(-amount * (shares + MARKET_VIRTUAL_SHARES) // (assets + MARKET_VIRTUAL_ASSETS))
    assets, shares = assets + amount, shares + added
    return -(-added * (assets + MARKET_VIRTUAL_ASSETS) // (shares + MARKET_VIRTUAL_SHARES))


def debt_after_repaying(state: Any, shares: int, amount: int) -> int:
    """What is left of a debt of so many shares: shares down, and assets up."""
    assets, all_shares = state.borrow_assets, state.borrow_shares
    burned = amount * (all_shares + MARKET_VIRTUAL_SHARES) // (assets + MARKET_VIRTUAL_ASSETS)
    assets, all_shares = assets - amount, all_shares - burned
    left = (shares - burned) * (assets + MARKET_VIRTUAL_ASSETS)
    return -(-left // (all_shares + MARKET_VIRTUAL_SHARES))


@dataclass(frozen=True)
class Sale:
    """A sale into one pool, within the range where its liquidity is one number."""

    pool: Pool
    sold0: bool
    amount_in: int
    amount_out: int
    sqrt_price: int
    liquidity: int


def pool_sale(pool: Pool, token_in: str, amount_in: int) -> Sale:
    """Uniswap v3 within one range: fee off, price moves, the difference is paid, rounded down."""
    sqrt_price, liquidity = pool.contract.slot0()[0], pool.contract.liquidity()
    taken = amount_in * (MILLION - pool.fee_millionths) // MILLION
    sold0 = token_in == pool.token0
    if sold0:
        shifted = liquidity * Q96
        after = -(-shifted * sqrt_price // (shifted + taken * sqrt_price))
        out = liquidity * (sqrt_price - after) // Q96
    else:
        after = sqrt_price + taken * Q96 // liquidity
        out = liquidity * Q96 * (after - sqrt_price) // after // sqrt_price
    return Sale(pool, sold0, amount_in, out, after, liquidity)


def add_far_liquidity(scene: Deployment) -> None:
    """Liquidity far out, so that a pushed pool still trades."""
    provider, vault, core = scene.roles.liquidity_provider, scene.protocol.vault, scene.world.core
    lst = vault.previewMint(200 * ETHER)
    scene.world.fund(provider, weth=400 * ETHER, wsteth=lst)
    core.wsteth.approve(vault.address, lst, sender=provider)
    vault.mint(200 * ETHER, provider, sender=provider)
    fee = scene.lrt_pool.fee_millionths
    scene.world.pool(vault, core.weth, fee, WAD, 200 * ETHER, 400 * ETHER, half_width_ticks=6_000)


def push_lrt_price(scene: Deployment, part: int) -> None:
    """A trader sells LRT until its price in the pool is `part` (WAD) of what it was."""
    trader, vault, core = scene.roles.trader, scene.protocol.vault, scene.world.core
    amount = 1_000 * ETHER
    lst = vault.previewMint(amount)
    scene.world.fund(trader, wsteth=lst)
    core.wsteth.approve(vault.address, lst, sender=trader)
    vault.mint(amount, trader, sender=trader)
    vault.approve(core.swap_router.address, amount, sender=trader)
    sold0 = scene.lrt_pool.token0 == vault.address
    ratio = part if sold0 else WAD * WAD // part
    before = scene.lrt_pool.contract.slot0()[0]
    limit = isqrt(before * before * ratio // WAD)
    fee = scene.lrt_pool.fee_millionths
    pair = (vault.address, core.weth.address)
    core.swap_router.exactInputSingle(
        (*pair, fee, trader, NO_DEADLINE, amount, 0, limit), sender=trader
    )
    assert scene.lrt_pool.contract.slot0()[0] == limit


class Log:
    """The events of one deployment, as the contracts log them."""

    def __init__(self, scene: Deployment) -> None:
        core, protocol = scene.world.core, scene.protocol
        self.scene = scene
        self.weth, self.steth, self.wsteth = core.weth, core.steth, core.wsteth
        self.vault, self.market = protocol.vault, protocol.market

    def moved(self, token: Contract, sender: str, receiver: str, amount: int) -> Event:
        if token == self.weth:
            return Event("Transfer", {"src": sender, "dst": receiver, "wad": amount}, token.address)
        arguments = {"sender": sender, "receiver": receiver, "value": amount}
        return Event("Transfer", arguments, token.address)

    def approved(self, token: Contract, owner: str, spender: str, amount: int) -> Event:
        if token == self.weth:
            arguments: dict[str, Any] = {"src": owner, "guy": spender, "wad": amount}
        else:
            arguments = {"owner": owner, "spender": spender, "value": amount}
        return Event("Approval", arguments, token.address)

    def shares_moved(self, sender: str, receiver: str, shares: int) -> Event:
        arguments = {"sender": sender, "receiver": receiver, "sharesValue": shares}
        return Event("TransferShares", arguments, self.steth.address)

    def unwrapped(self, owner: str, amount: int) -> Event:
        return Event("Withdrawal", {"src": owner, "wad": amount}, self.weth.address)

    def staked(self, lido: Lido, staker: str, ether: int) -> list[Event]:
        """Ether sent to wstETH; `lido` moves on."""
        shares = lido.stake(ether)
        wsteth = self.wsteth.address
        submitted = {"sender": wsteth, "amount": ether, "referral": NOBODY}
        return [
            Event("Submitted", submitted, self.steth.address),
            self.moved(self.steth, NOBODY, wsteth, lido.ether_down(shares)),
            self.shares_moved(NOBODY, wsteth, shares),
            self.moved(self.wsteth, NOBODY, staker, shares),
        ]

    def deposited(self, who: str, assets: int, shares: int, receiver: str) -> list[Event]:
        """WstETH approved and deposited in the vault."""
        vault = self.vault.address
        arguments = {"sender": who, "owner": receiver, "assets": assets, "shares": shares}
        return [
            self.approved(self.wsteth, who, vault, assets),
            self.approved(self.wsteth, who, vault, 0),
            self.moved(self.wsteth, who, vault, assets),
            self.moved(self.vault, NOBODY, receiver, shares),
            Event("Deposit", arguments, vault),
        ]

    def redeemed(self, who: str, shares: int, assets: int) -> list[Event]:
        vault = self.vault.address
        arguments = {
            "sender": who,
            "receiver": who,
            "owner": who,
            "assets": assets,
            "shares": shares,
        }
        return [
            self.moved(self.vault, who, NOBODY, shares),
            self.moved(self.wsteth, vault, who, assets),
            Event("Withdraw", arguments, vault),
        ]

    def sold(self, sale: Sale, token_in: Contract, seller: str) -> list[Event]:
        """Sent to the swap contract and sold for WETH that goes to the seller. After the fact."""
        pool, swap = sale.pool, self.scene.protocol.swap.address
        amounts = (sale.amount_in, -sale.amount_out)
        amount0, amount1 = amounts if sale.sold0 else amounts[::-1]
        arguments = {
            "sender": swap,
            "recipient": seller,
            "amount0": amount0,
            "amount1": amount1,
            "sqrtPriceX96": sale.sqrt_price,
            "liquidity": sale.liquidity,
            "tick": pool.contract.slot0()[1],
        }
        return [
            self.moved(token_in, seller, swap, sale.amount_in),
            self.moved(self.weth, pool.address, seller, sale.amount_out),
            self.moved(token_in, swap, pool.address, sale.amount_in),
            Event("Swap", arguments, pool.address),
        ]

    def adjusted(
        self, owner: str, caller: str, collateral: int, debt: int, receiver: str | None = None
    ) -> Event:
        arguments = {
            "owner": owner,
            "caller": caller,
            "receiver": receiver or caller,
            "collateral_delta": collateral,
            "debt_delta": debt,
        }
        return Event("Adjusted", arguments, self.market.address)
