"""The oracle as Morpho Blue reads it."""

import pytest

from relever.artifacts import artifact
from relever.protocol import WAD
from tests.scene import reverts
from tests.unit.faces.conftest import (
    BELOW,
    CONSERVATIVE,
    FUNDAMENTAL,
    deploy_face,
    let_discount_last,
)
from tests.unit.oracle.conftest import FAIR, VAULT_RATE, Setup, smoothed


def test_price__selector_and_answer__are_what_morpho_asks_for(setup: Setup) -> None:
    """`IOracle.price()`: 0xa035b1fe, one word."""
    face = deploy_face(setup, "MorphoFace", FUNDAMENTAL)
    call = {"to": face.address, "data": "0xa035b1fe"}
    answer = setup.chain.rpc("eth_call", [call, "latest"])
    assert bytes.fromhex(answer[2:]) == FAIR.to_bytes(32, "big")


def test_price__read_as_morpho_does__scales_collateral_into_loan(setup: Setup) -> None:
    face = deploy_face(setup, "MorphoFace", FUNDAMENTAL)
    reader = setup.chain.deploy(artifact("MorphoReader"))
    lltv = 86 * WAD // 100
    most = reader.max_borrow(face.address, 5 * WAD, lltv)
    # 1.05 times 1.2 WETH an LRT.
    assert most == 5 * WAD * 126 // 100 * 86 // 100


def test_price__fundamental__no_dip_and_no_dead_feed_moves_it(setup: Setup) -> None:
    face = deploy_face(setup, "MorphoFace", FUNDAMENTAL)
    setup.answer_discount(BELOW)
    setup.poke()
    assert face.price() == FAIR
    setup.feed.set_broken(True)
    setup.rates.set_unreadable(True)
    assert face.price() == FAIR
    setup.rates.set_rate(VAULT_RATE // 2)
    assert face.price() == FAIR // 2


def test_price__fundamental_that_nobody_believes__is_what_liquidations_use(quick: Setup) -> None:
    face = deploy_face(quick, "MorphoFace", FUNDAMENTAL)
    let_discount_last(quick)
    assert face.price() == smoothed(FAIR, BELOW) == quick.oracle.liquidation_prices()[0]


def test_price__conservative__is_the_least_and_reverts_without_a_fresh_feed(setup: Setup) -> None:
    face = deploy_face(setup, "MorphoFace", CONSERVATIVE)
    setup.answer_discount(BELOW)
    assert face.price() == FAIR * 9 // 10 == setup.oracle.price()
    setup.feed.set_broken(True)
    with reverts("oracle: feed does not answer"):
        face.price()


@pytest.mark.parametrize("mode", [FUNDAMENTAL, CONSERVATIVE])
def test_create__mode__is_kept(setup: Setup, mode: bool) -> None:
    face = deploy_face(setup, "MorphoFace", mode)
    assert (face.ORACLE(), face.CONSERVATIVE()) == (setup.oracle.address, mode)


def test_create__oracle_without_a_price__reverts(setup: Setup) -> None:
    setup.rates.set_rate(0)
    with reverts("face: oracle without a price"):
        deploy_face(setup, "MorphoFace", FUNDAMENTAL)
