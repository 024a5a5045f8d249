# pragma version 0.4.3
"""
@title SettableLrt
@license GNU Affero General Public License v3.0 only
@author Relever
@notice A token that anyone may mint, which is an LRT and its own LST: the rates (WAD) of both are
        what the test sets, and what it mints for can be less than the booked one, or not be read at
        all.
"""
from ethereum.ercs import IERC20

implements: IERC20


decimals: public(constant(uint8)) = 18

balanceOf: public(HashMap[address, uint256])
allowance: public(HashMap[address, HashMap[address, uint256]])
totalSupply: public(uint256)
rate: public(uint256)
stEthPerToken: public(uint256)

_live_rate: uint256
_unreadable: bool


@deploy
def __init__(rate: uint256, lst_rate: uint256):
    self.rate = rate
    self._live_rate = rate
    self.stEthPerToken = lst_rate


@view
@external
def asset() -> address:
    return self


@view
@external
def previewMint(shares: uint256) -> uint256:
    """@notice Rounded up."""
    assert not self._unreadable, "vault: adapter unreadable"
    return shares * self._live_rate // 10**18 + 1


@external
def set_rates(rate: uint256, live_rate: uint256, lst_rate: uint256):
    self.rate = rate
    self._live_rate = live_rate
    self.stEthPerToken = lst_rate


@external
def set_unreadable(unreadable: bool):
    self._unreadable = unreadable


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
    self.balanceOf[to] += amount
    log IERC20.Transfer(sender=owner, receiver=to, value=amount)
