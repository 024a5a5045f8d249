# pragma version 0.4.3
"""
@title HostileMarket
@license GNU Affero General Public License v3.0 only
@author Relever
@notice A market that is out for what a helper holds or may take. It lists itself, so that a helper
        deployed with it as its factory believes it. When it is entered it makes the call that the
        test set, and minds not how that went but remembers it. It is its own oracle, too.
@dev Positions are what the test set; what a liquidation took and gave is zero.
"""
from interfaces import ILendingMarket


interface Helper:
    def LRT() -> address: view
    def WETH() -> address: view


# Whether the call was made, whether it went through, and what it answered or reverted with.
called: public(bool)
succeeded: public(bool)
answer: public(Bytes[1024])

target: address
data: Bytes[2048]
collateral: uint256
debt: uint256


@external
def set_position(collateral: uint256, debt: uint256):
    """@notice What everybody has."""
    self.collateral = collateral
    self.debt = debt


@external
def set_call(target: address, data: Bytes[2048]):
    """@notice What to do when entered."""
    self.target = target
    self.data = data
    self.called = False
    self.succeeded = False


@external
def run(target: address, first: Bytes[2048], second: Bytes[2048]):
    """@notice Two calls in one transaction: the first must go through, the second is remembered."""
    raw_call(target, first)
    self._attempt(target, second)


@view
@external
def is_listed(market: address) -> bool:
    return True


@view
@external
def was_listed(market: address) -> bool:
    return True


@view
@external
def terms() -> ILendingMarket.Terms:
    """@notice Says that it trades whatever its caller does."""
    terms: ILendingMarket.Terms = empty(ILendingMarket.Terms)
    terms.collateral = staticcall Helper(msg.sender).LRT()
    terms.loan = staticcall Helper(msg.sender).WETH()
    terms.oracle = self
    return terms


@view
@external
def price() -> uint256:
    return 10**36


@view
@external
def fundamental() -> uint256:
    return 10**36


@view
@external
def is_authorized(owner: address, manager: address) -> bool:
    return True


@external
def set_authorization_by_signature(
    owner: address,
    manager: address,
    authorized: bool,
    nonce: uint256,
    deadline: uint256,
    signature: Bytes[65],
):
    self._attempt(self.target, self.data)


@view
@external
def position(owner: address) -> (uint256, uint256):
    return self.collateral, self.debt


@external
def adjust(
    owner: address,
    collateral_delta: int256,
    debt_delta: int256,
    receiver: address,
    data: Bytes[1024],
) -> (uint256, uint256):
    self._attempt(self.target, self.data)
    return self.collateral, self.debt


@external
def liquidate(
    owner: address, max_repay: uint256, min_seized: uint256, data: Bytes[1024]
) -> (uint256, uint256):
    self._attempt(self.target, self.data)
    return 0, 0


@internal
def _attempt(target: address, data: Bytes[2048]):
    if target == empty(address):
        return
    self.called = True
    self.succeeded, self.answer = raw_call(target, data, max_outsize=1024, revert_on_failure=False)
