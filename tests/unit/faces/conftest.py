"""Faces of an oracle between rates and a feed that the tests set."""

from dataclasses import replace

import pytest

from relever.artifacts import artifact
from relever.chain import Contract
from relever.protocol import WAD
from tests.unit.oracle.conftest import DAY, PARAMETERS, Setup, deploy_oracle
from tests.unit.oracle.conftest import setup as setup

FUNDAMENTAL, CONSERVATIVE = False, True
BELOW = WAD // 10


def deploy_face(setup: Setup, name: str, *arguments: object) -> Contract:
    return setup.chain.deploy(artifact(name), setup.oracle.address, *arguments)


@pytest.fixture
def quick(setup: Setup) -> Setup:
    """An oracle whose smoothing takes seconds, and on which a discount lasts after a day."""
    quick = replace(PARAMETERS, discount_speed=WAD, lasting_time=DAY)
    return replace(setup, oracle=deploy_oracle(setup.chain, setup.rates, setup.feed, quick))


def let_discount_last(setup: Setup) -> None:
    """The market is 10 % below for a day, and somebody pokes."""
    setup.answer_discount(BELOW)
    setup.poke()
    setup.press(BELOW, 60)
    setup.press(BELOW, DAY)
