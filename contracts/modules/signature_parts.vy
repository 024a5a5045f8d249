# pragma version 0.4.3
"""
@title Parts of a signature
@custom:contract-name signature_parts
@license GNU Affero General Public License v3.0 only
@author Relever
@notice A signature of 65 bytes as the three values that older interfaces take.
"""


@internal
@pure
def _split(signature: Bytes[65]) -> (uint8, bytes32, bytes32):
    """@return v, r and s; bytes that are missing count as a signature of nobody."""
    if len(signature) != 65:
        return 0, empty(bytes32), empty(bytes32)
    v: uint8 = convert(convert(slice(signature, 64, 1), bytes1), uint8)
    r: bytes32 = convert(slice(signature, 0, 32), bytes32)
    s: bytes32 = convert(slice(signature, 32, 32), bytes32)
    return v, r, s
