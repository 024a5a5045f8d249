# pragma version 0.4.3
"""
@title Time until the withdrawal queue pays
@custom:contract-name exit_time
@license GNU Affero General Public License v3.0 only
@author Relever
@notice What is there for the line, what is on its way, and what would have to be taken back.
@dev Times in seconds, assets in the asset's unit.
"""
from ..interfaces import ILRTVault
from ..interfaces import IWithdrawalQueue


# The bound of the vault's list.
MAX_LISTED: constant(uint256) = 8


@view
@internal
def _seconds_until(
    lrt: address, queue: address, needed: uint256, oldest_at: uint256
) -> uint256:
    """
    @notice Seconds until `needed` assets are idle, if everyone acts as soon as he may and nothing is
            slashed: none if they are, the longest exit of what is leaving if that suffices, or else the
            longest exit of all after the rest of the queue's patience.
    @param oldest_at When the first that waits asked.
    """
    coming: uint256 = staticcall ILRTVault(lrt).idle()
    if coming >= needed:
        return 0
    leaving_delay: uint256 = 0
    longest_delay: uint256 = 0
    listed: DynArray[address, MAX_LISTED] = self._listed(lrt)
    for adapter: address in listed:
        delay: uint256 = self._or_zero(adapter, method_id("exit_delay()"))
        exiting: uint256 = self._or_zero(adapter, method_id("exiting()"))
        coming += exiting
        if exiting != 0:
            leaving_delay = max(leaving_delay, delay)
        booked: uint256 = staticcall ILRTVault(lrt).booked(adapter)
        if booked != 0:
            longest_delay = max(longest_delay, delay)
    if coming >= needed:
        return leaving_delay
    patience: uint256 = staticcall IWithdrawalQueue(queue).patience()
    return max(oldest_at + patience, block.timestamp) - block.timestamp + longest_delay


@view
@internal
def _listed(lrt: address) -> DynArray[address, MAX_LISTED]:
    found: DynArray[address, MAX_LISTED] = []
    count: uint256 = staticcall ILRTVault(lrt).adapter_count()
    for i: uint256 in range(count, bound=MAX_LISTED):
        found.append(staticcall ILRTVault(lrt).adapter_at(i))
    return found


@view
@internal
def _or_zero(target: address, call: Bytes[4]) -> uint256:
    """@return The word that `target` answers, or 0 where it reverts."""
    ok: bool = False
    data: Bytes[32] = b""
    ok, data = raw_call(
        target, call, max_outsize=32, is_static_call=True, revert_on_failure=False
    )
    return convert(data, uint256) if ok and len(data) == 32 else 0
