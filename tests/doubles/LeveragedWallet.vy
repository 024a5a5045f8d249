# pragma version 0.4.3
"""
@title LeveragedWallet
@license GNU Affero General Public License v3.0 only
@author Relever
@notice A contract that calls whatever the test says, and answers a leveraged token's callback as
        the test says: it logs what it was told, then makes the calls that were set, and remembers
        how they went.
"""
from interfaces import ILeveragedCallback

implements: ILeveragedCallback


event Called:
    caller: indexed(address)
    collateral_delta: int256
    debt_delta: int256
    data: Bytes[896]


struct Step:
    target: address
    data: Bytes[1024]


struct Outcome:
    success: bool
    answer: Bytes[320]


steps: DynArray[Step, 64]
outcomes: DynArray[Outcome, 64]


@external
def run(target: address, data: Bytes[2048]):
    """@notice Call a contract, and revert as it reverts."""
    raw_call(target, data)


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
def on_leveraged(collateral_delta: int256, debt_delta: int256, data: Bytes[896]):
    log Called(
        caller=msg.sender, collateral_delta=collateral_delta, debt_delta=debt_delta, data=data
    )
    self.outcomes = []
    for step: Step in self.steps:
        success: bool = False
        answer: Bytes[320] = b""
        success, answer = raw_call(
            step.target, step.data, max_outsize=320, revert_on_failure=False
        )
        self.outcomes.append(Outcome(success=success, answer=answer))
