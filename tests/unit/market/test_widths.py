"""The ends of the packed words: what adds stops there and says so, what reduces risk never does.

Hardly any use of the market comes near: caps are a quarter of what fits, and a share is a millionth
of a unit at first. The words are therefore written into storage, and everything else is real.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from eth_utils.crypto import keccak

from relever.chain import Receipt
from tests.unit.market.conftest import DAY, FEE, PRICE, UNLIMITED, WAD, Setup

MAX_32, MAX_90, MAX_110, MAX_112 = 2**32 - 1, 2**90 - 1, 2**110 - 1, 2**112 - 1
MAX_CAP = 2**88 - 1
MAX_CODE = 2_943_605_304
# As long as time modulo 2**32 can say.
LONGEST = 2**32 - 1
PLENTY = 2**113


def totals(assets: int, shares: int, tail: int, mark: int) -> int:
    """A word of totals: time and mark of the halt, or rate code and fee."""
    return assets | shares << 90 | tail << 200 | mark << 232


def position(collateral: int, debt_shares: int) -> int:
    return collateral | debt_shares << 128


def mapped(slot: int, key: str) -> int:
    """Where a mapping at a slot keeps an address's word."""
    return int.from_bytes(
        keccak(slot.to_bytes(32, "big") + bytes.fromhex(key[2:].zfill(64))), "big"
    )


def read(setup: Setup, place: int) -> int:
    answer = setup.chain.rpc("eth_getStorageAt", [setup.market.address, hex(place), "latest"])
    return int(answer, 16)


@dataclass
class Words:
    """Where a market keeps its words, found by what they are."""

    setup: Setup
    supply: int
    borrow: int
    position: int
    balance: int

    @classmethod
    def of(cls, setup: Setup) -> Words:
        """Of a market with one lender and one borrower, just accrued."""
        market, actors = setup.market, setup.actors
        s, fee = market.state(), market.caps().fee // 10**12
        held, _ = market.position(actors.borrower)
        supply = totals(s.supply_assets, s.supply_shares, s.updated, 0)
        borrow = totals(s.borrow_assets, s.borrow_shares, s.rate_code, fee)
        balance = market.balanceOf(actors.lender)

        def find(word: int, key: str | None = None) -> int:
            places = [mapped(slot, key) if key else slot for slot in range(40)]
            (found,) = [place for place in places if read(setup, place) == word]
            return found

        return cls(
            setup,
            find(supply),
            find(borrow),
            find(position(held, s.borrow_shares), actors.borrower),
            find(balance, actors.lender),
        )

    def read(self, place: int) -> int:
        return read(self.setup, place)

    def write(self, place: int, word: int) -> None:
        value = "0x" + word.to_bytes(32, "big").hex()
        self.setup.chain.rpc("anvil_setStorageAt", [self.setup.market.address, hex(place), value])


@dataclass(frozen=True)
class End:
    """Assets and shares of both sides: the borrower owes all debt, the lender owns all supply."""

    supply_assets: int
    supply_shares: int
    borrow_assets: int
    borrow_shares: int
    collateral: int = MAX_112

    def put(self, words: Words) -> None:
        setup = words.setup
        now = setup.chain.timestamp & MAX_32
        fee = setup.market.caps().fee // 10**12
        words.write(words.supply, totals(self.supply_assets, self.supply_shares, now, 0))
        words.write(words.borrow, totals(self.borrow_assets, self.borrow_shares, MAX_CODE, fee))
        words.write(words.position, position(self.collateral, self.borrow_shares))
        words.write(words.balance, self.supply_shares)
        state = setup.market.state()
        assert state[:4] == (
            self.supply_assets,
            self.supply_shares,
            self.borrow_assets,
            self.borrow_shares,
        )


ENDS = {
    "all": End(MAX_90, MAX_110, MAX_90, MAX_110),
    "assets": End(MAX_90, 2**60, MAX_90, 2**60),
    "shares": End(10**20, MAX_110, 10**20, MAX_110),
    "cash": End(MAX_90, MAX_110, MAX_90 - 10**9, MAX_110),
}


@pytest.fixture
def wide(setup: Setup) -> Setup:
    """Caps as high as they go; all have plenty of both tokens, and so does the market."""
    market, actors = setup.market, setup.actors
    market.set_caps((MAX_CAP, MAX_CAP, FEE), sender=actors.owner)
    for token in (setup.loan, setup.collateral):
        for account in (actors.lender, actors.borrower, actors.liquidator, market.address):
            token.mint(account, PLENTY)
    setup.lend(1_000 * WAD)
    setup.open(1_000 * WAD, 500 * WAD)
    return setup


@pytest.fixture
def words(wide: Setup) -> Words:
    return Words.of(wide)


def sound(setup: Setup) -> None:
    """Every field is within its width, none has spilled into the next."""
    market, state = setup.market, setup.market.state()
    assert max(state.supply_assets, state.borrow_assets) <= MAX_90
    assert max(state.supply_shares, state.borrow_shares) <= MAX_110
    assert state.borrow_assets <= state.supply_assets
    assert state.rate_code <= MAX_CODE
    assert state.updated == setup.chain.timestamp & MAX_32
    assert tuple(market.caps()) == (MAX_CAP, MAX_CAP, FEE)


def test_words__any_fields__are_laid_out_as_said(words: Words) -> None:
    """Assets 90 | shares 110 | time 32 | halt 24, and with code and fee: read so and stored so."""
    setup, draw = words.setup, random.Random("words")
    market, now = setup.market, setup.chain.timestamp & MAX_32
    for _ in range(100):
        supplied, shares = draw.getrandbits(90), draw.getrandbits(110)
        borrowed, debt_shares = draw.randint(0, supplied), draw.getrandbits(110)
        code, fee, mark = draw.randint(0, MAX_CODE), draw.getrandbits(24), draw.getrandbits(24)
        supply = totals(supplied, shares, now, mark)
        borrow = totals(borrowed, debt_shares, code, fee)
        words.write(words.supply, supply)
        words.write(words.borrow, borrow)
        state = (supplied, shares, borrowed, debt_shares, code, now)
        assert tuple(market.state()) == state
        assert market.caps().fee == fee * 10**12
        # No time has passed: all that is read is stored again.
        market.accrue()
        assert (words.read(words.supply), words.read(words.borrow)) == (supply, borrow)


# What reduces risk

Action = Callable[[Setup], Receipt]


def repay(amount: int) -> Action:
    def act(setup: Setup) -> Receipt:
        borrower = setup.actors.borrower
        receipt: Receipt = setup.market.repay(amount, borrower, sender=borrower)
        return receipt

    return act


def liquidate(percent: int, most: int = UNLIMITED) -> Action:
    """At a price at which the collateral is worth so much of the debt."""

    def act(setup: Setup) -> Receipt:
        owner = setup.actors.borrower
        held, debt = setup.market.position(owner)
        setup.oracle.set_price(debt * PRICE * percent // 100 // held)
        receipt: Receipt = setup.market.liquidate(owner, most, 0, sender=setup.actors.liquidator)
        return receipt

    return act


def adjust(collateral: int, debt: int) -> Action:
    def act(setup: Setup) -> Receipt:
        owner = setup.actors.borrower
        receipt: Receipt = setup.market.adjust(owner, collateral, debt, owner, sender=owner)
        return receipt

    return act


def leave(setup: Setup) -> Receipt:
    """Repay all and take the collateral out."""
    repay(UNLIMITED)(setup)
    return adjust(-setup.held(), 0)(setup)


def accrue(setup: Setup) -> Receipt:
    receipt: Receipt = setup.market.accrue()
    return receipt


def hand_on(setup: Setup) -> Receipt:
    actors, market = setup.actors, setup.market
    shares = market.balanceOf(actors.lender)
    receipt: Receipt = market.transfer(actors.other_lender, shares, sender=actors.lender)
    return receipt


REDUCING: dict[str, Action] = {
    "repay a unit": repay(1),
    "repay a part": repay(10**8),
    "repay the whole": repay(UNLIMITED),
    "repay and take out": adjust(-(10**6), -(10**8)),
    "leave": leave,
    "liquidate a part": liquidate(106, 10**8),
    "liquidate": liquidate(106),
    "liquidate the deepest": liquidate(1),
    "accrue": accrue,
    "hand the shares on": hand_on,
}


@pytest.mark.parametrize("seconds", [1, DAY, LONGEST])
@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("action", REDUCING)
def test_width__what_reduces_risk__always_works(
    words: Words, end: str, action: str, seconds: int
) -> None:
    setup = words.setup
    ENDS[end].put(words)
    setup.chain.advance(seconds)
    REDUCING[action](setup)
    sound(setup)
    accrue(setup)
    sound(setup)


@pytest.mark.parametrize("end", ENDS)
def test_width__after_a_repayment__lenders_take_out_all_that_came(words: Words, end: str) -> None:
    setup, lender = words.setup, words.setup.actors.lender
    ENDS[end].put(words)
    setup.chain.advance(DAY)
    repay(UNLIMITED)(setup)
    before = setup.loan.balanceOf(lender)
    market = setup.market
    most = market.maxWithdraw(lender)
    assert most > 0
    market.withdraw(most, lender, lender, sender=lender)
    assert setup.loan.balanceOf(lender) - before == most
    sound(setup)


@pytest.mark.parametrize("end", ENDS)
def test_width__accrual__saturates_on_both_sides_alike(words: Words, end: str) -> None:
    setup = words.setup
    ENDS[end].put(words)
    before = setup.market.state()
    setup.chain.advance(LONGEST)
    accrue(setup)
    after = setup.market.state()
    earned = after.supply_assets - before.supply_assets
    assert earned == after.borrow_assets - before.borrow_assets
    assert after.supply_assets == MAX_90
    assert after.supply_shares == min(MAX_110, max(before.supply_shares, after.supply_shares))


# What adds


def lend(assets: int) -> Action:
    def act(setup: Setup) -> Receipt:
        return setup.lend(assets)

    return act


def mint(shares: int) -> Action:
    def act(setup: Setup) -> Receipt:
        lender = setup.actors.lender
        receipt: Receipt = setup.market.mint(shares, lender, sender=lender)
        return receipt

    return act


def supply_collateral(amount: int) -> Action:
    def act(setup: Setup) -> Receipt:
        owner = setup.actors.borrower
        receipt: Receipt = setup.market.supply_collateral(amount, owner, sender=owner)
        return receipt

    return act


# A share is a unit: both shares and assets are far from their caps.
FULL_SUPPLY = End(2**80, MAX_110 - 10**31, 10**20, 10**26)
FULL_BORROW = End(2**80, 2**100, 10**20, MAX_110 - 10**31)
FULL_POSITION = End(10**22, 10**28, 10**20, 10**26, MAX_112 - 10)


@pytest.mark.parametrize(
    ("end", "action", "reason"),
    [
        (FULL_SUPPLY, lambda room: lend(room), "market: supply width"),
        (FULL_SUPPLY, lambda room: mint(10**31 + 1), "market: supply width"),
        (FULL_SUPPLY, lambda room: mint(2**128), "market: supply cap"),
        (FULL_SUPPLY, lambda room: lend(MAX_CAP), "market: supply cap"),
        (FULL_BORROW, lambda room: adjust(0, room), "market: borrow width"),
        (FULL_BORROW, lambda room: adjust(0, 2**79), "market: borrow width"),
        (FULL_POSITION, lambda room: supply_collateral(11), "market: collateral width"),
        (FULL_POSITION, lambda room: supply_collateral(2**130), "market: collateral width"),
        (FULL_POSITION, lambda room: adjust(11, 0), "market: collateral width"),
        (FULL_POSITION, lambda room: adjust(2**130, -1), "market: collateral width"),
    ],
)
def test_width__what_adds_too_much__stops_with_its_own_reason(
    words: Words, end: End, action: Callable[[int], Action], reason: str
) -> None:
    setup = words.setup
    end.put(words)
    setup.oracle.set_price(PRICE)
    # Assets for the last 1e31 shares, and a unit more.
    assets = end.supply_assets if end is FULL_SUPPLY else end.borrow_assets
    shares = end.supply_shares if end is FULL_SUPPLY else end.borrow_shares
    room = 10**31 * (assets + 1) // (shares + 10**6) + 2
    with setup.refused(reason):
        action(room)(setup)


@pytest.mark.parametrize(
    ("end", "action"),
    [
        (FULL_SUPPLY, mint(10**31)),
        (FULL_BORROW, adjust(0, 10**17)),
        (FULL_POSITION, supply_collateral(10)),
        (FULL_POSITION, adjust(10, -1)),
    ],
)
def test_width__what_just_fits__works(words: Words, end: End, action: Action) -> None:
    end.put(words)
    action(words.setup)
    sound(words.setup)


def test_width__debt_shares__may_be_as_many_as_there_is_room_for(words: Words) -> None:
    market, debt, assets = words.setup.market, 10**17, 10**20
    # What the debt adds, rounded up, at the price that is left when just so much was free.
    added = -(-debt * (MAX_110 + 10**6) // (assets + 1 + debt))
    End(2**80, 2**100, assets, MAX_110 - added).put(words)
    adjust(0, debt)(words.setup)
    assert market.state().borrow_shares == MAX_110
    sound(words.setup)


def test_width__room_to_lend__is_what_the_shares_can_still_count(words: Words) -> None:
    setup, lender = words.setup, words.setup.actors.lender
    FULL_SUPPLY.put(words)
    room = setup.market.maxDeposit(lender)
    assert room < MAX_CAP - FULL_SUPPLY.supply_assets
    setup.lend(room)
    sound(setup)


def test_width__callback_with_too_much_collateral__stops(words: Words) -> None:
    setup = words.setup
    FULL_POSITION.put(words)
    owner, wallet = setup.actors.borrower, setup.wallet
    setup.market.set_authorization(wallet.address, True, sender=owner)
    wallet.set_answer(2**130)
    with setup.refused("market: collateral width"):
        setup.run("adjust", owner, 0, -1, owner, b"data")
