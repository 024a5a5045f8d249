# pragma version 0.4.3
"""
@title Typed signatures
@custom:contract-name signatures
@license GNU Affero General Public License v3.0 only
@author Relever
@notice Whether somebody has signed a struct for this contract, by EIP-712 (ECDSA or EIP-1271).
@dev The domain is the chain and the contract: neither name nor version is needed to tell two apart. It
     is computed each time, so that a fork of the chain has its own.
"""
# One helper for both kinds of signature.
from snekmate.utils import signature_checker


DOMAIN_TYPE: constant(bytes32) = keccak256("EIP712Domain(uint256 chainId,address verifyingContract)")


@view
@internal
def _is_signed(owner: address, struct_hash: bytes32, signature: Bytes[65]) -> bool:
    """@notice Nobody signs for the zero address."""
    domain: bytes32 = keccak256(abi_encode(DOMAIN_TYPE, chain.id, self))
    digest: bytes32 = keccak256(concat(x"1901", domain, struct_hash))
    if owner == empty(address):
        return False
    return signature_checker._is_valid_signature_now(owner, digest, signature)
