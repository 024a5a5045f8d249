"""Leveraged tokens through a path of prices and rates, beside what would have no friction.

A ghost stands beside each token: a position of the same value at first that is brought back to the
token's first target after each step, for nothing. A taker with LRT and WETH of its own takes every
auction as soon as that pays it a margin above what the market says of the LRT.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from relever.chain import Contract, Revert
from relever.leveraged import Leveraged, deploy_leveraged
from relever.protocol import UNLIMITED, WAD, Deployment
from relever.risk.paths import DAY, Day, Moment

# What the taker must gain: a part of what it brings in WAD, for its risk; and WETH, for its gas.
MARGIN, GAS = 2 * WAD // 1_000, 2 * WAD // 100
# Restaked and lent; LRT and WETH of the taker and of the holder; LRT of who moves the rate; equity
# in each token.
RESTAKED, LENT, EQUITY = 45_000 * WAD, 20_000 * WAD, 100 * WAD
PURSE, HOARD = 7_500 * WAD, 25_000 * WAD
# Of so many parts of the stake one is in Symbiotic, the others in EigenLayer.
_SYMBIOTIC = 9
# Yield of the stake, WAD a year.
YIELD = 3 * WAD // 100
YEAR = 365 * DAY
# How often takers look while an auction runs, in seconds.
_AUCTION_STEP = 300
# The rate is brought so near to what is asked for, a part of it in WAD.
_RATE_ERROR = WAD // 200


@dataclass(frozen=True)
class Point:
    """A token after a step.

    Attributes:
        seconds: since the beginning.
        discount: of the market to what backs the LRT, in WAD.
        leverage, least, target, most: in WAD.
        value: of a share, in WETH scaled by 1e18, at what backs the LRT.
        ghost: what that of the ghost is.
        is_open: whether a taker is served now.
    """

    seconds: int
    discount: int
    leverage: int
    least: int
    target: int
    most: int
    value: int
    ghost: int
    is_open: bool

    @property
    def in_band(self) -> bool:
        return self.least <= self.leverage <= self.most

    @property
    def distance(self) -> int:
        """Of the value from the ghost's, a part of that in WAD; below zero where it is less."""
        return self.value * WAD // self.ghost - WAD


@dataclass(frozen=True)
class Rebalance:
    """What a rebalance moved and cost.

    Attributes:
        lost: equity by it, a part in WAD, rounded up.
        bound: what it might have been at most.
    """

    seconds: int
    before: int
    after: int
    lost: int
    bound: int


@dataclass
class Track:
    """One token's way, and its ghost's."""

    name: str
    token: Contract
    terms: Any
    points: list[Point] = field(default_factory=list)
    rebalances: list[Rebalance] = field(default_factory=list)
    # Debt per share of debt, and price, at the last step.
    price: int = 0
    index: int = 0


class Lab:
    """The suite with its tokens, somebody in each of them, and whoever keeps them going."""

    def __init__(self, scene: Deployment) -> None:
        self.scene, self.chain = scene, scene.chain
        self._market, self._oracle = scene.protocol.market, scene.protocol.oracle
        self._vault, self._weth = scene.protocol.vault, scene.world.core.weth
        self._taker, self._holder = scene.roles.liquidator, scene.roles.looper
        self._whale = scene.roles.trader
        self._set_up()
        self.leveraged: Leveraged = deploy_leveraged(scene)
        self._started = self.chain.timestamp
        self._discount = 0
        self.tracks: list[Track] = []
        for name, token in self.leveraged.tokens.items():
            self.follow(name, token)

    def follow(self, name: str, token: Contract) -> None:
        """Somebody buys into it, and it is watched from now on."""
        for coin in (self._vault, self._weth):
            for who in (self._taker, self._holder):
                coin.approve(token.address, UNLIMITED, sender=who)
        token.mint(EQUITY, UNLIMITED, 0, self._holder, sender=self._holder)
        track = Track(name, token, token.terms(), price=self._price(), index=self._index())
        self.tracks.append(track)
        self._note(track, self._now(track))

    def _set_up(self) -> None:
        scene, roles, core = self.scene, self.scene.roles, self.scene.world.core
        scene.world.fund(roles.lender, weth=LENT)
        self._weth.approve(self._market.address, LENT, sender=roles.lender)
        self._market.deposit(LENT, roles.lender, sender=roles.lender)
        assets = self._vault.previewMint(RESTAKED)
        scene.world.fund(roles.depositor, wsteth=assets)
        core.wsteth.approve(self._vault.address, assets, sender=roles.depositor)
        self._vault.mint(RESTAKED, roles.depositor, sender=roles.depositor)
        for who, shares in ((self._taker, PURSE), (self._holder, PURSE), (self._whale, HOARD)):
            self._vault.transfer(who, shares, sender=roles.depositor)
            scene.world.fund(who, weth=PURSE)
        idle, suite = self._vault.idle(), scene.protocol
        self._vault.allocate(suite.symbiotic.address, idle // _SYMBIOTIC, sender=roles.allocator)
        self._vault.allocate(suite.eigenlayer.address, self._vault.idle(), sender=roles.allocator)
        for coin in (self._vault, self._weth):
            coin.approve(self._market.address, UNLIMITED, sender=self._whale)
        # LRT that has just come is not lent on until the owner says that it is no forgery.
        self._oracle.accept_supply(2 * RESTAKED, sender=roles.owner)
        scene.answer_fundamental()
        self._oracle.poke(sender=roles.stranger)
        self._market.supply_collateral(HOARD, self._whale, sender=self._whale)

    # What happens

    def pay_yield(self, seconds: int) -> None:
        """Lido's rewards for so long."""
        self.grow(YIELD * seconds // YEAR)

    def grow(self, part: int) -> None:
        """All stETH by a part in WAD."""
        pooled = self.scene.world.core.steth.getTotalPooledEther()
        if part:
            self.scene.world.accrue_rewards(pooled * part // WAD)

    def slash(self, part: int) -> None:
        """EigenLayer takes so much of all the stake, in WAD, and anybody books it."""
        self.scene.world.slash(part * _SYMBIOTIC // (_SYMBIOTIC - 1))
        self._vault.sync(sender=self.scene.roles.stranger)

    def charge(self, rate: int) -> None:
        """Somebody borrows or repays until a loan costs about so much, WAD a year."""
        _, owed = self._market.position(self._whale)
        state = self._market.state()
        low, high = 0, owed + state.supply_assets - state.borrow_assets
        while high - low > WAD:
            middle = (low + high) // 2
            with self.chain.isolated():
                self._borrow_up_to(middle)
                found = self._market.borrow_rate()
            if abs(found - rate) * WAD <= rate * _RATE_ERROR:
                low = high = middle
            low, high = (middle, high) if found < rate else (low, middle)
        self._borrow_up_to(high)

    def _borrow_up_to(self, debt: int) -> None:
        whale, (_, owed) = self._whale, self._market.position(self._whale)
        if debt != owed:
            self._market.adjust(whale, 0, debt - owed, whale, sender=whale)

    def step(self, seconds: int, discount: int = 0) -> None:
        """Time passes to another discount of the market; all who keep things going act.

        While an auction runs they look every few minutes.
        """
        self._discount = discount
        end = self.chain.timestamp + seconds
        while self.chain.timestamp < end and any(_is_open(one.token) for one in self.tracks):
            self._look(min(_AUCTION_STEP, end - self.chain.timestamp))
        self._look(end - self.chain.timestamp)
        for track in self.tracks:
            self._note(track, self._ghost(track))

    def _look(self, seconds: int) -> None:
        if seconds:
            self.chain.advance(seconds)
        self.scene.answer_fundamental(self._discount)
        self._oracle.poke(sender=self._taker)
        for track in self.tracks:
            self._keep(track)

    # Who keeps things going

    def _keep(self, track: Track) -> None:
        token = track.token
        for attempt in (token.checkpoint, token.start_auction):
            _tried(attempt, sender=self._taker)
        auction = token.auction.call()
        if auction.is_open and self._pays(auction):
            self._take(track, auction.lowers)

    def _pays(self, auction: Any) -> bool:
        """LRT is worth to the taker what the market says."""
        part = WAD - self._discount
        got = auction.bid * part // WAD if auction.lowers else auction.bid * WAD // part
        brought = auction.most
        if not auction.lowers:
            brought = brought * self._price() // 10**36
        return bool(got >= WAD + MARGIN and brought * (got - WAD) >= GAS * WAD)

    def _take(self, track: Track, lowers: bool) -> None:
        token, terms = track.token, track.terms
        before, equity = token.leverage(), token.equity()
        danger = lowers and before > terms.danger
        bound = terms.danger_loss if danger else terms.max_loss
        done = _tried(token.rebalance, lowers, UNLIMITED // 2, 0, sender=self._taker)
        if done is not None:
            lost = max(0, equity - token.equity())
            track.rebalances.append(
                Rebalance(
                    seconds=self.chain.timestamp - self._started,
                    before=before,
                    after=token.leverage(),
                    lost=-(-lost * WAD // equity),
                    bound=bound,
                )
            )

    # What is seen

    def _price(self) -> int:
        """What backs an LRT, in WETH scaled by 1e36."""
        price: int = self._vault.live_rate() * self.scene.world.core.wsteth.stEthPerToken()
        return price

    def _index(self) -> int:
        """What a debt share owes, scaled by 1e24."""
        state = self._market.state()
        index: int = (state.borrow_assets + 1) * 10**24 // (state.borrow_shares + 10**6)
        return index

    def _ghost(self, track: Track) -> int:
        """The ghost's value a share now."""
        price, index = self._price(), self._index()
        target: int = track.terms.target
        earned = target * price // track.price
        owed = (target - WAD) * index // track.index
        track.price, track.index = price, index
        kept: int = earned - owed
        return max(1, track.points[-1].ghost * kept // WAD)

    def _now(self, track: Track) -> int:
        """The token's value a share."""
        value: int = track.token.equity() * WAD // track.token.totalSupply()
        return value

    def _note(self, track: Track, ghost: int) -> None:
        token = track.token
        least, target, most = token.band()
        track.points.append(
            Point(
                seconds=self.chain.timestamp - self._started,
                discount=self._discount,
                leverage=token.leverage(),
                least=least,
                target=target,
                most=most,
                value=self._now(track),
                ghost=ghost,
                is_open=_is_open(token),
            )
        )


def thirty_days(lab: Lab, depeg: tuple[Moment, ...]) -> Iterator[str]:
    """Rewards by the day; a slash of 5 % on the tenth; the depeg on the twentieth. Says the day."""
    hour = DAY // 24
    for day in range(30):
        yield f"day {day + 1}"
        if day == 10:
            lab.slash(WAD // 20)
            lab.step(0)
        if day == 20:
            before = 0
            for moment in depeg:
                if moment.seconds >= DAY:
                    break
                if moment.seconds > before:
                    lab.step(moment.seconds - before, moment.discount)
                    before = moment.seconds
            lab.step(DAY - before)
        else:
            for _ in range(24):
                lab.step(hour)
        lab.pay_yield(DAY)


def rates(lab: Lab, days: tuple[Day, ...]) -> Iterator[str]:
    """WETH costs and wstETH earns what it did on each day. Says the day."""
    for number, day in enumerate(days):
        yield f"day {number + 1}"
        lab.charge(day.borrow)
        lab.grow(day.growth)
        for _ in range(8):
            lab.step(DAY // 8)


def _is_open(token: Contract) -> bool:
    try:
        return bool(token.auction.call().is_open)
    except Revert:
        return False


def _tried(function: Any, *arguments: Any, sender: str) -> Any:
    """Its receipt, or None where it is refused."""
    try:
        return function(*arguments, sender=sender)
    except Revert:
        return None
