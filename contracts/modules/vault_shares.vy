# pragma version 0.4.3
"""
@title Shares of the LRT vault
@custom:contract-name vault_shares
@license GNU Affero General Public License v3.0 only
@author Relever
@notice Asset units to share units and back, with equal virtual parts on both sides. They belong to
        nobody, so that the first share costs one asset unit and a total loss divides by no zero.
@dev The virtual assets are not there. After a loss the shares are worth up to `VIRTUAL` units more
     than the vault holds; the seed's dead shares, which nobody redeems, bear that while a share is
     worth more than VIRTUAL / SEED = 1e-6 of the asset.
     The suffix says the direction; the caller of each names who gains the unit that is rounded.
     `MAX` bounds total assets and supply, so that no product of two amounts within it overflows.
"""


VIRTUAL: constant(uint256) = 10**9
MAX: constant(uint256) = 2**120 - 1


@internal
@pure
def _to_shares_down(assets: uint256, total_assets: uint256, supply: uint256) -> uint256:
    return assets * (supply + VIRTUAL) // (total_assets + VIRTUAL)


@internal
@pure
def _to_shares_up(assets: uint256, total_assets: uint256, supply: uint256) -> uint256:
    divisor: uint256 = total_assets + VIRTUAL
    return (assets * (supply + VIRTUAL) + divisor - 1) // divisor


@internal
@pure
def _to_assets_down(shares: uint256, total_assets: uint256, supply: uint256) -> uint256:
    return shares * (total_assets + VIRTUAL) // (supply + VIRTUAL)


@internal
@pure
def _to_assets_up(shares: uint256, total_assets: uint256, supply: uint256) -> uint256:
    divisor: uint256 = supply + VIRTUAL
    return (shares * (total_assets + VIRTUAL) + divisor - 1) // divisor


@internal
@pure
def _part_up(amount: uint256, shares: uint256, supply: uint256) -> uint256:
    """@return The part of an amount that belongs to shares beside what they are worth."""
    divisor: uint256 = supply + VIRTUAL
    return (amount * shares + divisor - 1) // divisor
