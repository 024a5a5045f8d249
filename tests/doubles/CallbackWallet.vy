# pragma version 0.4.3
"""
@title CallbackWallet
@license GNU Affero General Public License v3.0 only
@author Relever
@notice A contract that calls whatever the test says, and answers the market's callbacks as the test
        says: first it logs what it was told, then it makes the calls that were set, minds not how
        they went but remembers it, and gives the answer that was set.
"""
from interfaces import IAdjustCallback
from interfaces import IFlashBorrower
from interfaces import ILiquidateCallback

implements: IAdjustCallback
implements: IFlashBorrower
implements: ILiquidateCallback


event AdjustCalled:
    caller: indexed(address)
    owner: address
    collateral_delta: int256
    debt_delta: int256
    data: Bytes[1024]


event LiquidateCalled:
    caller: indexed(address)
    owner: address
    repaid: uint256
    seized: uint256
    data: Bytes[1024]


event FlashLoanCalled:
    caller: indexed(address)
    initiator: address
    token: address
    amount: uint256
    fee: uint256
    data: Bytes[1024]


struct Step:
    target: address
    data: Bytes[1024]


struct Outcome:
    success: bool
    answer: Bytes[320]


answer: uint256
flash_answer: bytes32
steps: DynArray[Step, 64]
outcomes: DynArray[Outcome, 64]


@deploy
def __init__():
    self.flash_answer = keccak256("ERC3156FlashBorrower.onFlashLoan")


@external
def run(target: address, data: Bytes[2048]):
    """@notice Call a contract, and revert as it reverts."""
    raw_call(target, data)


@external
def set_answer(answer: uint256):
    """@notice What `on_adjust` answers."""
    self.answer = answer


@external
def set_flash_answer(answer: bytes32):
    self.flash_answer = answer


@external
def set_steps(steps: DynArray[Step, 64]):
    """@notice Calls to make in the middle of every callback from now on."""
    self.steps = steps


@view
@external
def all_outcomes() -> DynArray[Outcome, 64]:
    """@notice How the last callback's calls went, and what they answered or reverted with."""
    return self.outcomes


@external
def on_adjust(
    owner: address, collateral_delta: int256, debt_delta: int256, data: Bytes[1024]
) -> uint256:
    log AdjustCalled(
        caller=msg.sender,
        owner=owner,
        collateral_delta=collateral_delta,
        debt_delta=debt_delta,
        data=data,
    )
    self._make_steps()
    return self.answer


@external
def on_liquidate(owner: address, repaid: uint256, seized: uint256, data: Bytes[1024]):
    log LiquidateCalled(caller=msg.sender, owner=owner, repaid=repaid, seized=seized, data=data)
    self._make_steps()


@external
def onFlashLoan(
    initiator: address, token: address, amount: uint256, fee: uint256, data: Bytes[1024]
) -> bytes32:
    log FlashLoanCalled(
        caller=msg.sender, initiator=initiator, token=token, amount=amount, fee=fee, data=data
    )
    self._make_steps()
    return self.flash_answer


@internal
def _make_steps():
    self.outcomes = []
    for step: Step in self.steps:
        success: bool = False
        answer: Bytes[320] = b""
        success, answer = raw_call(
            step.target, step.data, max_outsize=320, revert_on_failure=False
        )
        self.outcomes.append(Outcome(success=success, answer=answer))
