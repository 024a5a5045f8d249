"""The leveraged token against an exact integer model, in any order of what anyone may do.

Market and token are the real ones; the LRT's rates and the oracle's prices are what a step sets.
After each step everything that the token says of itself must be what the model says, to the unit;
the sentences of the catalogue are named beside what checks them, and know nothing of the model.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from relever.artifacts import artifact
from relever.chain import Anvil, Chain, Contract
from relever.config import section
from relever.deploy.suite import TOKEN_TERMS as TERMS
from relever.model.clock import Clock
from relever.model.health import E36
from relever.model.leveraged_token import DEAD, TOKEN, Backing, LeveragedToken, Terms
from relever.model.market import NOBODY, UNLIMITED, Caps, Market, Oracle
from relever.model.market import Terms as MarketTerms
from relever.model.refused import Refused
from relever.model.rounding import WAD
from relever.model.rule import Rule
from relever.protocol import contract_address, deploy_blueprint
from tests.leveraged import DEAD as DEAD_ADDRESS
from tests.properties.machines import ModelMachine, run
from tests.unit.market.conftest import create_market, token

MARKET_TERMS = MarketTerms(
    91 * 10**16, 93 * 10**16, 103 * 10**16, 10**16, 5 * 10**16, 10**17, 10**17
)
HOLDING = 10**30
LENT = 10_000 * WAD
RATE, LST_RATE = 104 * 10**16 + 3, 119 * 10**16 + 7
SEED = 10**18
WHO = st.integers(0, 1)
PARTS = st.integers(1, 110)


@dataclass(frozen=True)
class Scene:
    """One market with lenders, one token with its seed, and who is there."""

    chain: Chain
    terms: Terms
    loan: Contract
    lrt: Contract
    oracle: Contract
    market: Contract
    token: Contract
    model: LeveragedToken
    holders: tuple[str, str]
    borrower: str
    taker: str
    lender: str

    @property
    def people(self) -> tuple[str, ...]:
        return (*self.holders, self.borrower, self.taker, self.lender)


class LeveragedMachine(ModelMachine[LeveragedToken]):
    """Two holders, a taker who also liquidates, and a borrower who can use the market up."""

    def __init__(self, scenes: list[Scene], reached: Counter[str]) -> None:
        super().__init__()
        self.scenes, self.reached = scenes, reached
        self.chain = scenes[0].chain
        self.start = self.chain.snapshot()
        self.seen = {}

    @initialize(which=st.integers(0, 1), shares=st.integers(1, 400))
    def begin(self, which: int, shares: int) -> None:
        scene = self.scene = self.scenes[which]
        self.token = scene.token
        self.model = deepcopy(scene.model)
        self.look()
        self.mint(0, shares * 100, 0)

    def teardown(self) -> None:
        self.chain.revert(self.start)

    # Holders

    @rule(who=WHO, part=st.integers(1, 20_000), odd=st.integers(0, 12))
    def mint(self, who: int, part: int, odd: int) -> None:
        """Some of a few units, some beyond a bound."""
        holder = self.scene.holders[who]
        shares = odd - 2 if 2 <= odd <= 5 else self.model.supply * part // 10_000
        most, least = UNLIMITED, 0
        if odd in (6, 7):
            most = self._or_zero(lambda m: m.preview_mint(shares)[0]) - (odd - 6)
        if odd in (8, 9):
            least = self._or_zero(lambda m: m.preview_mint(shares)[1]) + (odd - 8)
        self._in_kind(
            "mint",
            self.token.mint,
            (shares, max(0, most), least, holder),
            lambda m: m.mint(holder, shares, max(0, most), least, holder),
            holder,
        )

    @rule(who=WHO, part=PARTS, odd=st.integers(0, 12), others=st.booleans())
    def redeem(self, who: int, part: int, odd: int, others: bool) -> None:
        """Some for another, with or without a sufficient allowance."""
        owner = self.scene.holders[who]
        caller = self.scene.holders[who - 1] if others else owner
        shares = odd - 2 if 2 <= odd <= 5 else self.model.shares.balances[owner] * part // 100
        most, least = UNLIMITED, 0
        if odd in (6, 7):
            most = self._or_zero(lambda m: m.preview_redeem(shares)[1]) - (odd - 6)
        if odd in (8, 9):
            least = self._or_zero(lambda m: m.preview_redeem(shares)[0]) + (odd - 8)
        if others:
            allowed = shares - 1 if odd == 10 and shares else shares
            self.act(
                "approve",
                self.token.approve,
                (caller, allowed),
                lambda m: m.shares.approve(owner, caller, allowed),
                owner,
            )
        self._in_kind(
            "redeem",
            self.token.redeem,
            (shares, max(0, most), least, owner),
            lambda m: m.redeem(caller, shares, max(0, most), least, owner),
            caller,
        )

    @rule(who=WHO, part=PARTS)
    def give(self, who: int, part: int) -> None:
        owner, other = self.scene.holders[who], self.scene.holders[who - 1]
        amount = self.model.shares.balances[owner] * part // 100
        self.act(
            "transfer",
            self.token.transfer,
            (other, amount),
            lambda m: m.shares.transfer(owner, other, amount),
            owner,
        )

    # Around the target

    @rule()
    def start_auction(self) -> None:
        self.act(
            "start", self.token.start_auction, (), lambda m: m.start_auction(), self.scene.lender
        )

    @rule(
        lowers=st.sampled_from([True, True, False]),
        other=st.integers(0, 9),
        amount=st.sampled_from(["all", "all", "all", "half", "tenth", "unit", "two"]),
        bound=st.integers(0, 9),
    )
    def rebalance(self, lowers: bool, other: int, amount: str, bound: int) -> None:
        """Mostly the way that is open, if any."""
        opened = self.model.auction
        if other and opened is not None:
            lowers = opened[1]
        if other and self.model.is_above(self.model.terms.danger):
            lowers = True
        limit = self._or_zero(lambda m: m.quote_rebalance(lowers, UNLIMITED).brought)
        brought = {
            "all": UNLIMITED,
            "half": limit // 2,
            "tenth": limit // 10,
            "unit": 1,
            "two": 2,
        }[amount]
        price = self._or_zero(lambda m: m.quote_rebalance(lowers, UNLIMITED).price)
        least = price + 1 if bound == 0 else price
        had, _ = self.model.position
        before = self.model.valued
        was_outside = self._outside()
        in_danger = self.model.is_above(self.model.terms.danger)
        counted_before = self.model.loss
        done = self.act(
            "lower" if lowers else "raise",
            self.token.rebalance,
            (lowers, brought, least),
            lambda m: m.rebalance(self.scene.taker, lowers, brought, least),
            self.scene.taker,
        )
        if done is None:
            return
        if in_danger:
            self.reached["in danger"] += 1
        assert tuple(done.answer) == done.model
        assert was_outside  # LT-2
        worth, debt = self._worth(), self.seen["position"][1]
        old_worth, old_debt = before
        # LT-2: toward the target, by debt per collateral and so by no rounded worth; never past it.
        moved = debt * had - old_debt * self.seen["position"][0]
        assert moved < 0 if lowers else moved > 0
        target = self.seen["band"][1]
        gap = worth * WAD - target * (worth - debt)
        assert gap >= 0 if lowers else gap <= 0
        # LT-5: no more is lost at once than the terms allow, and two units of rounding.
        terms = self.model.terms
        allowed = terms.danger_loss if in_danger else terms.max_loss
        lost = (old_worth - old_debt) - (worth - debt)
        assert lost * WAD <= allowed * (old_worth - old_debt) + 2 * WAD
        # No more counts than that, or than did before. It is rounded up twice: by a unit of the
        # loan at this equity, and by one of a WAD.
        counted = self.seen["loss"] - 1 - max(allowed, counted_before)
        assert counted * (old_worth - old_debt) <= 2 * WAD

    @rule()
    def checkpoint(self) -> None:
        stepped = self.model.stepped
        done = self.act(
            "checkpoint", self.token.checkpoint, (), lambda m: m.checkpoint(), self.scene.lender
        )
        if done:
            change = self.model.stepped - stepped
            self.reached["step down" if change > 0 else "step up" if change < 0 else "stays"] += 1

    @rule()
    def accrue_fee(self) -> None:
        supply = self.model.supply
        self.act(
            "accrue fee", self.token.accrue_fee, (), lambda m: m.accrue_fee(), self.scene.lender
        )
        assert self.model.supply == supply

    # The world

    @rule(seconds=st.sampled_from([12, 600, 3_600, 7_200, 14_400, 86_400, 3 * 86_400, 30 * 86_400]))
    def wait(self, seconds: int) -> None:
        self.chain.advance(seconds)
        self.model.market.clock.advance(seconds=seconds)
        self.look()

    @rule(
        change=st.sampled_from([-120, -45, -30, -20, -12, -8, -4, 4, 8, 15, 60, 150]),
        visible=st.sampled_from([0, 0, 0, 5, 40]),
        lst=st.booleans(),
        discount=st.sampled_from([0, 0, 0, 10, 60]),
        dead=st.sampled_from([False, False, False, False, True]),
        unreadable=st.sampled_from([False] * 5 + [True]),
    )
    def move_price(
        self, change: int, visible: int, lst: bool, discount: int, dead: bool, unreadable: bool
    ) -> None:
        """Changes in thousandths: of a rate, what is visible of slashes, the market's discount."""
        backing = self.model.backing
        rate, lst_rate = backing.rate, backing.lst_rate
        if lst:
            lst_rate = lst_rate * (1_000 + change) // 1_000
        else:
            rate = rate * (1_000 + change) // 1_000
        self._set_backing(rate, rate * (1_000 - visible) // 1_000, lst_rate, unreadable)
        booked = rate * lst_rate
        self._set_prices(booked, booked * (1_000 - discount) // 1_000, dead)
        self.look()

    @rule(
        leverage=st.sampled_from([15, 24, 32, 40, 60, 65, 70, 92, 97, 107, 120, 135, 200, 900]),
        waited=st.sampled_from([0, 60, 1_800, 5_000, 7_200, 14_399, 14_400]),
        amount=st.sampled_from(["all", "all", "half", "unit", "two"]),
        bound=st.integers(0, 9),
        dead=st.sampled_from([False, False, False, True]),
    )
    def drift(self, leverage: int, waited: int, amount: str, bound: int, dead: bool) -> None:
        """The rate moves so that leverage becomes so many tenths; anyone starts, someone takes."""
        collateral, debt = self.model.position
        if debt == 0:
            return
        worth = debt * leverage // (leverage - 10)
        lst_rate = self.model.backing.lst_rate
        rate = worth * E36 // (collateral * lst_rate)
        self._set_backing(rate, rate, lst_rate, False)
        self._set_prices(rate * lst_rate, rate * lst_rate, dead)
        self.start_auction()
        if waited:
            self.wait(waited)
        self.rebalance(leverage > 30, 1, amount, bound)
        self.rebalance(leverage > 30, 1, "all", 1)

    @rule(growth=st.sampled_from([-50, 0, 0, 20, 20, 20]))
    def pass_period(self, growth: int) -> None:
        """A period passes in which the LST has grown by so many thousandths."""
        backing = self.model.backing
        self.wait(self.model.terms.period)
        lst_rate = backing.lst_rate * (1_000 + growth) // 1_000
        self._set_backing(backing.rate, backing.rate, lst_rate, False)
        self._set_prices(backing.rate * lst_rate, backing.rate * lst_rate, False)
        self.checkpoint()

    @rule(part=st.integers(1, 12), repays=st.booleans())
    def donate(self, part: int, repays: bool) -> None:
        """Collateral for the token's position, or a repayment of its debt, in per cent of them."""
        lender, market, token_ = self.scene.lender, self.scene.market, self.token.address
        collateral, debt = self.model.position
        before = self.model.equity
        if repays:
            amount = debt * part // 100
            self.act(
                "repay for it",
                market.repay,
                (amount, token_),
                lambda m: m.market.repay(lender, amount, TOKEN),
                lender,
            )
        else:
            amount = collateral * part // 100
            self.act(
                "collateral for it",
                market.supply_collateral,
                (amount, token_),
                lambda m: m.market.supply_collateral(lender, amount, TOKEN),
                lender,
            )
        assert self.model.equity + 1 >= before

    @rule()
    def send_tokens(self) -> None:
        """Tokens sent to the token itself count for nothing."""
        lender, token_ = self.scene.lender, self.token.address
        self.scene.loan.mint(token_, 7, sender=lender)
        self.scene.lrt.mint(token_, 9, sender=lender)
        self.model.market.loan[TOKEN] += 7
        self.model.market.collateral[TOKEN] += 9
        self.look()

    @rule(part=st.sampled_from([1, 3, 10]), depth=st.sampled_from([0, 40, 100]))
    def liquidate(self, part: int, depth: int) -> None:
        """After a fall by so many thousandths."""
        backing = self.model.backing
        rate = backing.rate * (1_000 - depth) // 1_000
        self._set_backing(rate, rate, backing.lst_rate, False)
        self._set_prices(rate * backing.lst_rate, rate * backing.lst_rate, False)
        taker = self.scene.taker
        amount = self.model.position[1] // part
        done = self.act(
            "liquidate",
            self.scene.market.liquidate,
            (self.token.address, amount, 0),
            lambda m: m.market.liquidate(taker, TOKEN, amount),
            taker,
        )
        if done:
            # Maybe nothing is left of it.
            self.mint(0, 50, 0)

    @rule(borrows=st.booleans())
    def crowd(self, borrows: bool) -> None:
        """The borrower takes all that there is to lend, or gives everything back."""
        borrower, market = self.scene.borrower, self.scene.market
        cash = self.model.market.accrued()[0].cash
        if borrows:
            self.act(
                "use up",
                market.borrow,
                (cash, borrower, borrower),
                lambda m: m.market.borrow(borrower, cash, borrower, borrower),
                borrower,
            )
        else:
            self.act(
                "give back",
                market.repay,
                (UNLIMITED >> 1, borrower),
                lambda m: m.market.repay(borrower, UNLIMITED >> 1, borrower),
                borrower,
            )

    @rule(seldom=st.integers(0, 3))
    def write_off(self, seldom: int) -> None:
        """A third party's bad debt halts borrowing."""
        if seldom:
            return
        lender, taker, market = self.scene.lender, self.scene.taker, self.scene.market
        oracle = self.model.market.oracle
        assert isinstance(oracle, Oracle)
        was = (oracle.fundamental, oracle.market, not oracle.usable)
        self._set_prices(E36, E36, False)
        debt = LENT // 5
        opened = self.act(
            "open",
            market.adjust,
            (lender, 2 * debt, debt, lender),
            lambda m: m.market.adjust(lender, lender, 2 * debt, debt, lender),
            lender,
        )
        if opened:
            self._set_prices(0, 0, False)
            self.act(
                "write off",
                market.liquidate,
                (lender, 0, 0),
                lambda m: m.market.liquidate(taker, lender, 0),
                taker,
            )
        self._set_prices(*was)
        self.look()
        self.mint(0, 50, 0)

    # Inside

    def _in_kind(
        self,
        what: str,
        function: Any,
        arguments: tuple[Any, ...],
        apply: Callable[[LeveragedToken], Any],
        sender: str,
    ) -> None:
        supply = self.model.supply
        collateral, debt = self.model.position
        done = self.act(what, function, arguments, apply, sender)
        if done is None:
            return
        assert tuple(done.answer) == done.model
        now_supply, (now_collateral, now_debt) = self.seen["supply"], self.seen["position"]
        # LT-1 and LT-3: a share stands for no less collateral and no more debt than before, and
        # for the same but for the units that are rounded.
        assert now_collateral * supply >= collateral * now_supply
        assert now_debt * supply <= debt * now_supply
        assert now_collateral * supply <= collateral * now_supply + supply
        assert now_debt * supply >= debt * now_supply - 4 * supply
        assert self.seen["loan of the token"] == self.model.market.loan[TOKEN]

    def _or_zero(self, ask: Callable[[LeveragedToken], int]) -> int:
        try:
            return ask(self.model)
        except Refused:
            return 0

    def _outside(self) -> bool:
        least, _, most = self.model.band
        return self.model.is_above(most) or self.model.is_below(least)

    def _worth(self) -> int:
        return int(self.seen["position"][0]) * self.model.backing.price // E36

    def _set_backing(self, rate: int, live: int, lst_rate: int, unreadable: bool) -> None:
        self.scene.lrt.set_rates(rate, live, lst_rate)
        self.scene.lrt.set_unreadable(unreadable)
        self.model.backing = Backing(rate, None if unreadable else live, lst_rate)

    def _set_prices(self, fundamental: int, market: int, dead: bool) -> None:
        contract = self.scene.oracle
        contract.set_price(fundamental)
        contract.set_market_price(market)
        contract.set_dead(dead)
        self.model.market.oracle = Oracle(fundamental, market, not dead)

    # What must hold

    def said(self) -> dict[str, tuple[Any, tuple[Any, ...], Any]]:
        model, scene, token_ = self.model, self.scene, self.token
        market = model.market
        auction = model.auction or (0, False)
        amount = model.supply // 7 + 1
        said: dict[str, tuple[Any, tuple[Any, ...], Any]] = {
            "position": (scene.market.position, (token_.address,), model.position),
            "supply": (token_.totalSupply, (), model.supply),
            "seed": (token_.balanceOf, (DEAD_ADDRESS,), model.shares.balances[DEAD]),
            "fee": (
                token_.balanceOf,
                (model.terms.fee_receiver,),
                model.shares.balances[model.terms.fee_receiver],
            ),
            "leverage": (token_.leverage, (), model.leverage),
            "equity": (token_.equity, (), model.equity),
            "band": (token_.band, (), model.band),
            "loss": (token_.faded_loss, (), model.loss),
            "auction started": (token_.auction_started, (), auction),
            "checkpoint": (token_.last_checkpoint, (), model.checkpointed),
            "loan of the token": (
                scene.loan.balanceOf, (token_.address,), market.loan[TOKEN]
            ),
            "collateral of the token": (
                scene.lrt.balanceOf, (token_.address,), market.collateral[TOKEN]
            ),
            "allowed loan": (
                scene.loan.allowance, (token_.address, scene.market.address), 0
            ),
            "allowed collateral": (
                scene.lrt.allowance, (token_.address, scene.market.address), 0
            ),
            "preview redeem": (token_.preview_redeem, (amount,), model.preview_redeem(amount)),
        }  # fmt: skip
        try:
            said["preview mint"] = (token_.preview_mint, (amount,), model.preview_mint(amount))
            said["auction"] = (token_.auction, (), model.open_auction())
        except Refused as refusal:
            self.reached[f"no view: {refusal}"] += 1
        for who in scene.people:
            said |= {
                f"shares of {who}": (token_.balanceOf, (who,), model.shares.balances[who]),
                f"loan of {who}": (scene.loan.balanceOf, (who,), market.loan[who]),
                f"collateral of {who}": (scene.lrt.balanceOf, (who,), market.collateral[who]),
            }
        return said

    @invariant()
    def sound(self) -> None:
        """From the contracts' own answers alone."""
        if not self.seen:
            return
        worth, (_, debt) = self._worth(), self.seen["position"]
        assert self.seen["equity"] == max(0, worth - debt)  # LT-4
        held = self.seen["seed"] + self.seen["fee"]
        held += sum(self.seen[f"shares of {who}"] for who in self.scene.holders)
        # LT-4: all shares, with the fee that is not booked, are the whole; its holders' claims
        # are then at most what there is.
        assert held <= self.seen["supply"]


MUST_REACH = {
    "mint": 60,
    "redeem": 60,
    "transfer": 10,
    "start": 30,
    "lower": 25,
    "raise": 15,
    "in danger": 5,
    "checkpoint": 10,
    "step down": 5,
    "step up": 2,
    "stays": 2,
    "accrue fee": 20,
    "liquidate": 5,
    "use up": 5,
    "write off": 3,
    "mint refused: token: zero shares": 1,
    "mint refused: token: too much to pay": 3,
    "mint refused: token: too little out": 3,
    "mint refused: oracle: stale feed": 2,
    "mint refused: market: unhealthy": 2,
    "mint refused: market: borrowing halted": 5,
    "mint refused: token: no collateral": 3,
    "lower refused: token: no equity": 1,
    "raise refused: market: not enough cash": 5,
    "raise refused: oracle: stale feed": 5,
    "mint refused: market: not enough cash": 1,
    "redeem refused: token: too much to pay": 3,
    "redeem refused: token: too little out": 3,
    "redeem refused: erc20: burn amount exceeds balance": 3,
    "redeem refused: erc20: insufficient allowance": 1,
    "start refused: token: leverage in band": 3,
    "start refused: token: auction runs": 3,
    "lower refused: token: leverage in band": 3,
    "lower refused: token: no auction": 3,
    "lower refused: token: nothing to do": 1,
    "lower refused: token: price below bound": 1,
    "checkpoint refused: token: period not over": 3,
}


@pytest.fixture(scope="module")
def scenes() -> Iterator[list[Scene]]:
    """Each of the local network's tokens over a market of its own."""
    settings = section("local", "leveraged")["tokens"]
    with Anvil.start() as node:
        chain = Chain.connect(node.ipc)
        yield [build(chain, settings[symbol]) for symbol in ("rLRT3", "rLRT8")]
        chain.close()


def build(chain: Chain, settings: dict[str, Any]) -> Scene:
    owner, guardian, holder, other, borrower, taker, lender, treasury = chain.accounts[:8]
    loan = token(chain)
    lrt = chain.deploy(artifact("SettableLrt"), RATE, LST_RATE)
    price = RATE * LST_RATE
    oracle = chain.deploy(artifact("ConstantOracle"), price)
    blueprint = deploy_blueprint(chain, owner)
    factory = chain.deploy(artifact("MarketFactory"), blueprint, guardian, sender=owner)
    tokens = {"loan": loan.address, "collateral": lrt.address}
    given = {**tokens, "oracle": oracle.address, **vars(MARKET_TERMS)}
    market = create_market(chain, factory, owner, given)
    caps = Caps(10**25, 10**25, 10**17)
    market.set_caps(tuple(vars(caps).values()), sender=owner)
    people = (holder, other, borrower, taker, lender)
    for coin in (loan, lrt):
        for who in (*people, owner):
            coin.mint(who, HOLDING)
            coin.approve(market.address, UNLIMITED, sender=who)
    market.deposit(LENT, lender, sender=lender)
    market.adjust(borrower, 50 * LENT, 0, borrower, sender=borrower)
    lrt.approve(contract_address(chain, owner, after=1), SEED, sender=owner)
    terms = Terms(*(settings[key] for key in TERMS), treasury)
    made = chain.deploy(
        artifact("LeveragedToken"),
        market.address,
        settings["name"],
        "LEV",
        tuple(vars(terms).values()),
        SEED,
        sender=owner,
    )
    for coin in (loan, lrt):
        for who in people:
            coin.approve(made.address, UNLIMITED, sender=who)

    model_market = Market(
        Clock(time=chain.timestamp), MARKET_TERMS, Oracle(price, price), Rule(owner, guardian)
    )
    for who in people:
        model_market.loan[who] = model_market.collateral[who] = HOLDING
    model_market.set_caps(owner, caps)
    model_market.deposit(lender, LENT, lender)
    model_market.adjust(borrower, borrower, 50 * LENT, 0, borrower)
    model = LeveragedToken.create(model_market, Backing(RATE, RATE, LST_RATE), terms, owner, SEED)
    scene = Scene(
        chain, terms, loan, lrt, oracle, market, made, model,
        (holder, other), borrower, taker, lender,
    )  # fmt: skip
    assert NOBODY not in scene.people
    return scene


def test_leveraged_machine__any_order__as_the_model_says(scenes: list[Scene]) -> None:
    run(lambda reached: LeveragedMachine(scenes, reached), 160, 40, MUST_REACH)
