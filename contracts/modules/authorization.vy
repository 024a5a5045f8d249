# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Authorisation
@custom:contract-name authorization
@license GNU Affero General Public License v3.0 only
@author Relever
@notice Managers who may act on an owner's position, by call or by EIP-712 signature (ECDSA or
        EIP-1271). A manager can give its right up.
"""
from ..interfaces import ILendingMarket
from . import checks
from . import signatures


AUTHORIZATION_TYPE: constant(bytes32) = keccak256(
    "Authorization(address owner,address manager,bool authorized,uint256 nonce,uint256 deadline)"
)

_authorized: HashMap[address, HashMap[address, bool]]
_nonces: HashMap[address, uint256]


@external
def set_authorization(manager: address, authorized: bool):
    """
    @notice Let `manager` act on the caller's position, or stop it.
    @dev Uses a nonce up, so that no signature which the caller has given away but nobody submitted
         can undo it.
    """
    self._nonces[msg.sender] += 1
    self._set_authorization(msg.sender, manager, authorized)


@external
def renounce_authorization(owner: address):
    """@notice The caller gives up its right over `owner`'s position."""
    self._set_authorization(owner, msg.sender, False)


@external
def set_authorization_by_signature(
    owner: address,
    manager: address,
    authorized: bool,
    nonce: uint256,
    deadline: uint256,
    signature: Bytes[65],
):
    """@notice See `ILendingMarket`. A nonce that is used up makes the call do nothing."""
    if block.timestamp > deadline:
        checks._fail("market: signature expired")
    expected: uint256 = self._nonces[owner]
    if nonce < expected:
        return
    if nonce != expected:
        checks._fail("market: nonce")
    signed: bytes32 = keccak256(
        abi_encode(AUTHORIZATION_TYPE, owner, manager, authorized, nonce, deadline)
    )
    valid: bool = signatures._is_signed(owner, signed, signature)
    if not valid:
        checks._fail("market: signature")
    self._nonces[owner] = nonce + 1
    self._set_authorization(owner, manager, authorized)


@view
@external
@reentrant
def is_authorized(owner: address, manager: address) -> bool:
    """@notice Whether `manager` may act on `owner`'s position."""
    return self._authorized[owner][manager]


@view
@external
@reentrant
def nonces(owner: address) -> uint256:
    """@notice The next nonce of `owner`'s authorisation signatures."""
    return self._nonces[owner]


@view
@internal
def _may_act(owner: address, caller: address) -> bool:
    return caller == owner or self._authorized[owner][caller]


@internal
def _set_authorization(owner: address, manager: address, authorized: bool):
    self._authorized[owner][manager] = authorized
    log ILendingMarket.AuthorizationSet(owner=owner, manager=manager, authorized=authorized)
