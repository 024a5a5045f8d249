# pragma version 0.4.3
"""
@title VaultModules
@license GNU Affero General Public License v3.0 only
@author Relever
@notice The vault's modules laid open: shares, packed words, locked profit and
        the two fees.
"""
from modules import exit_fee
from modules import locked_profit
from modules import performance_fee as performance
from modules import vault_packing
from modules import vault_shares

initializes: exit_fee
initializes: locked_profit
initializes: performance

exports: (
    exit_fee.exit_terms,
    performance.performance_fee,
    performance.fee_recipient,
    performance.unrecovered_loss,
)


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
def part_up(amount: uint256, shares: uint256, supply: uint256) -> uint256:
    return vault_shares._part_up(amount, shares, supply)


@pure
@external
def pack_funds(idle: uint256, booked: uint256, quarantine: uint256) -> uint256:
    return vault_packing._pack_funds(idle, booked, quarantine)


@pure
@external
def unpack_funds(word: uint256) -> (uint256, uint256):
    return vault_packing._unpack_funds(word)


@pure
@external
def pack_timed(amount: uint256, first: uint256, second: uint256) -> uint256:
    return vault_packing._pack_timed(amount, first, second)


@pure
@external
def unpack_timed(word: uint256) -> (uint256, uint256, uint256):
    return vault_packing._unpack_timed(word)


@pure
@external
def pack_pair(amount: uint256, ratio: uint256) -> uint256:
    return vault_packing._pack_pair(amount, ratio)


@pure
@external
def unpack_pair(word: uint256) -> (uint256, uint256):
    return vault_packing._unpack_pair(word)


@external
def book(gain: uint256, loss: uint256, period: uint256):
    locked_profit._book(gain, loss, period)


@view
@external
def locked_up() -> uint256:
    return locked_profit._locked_up()


@external
def set_exit_fee(buffer: uint256, max_fee: uint256):
    exit_fee._set(buffer, max_fee)


@view
@external
def fee_up(paid: uint256, free: uint256) -> uint256:
    return exit_fee._fee_up(paid, free)


@view
@external
def paid_down(gross: uint256, free: uint256) -> uint256:
    return exit_fee._paid_down(gross, free)


@external
def set_performance_fee(fee: uint256, recipient: address):
    performance._set(fee, recipient)


@external
def charge_down(gain: uint256, loss: uint256, whole: uint256) -> uint256:
    return performance._charge_down(gain, loss, whole)


@external
def recover(amount: uint256):
    performance._recover(amount)
