# pragma version 0.4.3
"""
@title CheatingStablePool
@license GNU Affero General Public License v3.0 only
@author Relever
@notice A pool of two tokens in Balancer's Vault that takes what its first liquidity is said to be, pays
        for a sale what the test sets, and first makes a call that the test sets.
"""


interface IVault:
    def registerPool(specialization: uint8) -> bytes32: nonpayable
    def registerTokens(
        poolId: bytes32, tokens: DynArray[address, 2], managers: DynArray[address, 2]
    ): nonpayable


struct SwapRequest:
    kind: uint8
    tokenIn: address
    tokenOut: address
    amount: uint256
    poolId: bytes32
    lastChangeBlock: uint256
    sender: address
    receiver: address
    userData: Bytes[32]


getPoolId: public(bytes32)
paid: uint256
hook_target: address
hook_data: Bytes[1024]
hook_calls: public(uint256)
hook_success: public(bool)
# What it reverted with, or the first bytes of what it answered.
hook_answer: public(Bytes[128])


@deploy
def __init__(vault: address, first: address, second: address):
    nobody: address = empty(address)
    self.getPoolId = extcall IVault(vault).registerPool(0)
    extcall IVault(vault).registerTokens(self.getPoolId, [first, second], [nobody, nobody])


@external
def set_terms(paid: uint256):
    self.paid = paid


@external
def set_hook(target: address, data: Bytes[1024]):
    self.hook_target = target
    self.hook_data = data


@external
def onJoinPool(
    poolId: bytes32,
    sender: address,
    recipient: address,
    balances: DynArray[uint256, 2],
    lastChangeBlock: uint256,
    protocolSwapFeePercentage: uint256,
    userData: Bytes[128],
) -> (DynArray[uint256, 2], DynArray[uint256, 2]):
    return abi_decode(userData, DynArray[uint256, 2]), [0, 0]


@external
def onSwap(
    request: SwapRequest, balances: DynArray[uint256, 2], indexIn: uint256, indexOut: uint256
) -> uint256:
    if self.hook_target != empty(address):
        self.hook_calls += 1
        self.hook_success, self.hook_answer = raw_call(
            self.hook_target, self.hook_data, max_outsize=128, revert_on_failure=False
        )
    return self.paid
