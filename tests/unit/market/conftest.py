"""A market over two plain tokens, whose prices the tests set."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest

from relever.artifacts import artifact
from relever.chain import Anvil, Call, Chain, Contract, Event, Receipt, Revert
from relever.protocol import deploy_blueprint

WAD = 10**18
PRICE = 10**36
UNLIMITED = 2**256 - 1
MAX_112 = 2**112 - 1
MAX_SHARES = 2**110 - 1
MAX_CAP = 2**88 - 1
NOBODY = "0x0000000000000000000000000000000000000000"
DAY = 86_400
YEAR = 365 * DAY
VIRTUAL_SHARES = 10**6
HOLDING = 10**36

MAX_LTV = 91 * 10**16
THRESHOLD = 93 * 10**16
TARGET_HEALTH = 103 * 10**16
BASE_BONUS = 10**16
MAX_BONUS = 5 * 10**16
MIN_DEBT = 10**17
DELEVERAGE_SHARE = 5 * 10**16
SUPPLY_CAP = 50_000 * WAD
BORROW_CAP = 45_000 * WAD
FEE = 10**17
CAPS = (SUPPLY_CAP, BORROW_CAP, FEE)
TERMS = {
    "max_ltv": MAX_LTV,
    "threshold": THRESHOLD,
    "target_health": TARGET_HEALTH,
    "base_bonus": BASE_BONUS,
    "max_bonus": MAX_BONUS,
    "min_debt": MIN_DEBT,
    "deleverage_share": DELEVERAGE_SHARE,
}


@dataclass(frozen=True)
class Actors:
    """One account per role."""

    owner: str
    guardian: str
    lender: str
    other_lender: str
    borrower: str
    other_borrower: str
    manager: str
    liquidator: str
    stranger: str


@dataclass(frozen=True)
class Setup:
    """A market and what stands around it."""

    chain: Chain
    actors: Actors
    loan: Contract
    collateral: Contract
    oracle: Contract
    factory: Contract
    market: Contract
    wallet: Contract

    # Steps

    def lend(self, assets: int, lender: str | None = None) -> Receipt:
        lender = lender or self.actors.lender
        receipt: Receipt = self.market.deposit(assets, lender, sender=lender)
        return receipt

    def open(self, collateral: int, debt: int, owner: str | None = None) -> Receipt:
        """Supply collateral and borrow, in one call."""
        owner = owner or self.actors.borrower
        receipt: Receipt = self.market.adjust(owner, collateral, debt, owner, sender=owner)
        return receipt

    def run(self, function: str, *args: Any, contract: Contract | None = None) -> Receipt:
        """Let the wallet call the market, or another contract."""
        contract = contract or self.market
        data = getattr(contract, function).encode(*args)
        receipt: Receipt = self.wallet.run(contract.address, data, sender=self.actors.stranger)
        return receipt

    def create(self, **terms: Any) -> Contract:
        """A market of its own that differs in some terms, with nothing set."""
        given = {
            "loan": self.loan.address,
            "collateral": self.collateral.address,
            "oracle": self.oracle.address,
            **TERMS,
        }
        return create_market(self.chain, self.factory, self.actors.stranger, {**given, **terms})

    def another(self, **terms: Any) -> "Setup":
        """The same setup around a market of its own that differs in some terms; caps are set."""
        market = self.create(**terms)
        market.set_caps(CAPS, sender=self.actors.owner)
        made = market.terms()
        changed = replace(
            self,
            market=market,
            loan=self.chain.contract(made.loan, artifact("SettableToken")),
            collateral=self.chain.contract(made.collateral, artifact("SettableToken")),
            oracle=self.chain.contract(made.oracle, artifact("ConstantOracle")),
        )
        changed.fill_pockets()
        return changed

    def fill_pockets(self) -> None:
        """Everyone holds plenty of both tokens and lets the market take them."""
        calls: list[Call] = []
        for token in (self.loan, self.collateral):
            for account in vars(self.actors).values():
                calls.append(token.mint.build(account, HOLDING, sender=account))
                calls.append(token.approve.build(self.market.address, UNLIMITED, sender=account))
            calls.append(token.mint.build(self.wallet.address, HOLDING))
            approve = token.approve.encode(self.market.address, UNLIMITED)
            calls.append(self.wallet.run.build(token.address, approve))
        self.chain.send_batch(calls)

    # What was and what is

    def books(self) -> list[Any]:
        """Everything that the market accounts for and everyone's tokens."""
        market = self.market
        accounts = [*vars(self.actors).values(), self.wallet.address, market.address]
        calls = [market.state.build(), market.caps.build()]
        for account in accounts:
            calls += [
                market.position.build(account),
                market.balanceOf.build(account),
                market.nonces.build(account),
                self.loan.balanceOf.build(account),
                self.collateral.balanceOf.build(account),
            ]
        return self.chain.read_batch(calls)

    def write_off(self, debt: int, owner: str | None = None) -> Receipt:
        """Somebody owes `debt` on collateral that is worth nothing by now."""
        owner = owner or self.actors.other_borrower
        self.oracle.set_price(PRICE)
        self.open(2 * debt, debt, owner)
        self.oracle.set_price(0)
        receipt: Receipt = self.market.liquidate(owner, 0, 0, sender=self.actors.liquidator)
        self.oracle.set_price(PRICE)
        return receipt

    @contextmanager
    def refused(self, reason: str) -> Iterator[None]:
        """What runs inside must revert for this reason and change nothing."""
        before = self.books()
        with pytest.raises(Revert) as failure:
            yield
        assert failure.value.reason == reason
        assert self.books() == before

    def debt(self, owner: str | None = None) -> int:
        return int(self.market.position(owner or self.actors.borrower)[1])

    def held(self, owner: str | None = None) -> int:
        """The collateral of a position."""
        return int(self.market.position(owner or self.actors.borrower)[0])

    # Events

    def event(self, name: str, **arguments: Any) -> Event:
        """An event of the market's."""
        return Event(name, arguments, self.market.address)

    def moved(self, token: Contract, sender: str, receiver: str, value: int) -> Event:
        """A transfer of tokens or, of the market itself, of shares."""
        arguments = {"sender": sender, "receiver": receiver, "value": value}
        return Event("Transfer", arguments, token.address)

    def accrued(self, before: Any, after: Any) -> list[Event]:
        """What an action that meets interest logs when it books it, between two states."""
        interest = after.supply_assets - before.supply_assets
        fee_shares = after.supply_shares - before.supply_shares
        minted = self.moved(self.market, NOBODY, self.market.address, fee_shares)
        return [minted, self.event("Accrued", interest=interest)]

    def adjusted(
        self,
        owner: str,
        collateral_delta: int,
        debt_delta: int,
        caller: str | None = None,
        receiver: str | None = None,
    ) -> Event:
        return self.event(
            "Adjusted",
            owner=owner,
            caller=caller or owner,
            receiver=receiver or owner,
            collateral_delta=collateral_delta,
            debt_delta=debt_delta,
        )


def ceil(numerator: int, denominator: int) -> int:
    return -(-numerator // denominator)


def shares_down(assets: int, total: int, supply: int) -> int:
    return assets * (supply + VIRTUAL_SHARES) // (total + 1)


def shares_up(assets: int, total: int, supply: int) -> int:
    return ceil(assets * (supply + VIRTUAL_SHARES), total + 1)


def assets_down(shares: int, total: int, supply: int) -> int:
    return shares * (total + 1) // (supply + VIRTUAL_SHARES)


def assets_up(shares: int, total: int, supply: int) -> int:
    return ceil(shares * (total + 1), supply + VIRTUAL_SHARES)


def token(chain: Chain, decimals: int = 18, fee: int = 0) -> Contract:
    return chain.deploy(artifact("SettableToken"), decimals, fee)


def create_market(chain: Chain, factory: Contract, creator: str, terms: dict[str, Any]) -> Contract:
    """Through the factory; the terms in the order of the struct."""
    made = factory.create_market(tuple(terms.values()), "Lent", "LENT", sender=creator)
    return chain.contract(made.events[-1].args["market"], artifact("LendingMarket"))


@pytest.fixture(scope="session")
def built() -> Iterator[Setup]:
    with Anvil.start() as node:
        chain = Chain.connect(node.ipc)
        actors = Actors(*chain.accounts[:9])
        loan, collateral = token(chain), token(chain)
        oracle = chain.deploy(artifact("ConstantOracle"), PRICE)
        blueprint = deploy_blueprint(chain, actors.owner)
        factory = chain.deploy(
            artifact("MarketFactory"), blueprint, actors.guardian, sender=actors.owner
        )
        tokens = {"loan": loan.address, "collateral": collateral.address}
        terms = {**tokens, "oracle": oracle.address, **TERMS}
        market = create_market(chain, factory, actors.stranger, terms)
        market.set_caps(CAPS, sender=actors.owner)
        wallet = chain.deploy(artifact("CallbackWallet"))
        made = Setup(chain, actors, loan, collateral, oracle, factory, market, wallet)
        made.fill_pockets()
        yield made
        chain.close()


@pytest.fixture
def setup(built: Setup) -> Iterator[Setup]:
    """A fresh market: nothing in it, and one unit of collateral is worth one of the loan."""
    with built.chain.isolated():
        yield built


@pytest.fixture
def lent(setup: Setup) -> Setup:
    """1000 lent."""
    setup.lend(1_000 * WAD)
    return setup


@pytest.fixture
def borrowed(lent: Setup) -> Setup:
    """1000 lent, of which the borrower owes 90 on 100 of collateral."""
    lent.open(100 * WAD, 90 * WAD)
    return lent


@pytest.fixture
def aged(borrowed: Setup) -> Setup:
    """The same a hundred days later, with interest that nobody has booked."""
    borrowed.chain.advance(100 * DAY)
    return borrowed


@pytest.fixture
def busy(aged: Setup) -> Setup:
    """Two lenders, two borrowers, interest booked, and the protocol has earned shares."""
    actors = aged.actors
    aged.lend(333 * WAD + 7, actors.other_lender)
    aged.open(500 * WAD, 400 * WAD + 3, actors.other_borrower)
    aged.chain.advance(33 * DAY)
    aged.market.accrue(sender=actors.stranger)
    return aged


@pytest.fixture
def scene_set(lent: Setup) -> Setup:
    """1000 lent; the borrower owes 83.7 on 100, and is unhealthy below a price of 0.9."""
    lent.open(100 * WAD, 837 * WAD // 10)
    return lent
