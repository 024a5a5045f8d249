# pragma version 0.4.3
"""
@title ScriptedCaller
@license GNU Affero General Public License v3.0 only
@author Relever
@notice A contract that calls whatever it is told, and answers callbacks as their data say:
        it makes the calls in there, minds not how they went but logs it, and answers. It remembers
        nothing.
"""
from interfaces import IAdjustCallback
from interfaces import IFlashBorrower
from interfaces import ILeveragedCallback
from interfaces import ILiquidateCallback

implements: IAdjustCallback
implements: IFlashBorrower
implements: ILeveragedCallback
implements: ILiquidateCallback


event Made:
    success: bool
    answer: Bytes[320]


struct Call:
    target: address
    data: Bytes[320]


AGREED: constant(bytes32) = keccak256("ERC3156FlashBorrower.onFlashLoan")


@external
def run(target: address, data: Bytes[2048]) -> Bytes[320]:
    """@notice Call a contract, answer as it answers and revert as it reverts."""
    return raw_call(target, data, max_outsize=320)


@external
def on_adjust(
    owner: address, collateral_delta: int256, debt_delta: int256, data: Bytes[1024]
) -> uint256:
    return self._follow(data)[0]


@external
def on_liquidate(owner: address, repaid: uint256, seized: uint256, data: Bytes[1024]):
    self._follow(data)


@external
def on_leveraged(collateral_delta: int256, debt_delta: int256, data: Bytes[896]):
    self._follow(data)


@external
def onFlashLoan(
    initiator: address, token: address, amount: uint256, fee: uint256, data: Bytes[1024]
) -> bytes32:
    agrees: bool = self._follow(data)[1]
    if agrees:
        return AGREED
    return empty(bytes32)


@internal
def _follow(data: Bytes[1024]) -> (uint256, bool):
    answer: uint256 = 0
    agrees: bool = False
    calls: DynArray[Call, 2] = []
    answer, agrees, calls = abi_decode(data, (uint256, bool, DynArray[Call, 2]))
    for call: Call in calls:
        success: bool = False
        answered: Bytes[320] = b""
        success, answered = raw_call(
            call.target, call.data, max_outsize=320, revert_on_failure=False
        )
        log Made(success=success, answer=answered)
    return answer, agrees
