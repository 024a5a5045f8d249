"""A venue behind a router of the test's own: every way in which `adjust` can be asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from relever.artifacts import artifact
from relever.chain import Contract
from relever.protocol import UNLIMITED
from tests.scene import ETHER, reverts
from tests.stage import FOREIGN
from tests.venues import Aave, Morpho, Places

HELD, OWED = 10 * ETHER, 3 * ETHER
# Stands for the whole debt.
MOST = 2**255 - 1


@dataclass
class Alone:
    """A venue, the wallet that is its router, and an owner who lets the venue do anything."""

    places: Places
    name: str
    venue: Contract
    wallet: Contract
    owner: str

    def run(self, contract: Contract, function: str, *arguments: Any) -> Any:
        data = getattr(contract, function).encode(*arguments)
        return self.wallet.run(contract.address, data, sender=self.owner)

    def adjust(
        self, collateral: int, debt: int, data: bytes = b"", receiver: str | None = None
    ) -> Any:
        to = receiver or self.wallet.address
        return self.run(self.venue, "adjust", self.owner, collateral, debt, to, data)

    def position(self) -> tuple[int, int]:
        collateral, debt = self.venue.position(self.owner)
        return collateral, debt

    def held(self, account: str) -> tuple[int, int]:
        scene = self.places.scene
        lrt, weth = scene.protocol.vault, scene.world.core.weth
        return lrt.balanceOf(account), weth.balanceOf(account)


@pytest.fixture
def alone(places: Places, name: str) -> Iterator[Alone]:
    """The wallet holds LRT and WETH, and lets the venue take just what each test says."""
    scene, chain, place = places.scene, places.scene.chain, places[name]
    wallet = chain.deploy(artifact("CallbackWallet"))
    lrt, weth = scene.protocol.vault, scene.world.core.weth
    kind: str
    arguments: tuple[Any, ...]
    if isinstance(place, Morpho):
        kind, arguments = "MorphoVenue", (place.pool.address, place.market.parameters)
    else:
        lender = places["ours"].entry.address
        kind, arguments = "AaveVenue", (place.pool.address, lender, weth.address, lrt.address)
    venue = chain.deploy(artifact(kind), wallet.address, *arguments)
    owner, giver = scene.roles.looper, scene.roles.depositor
    lrt.transfer(wallet.address, 3 * HELD, sender=giver)
    scene.world.fund(owner, weth=3 * OWED)
    weth.transfer(wallet.address, 3 * OWED, sender=owner)
    if isinstance(place, Aave):
        place.debt_token.approveDelegation(venue.address, UNLIMITED, sender=owner)
        place.a_token.approve(venue.address, UNLIMITED, sender=owner)
    else:
        place.pool.setAuthorization(venue.address, True, sender=owner)
    made = Alone(places, name, venue, wallet, owner)
    yield made
    assert made.held(venue.address) == (0, 0)
    for token in (lrt, weth):
        for spender in (place.pool, places["ours"].entry):
            assert token.allowance(venue.address, spender.address) == 0


def allow(alone: Alone, lrt: int = 0, weth: int = 0) -> None:
    scene = alone.places.scene
    alone.run(scene.protocol.vault, "approve", alone.venue.address, lrt)
    alone.run(scene.world.core.weth, "approve", alone.venue.address, weth)


@pytest.fixture
def opened(alone: Alone) -> Alone:
    """A position of round figures."""
    allow(alone, lrt=HELD)
    alone.adjust(HELD, OWED)
    assert alone.position() == (HELD, OWED)
    return alone


def told(receipt: Any) -> list[tuple[Any, ...]]:
    """What the callback was told, each time."""
    return [tuple(event.args.values()) for event in receipt.events if event.name == "AdjustCalled"]


@FOREIGN
@pytest.mark.parametrize("debt", [0, OWED])
def test_adjust__raises_without_data__pulls_in_and_pays_out(alone: Alone, debt: int) -> None:
    allow(alone, lrt=HELD)
    receiver = alone.places.scene.roles.stranger
    (lrt, weth), before = alone.held(alone.wallet.address), alone.held(receiver)
    receipt = alone.adjust(HELD, debt, receiver=receiver)
    assert alone.position() == (HELD, debt)
    assert alone.held(alone.wallet.address) == (lrt - HELD, weth)
    assert alone.held(receiver) == (before[0], before[1] + debt)
    assert told(receipt) == []


@FOREIGN
@pytest.mark.parametrize("debt", [0, OWED])
def test_adjust__raises_with_data__takes_what_the_callback_answers(alone: Alone, debt: int) -> None:
    allow(alone, lrt=HELD + 1)
    alone.wallet.set_answer(HELD - 1, sender=alone.owner)
    with reverts("venue: callback short"):
        alone.adjust(HELD, debt, b"what")
    alone.wallet.set_answer(HELD + 1, sender=alone.owner)
    receipt = alone.adjust(HELD, debt, b"what")
    assert alone.position() == (HELD + 1, debt)
    assert told(receipt) == [(alone.venue.address, alone.owner, HELD, debt, b"what")]


@FOREIGN
def test_adjust__just_what_was_said__is_enough(alone: Alone) -> None:
    allow(alone, lrt=HELD)
    alone.wallet.set_answer(HELD, sender=alone.owner)
    alone.adjust(HELD, 0, b"what")
    assert alone.position() == (HELD, 0)


@FOREIGN
@pytest.mark.parametrize("data", [b"", b"what"])
@pytest.mark.parametrize("out", [0, ETHER])
@pytest.mark.parametrize(
    ("change", "repaid"), [(0, 0), (-1, 1), (-ETHER, ETHER), (-OWED - 1, OWED), (-MOST, OWED)]
)
def test_adjust__lowers__takes_no_more_than_the_debt(
    opened: Alone, data: bytes, out: int, change: int, repaid: int
) -> None:
    allow(opened, weth=repaid)
    receiver = opened.places.scene.roles.stranger
    (lrt, weth), before = opened.held(opened.wallet.address), opened.held(receiver)
    opened.wallet.set_answer(0, sender=opened.owner)
    receipt = opened.adjust(-out, change, data, receiver)
    assert opened.position() == (HELD - out, OWED - repaid)
    assert opened.held(opened.wallet.address) == (lrt, weth - repaid)
    assert opened.held(receiver) == (before[0] + out, before[1])
    called = [(opened.venue.address, opened.owner, -out, -repaid, b"what")]
    assert told(receipt) == (called if data else [])


@FOREIGN
def test_adjust__nothing_at_all__does_nothing(opened: Alone) -> None:
    opened.wallet.set_answer(0, sender=opened.owner)
    receipt = opened.adjust(0, 0, b"what")
    assert opened.position() == (HELD, OWED)
    assert told(receipt) == [(opened.venue.address, opened.owner, 0, 0, b"what")]
    opened.adjust(0, 0)
    assert opened.position() == (HELD, OWED)


@FOREIGN
def test_adjust__both_ways_at_once__reverts(opened: Alone) -> None:
    for change in ((1, -1), (-1, 1), (HELD, -OWED), (-HELD, OWED)):
        for data in (b"", b"what"):
            with reverts("venue: both ways at once"):
                opened.adjust(*change, data)
    assert opened.position() == (HELD, OWED)


@FOREIGN
def test_adjust__more_than_there_is__reverts(opened: Alone) -> None:
    allow(opened, weth=OWED)
    with reverts("panic 0x11"):
        opened.adjust(-HELD - 1, -OWED)
    with reverts("panic 0x11"):
        opened.adjust(-HELD - 1, -OWED, b"what")
    assert opened.position() == (HELD, OWED)


@FOREIGN
def test_adjust__answer_in_lowering__is_not_read(opened: Alone) -> None:
    """What is pulled in is the repayment alone."""
    allow(opened, lrt=HELD, weth=OWED)
    opened.wallet.set_answer(HELD, sender=opened.owner)
    lrt, weth = opened.held(opened.wallet.address)
    opened.adjust(-HELD, -OWED, b"what")
    assert opened.position() == (0, 0)
    assert opened.held(opened.wallet.address) == (lrt + HELD, weth - OWED)
    allow(opened)
