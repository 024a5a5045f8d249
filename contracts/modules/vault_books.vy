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
     A gain adds to the sum and to what is locked, a loss takes from both, and exits are paid out of
     the rest. Only when a share is worth less than 1e-6 can an exit eat into the locked part, by
     less than the virtual assets: then the rest counts as zero.
"""
from ..interfaces import ILRTVault
from . import locked_profit as profit
from . import vault_packing
from . import vault_shares

initializes: profit


# What the adapters say, against the books.
struct Survey:
    live: DynArray[uint256, MAX_ADAPTERS]
    gain: uint256
    loss: uint256
    # What the loss would be if the visible slashes were executed too.
    loss_at_risk: uint256


MAX_ADAPTERS: constant(uint256) = 8
MAX_UNLOCK_PERIOD: constant(uint256) = 365 * 86_400

# Seconds over which a gain unlocks that finds nothing locked.
unlock_period: public(immutable(uint256))

# The value at which each adapter stands.
booked: public(HashMap[address, uint256])
_listed: HashMap[address, bool]
_adapters: DynArray[address, MAX_ADAPTERS]
# Idle assets and the sum of `booked`, in one word.
_funds: uint256


@deploy
def __init__(unlock_period_: uint256):
    """@param unlock_period_ From one second to a year."""
    assert 0 < unlock_period_ and unlock_period_ <= MAX_UNLOCK_PERIOD, "vault: unlock period"
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
    """@notice Number of adapters."""
    return len(self._adapters)


@view
@external
def adapter_at(index: uint256) -> address:
    """@notice The adapter at `index`, in the order in which they were added."""
    return self._adapters[index]


# Money in, out and back and forth


@internal
def _put_idle(amount: uint256):
    """@notice Assets have come in that belong to the shares at once: they were paid for."""
    idle: uint256 = 0
    staked: uint256 = 0
    idle, staked = vault_packing._unpack_funds(self._funds)
    self._funds = vault_packing._pack_funds(idle + amount, staked)


@internal
def _take_idle(amount: uint256):
    """@notice Assets are about to leave."""
    idle: uint256 = 0
    staked: uint256 = 0
    idle, staked = vault_packing._unpack_funds(self._funds)
    assert amount <= idle, "vault: not enough idle"
    self._funds = vault_packing._pack_funds(idle - amount, staked)


@internal
def _put_profit(amount: uint256):
    """@notice Assets have come in that unlock with time."""
    self._put_idle(amount)
    self._lock(amount)


@internal
def _lock(amount: uint256):
    """@notice Assets that are in the books already shall belong to the shares only with time."""
    profit._book(amount, 0, unlock_period)


@internal
def _stake(adapter: address, amount: uint256):
    """@notice Move idle assets to an adapter."""
    idle: uint256 = 0
    staked: uint256 = 0
    idle, staked = vault_packing._unpack_funds(self._funds)
    assert amount <= idle, "vault: not enough idle"
    self._funds = vault_packing._pack_funds(idle - amount, staked + amount)
    self.booked[adapter] += amount


@internal
def _unstake(adapter: address, amount: uint256):
    """@notice Assets have come back from an adapter. What was not in its books is profit."""
    booked: uint256 = self.booked[adapter]
    known: uint256 = min(amount, booked)
    self.booked[adapter] = booked - known
    idle: uint256 = 0
    staked: uint256 = 0
    idle, staked = vault_packing._unpack_funds(self._funds)
    self._funds = vault_packing._pack_funds(idle + known, staked - known)
    if amount > known:
        self._put_profit(amount - known)


@internal
def _list(adapter: address):
    assert not self._listed[adapter], "vault: adapter listed"
    assert len(self._adapters) < MAX_ADAPTERS, "vault: too many adapters"
    self._listed[adapter] = True
    self._adapters.append(adapter)


@internal
@view
def _check_listed(adapter: address):
    assert self._listed[adapter], "vault: unknown adapter"


# What the shares are worth


@internal
@view
def _idle() -> uint256:
    return vault_packing._unpack_funds(self._funds)[0]


@internal
@view
def _total_after(loss: uint256) -> uint256:
    """
    @notice Total assets once `loss` is booked too. It takes from the locked profit first, which is
            not counted anyway.
    """
    idle: uint256 = 0
    staked: uint256 = 0
    idle, staked = vault_packing._unpack_funds(self._funds)
    total: uint256 = idle + staked
    return total - min(total, max(profit._locked_up(), loss))


@internal
@view
def _live_total(leaving: bool) -> uint256:
    """
    @notice Total assets as if every adapter were synced now, which price a deposit; or, for who is
            leaving, as if every visible slash were executed too.
    """
    survey: Survey = self._survey(leaving)
    return self._total_after(survey.loss_at_risk)


# Adapters against the books


@internal
def _sync(adapter: address) -> (uint256, uint256):
    """@notice Book what one adapter says. @return Gain and loss."""
    self._check_listed(adapter)
    live: uint256 = self._read(adapter, method_id("total_assets()"))
    gain: uint256 = 0
    loss: uint256 = 0
    gain, loss = self._book_adapter(adapter, live)
    self._book_totals(gain, loss)
    return gain, loss


@internal
def _sync_all(leaving: bool) -> uint256:
    """
    @notice Book what every adapter says.
    @return `_live_total` as it was before, which this call's gains do not change.
    """
    survey: Survey = self._survey(leaving)
    total: uint256 = self._total_after(survey.loss_at_risk)
    if survey.gain != 0 or survey.loss != 0:
        index: uint256 = 0
        for live: uint256 in survey.live:
            self._book_adapter(self._adapters[index], live)
            index += 1
        self._book_totals(survey.gain, survey.loss)
    return total


@internal
def _book_adapter(adapter: address, live: uint256) -> (uint256, uint256):
    """@return Gain and loss against what was booked."""
    booked: uint256 = self.booked[adapter]
    if live == booked:
        return 0, 0
    gain: uint256 = live - min(live, booked)
    loss: uint256 = booked - min(live, booked)
    self.booked[adapter] = live
    log ILRTVault.Synced(adapter=adapter, gain=gain, loss=loss, booked=live)
    return gain, loss


@internal
def _book_totals(gain: uint256, loss: uint256):
    """@notice Losses meet the profit that was locked before, not the gains beside them."""
    if gain == 0 and loss == 0:
        return
    idle: uint256 = 0
    staked: uint256 = 0
    idle, staked = vault_packing._unpack_funds(self._funds)
    self._funds = vault_packing._pack_funds(idle, staked + gain - loss)
    profit._book(gain, loss, unlock_period)


@internal
@view
def _survey(with_risk: bool) -> Survey:
    """
    @notice Read every adapter that stands in the books. One that does not can bring no loss.
    @param with_risk Read the visible slashes too; without it `loss_at_risk` is just the loss.
    """
    survey: Survey = empty(Survey)
    if vault_packing._unpack_funds(self._funds)[1] == 0:
        return survey
    for adapter: address in self._adapters:
        booked: uint256 = self.booked[adapter]
        live: uint256 = 0
        safe: uint256 = 0
        if booked != 0:
            live = self._read(adapter, method_id("total_assets()"))
            safe = live
            if with_risk:
                at_risk: uint256 = self._read(adapter, method_id("value_at_risk()"))
                safe -= min(safe, at_risk)
        survey.live.append(live)
        survey.gain += live - min(live, booked)
        survey.loss += booked - min(live, booked)
        survey.loss_at_risk += booked - min(safe, booked)
    return survey


@internal
@view
def _read(adapter: address, method: Bytes[4]) -> uint256:
    """
    @notice Ask an adapter for an amount.
    @dev Only an answer counts: a call that reverts, runs out of gas, or finds no code never passes
         for a zero.
    """
    success: bool = False
    answer: Bytes[32] = b""
    success, answer = raw_call(
        adapter, method, max_outsize=32, is_static_call=True, revert_on_failure=False
    )
    assert success and len(answer) == 32, "vault: adapter unreadable"
    amount: uint256 = convert(answer, uint256)
    assert amount <= vault_shares.MAX, "vault: adapter value too large"
    return amount
