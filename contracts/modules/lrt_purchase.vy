# pragma version 0.4.3
"""
@title The better way into the LRT
@custom:contract-name lrt_purchase
@license GNU Affero General Public License v3.0 only
@author Relever
@notice WETH buys LRT in its pool as long as each unit buys more there than it mints; the rest mints.
@dev No quote is asked for: the sale stops by itself at the mint rate. No unit is bought for less than it
     would mint. While something is expected back from a quarantine, for which who enters pays, the pool
     is asked for a little more than that.
"""
from ethereum.ercs import IERC4626

from ..interfaces import IStETH
from ..interfaces import ISwap

# The tokens, and the vault.
from . import lrt_entry
# The pool.
from . import lrt_exit
from . import token

uses: lrt_entry
uses: lrt_exit


WAD: constant(uint256) = 10**18
# What a sale leaves of the WETH is not worth a stake below this, in wei: the vault may refuse to mint
# for less than a share.
DUST: constant(uint256) = 1_000
# From here on no pool gives that much: a caller who says so has all minted.
MINT_ALL: constant(uint256) = 2**128


@internal
@view
def _rate_to_swap(told: uint256) -> uint256:
    """
    @param told What minting gives by the caller's word; zero where it gives none.
    @return What minting gives for a WETH, in WAD, when the pool gives more for the first; else zero.
    """
    if told != 0:
        return told if told < MINT_ALL else 0
    # Both round down: with a unit more each, no less than what minting gives.
    # One wstETH is one share of stETH, which is asked itself.
    staked: uint256 = staticcall IStETH(lrt_entry.STETH).getSharesByPooledEth(WAD)
    # The booked rate is asked first, for which no adapter is read, and mostly the last.
    booked: uint256 = staticcall IERC4626(lrt_entry.LRT).convertToShares(staked + 1)
    pays: bool = staticcall ISwap(lrt_exit.SWAP).pays(lrt_entry.WETH, lrt_entry.LRT, booked + 1)
    if not pays:
        return 0
    minted: uint256 = staticcall IERC4626(lrt_entry.LRT).previewDeposit(staked + 1)
    # What pays the booked rate pays any lower one.
    if minted > booked:
        pays = staticcall ISwap(lrt_exit.SWAP).pays(lrt_entry.WETH, lrt_entry.LRT, minted + 1)
    return minted + 1 if pays else 0


@internal
@view
def _seat(rate: uint256) -> address:
    """@return Where WETH must lie for `_buy` at the rate: with the pool's swap, or here to be minted."""
    return lrt_exit.SWAP if rate != 0 else self


@internal
def _buy(weth: uint256, rate: uint256, lst: uint256, owner: address, receiver: address) -> uint256:
    """
    @param weth Lies where `_seat` says.
    @param rate From `_rate_to_swap`.
    @param lst WstETH that this contract holds.
    @param owner Who gets what a sale leaves of the WETH when it is too little to mint for.
    @param receiver Who gets the LRT.
    @return How much that is.
    """
    left: uint256 = weth
    bought: uint256 = 0
    if rate != 0:
        sold: uint256 = 0
        sold, bought = extcall ISwap(lrt_exit.SWAP).swap_up_to(
            lrt_entry.WETH, lrt_entry.LRT, weth, rate, receiver
        )
        left -= sold
        if left < DUST:
            token._push(lrt_entry.WETH, owner, left)
            left = 0
    staked: uint256 = lrt_entry._stake_weth(left)
    minted: uint256 = lrt_entry._deposit(lst + staked, receiver)
    return bought + minted
