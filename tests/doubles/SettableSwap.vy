# pragma version 0.4.3
"""
@title SettableSwap
@license GNU Affero General Public License v3.0 only
@author Relever
@notice A swap venue that pays and claims what the test sets, out of what it holds, and first makes a
        call that the test sets.
"""
from ethereum.ercs import IERC20
from interfaces import ISwap

implements: ISwap


paid: uint256
claimed: uint256
hook_target: address
hook_data: Bytes[1024]
hook_success: public(bool)


@external
def set_terms(paid: uint256, claimed: uint256):
    self.paid = paid
    self.claimed = claimed


@external
def set_hook(target: address, data: Bytes[1024]):
    self.hook_target = target
    self.hook_data = data


@external
def swap(
    token_in: address, token_out: address, amount_in: uint256, min_out: uint256, receiver: address
) -> uint256:
    if self.hook_target != empty(address):
        self.hook_success = raw_call(self.hook_target, self.hook_data, revert_on_failure=False)
    extcall IERC20(token_out).transfer(receiver, self.paid)
    return self.claimed


@external
def swap_up_to(
    token_in: address, token_out: address, amount_in: uint256, min_rate: uint256, receiver: address
) -> (uint256, uint256):
    raise "swap: sells all or nothing"
