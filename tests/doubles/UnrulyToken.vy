# pragma version 0.4.3
"""
@title UnrulyToken
@license GNU Affero General Public License v3.0 only
@author Relever
@notice A token that anyone may mint, and whose transfers answer with what the test sets (nothing is
        allowed) and first make a call that the test sets.
"""
from ethereum.ercs import IERC20

balanceOf: public(HashMap[address, uint256])
allowance: public(HashMap[address, HashMap[address, uint256]])
decimals: public(constant(uint8)) = 18

answer: Bytes[32]
hook_target: address
hook_data: Bytes[1024]
hook_success: public(bool)
# What it reverted with, or the first bytes of what it answered.
hook_answer: public(Bytes[128])
hook_calls: public(uint256)


@deploy
def __init__():
    self.answer = abi_encode(True)


@external
def set_answer(answer: Bytes[32]):
    self.answer = answer


@external
def set_hook(target: address, data: Bytes[1024]):
    self.hook_target = target
    self.hook_data = data


@external
def mint(to: address, amount: uint256):
    self.balanceOf[to] += amount


@external
def approve(spender: address, amount: uint256) -> bool:
    self.allowance[msg.sender][spender] = amount
    return True


@raw_return
@external
def transfer(to: address, amount: uint256) -> Bytes[32]:
    self._move(msg.sender, to, amount)
    return self.answer


@raw_return
@external
def transferFrom(owner: address, to: address, amount: uint256) -> Bytes[32]:
    self.allowance[owner][msg.sender] -= amount
    self._move(owner, to, amount)
    return self.answer


@internal
def _move(owner: address, to: address, amount: uint256):
    if self.hook_target != empty(address):
        self.hook_calls += 1
        self.hook_success, self.hook_answer = raw_call(
            self.hook_target, self.hook_data, max_outsize=128, revert_on_failure=False
        )
    self.balanceOf[owner] -= amount
    self.balanceOf[to] += amount
    log IERC20.Transfer(sender=owner, receiver=to, value=amount)
