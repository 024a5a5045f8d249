# pragma version 0.4.3
"""
@title Hook
@license GNU Affero General Public License v3.0 only
@author Relever
@notice Stands at the address of another contract, whose code lies elsewhere and runs here by
        delegation: before each call of one of some functions it makes the calls that the test has
        set, in that contract's name, and logs how they went. So any token or protocol can be made
        to call back.
@dev The test deploys it, sets it up, and puts its code at the other's address. What was set stays at
     the first address and is asked for there: the other's storage is left alone.
"""


interface Script:
    def hook_steps(selector: bytes4) -> DynArray[Step, 32]: view
    def set_running(running: bool): nonpayable


event Hooked:
    selector: bytes4
    place: uint256
    success: bool
    answer: Bytes[320]


struct Step:
    target: address
    data: Bytes[2048]


SCRIPT: immutable(address)
CODE: immutable(address)

selectors: DynArray[bytes4, 16]
steps: DynArray[Step, 32]


# While the steps run, none begin again.
_running: transient(bool)


@deploy
def __init__(code: address):
    """@param code Where a copy of the other's code lies."""
    SCRIPT = self
    CODE = code


@external
def set_hook(selectors: DynArray[bytes4, 16], steps: DynArray[Step, 32]):
    """@notice In which functions to make which calls."""
    self.selectors = selectors
    self.steps = steps


@view
@external
def hook_steps(selector: bytes4) -> DynArray[Step, 32]:
    """@notice What to do in this function; nothing while that is being done."""
    if self._running or selector not in self.selectors:
        return []
    return self.steps


@external
def set_running(running: bool):
    self._running = running


@payable
@external
@raw_return
def __default__() -> Bytes[4096]:
    if len(msg.data) >= 4:
        selector: bytes4 = convert(slice(msg.data, 0, 4), bytes4)
        steps: DynArray[Step, 32] = staticcall Script(SCRIPT).hook_steps(selector)
        if len(steps) != 0:
            extcall Script(SCRIPT).set_running(True)
        place: uint256 = 0
        for step: Step in steps:
            success: bool = False
            answer: Bytes[320] = b""
            success, answer = raw_call(
                step.target, step.data, max_outsize=320, revert_on_failure=False
            )
            log Hooked(selector=selector, place=place, success=success, answer=answer)
            place += 1
        if len(steps) != 0:
            extcall Script(SCRIPT).set_running(False)
    return raw_call(CODE, msg.data, max_outsize=4096, is_delegate_call=True)
