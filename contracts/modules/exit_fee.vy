# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Fee of an instant exit
@custom:contract-name exit_fee
@license GNU Affero General Public License v3.0 only
@author Relever
@notice The unit that is paid out while `y` units are free costs `max_fee * (1 - y / buffer)`, nothing
        while more than the buffer is free. An exit pays the integral over its units, so that splitting
        it saves nothing: who leaves when little is left pays those who then have to wait.
@dev Amounts in asset units, `max_fee` in WAD. The suffix says the direction. Fees of units beyond what
     is free are counted at `max_fee`; such an exit can be previewed, not made.
"""
from ..interfaces import ILRTVault
from . import checks
from . import vault_packing


WAD: constant(uint256) = 10**18
# The fee is at most 1 %.
MAX_FEE: constant(uint256) = 10**16
# So that no product below overflows: 1.2 million tokens.
MAX_BUFFER: constant(uint256) = 2**80
# Each round comes a hundred times closer, and amounts are below 2**121 < 100**19.
ROUNDS: constant(uint256) = 24

# Buffer and largest fee, see `vault_packing`.
_terms: uint256


@view
@external
def exit_terms() -> (uint256, uint256):
    """@notice Buffer in asset units, and the fee of the last unit, WAD."""
    return vault_packing._unpack_pair(self._terms)


@internal
def _set(buffer: uint256, max_fee: uint256):
    if buffer > MAX_BUFFER:
        checks._fail("vault: exit buffer")
    if max_fee > MAX_FEE:
        checks._fail("vault: exit fee")
    self._terms = vault_packing._pack_pair(buffer, max_fee)
    log ILRTVault.ExitFeeSet(buffer=buffer, max_fee=max_fee)


@internal
@view
def _fee_up(paid: uint256, free: uint256) -> uint256:
    """@notice The fee on top of `paid`, out of `free` assets."""
    return self._integral_up(paid, free, self._terms)


@internal
@view
def _paid_down(gross: uint256, free: uint256) -> uint256:
    """@notice The most that can be paid so that it and its fee are no more than `gross`."""
    terms: uint256 = self._terms
    if terms == 0:
        return gross
    paid: uint256 = gross
    for _: uint256 in range(ROUNDS):
        next: uint256 = gross - min(gross, self._integral_up(paid, free, terms))
        if next == paid:
            break
        paid = next
    # Rounding can leave two neighbours that point to each other; the larger is too much.
    if paid + self._integral_up(paid, free, terms) > gross:
        paid -= 1
    return paid


@internal
@pure
def _integral_up(paid: uint256, free: uint256, terms: uint256) -> uint256:
    buffer: uint256 = 0
    max_fee: uint256 = 0
    buffer, max_fee = vault_packing._unpack_pair(terms)
    if buffer == 0 or max_fee == 0:
        return 0
    beyond: uint256 = paid - min(paid, free)
    # The levels between which the fee is above zero and there is something free.
    high: uint256 = min(free, buffer)
    low: uint256 = min(free - (paid - beyond), buffer)
    # Twice the buffer times what is missing of it on average, so that only the end rounds.
    slope: uint256 = (high - low) * (2 * buffer - high - low) + beyond * 2 * buffer
    divisor: uint256 = 2 * buffer * WAD
    return (max_fee * slope + divisor - 1) // divisor
