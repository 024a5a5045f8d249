# pragma version 0.4.3
"""
@title Grants by signature
@custom:contract-name signed_grants
@license GNU Affero General Public License v3.0 only
@author Relever
@notice Rights that the caller gives by signature, and takes back when asked.
@dev Every signature is for the caller's own account: a stranger's is checked against the caller's
     address and is worth nothing.
"""
from ..interfaces import IForeignVenue
from ..interfaces import IGrants
from ..interfaces import ILendingMarket
from . import signature_parts


@internal
def _permit(token_in: address, amount: uint256, signed: IGrants.Signed):
    """
    @notice Hand on an ERC-2612 permit for `amount` of one of the tokens that can be paid in.
    @dev Anyone may have submitted it before, so that a failure says nothing: the allowance does.
    """
    if len(signed.signature) == 0:
        return
    v: uint8 = 0
    r: bytes32 = empty(bytes32)
    s: bytes32 = empty(bytes32)
    v, r, s = signature_parts._split(signed.signature)
    success: bool = raw_call(
        token_in,
        abi_encode(
            msg.sender,
            self,
            amount,
            signed.deadline,
            v,
            r,
            s,
            method_id=method_id("permit(address,address,uint256,uint256,uint8,bytes32,bytes32)"),
        ),
        revert_on_failure=False,
    )


@internal
def _authorize(
    market: address,
    foreign: bool,
    collateral_delta: int256,
    debt_delta: int256,
    signed: IGrants.Signed,
):
    """@notice Hand on the caller's signature over what the change of its position needs."""
    if len(signed.signature) == 0:
        return
    if foreign:
        extcall IForeignVenue(market).authorize(msg.sender, collateral_delta, debt_delta, signed)
    else:
        extcall ILendingMarket(market).set_authorization_by_signature(
            msg.sender, self, True, signed.nonce, signed.deadline, signed.signature
        )


@internal
def _revoke(market: address, foreign: bool, signed: IGrants.Signed):
    """@notice Leave no right over the caller's position behind."""
    if foreign:
        extcall IForeignVenue(market).revoke(msg.sender, signed)
    else:
        extcall ILendingMarket(market).renounce_authorization(msg.sender)
