# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title The line before the backstop pool
@custom:contract-name backstop_line
@license GNU Affero General Public License v3.0 only
@author Relever
@notice Those who leave with more than there is cash: first come, first served, each paid the lesser of
        the low marks at request and at payment. Cash that they wait for is nobody else's.
@dev Waiting shares stay shares, in the pool's own balance: they bear losses as all do. An exit that was
     asked for is final. Assets in WETH units, shares with 18 decimals, rates in WAD.
"""
# Shares in escrow, and burned when they are paid.
from snekmate.tokens import erc20

from ..interfaces import IBackstopPool
from . import token
from . import vault_shares

uses: erc20


WAD: constant(uint256) = 10**18
# WETH units, or a whole balance: paying an exit costs whoever serves some gas.
MIN_EXIT: constant(uint256) = 10**15
MAX_WALK: constant(uint256) = 128

# No exit before this id waits.
head: public(uint256)
next_id: public(uint256)
# Over all that wait: their shares, and their worth at request, which is the most that they get.
waiting_shares: public(uint256)
waiting_worth: public(uint256)
# No more than the least worth of a share at request, among those that wait.
least_rate: public(uint256)
_exits: HashMap[uint256, IBackstopPool.Exit]


@deploy
def __init__():
    self.head = 1
    self.next_id = 1


@view
@external
def exit_at(id: uint256) -> IBackstopPool.Exit:
    """@notice One in the line as it stands."""
    return self._exits[id]


@internal
def _join(
    shares: uint256, receiver: address, owner: address, low: uint256, supply: uint256
) -> uint256:
    """@return The exit's id."""
    assert receiver not in [empty(address), self], "backstop: receiver"
    balance: uint256 = erc20.balanceOf[owner]
    worth: uint256 = vault_shares._to_assets_down(shares, low, supply)
    assert worth != 0, "backstop: worth nothing"
    assert worth >= MIN_EXIT or shares == balance, "backstop: exit too small"
    rate: uint256 = worth * WAD // shares
    if self.waiting_shares == 0 or rate < self.least_rate:
        self.least_rate = rate
    self.waiting_shares += shares
    self.waiting_worth += worth
    id: uint256 = self.next_id
    self.next_id = id + 1
    self._exits[id] = IBackstopPool.Exit(receiver=receiver, shares=shares, worth=worth)
    erc20._transfer(owner, self, shares)
    log IBackstopPool.ExitRequested(
        id=id, owner=owner, receiver=receiver, shares=shares, worth=worth
    )
    return id


@internal
def _serve(
    max_exits: uint256, cash: uint256, low: uint256, supply: uint256, own_only: bool, weth: address
) -> uint256:
    """
    @notice Pay from the head.
    @param own_only Only exits that pay the caller; the first other one ends the walk.
    @return WETH paid.
    """
    left: uint256 = cash
    burnt: uint256 = 0
    settled: uint256 = 0
    id: uint256 = self.head
    end: uint256 = self.next_id
    for _: uint256 in range(min(max_exits, MAX_WALK), bound=MAX_WALK):
        if id == end:
            break
        found: IBackstopPool.Exit = self._exits[id]
        if own_only and found.receiver != msg.sender:
            break
        shares: uint256 = 0
        worth: uint256 = 0
        due: uint256 = 0
        shares, worth, due = self._part_down(found, left, low, supply)
        if shares == 0:
            break
        self._exits[id].shares = found.shares - shares
        self._exits[id].worth = found.worth - worth
        left -= due
        burnt += shares
        settled += worth
        token._push(weth, found.receiver, due)
        log IBackstopPool.ExitPaid(id=id, receiver=found.receiver, shares=shares, assets=due)
        if found.shares != shares:
            break
        id += 1
    self.head = id
    if burnt != 0:
        self.waiting_shares -= burnt
        self.waiting_worth -= settled
        erc20._burn(self, burnt)
    return cash - left


@internal
@pure
def _part_down(
    found: IBackstopPool.Exit, left: uint256, low: uint256, supply: uint256
) -> (uint256, uint256, uint256):
    """@return Shares that so much cash pays, their worth at request, and what is paid for them."""
    due: uint256 = min(found.worth, vault_shares._to_assets_down(found.shares, low, supply))
    if due <= left:
        return found.shares, found.worth, due
    # Pro rata, so that the part is paid no better than the whole.
    shares: uint256 = found.shares * left // due
    worth: uint256 = found.worth * shares // found.shares
    due = min(worth, vault_shares._to_assets_down(shares, low, supply))
    if due == 0:
        return 0, 0, 0
    return shares, worth, due


@internal
@view
def _owed_down(low: uint256, supply: uint256) -> uint256:
    """
    @return No more than those who wait would be paid now. What they leave of the whole is of those who
            stay, and who joins pays for it.
    """
    shares: uint256 = self.waiting_shares
    if shares == 0:
        return 0
    return min(
        vault_shares._to_assets_down(shares, low, supply), shares * self.least_rate // WAD
    )
