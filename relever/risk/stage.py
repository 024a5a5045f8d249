"""Lenders and a ladder of borrowers at each venue, and what can happen to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from relever.chain import Chain
from relever.protocol import PRICE_SCALE, UNLIMITED, WAD, Deployment
from relever.risk.liquidators import Exits, Taken, liquidate
from relever.risk.outcome import Outcome
from relever.risk.paths import DAY, HOUR, Moment
from relever.risk.venue import Books, Cast, Plan, Position, Venue, ladder

EQUITY = 5 * WAD
# The lenders supply a ninth more than is borrowed: the rate is near its target.
_SPARE = 9
# How old the loans are, in days: what the protocol has earned on them stands in the market.
AGE = 60
# How often keepers poke while prices move, and when nobody else comes by, in seconds.
_KEEPER_EVERY, _KEEPER_AT_LEAST = 300, HOUR
# Of the operator's stake, before a depeg.
_SLASH_BEFORE = 15 * WAD // 1000
_PLENTY = 10**6 * WAD


@dataclass(frozen=True)
class _Start:
    books: Books
    positions: tuple[Position, ...]
    weth: int
    lrt: int


class Stage:
    """A deployment whose market, and whatever stands beside it, is lent on by the same people.

    Three quarters of the stake are in EigenLayer, the rest in Symbiotic; nothing is idle.
    """

    def __init__(self, scene: Deployment, cast: Cast, venues: Sequence[Venue]) -> None:
        self.scene, self.cast, self.venues = scene, cast, tuple(venues)
        self.terms = scene.protocol.market.terms()
        self.plans = self._set_up()

    @property
    def chain(self) -> Chain:
        return self.scene.chain

    def slash(self, wad: int) -> list[Outcome]:
        """EigenLayer slashes the operator, anyone books it, the market follows at once.

        No time passes, so that no interest is in the figures. The chain is put back.
        """
        with self.chain.isolated():
            before, starts = self._fundamental(), self._starts()
            exits = self._slash(wad)
            taken = {venue.name: liquidate(self.chain, venue, exits) for venue in self.venues}
            return self._outcomes(before, starts, taken)

    def depeg(self, path: Sequence[Moment]) -> list[Outcome]:
        """The market pays less than the fundamental price, along a path.

        Before it, a slash has brought the most leveraged close to the threshold. Liquidators look
        at every moment of the path; keepers poke every five minutes at these moments, and every
        hour between. The chain is put back.

        Args:
            path: each discount holds from its moment to the next.
        """
        with self.chain.isolated():
            self._slash(_SLASH_BEFORE)
            before, starts, start = self._fundamental(), self._starts(), self.chain.timestamp
            taken: dict[str, list[Taken]] = {venue.name: [] for venue in self.venues}
            poked = start
            for moment in path:
                now = start + moment.seconds
                while poked + _KEEPER_AT_LEAST < now:
                    poked += _KEEPER_AT_LEAST
                    self._poke(poked)
                self.chain.advance(now - self.chain.timestamp)
                exits = self._answer(moment.discount)
                if now - poked >= _KEEPER_EVERY:
                    poked = now
                    self._poke(poked)
                for venue in self.venues:
                    taken[venue.name] += liquidate(self.chain, venue, exits)
            return self._outcomes(before, starts, taken)

    # Setting up

    def _set_up(self) -> list[Plan]:
        oracle = self.scene.protocol.oracle
        borrowers, max_ltv = self.cast.borrowers, self.terms.max_ltv
        self._restake(ladder(borrowers, EQUITY, oracle.fundamental(), max_ltv))
        self._answer(0)
        plans = ladder(borrowers, EQUITY, oracle.price(), max_ltv)
        self._give_collateral(plans)
        self._lend(sum(plan.debt for plan in plans))
        for venue in self.venues:
            self.chain.send_batch([call for plan in plans for call in venue.open(plan)])
            self._fund_liquidator(venue)
        self.chain.advance(AGE * DAY)
        self._answer(0)
        for venue in self.venues:
            venue.poke()
            venue.accrue()
        return plans

    def _restake(self, roughly: Sequence[Plan]) -> None:
        """A depositor makes all the LRT and keeps some; the allocator stakes the vault's assets."""
        protocol, roles = self.scene.protocol, self.scene.roles
        vault, wsteth = protocol.vault, self.scene.world.core.wsteth
        needed = sum(plan.collateral for plan in roughly) * len(self.venues)
        assets = vault.previewMint(needed + needed // 2)
        self.scene.world.fund(roles.depositor, wsteth=assets)
        wsteth.approve(vault.address, assets, sender=roles.depositor)
        vault.deposit(assets, roles.depositor, sender=roles.depositor)
        vault.allocate(protocol.symbiotic.address, vault.idle() // 4, sender=roles.allocator)
        vault.allocate(protocol.eigenlayer.address, vault.idle(), sender=roles.allocator)

    def _give_collateral(self, plans: Sequence[Plan]) -> None:
        vault, depositor = self.scene.protocol.vault, self.scene.roles.depositor
        self.chain.send_batch(
            [
                vault.transfer.build(
                    plan.owner, plan.collateral * len(self.venues), sender=depositor
                )
                for plan in plans
            ]
        )
        self.chain.send_batch(
            [
                vault.approve.build(venue.contract.address, UNLIMITED, sender=plan.owner)
                for venue in self.venues
                for plan in plans
            ]
        )

    def _lend(self, borrowed: int) -> None:
        """The lenders supply more than is to be borrowed, each more than the one before."""
        total, parts = borrowed + borrowed // _SPARE, len(self.cast.lenders)
        weth = self.scene.world.core.weth
        for index, lender in enumerate(self.cast.lenders, 1):
            amount = total * 2 * index // (parts * (parts + 1)) + 1
            self.scene.world.fund(lender, weth=amount * len(self.venues))
            for venue in self.venues:
                weth.approve(venue.contract.address, UNLIMITED, sender=lender)
                self.chain.send(venue.lend(lender, amount))

    def _fund_liquidator(self, venue: Venue) -> None:
        weth = self.scene.world.core.weth
        self.scene.world.fund(venue.liquidator, weth=_PLENTY)
        weth.approve(venue.contract.address, UNLIMITED, sender=venue.liquidator)

    # What happens, and the figures

    def _slash(self, wad: int) -> Exits:
        """EigenLayer's AVS slashes the operator, anyone books it, the feed follows."""
        self.scene.world.slash(wad)
        self.scene.protocol.vault.sync(sender=self.scene.roles.stranger)
        return self._answer(0)

    def _poke(self, time: int) -> None:
        self.chain.advance(time - self.chain.timestamp)
        for venue in self.venues:
            venue.poke()

    def _fundamental(self) -> int:
        price: int = self.scene.protocol.oracle.fundamental()
        return price

    def _answer(self, discount: int) -> Exits:
        """The feed, and who follows it, say the fundamental price less a discount in WAD."""
        fundamental = self._fundamental()
        answer = fundamental * (WAD - discount) // PRICE_SCALE
        self.scene.feed.answer(answer)
        market = answer * WAD
        for venue in self.venues:
            venue.see_market_price(market)
        return Exits(market, fundamental)

    def _starts(self) -> list[_Start]:
        weth, vault = self.scene.world.core.weth, self.scene.protocol.vault
        return [
            _Start(
                venue.books(),
                tuple(venue.positions()),
                weth.balanceOf(venue.liquidator),
                vault.balanceOf(venue.liquidator),
            )
            for venue in self.venues
        ]

    def _outcomes(
        self, before: int, starts: Sequence[_Start], taken: Mapping[str, Sequence[Taken]]
    ) -> list[Outcome]:
        after = self._fundamental()
        for venue in self.venues:
            venue.accrue()
        ends = self._starts()
        refused = [venue.why_no_borrowing(self.plans[0]) for venue in self.venues]
        self.chain.advance(DAY)
        self._answer(0)
        later = [venue.why_no_borrowing(self.plans[0]) for venue in self.venues]
        return [
            Outcome(
                venue=venue.name,
                price_before=before,
                price_after=after,
                books_before=start.books,
                books_after=end.books,
                positions_before=start.positions,
                positions_after=end.positions,
                owners=self.cast.borrowers,
                taken=tuple(taken[venue.name]),
                paid=start.weth - end.weth,
                got=end.lrt - start.lrt,
                borrowing_refused=why,
                borrowing_refused_a_day_later=why_later,
            )
            for venue, start, end, why, why_later in zip(
                self.venues, starts, ends, refused, later, strict=True
            )
        ]
