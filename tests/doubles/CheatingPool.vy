# pragma version 0.4.3
"""
@title CheatingPool
@license GNU Affero General Public License v3.0 only
@author Relever
@notice A Uniswap v3 pool with a fee of 0.3 % that asks for, pays and claims what the test sets, and may ask
        again when the swap is over.
"""
from ethereum.ercs import IERC20


interface ISwapCallback:
    def uniswapV3SwapCallback(change0: int256, change1: int256, data: Bytes[32]): nonpayable


token0: public(immutable(address))
token1: public(immutable(address))
# Of token0 in and token1 out: what the callback is told, and what the answer claims.
asked: int256
claimed_in: int256
claimed_out: int256
# The limit that the last swap came with.
limit: public(uint160)
# Square root of token1 per token0, times 2**96.
sqrt_price: uint160


@deploy
def __init__(first: address, second: address):
    token0 = first
    token1 = second
    self.sqrt_price = 2**96


@external
def set_terms(asked: int256, claimed_in: int256, claimed_out: int256):
    self.asked = asked
    self.claimed_in = claimed_in
    self.claimed_out = claimed_out


@external
def set_sqrt_price(sqrt_price: uint160):
    self.sqrt_price = sqrt_price


@view
@external
def slot0() -> (uint160, int24, uint16, uint16, uint16, uint8, bool):
    return self.sqrt_price, 0, 0, 1, 1, 0, True


@view
@external
def fee() -> uint24:
    return 3_000


@external
def swap(
    recipient: address, zero_for_one: bool, amount: int256, limit: uint160, data: Bytes[32]
) -> (int256, int256):
    self.limit = limit
    extcall ISwapCallback(msg.sender).uniswapV3SwapCallback(self.asked, -self.claimed_out, b"")
    return self.claimed_in, -self.claimed_out


@external
def swap_and_ask_again(target: address, call: Bytes[1024], asked: int256) -> (bool, Bytes[128]):
    """@notice Start a swap, and when it is over ask for a payment once more."""
    raw_call(target, call)
    return raw_call(
        target,
        abi_encode(
            asked,
            convert(0, int256),
            b"",
            method_id=method_id("uniswapV3SwapCallback(int256,int256,bytes)"),
        ),
        max_outsize=128,
        revert_on_failure=False,
    )
