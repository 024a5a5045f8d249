# pragma version 0.4.3
"""
@title ReenteringLrt
@license GNU Affero General Public License v3.0 only
@author Relever
@notice An LRT that is its own asset, so that a helper can be deployed over it. Every transfer and
        deposit first makes the call that the test set, and remembers how it went.
"""


target: address
data: Bytes[1024]
calls: public(uint256)
successes: public(uint256)


@external
def set_hook(target: address, data: Bytes[1024]):
    self.target = target
    self.data = data


@view
@external
def asset() -> address:
    return self


@view
@external
def stETH() -> address:
    return empty(address)


@external
def approve(spender: address, amount: uint256) -> bool:
    return True


@external
def transferFrom(owner: address, to: address, amount: uint256) -> bool:
    self._call()
    return True


@external
def deposit(assets: uint256, receiver: address) -> uint256:
    self._call()
    return assets


@view
@external
def previewDeposit(assets: uint256) -> uint256:
    return assets


@internal
def _call():
    self.calls += 1
    if raw_call(self.target, self.data, revert_on_failure=False):
        self.successes += 1
