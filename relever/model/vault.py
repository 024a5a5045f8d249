"""The LRT vault: shares over assets that are idle or staked in positions.

What the positions are worth is looked up, then booked, all of them at once: a loss counts at once
and meets the profit that was locked before, a gain is locked. Who enters pays the price after all
losses, with what quarantined adapters are still to give back. Who leaves gets the price after all
losses and after every slash that is visible, and no locked profit softens that.

Amounts are below 2**112; what happens at the ends of the machine's words is not in here. Shares
move here; the assets that come in and go out are for whoever asks to move.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from relever.model.clock import Clock
from relever.model.exit_fee import ExitFee, largest
from relever.model.position import Position
from relever.model.profit import LockedProfit, PerformanceFee
from relever.model.refused import require
from relever.model.rounding import WAD
from relever.model.shares import LARGEST, Price
from relever.model.side_pocket import SidePocket
from relever.model.tokens import SNEKMATE, Erc20

# Nobody's shares, minted when the vault was made.
DEAD = "dead"
SEED = 10**15
MAX_PAUSE = 3 * 86_400
# What a call says that fails in an adapter which does not answer.
SILENCE = ""


@dataclass
class Adapter:
    """A position as the vault keeps it. The caps are in units and as a part of the whole, WAD."""

    position: Position
    cap: int
    share_cap: int = WAD
    booked: int = 0
    answers: bool = True
    in_quarantine: bool = False


@dataclass(frozen=True)
class Findings:
    """What the positions are beside the books, and the prices that follow."""

    gain: int
    loss: int
    complete: bool
    # For who enters, but for what quarantines are to give back; and for who leaves, which is less
    # by what visible slashes would take.
    entering: Price
    leaving: Price
    risk: int

    @property
    def calm(self) -> Price:
        """For who leaves, if no visible slash falls."""
        return self.leaving.plus(self.risk)


@dataclass
class Vault:
    """Books, shares by account, adapters by name, settings."""

    clock: Clock
    profit: LockedProfit
    deposit_cap: int
    idle: int = SEED
    lrt: Erc20 = field(default_factory=lambda: Erc20(SNEKMATE))
    adapters: dict[str, Adapter] = field(default_factory=dict)
    pocket: SidePocket = field(default_factory=SidePocket)
    performance_fee: PerformanceFee = field(default_factory=PerformanceFee)
    exit_fee: ExitFee = field(default_factory=ExitFee)
    # Shares that wait in the queue, and exits that were started while idle did not cover them.
    queued: int = 0
    queue_exits: int = 0
    paused_until: int = 0
    pause_again_from: int = 0
    # All that ever was gained and lost, paid in for shares and out to who left.
    gained: int = 0
    lost: int = 0
    paid_in: int = SEED
    paid_out: int = 0

    def __post_init__(self) -> None:
        if not self.shares:
            self.lrt.mint(DEAD, SEED)

    # Books

    @property
    def shares(self) -> dict[str, int]:
        """By account."""
        return self.lrt.balances

    @property
    def supply(self) -> int:
        return sum(self.shares.values())

    @property
    def listed(self) -> list[Adapter]:
        """The adapters that are not in quarantine."""
        return [adapter for adapter in self.adapters.values() if not adapter.in_quarantine]

    @property
    def staked(self) -> int:
        return sum(adapter.booked for adapter in self.listed)

    @property
    def locked(self) -> int:
        return self.profit.at(self.clock.time)

    @property
    def price(self) -> Price:
        """By the books alone."""
        return Price(self._total(0, 0), self.supply)

    @property
    def total_assets(self) -> int:
        return self.price.total

    @property
    def rate(self) -> int:
        return self.price.assets_down(WAD)

    def sync(self) -> Findings:
        """Book all that answer."""
        return self._sync(strict=False)

    def pay_rewards(self, amount: int) -> None:
        """A gift to the holders."""
        require(amount > 0, "vault: no rewards")
        self._sync(strict=False)
        self._gain(amount)

    def set_performance_fee(self, part: int, recipient: str) -> None:
        """Gains until now are charged as before."""
        self._sync(strict=False)
        self.performance_fee.part, self.performance_fee.recipient = part, recipient

    # Coming and going

    def deposit(self, who: str, assets: int) -> int:
        """Returns the shares that the assets buy."""
        found = self._sync(strict=True)
        shares = self._entering(found).shares_down(assets)
        self._enter(who, assets, shares, found)
        return shares

    def mint(self, who: str, shares: int) -> int:
        """Returns the assets that the shares cost."""
        require(shares > 0, "vault: zero shares")
        found = self._sync(strict=True)
        assets = self._entering(found).assets_up(shares)
        self._enter(who, assets, shares, found)
        return assets

    def withdraw(self, who: str, assets: int, spender: str = "") -> int:
        """Returns the shares that the assets and the fee on them cost.

        A spender that is not the owner needs an allowance.
        """
        found = self._sync(strict=True)
        price, free = found.leaving, self._free(found)
        fee = self.exit_fee.on(assets, free)
        shares = price.shares_up(assets + fee)
        self._leave(who, spender or who, assets, fee, shares, price.supply, free)
        return shares

    def redeem(self, who: str, shares: int, spender: str = "") -> int:
        """Returns the assets that are paid for the shares after the fee; see `withdraw`."""
        require(shares > 0, "vault: zero shares")
        found = self._sync(strict=True)
        price, free = found.leaving, self._free(found)
        worth = price.assets_down(shares)
        assets = self.exit_fee.paid(worth, free)
        self._leave(who, spender or who, assets, worth - assets, shares, price.supply, free)
        return assets

    # What these would say now

    def look(self) -> Findings:
        """What the positions are now; all that are in the books must answer."""
        return self._look(strict=True)

    def live_total(self, leaving: bool, found: Findings | None = None) -> int:
        """This and the previews take what was found just before, where that is at hand."""
        found = found or self.look()
        return (found.leaving if leaving else found.entering).total

    @property
    def live_rate(self) -> int:
        return self._look(strict=True).leaving.assets_down(WAD)

    def preview_deposit(self, assets: int, found: Findings | None = None) -> int:
        return self._entering(found or self.look()).shares_down(assets)

    def preview_mint(self, shares: int, found: Findings | None = None) -> int:
        return self._entering(found or self.look()).assets_up(shares)

    def preview_withdraw(self, assets: int, found: Findings | None = None) -> int:
        found = found or self.look()
        return found.leaving.shares_up(assets + self.exit_fee.on(assets, self._free(found)))

    def preview_redeem(self, shares: int, found: Findings | None = None) -> int:
        found = found or self.look()
        return self.exit_fee.paid(found.leaving.assets_down(shares), self._free(found))

    def max_deposit(self) -> int:
        """The most that buys at least a share and keeps within the caps."""
        if not self.readable:
            return 0
        found = self._look(strict=True)
        price = self._entering(found)
        most = min(self._room(found), price.assets_down(LARGEST - self.supply))
        return most if price.shares_down(most) else 0

    def max_mint(self) -> int:
        """The most shares that what may still come in pays for."""
        if not self.readable:
            return 0
        found = self._look(strict=True)
        price, room = self._entering(found), self._room(found)
        return largest(LARGEST - self.supply, lambda shares: price.assets_up(shares) <= room)

    def max_withdraw(self, who: str) -> int:
        """The most of what is free that an account's shares pay for."""
        if not self.readable:
            return 0
        found = self._look(strict=True)
        price, free = found.leaving, self._free(found)
        return min(free, self.exit_fee.paid(price.assets_down(self.shares.get(who, 0)), free))

    def max_redeem(self, who: str) -> int:
        """The most of an account's shares that what is free pays for; none if that is nothing."""
        if not self.readable:
            return 0
        found = self._look(strict=True)
        price, free = found.leaving, self._free(found)

        def paid(shares: int) -> int:
            return self.exit_fee.paid(price.assets_down(shares), free)

        shares = largest(self.shares.get(who, 0), lambda shares: paid(shares) <= free)
        return shares if paid(shares) else 0

    @property
    def readable(self) -> bool:
        """Whether everyone answers who stands in the books."""
        return all(adapter.answers for adapter in self.listed if adapter.booked)

    # Stake

    def allocate(self, name: str, amount: int) -> None:
        """Stake idle assets that the queue does not need, under the adapter's caps."""
        require(self.clock.time >= self.paused_until, "vault: paused")
        adapter = self.adapters[name]
        require(not adapter.in_quarantine, "vault: unknown adapter")
        require(amount > 0, "vault: zero amount")
        require(amount <= self.idle, "vault: not enough idle")
        self.idle -= amount
        adapter.booked += amount
        require(self._covers_queue, "vault: queue unfunded")
        require(adapter.answers, SILENCE)
        adapter.position.stake(amount)
        self._sync(strict=True)
        require(adapter.booked <= adapter.cap, "vault: adapter cap")
        most = (self.idle + self.staked) * adapter.share_cap // WAD
        require(adapter.booked <= most, "vault: adapter share cap")

    def start_exit(self, name: str, amount: int) -> int:
        """Begin to take at most `amount` out of a position; returns the exit's id."""
        require(amount > 0, "vault: zero amount")
        if not self._covers_queue:
            self.queue_exits += 1
        adapter = self.adapters[name]
        require(adapter.answers, SILENCE)
        return adapter.position.start_exit(amount)

    def finish_exit(self, name: str, exit_id: int) -> int:
        """Bring an exit home; returns what it pays. What is not in the books is a gain."""
        adapter = self.adapters[name]
        self._sync(strict=False)
        require(adapter.answers, SILENCE)
        amount = adapter.position.finish_exit(exit_id)
        if adapter.in_quarantine:
            to_claims, expected = self.pocket.share_out(name, amount)
            self.idle += expected
            self.performance_fee.recover(expected)
            self._gain(amount - to_claims - expected)
            self.gained += to_claims + expected
        else:
            known = min(amount, adapter.booked)
            adapter.booked -= known
            self.idle += known
            self._gain(amount - known)
            self._sync(strict=False)
        return amount

    def quarantine(self, name: str, by_guardian: bool = False) -> None:
        """Write an adapter off: its owner any time, the guardian while it does not answer."""
        adapter = self.adapters[name]
        require(not (by_guardian and adapter.answers), "vault: adapter can be read")
        require(not adapter.in_quarantine, "vault: unknown adapter")
        before, booked = self.total_assets, adapter.booked
        self._book(0, booked)
        adapter.booked, adapter.in_quarantine = 0, True
        self.pocket.open(name, before - self.total_assets)

    def pause(self, duration: int) -> None:
        """Let nothing in for so long, and not again before as much time has passed after that."""
        require(0 < duration <= MAX_PAUSE, "vault: pause duration")
        require(self.clock.time >= self.pause_again_from, "vault: paused lately")
        self.paused_until = self.clock.time + duration
        self.pause_again_from = self.paused_until + duration

    # For the queue

    def settle(self, queue: str, shares: int, burnt: int, assets: int, locked: int) -> None:
        """Some shares wait no longer; those that are burnt leave what they were worth beyond
        `assets` to the others, of which at most so much is locked.
        """
        self.queued -= shares
        if burnt:
            worth = self.price.assets_down(burnt)
            require(assets <= worth, "vault: paid above the rate")
            self.idle -= assets
            self._lock(min(locked, worth - assets))
            self.shares[queue] -= burnt

    def needed(self, price: Price) -> int:
        """What the waiting shares are worth, rounded up."""
        return price.assets_up(self.queued)

    # How

    def _look(self, strict: bool) -> Findings:
        """What the positions say: those in the books, which must answer, or all that answer."""
        asked = [adapter for adapter in self.listed if adapter.booked or not strict]
        complete = all(adapter.answers for adapter in asked if adapter.booked)
        require(complete or not strict, "vault: adapter unreadable")
        gain = loss = risk = 0
        for adapter in asked:
            if adapter.answers:
                live = adapter.position.total_assets
                gain += max(0, live - adapter.booked)
                loss += max(0, adapter.booked - live)
                risk += min(live, adapter.position.value_at_risk)
        entering = Price(self._total(loss, 0), self.supply)
        leaving = Price(self._total(loss, risk), self.supply)
        return Findings(gain, loss, complete, entering, leaving, risk)

    def _sync(self, strict: bool) -> Findings:
        found = self._look(strict)
        if found.gain or found.loss:
            self._book(found.gain, found.loss)
        for adapter in self.listed:
            if adapter.answers and (adapter.booked or not strict):
                adapter.booked = adapter.position.total_assets
        return found

    def _book(self, gain: int, loss: int) -> None:
        """Lock a gain, but for the fee: that is paid in shares at the price of who enters."""
        whole = self.idle + self.staked
        fee = self.performance_fee.charge(self.clock.time, gain, loss, whole)
        if fee:
            price = Price(self._total(loss, 0) + self.pocket.expected, self.supply)
            self.shares[self.performance_fee.recipient] += price.shares_down(fee)
        self.profit.book(self.clock.time, gain - fee, loss)
        self.gained += gain
        self.lost += loss

    def _gain(self, amount: int) -> None:
        """Assets have come in that are not in the books."""
        if amount:
            self._book(amount, 0)
            self.idle += amount

    def _lock(self, amount: int) -> None:
        """What is in the books shall belong to the shares only with time."""
        if amount:
            self.profit.book(self.clock.time, amount, 0)

    def _total(self, loss: int, risk: int) -> int:
        """Assets of the shares after a loss, which locked profit meets, and less a risk."""
        return max(0, self.idle + self.staked - max(self.locked, loss) - risk)

    def _entering(self, found: Findings) -> Price:
        return found.entering.plus(self.pocket.expected)

    def _free(self, found: Findings) -> int:
        """Idle assets that the queue does not need, whatever becomes of visible slashes."""
        return max(0, self.idle - self.needed(found.calm))

    @property
    def _covers_queue(self) -> bool:
        return self.needed(self.price) <= self.idle

    def _room(self, found: Findings) -> int:
        """What may still be deposited."""
        if self.clock.time < self.paused_until:
            return 0
        return max(0, self.deposit_cap - found.entering.total)

    def _enter(self, who: str, assets: int, shares: int, found: Findings) -> None:
        require(assets > 0, "vault: zero assets")
        require(shares > 0, "vault: zero shares")
        require(self.clock.time >= self.paused_until, "vault: paused")
        require(assets + found.entering.total <= self.deposit_cap, "vault: deposit cap")
        require(shares <= LARGEST - self.supply, "vault: supply limit")
        self.idle += assets
        self.shares[who] += shares
        self.paid_in += assets

    def _leave(
        self, who: str, spender: str, assets: int, fee: int, shares: int, supply: int, free: int
    ) -> None:
        require(assets > 0, "vault: zero assets")
        require(assets <= free, "vault: not enough idle")
        self.idle -= assets
        self._lock(fee)
        if spender != who:
            self.lrt.spend(who, spender, shares)
        self.pocket.leave(who, shares, supply)
        self.lrt.burn(who, shares)
        self.paid_out += assets
