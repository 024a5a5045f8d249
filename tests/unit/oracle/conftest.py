"""An oracle between rates and a feed that the tests set."""

from dataclasses import astuple, dataclass, replace
from typing import Any

import pytest

from relever.artifacts import artifact
from relever.chain import Chain, Contract, Event
from relever.protocol import NOBODY, WAD, Deployment

DAY = 86_400
YEAR = 365 * DAY
PRICE = 10**36
VAULT_RATE, LST_RATE = 105 * WAD // 100, 12 * WAD // 10
FAIR = VAULT_RATE * LST_RATE


@dataclass(frozen=True)
class Parameters:
    """The oracle's parameters; units as in the contract."""

    max_age: int = 87_000
    min_answer: int = PRICE // 2
    max_answer: int = 4 * PRICE
    feed_agreement: int = WAD // 100
    feed_band: int = WAD // 20
    sequencer_grace: int = 0
    max_growth: int = WAD // 10
    discount_speed: int = 2_777_777_777_777
    max_gap: int = 3_600
    deep_discount: int = WAD // 20
    lasting_time: int = 7 * DAY
    gate_floor: int = 1_000 * WAD
    gate_share: int = WAD // 10
    gate_window: int = DAY

    def as_tuple(self) -> tuple[int, ...]:
        return astuple(self)


PARAMETERS = Parameters()


@dataclass(frozen=True)
class Setup:
    """The oracle and its sources. The feed has said the fair price at deployment."""

    chain: Chain
    oracle: Contract
    rates: Contract
    feed: Contract
    stranger: str

    def answer(self, price: int, *, updated_at: int | None = None) -> None:
        """The feed says a price, scaled by 1e36, in its own 18 decimals."""
        now = self.chain.timestamp
        at = now if updated_at is None else updated_at
        self.feed.set_round((1, price // WAD, at, at, 1))

    def answer_discount(self, wad: int) -> None:
        """The feed says fundamental less a discount."""
        self.answer(self.oracle.fundamental() * (WAD - wad) // WAD)

    def answer_word(self, answer: int, updated_at: int) -> None:
        """The feed's answer as it is, in its decimals."""
        self.feed.set_round((1, answer, updated_at, updated_at, 1))

    def poke(self) -> Any:
        return self.oracle.poke(sender=self.stranger)

    def state(self) -> tuple[int, ...]:
        """Everything that the oracle stores."""
        oracle = self.oracle
        return (
            *oracle.discount_state(),
            oracle.checkpoint_ratio(),
            oracle.checkpoint_time(),
            oracle.proposed_ratio(),
            oracle.proposed_time(),
        )

    @property
    def armed_at(self) -> int:
        """When the clock of the smoothed discount was armed."""
        time: int = self.oracle.discount_state().armed_at
        return time

    def see(self, supply: int) -> Any:
        """The LRT's supply is so much, and anyone pokes."""
        self.rates.set_supply(supply)
        return self.poke()

    def pass_hours(self, hours: int) -> None:
        """Time passes, and somebody pokes every hour."""
        for _ in range(hours):
            self.chain.advance(3_600)
            self.poke()

    def press(self, discount: int, seconds: int) -> None:
        """The feed says a discount for so long, repeated and poked as often as counts whole."""
        while seconds > 0:
            self.chain.advance(min(seconds, PARAMETERS.max_gap))
            seconds -= PARAMETERS.max_gap
            self.answer_discount(discount)
            self.poke()

    def event(self, name: str, **arguments: object) -> Event:
        return Event(name, arguments, self.oracle.address)

    def over(self, feed: Contract) -> "Setup":
        """Another oracle of the same rates over another feed."""
        return replace(self, oracle=deploy_oracle(self.chain, self.rates, feed), feed=feed)


def deploy_oracle(
    chain: Chain,
    rates: Contract,
    feed: Contract,
    parameters: Parameters = PARAMETERS,
    sequencer: str = NOBODY,
) -> Contract:
    places = (rates.address, rates.address, feed.address, sequencer)
    return chain.deploy(artifact("OracleAdapter"), *places, parameters.as_tuple())


def smoothed(booked: int, discount: int) -> int:
    """The smoothed market price at a stored discount."""
    return booked * (WAD - discount) // WAD


@pytest.fixture
def setup(deployment: Deployment) -> Setup:
    chain = deployment.chain
    rates = chain.deploy(artifact("SettableRates"), VAULT_RATE, LST_RATE)
    feed = chain.deploy(artifact("SettableFeed"), 18)
    oracle = deploy_oracle(chain, rates, feed)
    setup = Setup(chain, oracle, rates, feed, deployment.roles.stranger)
    setup.answer(FAIR)
    return setup


@pytest.fixture
def armed(setup: Setup) -> Setup:
    """The market is 10 % below, and a poke has just seen it for the first time."""
    setup.answer_discount(WAD // 10)
    setup.poke()
    return setup
