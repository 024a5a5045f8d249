# pragma version 0.4.3
"""
@title VaultModules
@license GNU Affero General Public License v3.0 only
@author Relever
@notice The vault's modules laid open: shares, packed words and locked profit.
"""
from modules import locked_profit
from modules import vault_packing
from modules import vault_shares

initializes: locked_profit


@pure
@external
def to_shares_down(assets: uint256, total: uint256, supply: uint256) -> uint256:
    return vault_shares._to_shares_down(assets, total, supply)


@pure
@external
def to_shares_up(assets: uint256, total: uint256, supply: uint256) -> uint256:
    return vault_shares._to_shares_up(assets, total, supply)


@pure
@external
def to_assets_down(shares: uint256, total: uint256, supply: uint256) -> uint256:
    return vault_shares._to_assets_down(shares, total, supply)


@pure
@external
def to_assets_up(shares: uint256, total: uint256, supply: uint256) -> uint256:
    return vault_shares._to_assets_up(shares, total, supply)


@pure
@external
def pack_funds(idle: uint256, booked: uint256) -> uint256:
    return vault_packing._pack_funds(idle, booked)


@pure
@external
def unpack_funds(word: uint256) -> (uint256, uint256):
    return vault_packing._unpack_funds(word)


@pure
@external
def pack_profit(locked: uint256, unlock_end: uint256, updated: uint256) -> uint256:
    return vault_packing._pack_profit(locked, unlock_end, updated)


@pure
@external
def unpack_profit(word: uint256) -> (uint256, uint256, uint256):
    return vault_packing._unpack_profit(word)


@external
def book(gain: uint256, loss: uint256, period: uint256):
    locked_profit._book(gain, loss, period)


@view
@external
def locked_up() -> uint256:
    return locked_profit._locked_up()
