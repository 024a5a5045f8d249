# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Calls to a foreign venue
@custom:contract-name venue_call
@license GNU Affero General Public License v3.0 only
@author Relever
@notice What a contract before another protocol's market keeps of the one call that runs: only its router
        calls, and the protocol's callbacks are answered only meanwhile.
@dev The call travels through the protocol as the callback's data, and its hash is kept here: what comes
     back is what was sent.
"""
from ..interfaces import IAdjustCallback
from . import token


struct Call:
    owner: address
    receiver: address
    collateral_delta: int256
    paid_out: uint256
    borrowed: uint256
    repaid: uint256
    # For the router's callback; there is none when it is empty.
    data: Bytes[1024]


ROUTER: public(immutable(address))

# Of the call that waits for the protocol's callback.
_expected: transient(bytes32)


@deploy
def __init__(router: address):
    assert router != empty(address), "venue: no router"
    ROUTER = router


@internal
def _begin(
    owner: address,
    collateral_delta: int256,
    debt_delta: int256,
    debt: uint256,
    receiver: address,
    data: Bytes[1024],
) -> Call:
    """
    @param debt What is owed: no more is repaid.
    @return The call, of which the callback's data must be just the encoding.
    """
    assert msg.sender == ROUTER, "venue: not the router"
    raises: bool = collateral_delta >= 0 and debt_delta >= 0
    lowers: bool = collateral_delta <= 0 and debt_delta <= 0
    assert raises or lowers, "venue: both ways at once"
    call: Call = Call(
        owner=owner,
        receiver=receiver,
        collateral_delta=collateral_delta,
        paid_out=convert(max(-collateral_delta, 0), uint256),
        borrowed=convert(max(debt_delta, 0), uint256),
        repaid=min(convert(max(-debt_delta, 0), uint256), debt),
        data=data,
    )
    self._expected = keccak256(abi_encode(call))
    return call


@internal
def _resume(caller: address, data: Bytes[2048]) -> Call:
    """@notice In the protocol's callback, once: the call that runs."""
    assert msg.sender == caller, "venue: not the protocol"
    assert keccak256(data) == self._expected, "venue: no such call"
    self._expected = empty(bytes32)
    return abi_decode(data, Call)


@internal
def _end():
    self._expected = empty(bytes32)


@internal
def _take_collateral(call: Call, collateral: address) -> uint256:
    """@notice Ask the router, when it gave data. @return What it has sent, and what was pulled in."""
    due: uint256 = convert(max(call.collateral_delta, 0), uint256)
    before: uint256 = token._balance(collateral, self)
    if len(call.data) != 0:
        due = self._call_back(call)
    sent: uint256 = token._balance(collateral, self) - before
    taken: uint256 = sent + due
    assert convert(taken, int256) >= call.collateral_delta, "venue: callback short"
    token._pull(collateral, ROUTER, due)
    return taken


@internal
def _take_loan(call: Call, loan: address):
    """@notice Ask the router, when it gave data, and pull in what it has not sent of the repayment."""
    before: uint256 = token._balance(loan, self)
    if len(call.data) != 0:
        self._call_back(call)
    sent: uint256 = token._balance(loan, self) - before
    token._pull(loan, ROUTER, call.repaid - sent)


@internal
def _call_back(call: Call) -> uint256:
    """@return The collateral to pull in."""
    settled: int256 = convert(call.borrowed, int256) - convert(call.repaid, int256)
    return extcall IAdjustCallback(ROUTER).on_adjust(
        call.owner, call.collateral_delta, settled, call.data
    )
