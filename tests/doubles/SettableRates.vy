# pragma version 0.4.3
"""
@title SettableRates
@license GNU Affero General Public License v3.0 only
@author Relever
@notice The rates (WAD) of a vault and of the LST below it, the vault's supply, its idle assets and what
        it holds of them, as the oracle reads them and as the test sets them. Its deployer owns and guards it.
"""


rate: public(uint256)
stEthPerToken: public(uint256)
totalSupply: public(uint256)
expected_back: public(uint256)
idle: public(uint256)
owner: public(address)
guardian: public(address)

held: uint256
# None set: what is live is what is booked.
lower_live_rate: uint256
# Reading the live rate reverts, as when an adapter cannot be read.
unreadable: bool


@deploy
def __init__(rate: uint256, lst_rate: uint256):
    self.rate = rate
    self.stEthPerToken = lst_rate
    self.owner = msg.sender
    self.guardian = msg.sender


@external
def set_expected_back(amount: uint256):
    self.expected_back = amount


@external
def set_supply(supply: uint256):
    self.totalSupply = supply


@external
def set_idle(idle: uint256, held: uint256):
    self.idle = idle
    self.held = held


@external
def set_owner(owner: address):
    self.owner = owner


@external
def set_guardian(guardian: address):
    self.guardian = guardian


@view
@external
def balanceOf(owner: address) -> uint256:
    return self.held if owner == self else 0


@external
def set_rate(rate: uint256):
    self.rate = rate


@external
def set_lst_rate(lst_rate: uint256):
    self.stEthPerToken = lst_rate


@external
def set_live_rate(live_rate: uint256):
    self.lower_live_rate = live_rate


@external
def set_unreadable(unreadable: bool):
    self.unreadable = unreadable


@view
@external
def live_rate() -> uint256:
    assert not self.unreadable, "vault: adapter unreadable"
    return self.rate if self.lower_live_rate == 0 else min(self.rate, self.lower_live_rate)
