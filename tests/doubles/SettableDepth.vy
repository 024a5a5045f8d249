# pragma version 0.4.3
"""
@title SettableDepth
@license GNU Affero General Public License v3.0 only
@author Relever
@notice A swap venue that buys one token for another, at one rate and as much as the test lets it, out of
        what it holds, and first makes a call that the test sets.
"""
from ethereum.ercs import IERC20
from interfaces import ISwap

implements: ISwap


WAD: constant(uint256) = 10**18

BUYS: immutable(address)
PAYS: immutable(address)

# `token_out` per `token_in` in WAD, and what of `token_in` is still bought.
rate: public(uint256)
depth: public(uint256)

target: address
data: Bytes[1024]
succeeded: public(bool)
answer: public(Bytes[1024])


@deploy
def __init__(buys: address, pays: address):
    BUYS = buys
    PAYS = pays


@external
def set_terms(rate: uint256, depth: uint256):
    self.rate = rate
    self.depth = depth


@external
def set_hook(target: address, data: Bytes[1024]):
    self.target = target
    self.data = data


@external
def swap(
    token_in: address, token_out: address, amount_in: uint256, min_out: uint256, receiver: address
) -> uint256:
    raise "swap: sells up to a rate only"


@external
def swap_up_to(
    token_in: address, token_out: address, amount_in: uint256, min_rate: uint256, receiver: address
) -> (uint256, uint256):
    assert token_in == BUYS and token_out == PAYS, "swap: no pool"
    if self.target != empty(address):
        self.succeeded, self.answer = raw_call(
            self.target, self.data, max_outsize=1024, revert_on_failure=False
        )
    sold: uint256 = min(amount_in, self.depth) if self.rate >= min_rate else 0
    got: uint256 = sold * self.rate // WAD
    self.depth -= sold
    extcall IERC20(token_out).transfer(receiver, got)
    extcall IERC20(token_in).transfer(msg.sender, amount_in - sold)
    return sold, got


@view
@external
def pays(token_in: address, token_out: address, min_rate: uint256) -> bool:
    knows: bool = token_in == BUYS and token_out == PAYS
    return knows and self.rate >= min_rate and self.depth != 0
