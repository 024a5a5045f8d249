# pragma version 0.4.3
"""
@title SettableAdapter
@license GNU Affero General Public License v3.0 only
@author Relever
@notice An adapter whose answers are set by the test: what it is worth, what is at risk, whether it
        can be read at all, what a stake loses, what a finished exit sends and what it claims to send.
        For the vault's bookkeeping only; what EigenLayer does is tested on EigenLayer.
@dev Amounts in asset units.
"""
from ethereum.ercs import IERC20

from interfaces import IStakingAdapter

implements: IStakingAdapter


vault: public(address)
asset: public(address)
staked: public(uint256)
exiting: public(uint256)
value_at_risk: public(uint256)
exit_delay: public(uint256)

# Reading reverts.
broken: public(bool)
# Steps of idle work in each reading, to make it dear.
work: public(uint256)
# What the next stakes lose.
stake_loss: public(uint256)
exits: public(uint256)
# By exit: what it takes out of `exiting`, what it sends, what it says that it sent.
exit_value: public(HashMap[uint256, uint256])
exit_sends: public(HashMap[uint256, uint256])
exit_claims: public(HashMap[uint256, uint256])

# A call to make in the middle of the next stake or exit, and how it went.
hook_target: address
hook_data: Bytes[1024]
hook_success: public(bool)
hook_answer: public(Bytes[1024])


@deploy
def __init__(vault: address, asset: address):
    self.vault = vault
    self.asset = asset


@external
def set_value(staked: uint256, exiting: uint256):
    self.staked = staked
    self.exiting = exiting


@external
def set_at_risk(amount: uint256):
    self.value_at_risk = amount


@external
def set_broken(broken: bool):
    self.broken = broken


@external
def set_work(steps: uint256):
    self.work = steps


@external
def set_stake_loss(amount: uint256):
    self.stake_loss = amount


@external
def set_exit(id: uint256, sends: uint256, claims: uint256):
    self.exit_sends[id] = sends
    self.exit_claims[id] = claims


@external
def set_hook(target: address, data: Bytes[1024]):
    self.hook_target = target
    self.hook_data = data


@external
def stake(amount: uint256):
    self._run_hook()
    self.staked += amount - self.stake_loss


@external
def start_exit(amount: uint256) -> uint256:
    self._run_hook()
    id: uint256 = self.exits
    self.exits += 1
    leaving: uint256 = min(amount, self.staked)
    self.staked -= leaving
    self.exiting += leaving
    self.exit_value[id] = leaving
    self.exit_sends[id] = leaving
    self.exit_claims[id] = leaving
    return id


@external
def finish_exit(id: uint256) -> uint256:
    self._run_hook()
    self.exiting -= min(self.exiting, self.exit_value[id])
    extcall IERC20(self.asset).transfer(self.vault, self.exit_sends[id])
    return self.exit_claims[id]


@view
@external
def total_assets() -> uint256:
    assert not self.broken, "adapter: broken"
    worked: uint256 = 0
    for step: uint256 in range(self.work, bound=100_000):
        worked = step
    return self.staked + self.exiting


@internal
def _run_hook():
    if self.hook_target != empty(address):
        self.hook_success, self.hook_answer = raw_call(
            self.hook_target, self.hook_data, max_outsize=1024, revert_on_failure=False
        )
