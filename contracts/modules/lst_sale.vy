# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title The sale of wstETH
@custom:contract-name lst_sale
@license GNU Affero General Public License v3.0 only
@author Relever
@notice WstETH is held until it brings in the pool what it must by stETH per wstETH, each unit of it.
@dev Anyone may have it sold, so also who has pushed the pool before and takes back after. That earns
     what our own sale moves the price by, and costs the pool's fee twice. So a fresh lot gives way by
     `SALE_LOSS` only, which is no more than two fees: nothing is left. What finds no buyer gives way a
     little more each day, so that it is sold to whoever first comes near, and never by more than
     `MAX_SALE_LOSS`: below that it waits, as stETH can be redeemed for ether.
     WETH and wstETH in their smallest units, ratios in WAD.
"""
from ..interfaces import ISwap
from ..interfaces import IWstETH
from . import token


WAD: constant(uint256) = 10**18
# Half a per cent.
MAX_SALE_LOSS: constant(uint256) = 5 * 10**15
# Seconds in which what a sale may lose rises to the most.
SALE_WINDOW: constant(uint256) = 7 * 86_400

LST: public(immutable(address))
WETH: immutable(address)
SWAP: public(immutable(address))
SALE_LOSS: public(immutable(uint256))

# WstETH that is not sold, what it cost, and since when it waits: the average over its units.
lst: public(uint256)
lst_cost: public(uint256)
lst_since: public(uint256)


@deploy
def __init__(lst: address, weth: address, swap: address, sale_loss: uint256):
    assert sale_loss <= MAX_SALE_LOSS, "backstop: sale loss"
    LST = lst
    WETH = weth
    SWAP = swap
    SALE_LOSS = sale_loss


@internal
@pure
def _least_down(amount: uint256, per_token: uint256) -> uint256:
    """@return WETH that so much wstETH brings at the least, ever."""
    return amount * per_token // WAD * (WAD - MAX_SALE_LOSS) // WAD


@internal
@view
def _min_rate_up() -> uint256:
    """@return WETH per wstETH in WAD below which nothing is sold now."""
    per_token: uint256 = staticcall IWstETH(LST).stEthPerToken()
    waited: uint256 = min(block.timestamp - self.lst_since, SALE_WINDOW)
    may_lose: uint256 = SALE_LOSS + (MAX_SALE_LOSS - SALE_LOSS) * waited // SALE_WINDOW
    return (per_token * (WAD - may_lose) + WAD - 1) // WAD


@internal
def _put(amount: uint256, cost: uint256) -> uint256:
    """
    @notice WstETH has come in. It makes what waits younger, in proportion.
    @return The loss: what either costs above the least that it brings, so that the one's gain does not
            hide the other's loss.
    """
    per_token: uint256 = staticcall IWstETH(LST).stEthPerToken()
    had: uint256 = self.lst
    had_cost: uint256 = self.lst_cost
    if amount != 0:
        waited: uint256 = (block.timestamp - self.lst_since) * had // (had + amount)
        self.lst_since = block.timestamp - waited
    kept: uint256 = min(had_cost, self._least_down(had, per_token))
    kept += min(cost, self._least_down(amount, per_token))
    self.lst = had + amount
    self.lst_cost = kept
    return had_cost + cost - kept


@internal
def _sell() -> (uint256, uint256, uint256):
    """@return WstETH sold, WETH received, and the part of the cost that was sold, rounded down."""
    amount: uint256 = self.lst
    if amount == 0:
        return 0, 0, 0
    min_rate: uint256 = self._min_rate_up()
    pays: bool = staticcall ISwap(SWAP).pays(LST, WETH, min_rate)
    if not pays:
        return 0, 0, 0
    token._push(LST, SWAP, amount)
    sold: uint256 = 0
    received: uint256 = 0
    sold, received = extcall ISwap(SWAP).swap_up_to(LST, WETH, amount, min_rate, self)
    cost: uint256 = self.lst_cost * sold // amount
    self.lst = amount - sold
    self.lst_cost -= cost
    return sold, received, cost
