# pragma version 0.4.3
"""
@title Shares of a pool with virtual parts
@custom:contract-name shares
@license GNU Affero General Public License v3.0 only
@author Relever
@notice A million virtual shares and one virtual asset stand in every conversion, so that an empty pool
        has a price of 1e6 shares per asset unit which no first depositor can move in its favour.
@dev The suffix says the direction; the caller of each names who gains the unit that is rounded.
     Totals are below 2**112 and amounts below 2**128, so that no product overflows.
"""


VIRTUAL_SHARES: constant(uint256) = 10**6
VIRTUAL_ASSETS: constant(uint256) = 1


@internal
@pure
def _to_shares_down(assets: uint256, total_assets: uint256, total_shares: uint256) -> uint256:
    return assets * (total_shares + VIRTUAL_SHARES) // (total_assets + VIRTUAL_ASSETS)


@internal
@pure
def _to_shares_up(assets: uint256, total_assets: uint256, total_shares: uint256) -> uint256:
    divisor: uint256 = total_assets + VIRTUAL_ASSETS
    return (assets * (total_shares + VIRTUAL_SHARES) + divisor - 1) // divisor


@internal
@pure
def _to_assets_down(shares: uint256, total_assets: uint256, total_shares: uint256) -> uint256:
    return shares * (total_assets + VIRTUAL_ASSETS) // (total_shares + VIRTUAL_SHARES)


@internal
@pure
def _to_assets_up(shares: uint256, total_assets: uint256, total_shares: uint256) -> uint256:
    divisor: uint256 = total_shares + VIRTUAL_SHARES
    return (shares * (total_assets + VIRTUAL_ASSETS) + divisor - 1) // divisor
