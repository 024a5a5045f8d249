# pragma version 0.4.3
"""
@title Shares of a pool with virtual parts
@custom:contract-name shares
@license GNU Affero General Public License v3.0 only
@author Relever
@notice A million virtual shares and one virtual asset stand in every conversion, so that an empty pool
        has a price of 1e6 shares per asset unit which no first depositor can move in its favour.
@dev The suffix says the direction; the caller of each names who gains the unit that is rounded.
     Totals are below 2**112: what is added to them is not checked, and no divisor is zero. An amount may
     be any: its product is checked.
"""


VIRTUAL_SHARES: constant(uint256) = 10**6
VIRTUAL_ASSETS: constant(uint256) = 1


@internal
@pure
def _to_shares_down(assets: uint256, total_assets: uint256, total_shares: uint256) -> uint256:
    numerator: uint256 = assets * unsafe_add(total_shares, VIRTUAL_SHARES)
    return unsafe_div(numerator, unsafe_add(total_assets, VIRTUAL_ASSETS))


@internal
@pure
def _to_shares_up(assets: uint256, total_assets: uint256, total_shares: uint256) -> uint256:
    # One unit less than the divisor is what there is without the virtual one.
    numerator: uint256 = assets * unsafe_add(total_shares, VIRTUAL_SHARES) + total_assets
    return unsafe_div(numerator, unsafe_add(total_assets, VIRTUAL_ASSETS))


@internal
@pure
def _to_assets_down(shares: uint256, total_assets: uint256, total_shares: uint256) -> uint256:
    numerator: uint256 = shares * unsafe_add(total_assets, VIRTUAL_ASSETS)
    return unsafe_div(numerator, unsafe_add(total_shares, VIRTUAL_SHARES))


@internal
@pure
def _to_assets_up(shares: uint256, total_assets: uint256, total_shares: uint256) -> uint256:
    divisor: uint256 = unsafe_add(total_shares, VIRTUAL_SHARES)
    numerator: uint256 = shares * unsafe_add(total_assets, VIRTUAL_ASSETS) + unsafe_sub(divisor, 1)
    return unsafe_div(numerator, divisor)
