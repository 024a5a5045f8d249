# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Books of the LRT vault
@custom:contract-name vault_books
@license GNU Affero General Public License v3.0 only
@author Relever
@notice What the vault holds idle, what stands booked in each adapter, and what of it is locked
        profit. The adapters are read here and nowhere else.
@dev Amounts in asset units. The vault moves the tokens; these are only the books, and nothing here
     reads the vault's own token balance.
     A gain adds to the sum and to what is locked, but for the fee on it, which is paid in new shares
     at once; a loss takes from the sum and, as far as that goes, from what was locked before. All
     adapters are booked together, so that nobody can choose which loss meets which gain.
     Only when a share is worth less than 1e-6 can an exit eat into the locked part, by less than the
     virtual assets: then the rest counts as zero.
"""
# Shares that pay the performance fee.
from snekmate.tokens import erc20

from ..interfaces import ILRTVault
from ..interfaces import ISidePocket
from . import checks
from . import locked_profit as profit
from . import performance_fee
from . import vault_packing
from . import vault_shares

uses: erc20
initializes: profit
initializes: performance_fee


# What an adapter is to the vault.
flag Standing:
    LISTED
    QUARANTINED


MAX_ADAPTERS: constant(uint256) = 8
# What the side pocket holds.
MAX_QUARANTINES: constant(uint256) = 16
MAX_UNLOCK_PERIOD: constant(uint256) = 365 * 86_400
# More than this is no answer: so much of each adapter, and idle assets, fit the books.
MAX_READING: constant(uint256) = 2**116 - 1
# What a reading may cost: EigenLayer's with all exits open takes half of it.
READ_GAS: constant(uint256) = 1_500_000
# With less left, a reading that fails may only have been starved.
GAS_FLOOR: constant(uint256) = READ_GAS * 64 // 63 + 10_000

asset: public(immutable(address))
# Seconds over which a gain unlocks that finds nothing locked.
unlock_period: public(immutable(uint256))

# Who keeps what is owed to those who left after a quarantine; zero until it is set, once.
side_pocket: public(address)
# The value at which each adapter stands.
booked: public(HashMap[address, uint256])
_standing: HashMap[address, Standing]
_adapters: DynArray[address, MAX_ADAPTERS]
# Idle assets, the sum of `booked`, and how many quarantines there were, in one word.
_funds: uint256


@deploy
def __init__(asset_: address, unlock_period_: uint256):
    """@param unlock_period_ From one second to a year."""
    if unlock_period_ == 0 or unlock_period_ > MAX_UNLOCK_PERIOD:
        checks._fail("vault: unlock period")
    asset = asset_
    unlock_period = unlock_period_


@view
@external
def idle() -> uint256:
    """@notice Assets held by the vault itself, as booked."""
    return self._idle()


@view
@external
def locked_profit() -> uint256:
    """@notice Gain that is booked but not yet part of `totalAssets()`."""
    return profit._locked_up()


@view
@external
def adapter_count() -> uint256:
    """@notice Number of adapters that are not in quarantine."""
    return len(self._adapters)


@view
@external
def adapter_at(index: uint256) -> address:
    """@notice The adapter at `index`. A quarantine moves the last one to the place that it frees."""
    return self._adapters[index]


@view
@external
def in_quarantine(adapter: address) -> bool:
    """@notice Whether an adapter's value is written off and what it gives back is shared out."""
    return self._standing[adapter] == Standing.QUARANTINED


@view
@external
def had_quarantine() -> bool:
    """@notice Whether any adapter ever was put under quarantine."""
    return self._had_quarantine()


@view
@external
def expected_back() -> uint256:
    """@notice What quarantined adapters are to give back to the shares. Who enters pays for it."""
    return self._expected()


# Money in, out and back and forth


@internal
def _put_idle(amount: uint256):
    """@notice Assets have come in that belong to the shares at once: they were paid for."""
    funds: uint256 = self._funds
    # Idle is the lowest field.
    if (funds & vault_packing.MAX_120) + amount > vault_packing.MAX_120:
        checks._fail("vault: idle overflow")
    self._funds = funds + amount


@internal
def _take_idle(amount: uint256):
    """@notice Assets are about to leave."""
    funds: uint256 = self._funds
    if amount > funds & vault_packing.MAX_120:
        checks._fail("vault: not enough idle")
    self._funds = funds - amount


@internal
def _put_gain(amount: uint256):
    """@notice Assets have come in that unlock with time, but for the fee."""
    self._book_change(amount, 0)
    self._put_idle(amount)


@internal
def _lock(amount: uint256):
    """@notice Assets that are in the books already shall belong to the shares only with time."""
    if amount != 0:
        profit._book(amount, 0, unlock_period)


@internal
def _stake(adapter: address, amount: uint256):
    """@notice Move idle assets to an adapter."""
    self._take_idle(amount)
    self._change_staked(amount, 0)
    self.booked[adapter] += amount


@internal
def _unstake(adapter: address, amount: uint256):
    """@notice Assets have come back from an adapter. What was not in its books is a gain."""
    booked: uint256 = self.booked[adapter]
    known: uint256 = min(amount, booked)
    self.booked[adapter] = booked - known
    self._change_staked(0, known)
    self._put_idle(known)
    if amount > known:
        self._put_gain(amount - known)


@internal
def _list(adapter: address):
    if self._standing[adapter] != empty(Standing):
        checks._fail("vault: adapter listed")
    # Each must find a place in the side pocket too.
    quarantines: uint256 = self._funds >> vault_packing.QUARANTINES_SHIFT
    most: uint256 = min(MAX_ADAPTERS, MAX_QUARANTINES - quarantines)
    if len(self._adapters) >= most:
        checks._fail("vault: too many adapters")
    self._standing[adapter] = Standing.LISTED
    self._adapters.append(adapter)


@internal
def _write_off(adapter: address) -> (uint256, uint256):
    """
    @notice Put an adapter under quarantine.
    @return What stood booked in it, and what total assets fell by: locked profit goes first.
    """
    self._check_listed(adapter)
    self._standing[adapter] = Standing.QUARANTINED
    last: address = self._adapters.pop()
    for index: uint256 in range(len(self._adapters), bound=MAX_ADAPTERS):
        if self._adapters[index] == adapter:
            self._adapters[index] = last
    booked: uint256 = self.booked[adapter]
    before: uint256 = self._total_after(0, 0)
    self.booked[adapter] = 0
    self._book_change(0, booked)
    self._change_staked(0, booked)
    idle: uint256 = 0
    staked: uint256 = 0
    idle, staked = vault_packing._unpack_funds(self._funds)
    quarantines: uint256 = self._funds >> vault_packing.QUARANTINES_SHIFT
    self._funds = vault_packing._pack_funds(idle, staked, quarantines + 1)
    after: uint256 = self._total_after(0, 0)
    return booked, before - after


@internal
def _put_recovered(expected: uint256, beyond: uint256):
    """@notice Written-off assets are back: the expected part at once, the rest as a gain."""
    self._put_idle(expected)
    performance_fee._recover(expected)
    if beyond != 0:
        self._put_gain(beyond)


@internal
@view
def _check_listed(adapter: address):
    if self._standing[adapter] != Standing.LISTED:
        checks._fail("vault: unknown adapter")


@internal
@view
def _check_known(adapter: address) -> bool:
    """@return Whether it is in quarantine; reverts for one that never was listed."""
    standing: Standing = self._standing[adapter]
    if standing == empty(Standing):
        checks._fail("vault: unknown adapter")
    return standing == Standing.QUARANTINED


@internal
@view
def _had_quarantine() -> bool:
    return self._funds >> vault_packing.QUARANTINES_SHIFT != 0


# What the shares are worth


@internal
@view
def _idle() -> uint256:
    return vault_packing._unpack_funds(self._funds)[0]


@internal
@view
def _staked() -> uint256:
    return vault_packing._unpack_funds(self._funds)[1]


@internal
@view
def _total_after(loss: uint256, risk: uint256) -> uint256:
    """
    @notice Total assets once `loss` is booked too. It takes from the locked profit first, which is
            not counted anyway. What is at risk comes off on top: whoever leaves before it falls shall
            not be helped by a cushion that those who stay need then.
    """
    funds: uint256 = self._funds
    whole: uint256 = (funds & vault_packing.MAX_120) + ((funds >> 120) & vault_packing.MAX_120)
    return whole - min(whole, max(profit._locked_up(), loss) + risk)


@internal
@view
def _live_total(leaving: bool) -> uint256:
    """
    @notice Total assets as if every adapter were synced now, which price a deposit; or, for who is
            leaving, as if every visible slash were executed too.
    """
    loss: uint256 = 0
    risk: uint256 = 0
    if self._staked() != 0:
        for adapter: address in self._adapters:
            booked: uint256 = self.booked[adapter]
            live: uint256 = 0
            at_risk: uint256 = 0
            answered: bool = False
            live, at_risk, answered = self._ask(adapter, booked, True, leaving)
            loss += booked - min(live, booked)
            risk += at_risk
    return self._total_after(loss, risk)


@internal
@view
def _expected() -> uint256:
    if not self._had_quarantine():
        return 0
    return staticcall ISidePocket(self.side_pocket).expected()


# Adapters against the books


@internal
def _sync(strict: bool, leaving: bool) -> (uint256, uint256, bool, uint256):
    """
    @notice Book what the adapters say.
    @param strict Revert when one that stands in the books cannot be read; else it stays as booked.
    @param leaving Count the visible slashes too.
    @return Total assets, the supply that they belong to (before the shares of this call's fee, which
            do not move the rate), whether every adapter that stands in the books has answered, and
            what visible slashes took off the total.
    """
    complete: bool = True
    gain: uint256 = 0
    loss: uint256 = 0
    risk: uint256 = 0
    if not strict or self._staked() != 0:
        for adapter: address in self._adapters:
            booked: uint256 = self.booked[adapter]
            live: uint256 = 0
            at_risk: uint256 = 0
            answered: bool = False
            live, at_risk, answered = self._ask(adapter, booked, strict, leaving)
            complete = complete and (answered or booked == 0)
            risk += at_risk
            if live != booked:
                gained: uint256 = live - min(live, booked)
                lost: uint256 = booked - min(live, booked)
                gain += gained
                loss += lost
                self.booked[adapter] = live
                log ILRTVault.Synced(adapter=adapter, gain=gained, loss=lost, booked=live)
    total: uint256 = self._total_after(loss, risk)
    supply: uint256 = erc20.totalSupply
    if gain != 0 or loss != 0:
        self._book_change(gain, loss)
        self._change_staked(gain, loss)
    return total, supply, complete, risk


@internal
def _book_change(gain: uint256, loss: uint256):
    """
    @notice A loss meets the profit that was locked before, not the gain beside it; the gain is locked
            but for the fee, for which shares are minted at the price of who enters, rounded down.
    @dev Called before the sums move, for the rate that the shares are minted at.
    """
    fee: uint256 = performance_fee._charge_down(gain, loss, self._idle() + self._staked())
    if fee != 0:
        total: uint256 = self._total_after(loss, 0) + self._expected()
        shares: uint256 = vault_shares._to_shares_down(fee, total, erc20.totalSupply)
        recipient: address = performance_fee.fee_recipient
        erc20._mint(recipient, shares)
        log ILRTVault.PerformanceFeePaid(recipient=recipient, gain=gain, shares=shares)
    profit._book(gain - fee, loss, unlock_period)


@internal
def _change_staked(more: uint256, less: uint256):
    """@notice The sum of what stands booked in the adapters rises and falls."""
    idle: uint256 = 0
    staked: uint256 = 0
    idle, staked = vault_packing._unpack_funds(self._funds)
    quarantines: uint256 = self._funds >> vault_packing.QUARANTINES_SHIFT
    self._funds = vault_packing._pack_funds(idle, staked + more - less, quarantines)


@internal
@view
def _ask(
    adapter: address, booked: uint256, strict: bool, with_risk: bool
) -> (uint256, uint256, bool):
    """
    @notice Read one adapter.
    @param strict It must answer if it stands in the books, and is not asked otherwise: it can bring no
           loss then. Else it is asked, and stays as booked when it does not answer.
    @param with_risk Read the visible slashes too.
    @return What it is worth, what is at risk of that, and whether it answered.
    """
    if strict and booked == 0:
        return 0, 0, True
    answered: bool = False
    live: uint256 = 0
    answered, live = self._read(adapter, method_id("total_assets()"), strict)
    if not answered:
        return booked, 0, False
    at_risk: uint256 = 0
    if with_risk:
        answered, at_risk = self._read(adapter, method_id("value_at_risk()"), strict)
    return live, min(live, at_risk), answered


@internal
@view
def _read(adapter: address, method: Bytes[4], strict: bool) -> (bool, uint256):
    """
    @notice Ask an adapter for an amount.
    @dev Only an answer counts: a call that reverts, runs out of gas, or finds no code never passes
         for a zero, and one that was given too little gas not for an adapter that cannot be read.
    @return Whether it answered, and what; zero when it did not.
    """
    if not strict and msg.gas < GAS_FLOOR:
        checks._fail("vault: too little gas")
    success: bool = False
    answer: Bytes[32] = b""
    success, answer = raw_call(
        adapter,
        method,
        gas=READ_GAS,
        max_outsize=32,
        is_static_call=True,
        revert_on_failure=False,
    )
    amount: uint256 = 0
    if success and len(answer) == 32:
        amount = convert(answer, uint256)
        if amount <= MAX_READING:
            return True, amount
    if strict:
        checks._fail("vault: adapter unreadable")
    return False, 0


@internal
@view
def _check_unreadable(adapter: address):
    """@notice Not for one that answers what exits need to know."""
    value: bool = False
    risk: bool = False
    amount: uint256 = 0
    value, amount = self._read(adapter, method_id("total_assets()"), False)
    risk, amount = self._read(adapter, method_id("value_at_risk()"), False)
    if value and risk:
        checks._fail("vault: adapter can be read")
