# pragma version 0.4.3
"""
@title Reasons of reverts
@custom:contract-name revert_reason
@license GNU Affero General Public License v3.0 only
@author Relever
@notice What a call that failed says.
"""


# What `Error(string)` takes with a reason of up to 32 bytes: selector, place, length, text.
REASON_SIZE: constant(uint256) = 100


@pure
@internal
def _reason(answer: Bytes[REASON_SIZE]) -> String[32]:
    """@param answer What a failed call returned, cut off at `REASON_SIZE`."""
    # Of a longer one, and of all that is no reason, only that it failed is told.
    if len(answer) != REASON_SIZE or convert(slice(answer, 36, 32), uint256) > 32:
        return "refused for another reason"
    return abi_decode(slice(answer, 4, 96), String[32])
