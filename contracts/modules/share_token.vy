# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Share token
@custom:contract-name share_token
@license GNU Affero General Public License v3.0 only
@author Relever
@notice The ERC-20 side of the lenders' shares, without `totalSupply`: the supply lies packed in
        `totals`. The protocol's own shares are the balance of the market itself.
"""
from . import checks


event Transfer:
    sender: indexed(address)
    receiver: indexed(address)
    value: uint256


event Approval:
    owner: indexed(address)
    spender: indexed(address)
    value: uint256


name: public(immutable(String[32]))
symbol: public(immutable(String[16]))
decimals: public(immutable(uint8))

_balances: HashMap[address, uint256]
_allowances: HashMap[address, HashMap[address, uint256]]


@deploy
def __init__(name_: String[32], symbol_: String[16], decimals_: uint8):
    name = name_
    symbol = symbol_
    decimals = decimals_


@external
def transfer(receiver: address, amount: uint256) -> bool:
    """@notice ERC-20."""
    self._transfer(msg.sender, receiver, amount)
    return True


@external
def transferFrom(owner: address, receiver: address, amount: uint256) -> bool:
    """@notice ERC-20. An allowance of 2**256 - 1 is not used up."""
    self._spend_allowance(owner, amount)
    self._transfer(owner, receiver, amount)
    return True


@external
def approve(spender: address, amount: uint256) -> bool:
    """@notice ERC-20."""
    self._allowances[msg.sender][spender] = amount
    log Approval(owner=msg.sender, spender=spender, value=amount)
    return True


@view
@external
@reentrant
def balanceOf(owner: address) -> uint256:
    """@notice Shares of a lender; the market's own are the protocol's."""
    return self._balances[owner]


@view
@external
@reentrant
def allowance(owner: address, spender: address) -> uint256:
    """@notice ERC-20."""
    return self._allowances[owner][spender]


@internal
def _mint(receiver: address, amount: uint256):
    """@notice The caller books the supply."""
    self._balances[receiver] += amount
    log Transfer(sender=empty(address), receiver=receiver, value=amount)


@internal
def _burn(owner: address, amount: uint256):
    """@notice The caller books the supply."""
    if amount > self._balances[owner]:
        checks._fail("market: not enough shares")
    self._balances[owner] -= amount
    log Transfer(sender=owner, receiver=empty(address), value=amount)


@internal
def _transfer(owner: address, receiver: address, amount: uint256):
    self._check_receiver(receiver)
    if amount > self._balances[owner]:
        checks._fail("market: not enough shares")
    self._balances[owner] -= amount
    self._balances[receiver] += amount
    log Transfer(sender=owner, receiver=receiver, value=amount)


@internal
def _spend_allowance(owner: address, amount: uint256):
    """@notice Of the caller; the owner itself needs none."""
    if msg.sender == owner:
        return
    allowed: uint256 = self._allowances[owner][msg.sender]
    if allowed == max_value(uint256):
        return
    if amount > allowed:
        checks._fail("market: allowance")
    self._allowances[owner][msg.sender] = allowed - amount


@view
@internal
def _check_receiver(receiver: address):
    """@notice Nothing is sent to nobody, nor to the market itself."""
    if receiver == empty(address) or receiver == self:
        checks._fail("market: receiver")
