# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Lenders
@custom:contract-name lenders
@license GNU Affero General Public License v3.0 only
@author Relever
@notice The ERC-4626 side of a lending market.
@dev The `max*` views never revert, not even while the market is locked.
"""
from . import checks
from . import share_token
from . import shares
from . import token
from . import totals

uses: share_token
uses: totals


event Deposit:
    sender: indexed(address)
    owner: indexed(address)
    assets: uint256
    shares: uint256


event Withdraw:
    sender: indexed(address)
    receiver: indexed(address)
    owner: indexed(address)
    assets: uint256
    shares: uint256


LOAN: immutable(address)


@deploy
def __init__(loan: address):
    LOAN = loan


@external
def deposit(assets: uint256, receiver: address) -> uint256:
    """@notice Lend exactly `assets`. @return Shares, rounded down for the lenders who stay."""
    return self._lend(assets, 0, receiver)


@external
def mint(amount: uint256, receiver: address) -> uint256:
    """@notice Lend for exactly `amount` shares. @return Assets, rounded up for the others."""
    return self._lend(0, amount, receiver)


@external
def withdraw(assets: uint256, receiver: address, owner: address) -> uint256:
    """@notice Take out exactly `assets`. @return Shares burned, rounded up for the others."""
    return self._take_out(assets, 0, receiver, owner)


@external
def redeem(amount: uint256, receiver: address, owner: address) -> uint256:
    """@notice Burn exactly `amount` shares. @return Assets, rounded down for the others."""
    return self._take_out(0, amount, receiver, owner)


@view
@external
@reentrant
def asset() -> address:
    """@notice The loan token."""
    return LOAN


@view
@external
def totalSupply() -> uint256:
    """@notice All shares, with the protocol's until now."""
    s: totals.Totals = totals._accrued()
    return s.supply_shares


@view
@external
def totalAssets() -> uint256:
    """@notice What all lenders are owed, with interest until now."""
    s: totals.Totals = totals._accrued()
    return s.supply_assets


@view
@external
def convertToShares(assets: uint256) -> uint256:
    """@notice Shares for `assets`, rounded down."""
    return self._to_shares_down_now(assets)


@view
@external
def convertToAssets(amount: uint256) -> uint256:
    """@notice Assets for `amount` shares, rounded down."""
    return self._to_assets_down_now(amount)


@view
@external
def previewDeposit(assets: uint256) -> uint256:
    """@notice What `deposit` would answer now."""
    return self._to_shares_down_now(assets)


@view
@external
def previewMint(amount: uint256) -> uint256:
    """@notice What `mint` would answer now."""
    s: totals.Totals = totals._accrued()
    return shares._to_assets_up(amount, s.supply_assets, s.supply_shares)


@view
@external
def previewWithdraw(assets: uint256) -> uint256:
    """@notice What `withdraw` would answer now."""
    s: totals.Totals = totals._accrued()
    return shares._to_shares_up(assets, s.supply_assets, s.supply_shares)


@view
@external
def previewRedeem(amount: uint256) -> uint256:
    """@notice What `redeem` would answer now."""
    return self._to_assets_down_now(amount)


@view
@external
@reentrant
def maxDeposit(receiver: address) -> uint256:
    """@notice Room under the supply cap."""
    return self._room()


@view
@external
@reentrant
def maxMint(receiver: address) -> uint256:
    """@notice The same in shares."""
    return self._to_shares_down_now(self._room())


@view
@external
@reentrant
def maxWithdraw(owner: address) -> uint256:
    """@notice What the shares are worth, at most what is not lent out."""
    s: totals.Totals = totals._accrued()
    owned: uint256 = shares._to_assets_down(
        share_token._balances[owner], s.supply_assets, s.supply_shares
    )
    return min(owned, s.supply_assets - s.borrow_assets)


@view
@external
@reentrant
def maxRedeem(owner: address) -> uint256:
    """@notice Shares whose worth is not lent out, at most those owned."""
    s: totals.Totals = totals._accrued()
    cash: uint256 = s.supply_assets - s.borrow_assets
    liquid: uint256 = shares._to_shares_down(cash, s.supply_assets, s.supply_shares)
    most: uint256 = min(share_token._balances[owner], liquid)
    # Shares worth less than a unit cannot be redeemed.
    return most if shares._to_assets_down(most, s.supply_assets, s.supply_shares) > 0 else 0


@view
@internal
def _to_shares_down_now(assets: uint256) -> uint256:
    s: totals.Totals = totals._accrued()
    return shares._to_shares_down(assets, s.supply_assets, s.supply_shares)


@view
@internal
def _to_assets_down_now(amount: uint256) -> uint256:
    s: totals.Totals = totals._accrued()
    return shares._to_assets_down(amount, s.supply_assets, s.supply_shares)


@view
@internal
def _room() -> uint256:
    """@notice Assets under the supply cap, and under what the width of the shares can still count."""
    s: totals.Totals = totals._accrued()
    cap: uint256 = totals._supply_cap()
    countable: uint256 = shares._to_assets_down(
        totals.MAX_110 - s.supply_shares, s.supply_assets, s.supply_shares
    )
    return min(max(cap, s.supply_assets) - s.supply_assets, countable)


@internal
def _lend(given: uint256, wanted: uint256, receiver: address) -> uint256:
    """@param given Assets, or 0 for those that `wanted` shares cost. @return The amount not named."""
    share_token._check_receiver(receiver)
    s: totals.Totals = totals._accrued()
    assets: uint256 = given
    minted: uint256 = wanted
    if given != 0:
        minted = shares._to_shares_down(given, s.supply_assets, s.supply_shares)
    else:
        assets = shares._to_assets_up(wanted, s.supply_assets, s.supply_shares)
    if assets == 0 or minted == 0:
        checks._fail("market: zero amount")
    s.supply_assets += assets
    s.supply_shares += minted
    if s.supply_assets > totals._caps & totals.MAX_128:
        checks._fail("market: supply cap")
    if s.supply_shares > totals.MAX_110:
        checks._fail("market: supply width")
    totals._store(s)
    share_token._mint(receiver, minted)
    token._pull(LOAN, msg.sender, assets)
    log Deposit(sender=msg.sender, owner=receiver, assets=assets, shares=minted)
    return minted if given != 0 else assets


@internal
def _take_out(wanted: uint256, given: uint256, receiver: address, owner: address) -> uint256:
    """@param wanted Assets, or 0 for what the `given` shares are worth. @return The amount not named."""
    share_token._check_receiver(receiver)
    s: totals.Totals = totals._accrued()
    assets: uint256 = wanted
    burned: uint256 = given
    if wanted != 0:
        burned = shares._to_shares_up(wanted, s.supply_assets, s.supply_shares)
    else:
        assets = shares._to_assets_down(given, s.supply_assets, s.supply_shares)
    if assets == 0 or burned == 0:
        checks._fail("market: zero amount")
    if assets > s.supply_assets - s.borrow_assets:
        checks._fail("market: not enough cash")
    share_token._spend_allowance(owner, burned)
    share_token._burn(owner, burned)
    s.supply_assets -= assets
    s.supply_shares -= burned
    totals._store(s)
    token._push(LOAN, receiver, assets)
    log Withdraw(
        sender=msg.sender, receiver=receiver, owner=owner, assets=assets, shares=burned
    )
    return burned if wanted != 0 else assets
