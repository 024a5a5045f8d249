# pragma version 0.4.3
"""
@title Erc1271Wallet
@license GNU Affero General Public License v3.0 only
@author Relever
@notice A wallet whose signature is valid when the test has approved that hash and those bytes.
"""


_approved: HashMap[bytes32, bytes32]


@external
def approve_signature(hash: bytes32, signature: Bytes[65]):
    self._approved[hash] = keccak256(signature)


@view
@external
def isValidSignature(hash: bytes32, signature: Bytes[65]) -> bytes4:
    """@notice ERC-1271."""
    return 0x1626ba7e if self._approved[hash] == keccak256(signature) else 0xffffffff
