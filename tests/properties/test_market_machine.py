"""The lending market against an exact integer model, in any order of what anyone may do.

Before each action the model says what must happen: the answer and the events, or the reason of a
revert. After each one the market and both tokens must say the same of themselves as the model, to
the unit; and what they say must keep the invariants that are named beside each check.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from relever.artifacts import artifact
from relever.chain import Anvil, Chain, Contract, Event
from relever.model.clock import Clock
from relever.model.health import E36, ceil_div
from relever.model.market import (
    DAY,
    HOUR,
    MARKET,
    MAX_CAP,
    MAX_COLLATERAL,
    NOBODY,
    UNLIMITED,
    Caps,
    Liquidation,
    Market,
    Oracle,
    Terms,
)
from relever.model.refused import Refused
from relever.model.rounding import WAD
from relever.model.rule import Rule
from relever.protocol import deploy_blueprint
from tests.properties.machines import Done, ModelMachine, run
from tests.unit.market.conftest import create_market, token

ZERO = "0x0000000000000000000000000000000000000000"
YEAR = 365 * DAY
HOLDING = 10**36
FEE = 10**17
WHO = st.integers(0, 2)
LENDER = st.integers(0, 1)
PARTS = st.integers(1, 100)
DEPTHS = (1, 5, 20, 50, 80, 95, 99)
PRICES = ("both", "both", "market a little", "dead feed")
OFFERS = ("all", "all", "half", "units", "to the minimum", "exact", "wait")
MOST = ("room", "room and more", "part", "cash", "cap", "minimum", "little")
DEPTH, PRICE = st.sampled_from(DEPTHS), st.sampled_from(PRICES)
SOME = st.lists(st.sampled_from(OFFERS), min_size=1, max_size=4)
TERMS = (
    # As the local market has them; and gentler ones with a larger bonus for a coarse loan token,
    # where a deleverage may take all that it wants.
    Terms(91 * 10**16, 93 * 10**16, 103 * 10**16, 10**16, 5 * 10**16, 10**17, WAD // 10),
    Terms(70 * 10**16, 75 * 10**16, 125 * 10**16, 0, 20 * 10**16, 10**5, WAD - 1),
)
LOAN_DECIMALS = (18, 6)


@dataclass(frozen=True)
class Scene:
    """One market, its tokens and prices, and who is there."""

    chain: Chain
    terms: Terms
    unit: int
    loan: Contract
    collateral: Contract
    oracle: Contract
    market: Contract
    wallet: Contract
    owner: str
    guardian: str
    lenders: tuple[str, str]
    # The last of them is the wallet.
    borrowers: tuple[str, str, str]
    liquidator: str
    stranger: str

    @property
    def people(self) -> tuple[str, ...]:
        return (*self.lenders, *self.borrowers, self.liquidator, self.owner)

    @property
    def price(self) -> int:
        """One whole collateral token for one whole loan token."""
        return E36 * self.unit // WAD


class MarketMachine(ModelMachine[Market]):
    """Two lenders, three borrowers; amounts in thousandths of the loan token, parts in per cent."""

    def __init__(self, scenes: list[Scene], reached: Counter[str]) -> None:
        super().__init__()
        self.scenes, self.reached = scenes, reached
        self.chain = scenes[0].chain
        self.start = self.chain.snapshot()
        self.seen, self.wide, self.ruined = {}, False, False

    @initialize(
        which=st.sampled_from([0, 0, 1]),
        wide=st.sampled_from([False, False, False, True]),
        lent=st.integers(100_000, 400_000),
        ltvs=st.tuples(PARTS, PARTS, PARTS),
        seed=st.integers(0, 2**64 - 1),
    )
    def begin(
        self, which: int, wide: bool, lent: int, ltvs: tuple[int, int, int], seed: int
    ) -> None:
        scene = self.scene = self.scenes[which]
        self.market, self.oracle, self.wallet = scene.market, scene.oracle, scene.wallet
        oracle = Oracle(scene.price, scene.price)
        self.model = Market(
            Clock(time=self.chain.timestamp),
            scene.terms,
            oracle,
            Rule(scene.owner, scene.guardian),
        )
        for who in scene.people:
            self.model.loan[who] = self.model.collateral[who] = HOLDING
        # So wide that shares can pass the width of their word.
        self.unit = MAX_CAP // 400 if wide else scene.unit
        self.wide = wide
        self._set_caps(0, Caps(self.unit * 400, self.unit * (350 if lent % 3 else 60), FEE))
        self.deposit(0, lent, 0)
        self.deposit(1, 50_000, 0)
        for number, ltv in enumerate(ltvs):
            self.open(number, 30_000, ltv, False)
        self.draw = random.Random(seed)
        self._what_is_seldom_drawn()
        self.several()

    def _what_is_seldom_drawn(self) -> None:
        self.supply_collateral(0, 1, 1, False)
        self._set_caps(1, Caps(self.model.caps.supply + 1, 0, FEE))
        self.donate(7, 7)
        self.move_shares(0, 10, True)
        self.borrow(1, "cap", 1, 1)
        self._set_caps(0, Caps(self.model.caps.supply, self.seen["state"].borrow_assets, FEE))
        self.borrow(1, "little", 1, 1)
        self._set_caps(0, Caps(self.model.caps.supply, self.unit * 350, FEE))
        if self.wide:
            self.ruin(1)

    def teardown(self) -> None:
        try:
            if self.seen:
                self.several()
                if self.wide and not self.ruined:
                    self.ruin(2)
                self.everybody_leaves()
        finally:
            self.chain.revert(self.start)

    # Lenders

    @rule(who=LENDER, amount=st.integers(1, 300_000), odd=st.integers(0, 20))
    def deposit(self, who: int, amount: int, odd: int) -> None:
        """Some too much, some of a few units, some for nobody."""
        lender = self.scene.lenders[who]
        receiver = {1: ZERO, 2: self.market.address}.get(odd, lender)
        assets = odd - 3 if 3 <= odd <= 6 else amount * self.unit // 1_000
        if odd in (7, 8):
            assets = self.seen["max deposit"] + odd - 7
        done = self._do(
            "deposit",
            self.market.deposit,
            (assets, receiver),
            lambda m: m.deposit(lender, assets, self._name(receiver)),
            lender,
            lambda minted: [self._lent(lender, receiver, assets, minted)],
        )
        if done:
            assert self.seen["state"].supply_assets <= self.model.caps.supply  # CAP-1

    @rule(who=LENDER, amount=st.integers(1, 200_000), all_of_it=st.booleans())
    def mint(self, who: int, amount: int, all_of_it: bool) -> None:
        lender = self.scene.lenders[who]
        shares = self.seen["max mint"] if all_of_it else amount * self.unit * 1_000
        self._do(
            "mint",
            self.market.mint,
            (shares, lender),
            lambda m: m.mint(lender, shares, lender),
            lender,
            lambda assets: [self._lent(lender, lender, assets, shares)],
        )

    @rule(who=LENDER, part=PARTS, over=st.sampled_from([0, 0, 0, 1]), others=st.booleans())
    def withdraw(self, who: int, part: int, over: int, others: bool) -> None:
        owner = self.scene.lenders[who]
        caller = self.scene.lenders[who - 1] if others else owner
        assets = self.seen[f"most of {owner}"] * part // 100 + over
        self._do(
            "withdraw for another" if others else "withdraw",
            self.market.withdraw,
            (assets, caller, owner),
            lambda m: m.withdraw(caller, assets, caller, owner),
            caller,
            lambda burned: [self._taken(caller, owner, assets, burned)],
        )

    @rule(who=LENDER, part=PARTS, over=st.booleans())
    def redeem(self, who: int, part: int, over: bool) -> None:
        owner = self.scene.lenders[who]
        shares = self.seen[f"most shares of {owner}"] * part // 100
        if over:
            shares = self.seen[f"shares of {owner}"] + part - 50
        self._redeem(owner, max(0, shares))

    @rule(who=LENDER, part=st.integers(0, 110), allowed=st.booleans())
    def move_shares(self, who: int, part: int, allowed: bool) -> None:
        """By a third party, for as much as it is allowed, or more."""
        owner, other = self.scene.lenders[who], self.scene.lenders[who - 1]
        amount = self.seen[f"shares of {owner}"] * part // 100
        allowance = amount if allowed else amount // 2
        self._do(
            "approve",
            self.market.approve,
            (other, allowance),
            lambda m: m.approve(owner, other, allowance),
            owner,
        )
        self._do(
            "transferFrom",
            self.market.transferFrom,
            (owner, other, amount),
            lambda m: m.transfer_from(other, owner, other, amount),
            other,
        )

    @rule(who=LENDER, part=st.integers(0, 110), odd=st.integers(0, 8))
    def give_shares(self, who: int, part: int, odd: int) -> None:
        owner = self.scene.lenders[who]
        receiver = self.market.address if odd == 0 else self.scene.lenders[who - 1]
        amount = self.seen[f"shares of {owner}"] * part // 100
        self._do(
            "transfer",
            self.market.transfer,
            (receiver, amount),
            lambda m: m.transfer(owner, self._name(receiver), amount),
            owner,
        )

    # Borrowers

    @rule(who=WHO, amount=st.integers(1, 90_000), ltv=PARTS, called_back=st.booleans())
    def open(self, who: int, amount: int, ltv: int, called_back: bool) -> None:
        """Collateral and a debt of some part of what is allowed against it, in one call."""
        worth = amount * self.unit // 1_000
        collateral = self._worth(worth)
        debt = worth * self.scene.terms.max_ltv * ltv // (100 * WAD)
        self._adjust(who, collateral, debt, collateral + amount if called_back else None)

    @rule(
        who=WHO,
        collateral=st.integers(-110, 60),
        debt=st.integers(-110, 60),
        more=st.integers(-2, 40),
        called_back=st.booleans(),
    )
    def adjust(self, who: int, collateral: int, debt: int, more: int, called_back: bool) -> None:
        """Both in parts of what there is, up or down; the wallet is called back."""
        who = 2 if called_back else who
        held, owed = self._position(who)
        delta = held * collateral // 100
        answer = max(0, delta + more) if called_back else None
        self._adjust(who, delta, owed * debt // 100, answer)

    @rule(who=WHO, part=PARTS, over=st.sampled_from([0, 0, 1]))
    def lighten(self, who: int, part: int, over: int) -> None:
        """Repay a part, take out what leaves debt per collateral no higher, or a unit more.

        No price is asked for, or one is.
        """
        owner, (held, owed) = self.scene.borrowers[who], self._position(who)
        repaid = owed * part // 100
        if not repaid or not held:
            return
        trial = deepcopy(self.model)
        trial.repay(owner, repaid, owner)
        taken = held - ceil_div(held * trial.debt(owner), owed)
        done = self._adjust(who, -min(held, taken + over), -repaid, None)
        assert done or over
        self.reached["lightened with a dead feed"] += bool(done) and not self.model.oracle.usable

    @rule(who=WHO, amount=st.integers(1, 90_000), odd=st.integers(0, 12), helped=st.booleans())
    def supply_collateral(self, who: int, amount: int, odd: int, helped: bool) -> None:
        owner = self.scene.borrowers[who]
        caller = self.scene.liquidator if helped else owner
        given = self._worth(amount * self.unit // 1_000)
        room = MAX_COLLATERAL - self._position(who)[0]
        given = {0: room, 1: room + 1, 2: 0}.get(odd, given)
        self._do(
            "supply collateral",
            self.market.supply_collateral,
            (given, owner),
            lambda m: m.supply_collateral(caller, given, owner),
            caller,
            lambda _: [self._adjusted(owner, caller, ZERO, given, 0)],
        )

    @rule(who=WHO, part=st.integers(0, 101), by=st.integers(0, 5))
    def withdraw_collateral(self, who: int, part: int, by: int) -> None:
        owner, (held, _) = self.scene.borrowers[who], self._position(who)
        caller = self._caller(owner, by)
        self._withdraw_collateral(caller, owner, held * part // 100)

    @rule(
        who=WHO,
        most=st.sampled_from(MOST),
        over=st.integers(-1, 2),
        by=st.integers(0, 8),
    )
    def borrow(self, who: int, most: str, over: int, by: int) -> None:
        """What is allowed, or what there is; all of it, or a unit more."""
        owner, (held, owed) = self.scene.borrowers[who], self._position(who)
        caller = self._caller(owner, by)
        worth = held * self._conservative() // E36
        room = max(0, worth * self.scene.terms.max_ltv // WAD - owed)
        state = self.seen["state"]
        amount = {
            "room": room - 1,
            "room and more": room + over,
            "part": room // 3,
            "cash": self.seen["cash"] + over,
            "cap": max(0, self.model.caps.borrow - state.borrow_assets) + over,
            "minimum": self.scene.terms.min_debt - owed + over,
            "little": over,
        }[most]
        amount = max(1, amount)
        receiver = self.market.address if by == 8 else caller
        done = self._do(
            "borrow",
            self.market.borrow,
            (amount, owner, receiver),
            lambda m: m.borrow(caller, amount, owner, self._name(receiver)),
            caller,
            lambda _: [self._adjusted(owner, caller, receiver, 0, amount)],
        )
        if done:
            assert self.seen["state"].borrow_assets <= self.model.caps.borrow  # CAP-1
            assert amount <= self._position(who)[1] - owed <= amount + 1  # BOR-2

    @rule(who=WHO, part=st.sampled_from([1, 30, 99, 100]), over=st.integers(-3, 3),
          units=st.integers(0, 6), helped=st.booleans())  # fmt: skip
    def repay(self, who: int, part: int, over: int, units: int, helped: bool) -> None:
        owner, (_, owed) = self.scene.borrowers[who], self._position(who)
        caller = self.scene.liquidator if helped else owner
        amount = units if units < 4 else max(0, owed * part // 100 + over)
        self._repay(caller, owner, amount)

    # Liquidations

    @rule(who=WHO, depth=DEPTH, offers=SOME, over=st.integers(-2, 2), prices=PRICE)
    def breach(self, who: int, depth: int, offers: list[str], over: int, prices: str) -> None:
        """Prices at which a position is just, or somewhat, too heavy; then liquidations of it."""
        self._have_debt(who, depth)
        least, covering = self._bounds(who)
        worth = least - (least - covering) * depth // 100 if depth > 1 else least
        self._threaten(who, worth, over, prices)
        first = ["to the minimum"] * (depth > 90)
        self._liquidate_in_turn(who, [*first, *offers], depth)

    @rule(who=WHO, depth=DEPTH, offers=SOME, over=st.integers(-2, 2), alive=st.integers(0, 4))
    def depeg(self, who: int, depth: int, offers: list[str], over: int, alive: int) -> None:
        """A market price at which a position is too heavy, or even too deep to deleverage."""
        self._have_debt(who, depth)
        least, covering = self._bounds(who)
        part = least - (least - covering) * depth // 100
        worth = {99: covering - covering // 50, 95: covering}.get(depth, part)
        self._threaten(who, worth, over, "market")
        self.feed(alive == 0)
        self._liquidate_in_turn(who, ["all", "wait", *offers], depth)

    @rule(who=WHO, depth=DEPTH, offers=SOME, over=st.integers(-2, 2), prices=PRICE,
          aged=st.booleans())  # fmt: skip
    def lose(
        self, who: int, depth: int, offers: list[str], over: int, prices: str, aged: bool
    ) -> None:
        """Prices at which a position is deep, or worth less than its debt."""
        self._have_debt(who, depth)
        if aged:
            self.time(YEAR)
        _, covering = self._bounds(who)
        owed = self._position(who)[1]
        worth = covering if depth == 1 else owed - owed // (1_000 if depth == 99 else depth)
        self._threaten(who, worth, over, prices)
        self._liquidate_in_turn(who, ["all", *offers], depth)

    @precondition(lambda self: self.wide and not self.ruined)
    @rule(depth=st.sampled_from([1, 2, 5]))
    def ruin(self, depth: int) -> None:
        """All is lent, and next to all is lost: then shares are cheap, and many."""
        self.ruined = True
        self.feed(False)
        self._set_prices(self.scene.price, self.scene.price)
        share = self.seen["cash"] // 3
        for who in range(3):
            self._adjust(who, self._worth(share * 2), share, None)
        self._set_prices(self.scene.price * depth // 100, self.scene.price)
        for who in range(3):
            self.liquidate(who, "all", 1, 6)
        self._set_caps(0, Caps(MAX_CAP, MAX_CAP, FEE))
        self.deposit(0, 400_000, 9)
        self.deposit(0, 1, 7)
        self.deposit(0, 1, 8)

    @rule(
        who=WHO,
        offer=st.sampled_from(
            ["all", "half", "units", "to the minimum", "all but a unit", "exact", "nothing"]
        ),
        units=st.integers(1, 99),
        seized=st.integers(-1, 6),
    )
    def liquidate(self, who: int, offer: str, units: int, seized: int) -> None:
        scene, owner, (held, owed) = self.scene, self.scene.borrowers[who], self._position(who)
        most = {
            "all": UNLIMITED,
            "half": owed // 2,
            "units": units % 5,
            "to the minimum": max(0, owed - scene.terms.min_debt + units % 3 - 1),
            # Of a debt that goes whole, this leaves the minimum.
            "all but a unit": max(0, owed - 1),
            "exact": owed,
            "nothing": 0,
        }[offer]
        least = 0
        try:
            size = self.model.size(owner, most)
            least = size.seized - seized if seized in (-1, 0) else 0
        except Refused:
            pass
        caller = owner if units % 10 == 0 else scene.liquidator
        before, had = self.seen, self.seen["state"]
        done = self._do(
            "liquidation",
            self.market.liquidate,
            (owner, most, max(0, least)),
            lambda m: m.liquidate(caller, owner, most, max(0, least)),
            caller,
            lambda did: self._liquidated(owner, caller, before, did),
            answered=lambda did: (did.repaid, did.seized),
        )
        if not done:
            return
        did, oracle, terms = done.model, self.model.oracle, scene.terms
        held_after, owed_after = self._position(who)
        # LIQ-1, by fractions of its own
        prices = [oracle.fundamental, *([oracle.market] if oracle.usable else [])]
        worth = min(held * price // E36 for price in prices)
        assert Fraction(owed * WAD, terms.threshold) > worth
        deep = held * oracle.hand_over < owed * (WAD + terms.base_bonus) * WAD
        assert did.repaid > 0 or (deep and held * oracle.fundamental < E36)  # LIQ-2
        assert owed_after <= owed - did.repaid + 1 or not owed_after
        for coin, moved in (("loan", -did.repaid), ("collateral", did.seized)):  # LIQ-3
            assert self.seen[f"{coin} of {caller}"] == before[f"{coin} of {caller}"] + moved
        assert held - held_after == did.seized
        paid = did.repaid * (WAD + terms.max_bonus) + WAD
        assert did.seized * oracle.hand_over <= paid * WAD + oracle.hand_over  # LIQ-4
        if not deep and owed_after:
            assert held_after * owed >= held * owed_after  # LIQ-5
        assert did.deleverage or owed_after == 0 or owed_after >= terms.min_debt  # LIQ-8
        supply = self.seen["state"].supply_assets
        assert not did.bad_debt or held_after == 0  # BAD-1
        # BAD-2, BAD-3; a unit that was paid above what the total falls by is the lenders'.
        lost = had.supply_assets - supply
        assert lost == min(did.bad_debt, had.supply_assets) or (lost == -1 and not did.bad_debt)
        assert held_after > 0 or owed_after == 0  # BAD-4
        kind = "a part" if owed_after else "whole"
        kind = "deleverage" if did.deleverage else "deep" if deep else kind
        self.reached[f"liquidation: {kind}"] += 1
        self.reached["bad debt"] += did.bad_debt > 0
        self.reached["bad debt met by fee shares alone"] += did.bad_debt > 0 == did.lenders_loss
        self.reached["fee shares burned"] += (
            self.seen["shares of the market"] < before["shares of the market"]
        )
        self.reached["halt"] += not before["halted until"] and bool(self.seen["halted until"])
        self.reached["self-liquidation"] += caller == owner
        self.reached["left at the minimum"] += owed_after == terms.min_debt
        self.reached["with a dead feed"] += not oracle.usable

    @rule(part=st.integers(60, 130), market=st.sampled_from([100, 100, 100, 97, 80]))
    def prices_heal(self, part: int, market: int) -> None:
        fundamental = self.scene.price * part // 100
        self._set_prices(fundamental, fundamental * market // 100)

    @rule(dead=st.sampled_from([True, False, False]))
    def feed(self, dead: bool) -> None:
        self.reached["feed dies"] += dead and self.model.oracle.usable
        self.oracle.set_dead(dead)
        self.model.oracle.usable = not dead
        self.look()

    # The world

    @rule(seconds=st.sampled_from([1, 12, 599, HOUR // 4, HOUR, DAY, 2 * DAY, 30 * DAY, YEAR]))
    def time(self, seconds: int) -> None:
        before = self.seen
        self.reached["time"] += 1
        self.chain.advance(seconds)
        self.model.clock.advance(seconds=seconds)
        self.look()
        for number, borrower in enumerate(self.scene.borrowers):
            assert self._position(number)[1] >= before[f"position of {borrower}"][1]  # INT-1
        for who in self.scene.people:
            assert self.seen[f"claim of {who}"] >= before[f"claim of {who}"]  # INT-2
        assert self.seen["cash"] == before["cash"]  # INT-4
        assert self.seen["held loan"] == before["held loan"]

    @rule(again=st.booleans())
    def accrue(self, again: bool) -> None:
        """A second time in a block it does nothing: INT-4."""
        before = self.seen
        for _ in range(1 + again):
            self._do("accrual", self.market.accrue, (), lambda m: m.accrue(), self.scene.stranger)
            assert self.seen["state"][:4] == before["state"][:4]

    @rule(loan=st.integers(0, 5_000), collateral=st.integers(0, 5_000))
    def donate(self, loan: int, collateral: int) -> None:
        self.reached["donation"] += 1
        giver, unit = self.scene.liquidator, self.unit
        loan, collateral = loan * unit // 1_000, collateral * unit
        self.scene.loan.transfer(self.market.address, loan, sender=giver)
        self.scene.collateral.transfer(self.market.address, collateral, sender=giver)
        self.model.donate(giver, loan, collateral)
        before = self.seen
        self.look()
        assert self.seen["state"] == before["state"]

    @rule(part=st.integers(1, 150), way=st.integers(0, 2))
    def flash_loan(self, part: int, way: int) -> None:
        """It comes back, or nothing has happened; and then one that there is enough for."""
        self._flash_loan(part, way)
        self._flash_loan(min(part, 100), 0)

    def _flash_loan(self, part: int, way: int) -> None:
        wallet, loan, before = self.wallet.address, self.scene.loan, self.seen
        amount = self.seen["cash"] * part // 100
        held = self.seen["held loan"]
        lent = self.scene.collateral if way == 1 else loan
        refused = "market: flash loan token" if way == 1 else ""
        refused = refused or ("token: balance" if amount > held else "")
        arguments = (wallet, lent.address, amount, b"")
        if refused:
            with pytest.raises(Exception, match=refused):
                self.market.flashLoan(*arguments, sender=self.scene.stranger)
        else:
            done = self.market.flashLoan(*arguments, sender=self.scene.stranger)
            assert self._own(done.events) == [
                Event("FlashLoan", {"receiver": wallet, "amount": amount}, self.market.address)
            ]
        self.reached[f"flash loan {'refused' if refused else 'repaid'}"] += 1
        self.look()
        assert self.seen == before

    # Administration

    @rule(by=st.integers(0, 4), supply=st.integers(50, 120), borrow=st.integers(50, 120),
          fee=st.sampled_from([FEE, FEE, 0, 25 * 10**16, 25 * 10**16 + 10**12, FEE + 1]),
          too_wide=st.integers(0, 9))  # fmt: skip
    def set_caps(self, by: int, supply: int, borrow: int, fee: int, too_wide: int) -> None:
        if by == 1:
            supply, borrow = min(supply, 100), min(borrow, 100)
        caps = Caps(
            min(MAX_CAP, self.unit * 4 * supply) if too_wide else MAX_CAP + 1,
            min(MAX_CAP, self.unit * 4 * borrow),
            self.model.caps.fee if by == 1 and fee == FEE else fee,
        )
        self._set_caps(by, caps)

    @rule(by=st.integers(0, 6))
    def request_fees(self, by: int) -> None:
        caller = self.scene.stranger if by == 0 else self.scene.owner
        self._do(
            "fee request",
            self.market.request_fees,
            (),
            lambda m: m.request_fees(caller),
            caller,
            lambda noted: [Event("FeesRequested", {"shares": noted}, self.market.address)],
        )

    @rule(by=st.integers(0, 6), wait=st.sampled_from([0, DAY - 1, DAY, DAY, 2 * DAY - 1, 2 * DAY]))
    def collect_fees(self, by: int, wait: int) -> None:
        scene = self.scene
        caller = scene.stranger if by == 0 else scene.owner
        receiver = self.market.address if by == 1 else scene.owner
        if wait:
            self.request_fees(2)
            self.time(wait)
        self._do(
            "fee collection",
            self.market.collect_fees,
            (receiver,),
            lambda m: m.collect_fees(caller, self._name(receiver)),
            caller,
            lambda shares: [
                Event(
                    "FeesCollected", {"receiver": receiver, "shares": shares}, self.market.address
                )
            ],
        )

    @rule(who=WHO, authorized=st.booleans(), renounces=st.booleans())
    def authorize(self, who: int, authorized: bool, renounces: bool) -> None:
        owner, manager = self.scene.borrowers[who], self.scene.liquidator
        if renounces:
            self._do(
                "renouncing",
                self.market.renounce_authorization,
                (owner,),
                lambda m: m.renounce_authorization(manager, owner),
                manager,
                lambda _: [self._authorized(owner, manager, False)],
            )
        else:
            self._do(
                "authorisation",
                self.market.set_authorization,
                (manager, authorized),
                lambda m: m.set_authorization(owner, manager, authorized),
                owner,
                lambda _: [self._authorized(owner, manager, authorized)],
            )

    # What must hold

    def said(self) -> dict[str, tuple[Any, tuple[Any, ...], Any]]:
        scene, market, model = self.scene, self.market, self.model
        books = model.accrued()[0]
        own = market.address
        supply, borrow = books.supply, books.borrow
        amount = self.unit // 3 + 1
        said: dict[str, tuple[Any, tuple[Any, ...], Any]] = {
            "state": (
                market.state,
                (),
                (
                    supply.assets, supply.shares, borrow.assets, borrow.shares, books.rate_code,
                    books.updated % 2**32,
                ),
            ),
            "caps": (market.caps, (), tuple(vars(model.caps).values())),
            "halted until": (market.halted_until, (), model.halted_until),
            "supply": (market.totalSupply, (), supply.shares),
            "total": (market.totalAssets, (), supply.assets),
            "cash": (market.maxFlashLoan, (scene.loan.address,), books.cash),
            "max deposit": (market.maxDeposit, (own,), model.max_deposit()),
            "max mint": (market.maxMint, (own,), model.max_mint()),
            "previewed deposit": (market.previewDeposit, (amount,), supply.shares_down(amount)),
            "previewed mint": (market.previewMint, (amount,), supply.assets_up(amount)),
            "previewed withdrawal": (market.previewWithdraw, (amount,), supply.shares_up(amount)),
            "shares of the market": (market.balanceOf, (own,), model.shares[MARKET]),
            "held loan": (scene.loan.balanceOf, (own,), model.loan[MARKET]),
            "held collateral": (scene.collateral.balanceOf, (own,), model.collateral[MARKET]),
            "allowance": (
                market.allowance, scene.lenders, model.allowances[scene.lenders]
            ),
        }  # fmt: skip
        for who in scene.people:
            shares = model.shares[who]
            said |= {
                f"shares of {who}": (market.balanceOf, (who,), shares),
                f"claim of {who}": (market.previewRedeem, (shares,), supply.assets_down(shares)),
                f"position of {who}": (
                    market.position, (who,), (model.positions[who].collateral, model.debt(who))
                ),
                f"loan of {who}": (scene.loan.balanceOf, (who,), model.loan[who]),
                f"collateral of {who}": (
                    scene.collateral.balanceOf, (who,), model.collateral[who]
                ),
                f"most of {who}": (market.maxWithdraw, (who,), model.max_withdraw(who)),
                f"most shares of {who}": (market.maxRedeem, (who,), model.max_redeem(who)),
            }  # fmt: skip
        for who in scene.borrowers:
            managed = (who, scene.liquidator)
            said[f"manager of {who}"] = (market.is_authorized, managed, managed in model.managers)
            said[f"nonce of {who}"] = (market.nonces, (who,), model.nonces[who])
        return said

    @invariant()
    def sound(self) -> None:
        """From the contracts' own answers alone."""
        if not self.seen:
            return
        state, people = self.seen["state"], self.scene.people
        positions = [self.seen[f"position of {who}"] for who in people]
        debts = sum(owed for _, owed in positions)
        total = state.borrow_assets + 1
        nobodys = ceil_div(total * 10**6, state.borrow_shares + 10**6)
        assert total - nobodys - 1 <= debts <= total + len(people)  # SOLV-1, INT-3
        claims = [self.seen[f"claim of {who}"] for who in people]
        assert sum(claims) <= state.supply_assets  # SOLV-2
        # SOLV-3, SOLV-4: donations lie beside what is accounted for.
        donated = self.seen["held loan"] - (state.supply_assets - state.borrow_assets)
        spare = self.seen["held collateral"] - sum(held for held, _ in positions)
        assert min(donated, spare) >= 0
        shares = [self.seen[f"shares of {who}"] for who in people]
        # But for the protocol's shares of interest that nobody has booked.
        assert sum(shares) + self.seen["shares of the market"] <= state.supply_shares
        assert all(held or not owed for held, owed in positions)  # BAD-4

    def everybody_leaves(self) -> None:
        """EXIT-1..3: with a dead feed, from wherever it stands, each can repay all and take all."""
        self.feed(True)
        for who, owner in enumerate(self.scene.borrowers):
            held, _ = self._position(who)
            self._repay(owner, owner, UNLIMITED)
            assert self._position(who) == (held, 0)
            if held:
                assert self._withdraw_collateral(owner, owner, held)
        for lender in (*self.scene.lenders, self.scene.owner):
            shares = self.seen[f"most shares of {lender}"]
            if shares:
                assert self._redeem(lender, shares)
            # What stays is debt that only virtual shares owe.
            assert self.seen[f"claim of {lender}"] <= self.seen["state"].borrow_assets + 1
        self.sound()
        self.reached["everybody left"] += 1

    # How

    def _do(
        self,
        what: str,
        function: Any,
        arguments: tuple[Any, ...],
        apply: Callable[[Market], Any],
        sender: str,
        events: Callable[[Any], list[Event]] = lambda _: [],
        answered: Callable[[Any], Any] = lambda answer: answer,
    ) -> Done | None:
        """Act; answer and events must be the model's, and nobody gains by it but a liquidator."""
        before, model = self.seen, self.model
        _, earned, _ = model.accrued()
        done = self.act(what, function, arguments, apply, sender)
        if done is None:
            assert self.seen == before, what
            return None
        expected = answered(done.model)
        if done.answer is not True and done.answer is not None:
            assert done.answer == expected, what
        booked = self.model.books.updated != model.books.updated
        accrued = Event("Accrued", {"interest": earned}, self.market.address)
        noted = [accrued] if booked and earned else []
        # A halt is logged before the interest that is booked with it.
        logged = self._own(done.receipt.events)
        assert sorted(logged, key=_by_name) == sorted(noted + events(done.model), key=_by_name)
        if before and what != "liquidation":
            self._nobody_gains(before, sender, what)
        return done

    def _nobody_gains(self, before: dict[str, Any], caller: str, what: str) -> None:
        """RND-1: all together are no richer but for what rounding moves from nobody to them.

        RND-2: the caller is not, unless it was handed something, or managed another's position.
        ACC-1..3, HF-1: lenders do nothing to borrowers, and one of these nothing to the others.
        """
        people = self.scene.people
        total = sum(self._wealth(self.seen, who) - self._wealth(before, who) for who in people)
        assert total <= 2 * len(people) * E36 or what == "fee collection", what
        managed = any((owner, caller) in self.model.managers for owner in self.scene.borrowers)
        handed = managed or what in ("transferFrom", "withdraw for another", "fee collection")
        if f"claim of {caller}" in before and not handed:
            assert self._wealth(self.seen, caller) <= self._wealth(before, caller), what
        heavier = 0
        for who in self.scene.borrowers:
            held, owed = self.seen[f"position of {who}"]
            had, owed_before = before[f"position of {who}"]
            # Rounding takes a unit off others' debts now and then.
            heavier += held != had or owed > owed_before
        assert heavier <= (what.split()[0] in ("adjust", "borrow", "repay", "supply", "withdraw"))

    def _wealth(self, seen: dict[str, Any], who: str) -> int:
        """In the loan token at the fundamental price, scaled by 1e36."""
        held, owed = seen[f"position of {who}"]
        plain = int(seen[f"loan of {who}"]) + int(seen[f"claim of {who}"]) - int(owed)
        held = int(held) + int(seen[f"collateral of {who}"])
        return plain * E36 + held * self.model.oracle.fundamental

    def _own(self, events: list[Event]) -> list[Event]:
        """The market's, but for those of its shares as a token."""
        own = self.market.address
        return [e for e in events if e.address == own and e.name not in ("Transfer", "Approval")]

    def _adjust(
        self, who: int, collateral_delta: int, debt_delta: int, answer: int | None
    ) -> Done | None:
        """By the owner; the wallet is called back where there is an answer."""
        owner = self.scene.borrowers[who]
        called_back = answer is not None and owner == self.wallet.address
        answer = answer if called_back else None
        if called_back:
            self.wallet.set_answer(answer)
        arguments = (owner, collateral_delta, debt_delta, owner, b"data" if called_back else b"")
        owed = self.model.debt(owner)
        settled = max(debt_delta, -owed)
        paid = collateral_delta if answer is None or collateral_delta < 0 else answer
        return self._do(
            "adjust with a callback" if called_back else "adjust",
            self.market.adjust,
            arguments,
            lambda m: m.adjust(owner, owner, collateral_delta, debt_delta, owner, answer),
            owner,
            lambda _: [self._adjusted(owner, owner, owner, paid, settled)],
        )

    def _redeem(self, owner: str, shares: int) -> Done | None:
        return self._do(
            "redeem",
            self.market.redeem,
            (shares, owner, owner),
            lambda m: m.redeem(owner, shares, owner, owner),
            owner,
            lambda assets: [self._taken(owner, owner, assets, shares)],
        )

    def _withdraw_collateral(self, caller: str, owner: str, amount: int) -> Done | None:
        return self._do(
            "withdraw collateral",
            self.market.withdraw_collateral,
            (amount, owner, caller),
            lambda m: m.withdraw_collateral(caller, amount, owner, caller),
            caller,
            lambda _: [self._adjusted(owner, caller, caller, -amount, 0)],
        )

    def _repay(self, caller: str, owner: str, amount: int) -> None:
        self._do(
            "repay",
            self.market.repay,
            (amount, owner),
            lambda m: m.repay(caller, amount, owner),
            caller,
            lambda repaid: [self._adjusted(owner, caller, ZERO, 0, -repaid)],
        )

    def _set_caps(self, by: int, caps: Caps) -> None:
        scene = self.scene
        caller = {1: scene.guardian, 2: scene.stranger}.get(by, scene.owner)
        figures = vars(caps)
        self._do(
            "caps",
            self.market.set_caps,
            (tuple(figures.values()),),
            lambda m: m.set_caps(caller, caps),
            caller,
            lambda _: [Event("CapsSet", dict(figures), self.market.address)],
        )

    def several(self) -> None:
        """What matters most, drawn evenly: Hypothesis leaves whole rules out of its examples."""
        for _ in range(8):
            self._one_of_them(self.draw)

    def _one_of_them(self, draw: random.Random) -> None:
        who, depth, over = draw.randrange(3), draw.choice(DEPTHS), draw.randint(-2, 2)
        offers = draw.choices(OFFERS, k=draw.randint(1, 3))
        prices, yes = draw.choice(PRICES), draw.random() < 0.5
        in_parts = draw.choices(range(-60, 60), k=2)
        acts: tuple[Callable[[], object], ...] = (
            lambda: self.breach(who, depth, offers, over, prices),
            lambda: self.breach(who, depth, offers, over, prices),
            lambda: self.depeg(who, depth, offers, over, draw.randrange(5)),
            lambda: self.depeg(who, 99, offers, over, 1),
            lambda: self.lose(who, depth, offers, over, prices, yes),
            lambda: self.borrow(who, draw.choice(MOST), over, draw.randrange(9)),
            lambda: self.lighten(who, depth, max(0, over - 1)),
            lambda: self.adjust(2, in_parts[0], in_parts[1], over - 1, True),
            lambda: self.withdraw(draw.randrange(2), depth, draw.randrange(2), yes),
            lambda: self.redeem(draw.randrange(2), 50 + over, yes),
            lambda: self.withdraw_collateral(who, depth, draw.randrange(6)),
            lambda: self.deposit(draw.randrange(2), 1_000 * depth, draw.choice((0, 1, 3, 3, 7, 8))),
            lambda: self.collect_fees(draw.randrange(7), draw.choice((0, DAY - 1, DAY, 2 * DAY))),
            lambda: self.flash_loan(50 + depth, 0),
            lambda: self._owe_the_minimum(who, over),
            lambda: self.time(draw.choice((1, 12, 599, DAY))),
            lambda: self._lose_again(who, draw.choice((DAY - 1_200, DAY, DAY + 1_200))),
        )
        if yes:
            self.prices_heal(100 + over, 100)
        draw.choice(acts)()

    def _have_debt(self, who: int, depth: int) -> None:
        """A position that owes something."""
        if not self._position(who)[1]:
            self.feed(False)
            self._set_prices(self.scene.price, self.scene.price)
            self._adjust(who, self._worth(self.seen["cash"] // 2), 0, None)
            self.open(who, 1_000, depth, False)
            self.borrow(who, "part", 0, 1)

    def _owe_the_minimum(self, who: int, over: int) -> None:
        owner = self.scene.borrowers[who]
        self._repay(owner, owner, UNLIMITED)
        self.borrow(who, "minimum", over, 1)

    def _lose_again(self, who: int, later: int) -> None:
        """In the halt that a loss brings, or in the day after it."""
        self.lose(who, 5, ["all"], 0, "both", False)
        self.time(later)
        self.lose(who - 1, 5, ["all"], 0, "both", False)

    def _bounds(self, who: int) -> tuple[int, int]:
        """Worth of collateral at which a debt is just not too much, and just covered."""
        terms, (_, owed) = self.scene.terms, self._position(who)
        return (
            ceil_div(owed * WAD, terms.threshold), ceil_div(owed * (WAD + terms.base_bonus), WAD)
        )  # fmt: skip

    def _threaten(self, who: int, worth: int, over: int, prices: str) -> None:
        """Set prices at which the position's collateral is worth so much, some units over."""
        held, _ = self._position(who)
        price = max(1, ceil_div(worth * E36, held) + over) if held else 2**130
        if price >= 2**130:
            return
        if prices == "market":
            # Healthy by what backs the collateral.
            sound = ceil_div(self._bounds(who)[0] * E36, held) + price // 100
            self._set_prices(max(sound, price), price)
        else:
            self._set_prices(price, price - price // 200 * (prices == "market a little"))
        self.feed(prices == "dead feed")

    def _liquidate_in_turn(self, who: int, offers: list[str], units: int) -> None:
        for seized, offer in enumerate(offers):
            if offer == "wait":
                self.time(HOUR // 4)
            else:
                self.liquidate(who, offer, units, seized - 1)

    def _worth(self, amount: int) -> int:
        """Collateral worth so many loan units to a borrower."""
        return amount * E36 // self._conservative()

    def _set_prices(self, fundamental: int | None, market: int) -> None:
        oracle = self.model.oracle
        if fundamental is not None:
            self.oracle.set_price(fundamental)
            oracle.fundamental = fundamental
        self.oracle.set_market_price(market)
        oracle.market = market
        self.look()

    def _position(self, who: int) -> tuple[int, int]:
        held, owed = self.seen[f"position of {self.scene.borrowers[who]}"]
        return held, owed

    def _conservative(self) -> int:
        """The price that a borrower gets while the feed lives."""
        return min(self.model.oracle.fundamental, self.model.oracle.market)

    def _caller(self, owner: str, by: int) -> str:
        """The owner, mostly; or one who may be a manager."""
        return self.scene.liquidator if by == 0 else owner

    def _name(self, address: str) -> str:
        return {ZERO: NOBODY, self.market.address: MARKET}.get(address, address)

    def _lent(self, sender: str, owner: str, assets: int, shares: int) -> Event:
        arguments = {"sender": sender, "owner": owner, "assets": assets, "shares": shares}
        return Event("Deposit", arguments, self.market.address)

    def _taken(self, caller: str, owner: str, assets: int, shares: int) -> Event:
        who = {"sender": caller, "receiver": caller, "owner": owner}
        return Event("Withdraw", {**who, "assets": assets, "shares": shares}, self.market.address)

    def _liquidated(
        self, owner: str, caller: str, before: dict[str, Any], did: Liquidation
    ) -> list[Event]:
        """The halt that it brings comes first."""
        own, until = self.market.address, self.model.halted_until
        halt = [Event("BorrowingHalted", {"until": until}, own)]
        who = {"owner": owner, "liquidator": caller}
        halts = until and not before["halted until"]
        return [*(halt if halts else []), Event("Liquidated", {**who, **vars(did)}, own)]

    def _authorized(self, owner: str, manager: str, authorized: bool) -> Event:
        arguments = {"owner": owner, "manager": manager, "authorized": authorized}
        return Event("AuthorizationSet", arguments, self.market.address)

    def _adjusted(
        self, owner: str, caller: str, receiver: str, collateral_delta: int, debt_delta: int
    ) -> Event:
        arguments = {
            "owner": owner,
            "caller": caller,
            "receiver": receiver,
            "collateral_delta": collateral_delta,
            "debt_delta": debt_delta,
        }
        return Event("Adjusted", arguments, self.market.address)


def _by_name(event: Event) -> str:
    return event.name or ""


# Reached at least so often by the seed, or the machine says nothing about them.
MUST_REACH = {
    "deposit": 40,
    "deposit refused: market: supply cap": 5,
    "deposit refused: market: supply width": 1,
    "deposit refused: market: zero amount": 1,
    "mint": 5,
    "withdraw": 5,
    "withdraw for another refused: market: allowance": 2,
    "redeem": 40,
    "redeem refused: market: not enough shares": 3,
    "transferFrom": 5,
    "transferFrom refused: market: allowance": 3,
    "adjust": 100,
    "adjust with a callback": 10,
    "adjust with a callback refused: market: callback short": 1,
    "lightened with a dead feed": 1,
    "borrow": 20,
    "borrow refused: market: borrow cap": 1,
    "borrow refused: market: borrowing halted": 3,
    "borrow refused: market: not enough cash": 2,
    "borrow refused: market: unhealthy": 3,
    "borrow refused: oracle: stale feed": 1,
    "repay": 80,
    "supply collateral": 5,
    "supply collateral refused: market: collateral width": 1,
    "withdraw collateral": 50,
    "withdraw collateral refused: market: unhealthy": 3,
    "liquidation refused: market: healthy": 40,
    "liquidation refused: market: nothing repaid": 5,
    "liquidation refused: market: repay must be whole": 5,
    "liquidation refused: market: seized too little": 5,
    "liquidation refused: market: too deep to deleverage": 1,
    "liquidation: a part": 10,
    "liquidation: whole": 5,
    "liquidation: deep": 10,
    "liquidation: deleverage": 10,
    "left at the minimum": 1,
    "with a dead feed": 5,
    "bad debt": 10,
    "fee shares burned": 5,
    "halt": 3,
    "fee collection": 5,
    "fee collection refused: market: fees not due": 5,
    "caps": 30,
    "caps refused: market: guardian only lowers": 1,
    "caps refused: market: fee": 1,
    "donation": 8,
    "flash loan repaid": 10,
    "flash loan refused": 10,
    "time": 60,
    "everybody left": 30,
}


@pytest.fixture(scope="module")
def scenes() -> Iterator[list[Scene]]:
    """A market for each of the terms."""
    with Anvil.start() as node:
        chain = Chain.connect(node.ipc)
        yield [build(chain, *kind) for kind in zip(TERMS, LOAN_DECIMALS, strict=True)]
        chain.close()


def build(chain: Chain, terms: Terms, decimals: int) -> Scene:
    owner, guardian, lender, other_lender, borrower, other, liquidator, stranger = chain.accounts[
        :8
    ]
    loan, collateral = token(chain, decimals), token(chain)
    wallet = chain.deploy(artifact("CallbackWallet"))
    chain.impersonate(wallet.address)
    chain.set_balance(wallet.address, WAD)
    oracle = chain.deploy(artifact("ConstantOracle"), E36 * 10**decimals // WAD)
    blueprint = deploy_blueprint(chain, owner)
    factory = chain.deploy(artifact("MarketFactory"), blueprint, guardian, sender=owner)
    tokens = {"loan": loan.address, "collateral": collateral.address}
    given = {**tokens, "oracle": oracle.address, **vars(terms)}
    market = create_market(chain, factory, stranger, given)
    scene = Scene(
        chain, terms, 10**decimals, loan, collateral, oracle, market, wallet, owner, guardian,
        (lender, other_lender), (borrower, other, wallet.address), liquidator, stranger,
    )  # fmt: skip
    for coin in (loan, collateral):
        for who in scene.people:
            coin.mint(who, HOLDING)
            coin.approve(market.address, UNLIMITED, sender=who)
    return scene


def test_market_machine__any_order__as_the_model_says(scenes: list[Scene]) -> None:
    run(lambda reached: MarketMachine(scenes, reached), 32, 30, MUST_REACH)
