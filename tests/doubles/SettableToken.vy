# pragma version 0.4.3
"""
@title SettableToken
@license GNU Affero General Public License v3.0 only
@author Relever
@notice An ERC-20 that anyone may mint and whose faults can be set: its decimals, and a fee that
        vanishes from every transfer. As wstETH it also has a rate.
"""
from ethereum.ercs import IERC20

implements: IERC20


decimals: public(immutable(uint8))

balanceOf: public(HashMap[address, uint256])
allowance: public(HashMap[address, HashMap[address, uint256]])
totalSupply: public(uint256)
# In token units, per transfer.
fee: public(uint256)
# stETH per wstETH, in WAD.
stEthPerToken: public(uint256)


@deploy
def __init__(decimals_: uint8, fee: uint256):
    decimals = decimals_
    self.fee = fee


@external
def set_rate(rate: uint256):
    self.stEthPerToken = rate


@external
def mint(to: address, amount: uint256):
    self.totalSupply += amount
    self.balanceOf[to] += amount
    log IERC20.Transfer(sender=empty(address), receiver=to, value=amount)


@external
def transfer(to: address, amount: uint256) -> bool:
    self._move(msg.sender, to, amount)
    return True


@external
def transferFrom(owner: address, to: address, amount: uint256) -> bool:
    assert self.allowance[owner][msg.sender] >= amount, "token: allowance"
    self.allowance[owner][msg.sender] -= amount
    self._move(owner, to, amount)
    return True


@external
def approve(spender: address, amount: uint256) -> bool:
    self.allowance[msg.sender][spender] = amount
    log IERC20.Approval(owner=msg.sender, spender=spender, value=amount)
    return True


@internal
def _move(owner: address, to: address, amount: uint256):
    assert self.balanceOf[owner] >= amount, "token: balance"
    self.balanceOf[owner] -= amount
    self.balanceOf[to] += amount - self.fee
    self.totalSupply -= self.fee
    log IERC20.Transfer(sender=owner, receiver=to, value=amount - self.fee)
