# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title RewardsSeller
@custom:contract-name RewardsSeller
@license GNU Affero General Public License v3.0 only
@author Relever
@notice Turns the reward tokens of one LRT vault over wstETH into wstETH and hands it to the vault, by
        `pay_rewards`. The adapters claim to this address; whatever else is sent here is a reward too.
@dev Anyone sells, so nobody is believed: a sale ends at most `max_discount` below the price, which is
     the token's feed in ETH over wstETH's own rate. Who pushes the pools around a sale gains at most
     that, and what the feed is behind. Sales in parts are bound alike: each bound is rounded up.
     stETH counts as ETH: while it trades below, so much more can be lost.
     A sale counts what the swaps say they have paid, if it came: rewards that arrive meanwhile do not
     pass for proceeds. Nothing but the sold amount leaves, and no allowance stays.
     Failure mode: a token without terms, a stale or wrong feed, pools that are too far off the price
     or a vault that takes no rewards stop the sale, and the tokens wait here. So do tokens that take
     a fee on transfer or rebase, if a pool has any: the swap finds less than it was told.
     The owner's terms are trusted with the rewards, never with the stake.
"""
from ethereum.ercs import IERC20Detailed
from ethereum.ercs import IERC4626

# Ownership in two steps. Left out: renouncing it, for new reward tokens could never be sold.
from snekmate.auth import ownable
from snekmate.auth import ownable_2step

from ..interfaces import IAggregatorV3
from ..interfaces import ILRTVault
from ..interfaces import IRewardsSeller
from ..interfaces import ISwap
from ..interfaces import IWstETH

# Asks the feeds.
from ..modules import feed as feed_reader
from ..modules import token

initializes: ownable
initializes: ownable_2step[ownable := ownable]

implements: IRewardsSeller

exports: (
    ownable_2step.owner,
    ownable_2step.pending_owner,
    ownable_2step.transfer_ownership,
    ownable_2step.accept_ownership,
)


WAD: constant(uint256) = 10**18
# 5 % in WAD.
MAX_DISCOUNT: constant(uint256) = 5 * 10**16
MAX_DECIMALS: constant(uint8) = 18

vault: public(immutable(address))
asset: public(immutable(address))
weth: public(immutable(address))
# Sells WETH for the asset.
exit_swap: public(immutable(address))

guardian: public(address)
# A token has terms when its `max_discount` is not zero.
terms: public(HashMap[address, IRewardsSeller.Terms])
# One whole token times one whole ETH of its feed, each in its smallest unit.
_unit: HashMap[address, uint256]


@deploy
def __init__(vault_: address, weth_: address, exit_swap_: address, guardian_: address):
    """@notice The deployer owns it. The vault's asset must be wstETH."""
    ownable.__init__()
    ownable_2step.__init__()
    assert exit_swap_ != empty(address), "rewards: no exit swap"
    vault = vault_
    asset = staticcall IERC4626(vault_).asset()
    weth = weth_
    exit_swap = exit_swap_
    rate: uint256 = staticcall IWstETH(asset).stEthPerToken()
    assert rate != 0, "rewards: asset without a rate"
    self._set_guardian(guardian_)


@external
def sell(reward: address, amount: uint256, min_out: uint256) -> uint256:
    """@notice See `IRewardsSeller`."""
    assert amount != 0, "rewards: zero amount"
    held: uint256 = token._balance(reward, self)
    assert amount <= held, "rewards: more than held"
    least: uint256 = max(min_out, self._least_out_up(reward, amount))
    out: uint256 = amount
    if reward != asset:
        weth_amount: uint256 = amount
        if reward != weth:
            weth_amount = self._swap(self.terms[reward].swap, reward, weth, amount)
        out = self._swap(exit_swap, weth, asset, weth_amount)
    assert out >= least, "rewards: too little out"
    token._approve(asset, vault, out)
    extcall ILRTVault(vault).pay_rewards(out)
    log IRewardsSeller.Sold(token=reward, seller=msg.sender, amount=amount, out=out)
    return out


@view
@external
def least_out(reward: address, amount: uint256) -> uint256:
    """@notice See `IRewardsSeller`. Rounded up."""
    return self._least_out_up(reward, amount)


@external
def set_terms(reward: address, new_terms: IRewardsSeller.Terms):
    """@notice See `IRewardsSeller`."""
    ownable._check_owner()
    assert reward != asset, "rewards: terms of the asset"
    assert new_terms.max_discount != 0, "rewards: no discount"
    assert new_terms.max_discount <= MAX_DISCOUNT, "rewards: discount too large"
    if reward == weth:
        plain: bool = (
            new_terms.feed == empty(address)
            and new_terms.max_age == 0
            and new_terms.swap == empty(address)
        )
        assert plain, "rewards: terms of weth"
    else:
        assert new_terms.max_age != 0, "rewards: max age"
        assert new_terms.swap != empty(address), "rewards: no swap"
        decimals: uint8 = staticcall IERC20Detailed(reward).decimals()
        assert decimals <= MAX_DECIMALS, "rewards: token decimals"
        feed_decimals: uint8 = staticcall IAggregatorV3(new_terms.feed).decimals()
        assert feed_decimals <= MAX_DECIMALS, "rewards: feed decimals"
        self._unit[reward] = 10 ** convert(decimals, uint256) * 10 ** convert(
            feed_decimals, uint256
        )
    self.terms[reward] = new_terms
    log IRewardsSeller.TermsSet(token=reward, terms=new_terms)


@external
def remove_token(reward: address):
    """@notice See `IRewardsSeller`."""
    allowed: bool = msg.sender in [ownable.owner, self.guardian]
    assert allowed, "rewards: not owner or guardian"
    assert self.terms[reward].max_discount != 0, "rewards: nothing to remove"
    self.terms[reward] = empty(IRewardsSeller.Terms)
    log IRewardsSeller.TokenRemoved(token=reward)


@external
def set_guardian(guardian: address):
    """@notice Owner only."""
    ownable._check_owner()
    self._set_guardian(guardian)


@internal
def _swap(swap: address, sold: address, bought: address, amount: uint256) -> uint256:
    """@return What the swap says that it has paid here, which must have come."""
    held: uint256 = token._balance(bought, self)
    token._push(sold, swap, amount)
    out: uint256 = extcall ISwap(swap).swap(sold, bought, amount, 0, self)
    held_after: uint256 = token._balance(bought, self)
    assert held_after >= held + out, "rewards: swap has not paid"
    return out


@internal
@view
def _least_out_up(reward: address, amount: uint256) -> uint256:
    if reward == asset:
        return amount
    terms: IRewardsSeller.Terms = self.terms[reward]
    assert terms.max_discount != 0, "rewards: token without terms"
    # In wei.
    worth: uint256 = amount
    if reward != weth:
        price: uint256 = self._price(terms.feed, terms.max_age)
        unit: uint256 = self._unit[reward]
        worth = (amount * price * WAD + unit - 1) // unit
    rate: uint256 = staticcall IWstETH(asset).stEthPerToken()
    return (worth * (WAD - terms.max_discount) + rate - 1) // rate


@internal
@view
def _price(feed: address, max_age: uint256) -> uint256:
    """@notice The feed's answer, in its own decimals."""
    answer: uint256 = 0
    answered_at: uint256 = 0
    fault: String[20] = ""
    answer, answered_at, fault = feed_reader._answer(feed, max_age)
    assert len(fault) == 0, concat("rewards: ", fault)
    return answer


@internal
def _set_guardian(guardian: address):
    assert guardian != empty(address), "rewards: guardian"
    self.guardian = guardian
    log IRewardsSeller.GuardianSet(guardian=guardian)
