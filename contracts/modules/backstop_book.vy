# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Books of the backstop pool
@custom:contract-name backstop_book
@license GNU Affero General Public License v3.0 only
@author Relever
@notice What the pool owns and what it cost: cash, LRT that is not queued yet, claims on the vault's
        withdrawal queue, wstETH that is not sold yet; and the two marks.
@dev WETH, LRT and wstETH in their smallest units. Nothing here reads the pool's own balance.
     Each claim stands for itself: no gain of one hides the loss of another. Who leaves gets the low
     mark: a claim counts at its cost, or at the least that it must bring where that is less; a gain
     counts as it unlocks; a loss meets what is locked first. Who joins pays the high mark: all that is
     there, claims at their worth and locked gains in full.
"""
from ethereum.ercs import IERC20
from ethereum.ercs import IERC4626

from ..interfaces import ILRTVault
from ..interfaces import IWithdrawalQueue
from ..interfaces import IWstETH

from . import locked_profit as profit

# The wstETH, and the least that a sale of it must bring.
from . import lst_sale
from . import token

# The vault's own arithmetic: a claim is worth what its queue would pay.
from . import vault_shares

initializes: profit
initializes: lst_sale


# What the pool's LRT and wstETH are, over all lots, in WETH.
struct Lots:
    cost: uint256
    # Each at its cost, or at the least that it must bring.
    least: uint256
    worth: uint256


# What LRT is worth to who leaves the vault by its queue.
struct Rates:
    total: uint256
    supply: uint256
    expected: uint256


WAD: constant(uint256) = 10**18
MAX_CLAIMS: constant(uint256) = 16

LRT: public(immutable(address))
QUEUE: public(immutable(address))
# Seconds in which a gain unlocks that finds nothing locked.
UNLOCK_PERIOD: public(immutable(uint256))

# WETH.
cash: public(uint256)
# LRT that was bought and is not queued, and what it cost.
unqueued: public(uint256)
unqueued_cost: public(uint256)
# What is left of a claim's cost.
claim_cost: public(HashMap[uint256, uint256])
_claims: DynArray[uint256, MAX_CLAIMS]


@deploy
def __init__(lrt: address, weth: address, swap: address, sale_loss: uint256, unlock_period: uint256):
    assert 0 < unlock_period and unlock_period <= 365 * 86_400, "backstop: unlock period"
    LRT = lrt
    QUEUE = staticcall ILRTVault(lrt).queue()
    assert QUEUE != empty(address), "backstop: vault without queue"
    UNLOCK_PERIOD = unlock_period
    lst: address = staticcall IERC4626(lrt).asset()
    lst_sale.__init__(lst, weth, swap, sale_loss)


@view
@external
def locked_profit() -> uint256:
    """@notice Gain that does not count for who leaves yet."""
    return profit._locked_up()


@view
@external
def open_claims() -> DynArray[uint256, MAX_CLAIMS]:
    """@notice Ids of the queue's requests that are the pool's and not yet collected as a whole."""
    return self._claims


# Marks


@internal
@view
def _booked() -> uint256:
    """@return Everything at cost, without what is locked. Reads nobody."""
    cost: uint256 = self.unqueued_cost + lst_sale.lst_cost
    for claim: uint256 in self._claims:
        cost += self.claim_cost[claim]
    whole: uint256 = self.cash + cost
    return whole - min(whole, profit._locked_up())


@internal
@view
def _low() -> uint256:
    lots: Lots = self._lots(True)
    return self._low_of(lots)


@internal
@view
def _low_of(lots: Lots) -> uint256:
    """@notice A loss that is not booked yet takes from what is locked first, as it will."""
    whole: uint256 = self.cash + lots.cost
    loss: uint256 = lots.cost - lots.least
    return whole - min(whole, max(profit._locked_up(), loss))


@internal
@view
def _high() -> uint256:
    lots: Lots = self._lots(False)
    return self.cash + lots.worth


@internal
@view
def _lots(leaving: bool) -> Lots:
    """
    @param leaving As if every visible slash were executed.
    @dev The vault is read only while LRT waits for its rate, and then must be readable.
    """
    lots: Lots = empty(Lots)
    rates: Rates = empty(Rates)
    per_token: uint256 = self._per_token()
    lots = self._with(lots, lst_sale.lst_cost, lst_sale.lst, per_token)
    if self.unqueued != 0:
        rates = self._rates(leaving)
        lst: uint256 = self._due_down(self.unqueued, max_value(uint256), rates)
        lots = self._with(lots, self.unqueued_cost, lst, per_token)
    for claim: uint256 in self._claims:
        found: IWithdrawalQueue.Request = staticcall IWithdrawalQueue(QUEUE).request(claim)
        lst: uint256 = found.claimable_assets
        if found.shares != 0:
            if rates.supply == 0:
                rates = self._rates(leaving)
            lst += self._due_down(found.shares, found.assets, rates)
        lots = self._with(lots, self.claim_cost[claim], lst, per_token)
    return lots


@internal
@pure
def _with(lots: Lots, cost: uint256, lst: uint256, per_token: uint256) -> Lots:
    """@return The lots with one more."""
    more: Lots = lots
    more.cost += cost
    more.least += min(cost, lst_sale._least_down(lst, per_token))
    more.worth += lst * per_token // WAD
    return more


@internal
@view
def _rates(leaving: bool) -> Rates:
    rates: Rates = empty(Rates)
    rates.total = staticcall ILRTVault(LRT).live_total_assets(leaving)
    rates.supply = staticcall IERC20(LRT).totalSupply()
    rates.expected = staticcall ILRTVault(LRT).expected_back()
    return rates


@internal
@pure
def _due_down(shares: uint256, worth: uint256, rates: Rates) -> uint256:
    """@return WstETH that the queue would pay now, see there."""
    whole: uint256 = rates.total + rates.expected
    assets: uint256 = min(worth, vault_shares._to_assets_down(shares, whole, rates.supply))
    return assets - min(assets, vault_shares._part_up(rates.expected, shares, rates.supply))


@internal
@view
def _worth_down(amount: uint256) -> uint256:
    """@return WETH that the queue would pay for so much LRT now, by stETH per wstETH."""
    return self._lst_down(amount) * self._per_token() // WAD


@internal
@view
def _lst_down(amount: uint256) -> uint256:
    """@return WstETH that the queue would pay for so much LRT, were all visible slashes executed."""
    rates: Rates = self._rates(True)
    return self._due_down(amount, max_value(uint256), rates)


@internal
@view
def _per_token() -> uint256:
    return staticcall IWstETH(lst_sale.LST).stEthPerToken()


# From WETH to LRT to claim to wstETH to WETH


@internal
def _put_lrt(amount: uint256, cost: uint256):
    """
    @notice LRT is bought. What waits beside it is written down first: a gain must not hide its loss.
    """
    waits: uint256 = self.unqueued
    if waits != 0:
        least: uint256 = lst_sale._least_down(self._lst_down(waits), self._per_token())
        loss: uint256 = self.unqueued_cost - min(self.unqueued_cost, least)
        self.unqueued_cost -= loss
        self._settle(0, loss)
    self.cash -= cost
    self.unqueued += amount
    self.unqueued_cost += cost


@internal
def _enqueue() -> (uint256, uint256, uint256):
    """@return The claim, its LRT and its cost."""
    amount: uint256 = self.unqueued
    cost: uint256 = self.unqueued_cost
    assert amount != 0, "backstop: nothing to queue"
    assert len(self._claims) < MAX_CLAIMS, "backstop: too many claims"
    self.unqueued = 0
    self.unqueued_cost = 0
    token._approve(LRT, QUEUE, amount)
    claim: uint256 = extcall IWithdrawalQueue(QUEUE).requestRedeem(amount, self, self)
    self.claim_cost[claim] = cost
    self._claims.append(claim)
    return claim, amount, cost


@internal
def _collect(claim: uint256) -> (uint256, uint256, uint256):
    """
    @notice Take what the queue has paid for a claim.
    @return WstETH, the part of the claim's cost that it stands for (rounded down: the rest bears it), and
            the loss that this shows. All zero where nothing was paid.
    """
    assert claim in self._claims, "backstop: not an open claim"
    found: IWithdrawalQueue.Request = staticcall IWithdrawalQueue(QUEUE).request(claim)
    if found.claimable_shares == 0:
        return 0, 0, 0
    whole: uint256 = self.claim_cost[claim]
    cost: uint256 = whole * found.claimable_shares // (found.claimable_shares + found.shares)
    self.claim_cost[claim] = whole - cost
    if found.shares == 0:
        self._drop(claim)
    paid: uint256 = extcall IWithdrawalQueue(QUEUE).claim(claim, self)
    loss: uint256 = lst_sale._put(paid, cost)
    return paid, cost, loss


@internal
def _sell() -> (uint256, uint256, uint256, uint256):
    """@return WstETH sold, WETH received, and what that is above or below its cost."""
    sold: uint256 = 0
    received: uint256 = 0
    cost: uint256 = 0
    sold, received, cost = lst_sale._sell()
    self.cash += received
    return sold, received, received - min(received, cost), cost - min(received, cost)


@internal
def _settle(gain: uint256, loss: uint256):
    """@notice A loss meets the profit that was locked before, not the gain beside it."""
    if gain != 0 or loss != 0:
        profit._book(gain, loss, UNLOCK_PERIOD)


@internal
def _drop(claim: uint256):
    """@notice A claim is paid as a whole: the last one takes its place."""
    last: uint256 = self._claims.pop()
    for index: uint256 in range(len(self._claims), bound=MAX_CLAIMS):
        if self._claims[index] == claim:
            self._claims[index] = last
