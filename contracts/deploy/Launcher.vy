# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Launcher
@custom:contract-name Launcher
@license GNU Affero General Public License v3.0 only
@author Relever
@notice Creates one account's contracts by CREATE2 and makes their first calls, both in one transaction,
        so that nobody comes between. Its address depends on that account, and theirs on its own: nobody
        else can take them. The contracts belong to it until it hands them over, and to nobody else.
@dev Calls anything for its owner, and nothing for anybody else. Whatever is left with it stays the
     owner's. Failures give their own reason.
"""


struct Call:
    target: address
    value: uint256
    data: Bytes[1024]


event Created:
    made: indexed(address)


# EIP-3860's limit of creation code.
MAX_CODE: constant(uint256) = 49_152
MAX_CALLS: constant(uint256) = 10

OWNER: public(immutable(address))


@deploy
def __init__(owner: address):
    assert owner != empty(address), "launcher: owner"
    OWNER = owner


@external
def create(
    salt: bytes32,
    code: Bytes[MAX_CODE],
    before: DynArray[Call, MAX_CALLS],
    after: DynArray[Call, MAX_CALLS],
) -> address:
    """
    @notice Create a contract where CREATE2 puts it, between calls. Owner only.
    @param code With the constructor's arguments.
    """
    self._check_owner()
    self._call(before)
    made: address = raw_create(code, salt=salt)
    log Created(made=made)
    self._call(after)
    return made


@external
def create_next(code: Bytes[MAX_CODE]) -> address:
    """
    @notice Create a contract where CREATE puts it, by the count of those before. Owner only.
    @dev For one of two contracts that name each other, whose address cannot depend on its code.
    """
    self._check_owner()
    made: address = raw_create(code)
    log Created(made=made)
    return made


@payable
@external
def run(calls: DynArray[Call, MAX_CALLS]):
    """@notice Make calls, which spend all the ether that comes with them. Owner only."""
    self._check_owner()
    spent: uint256 = 0
    for call: Call in calls:
        spent += call.value
    assert spent == msg.value, "launcher: ether"
    self._call(calls)


@view
@internal
def _check_owner():
    assert msg.sender == OWNER, "launcher: not owner"


@internal
def _call(calls: DynArray[Call, MAX_CALLS]):
    for call: Call in calls:
        # A call to no code would succeed, and do nothing.
        assert call.target.is_contract, "launcher: no contract"
        raw_call(call.target, call.data, value=call.value)
