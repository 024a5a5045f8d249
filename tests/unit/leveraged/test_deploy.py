from typing import Any

import pytest

from relever.artifacts import artifact
from relever.config import section
from relever.deploy.suite import TOKEN_TERMS as TERMS
from relever.protocol import PRICE_SCALE, WAD, contract_address
from tests.leveraged import DEAD, Tokens
from tests.lrt_paths import NOBODY
from tests.scene import ETHER, reverts

SETTINGS = section("local", "leveraged")["tokens"]


def deploy(tokens: Tokens, seed: int = ETHER, market: str = "", **terms: Any) -> Any:
    """The token of the parameters at 8x, but for some terms; the looper pays the seed."""
    scene, looper = tokens.scene, tokens.scene.roles.looper
    given = {key: SETTINGS["rLRT8"][key] for key in TERMS}
    given["fee_receiver"] = scene.roles.treasury
    given.update(terms)
    at = contract_address(scene.chain, looper, after=1)
    tokens.vault.approve(at, seed, sender=looper)
    return scene.chain.deploy(
        artifact("LeveragedToken"),
        market or tokens.market.address,
        "Another",
        "rLRTx",
        tuple(given.values()),
        seed,
        sender=looper,
    )


@pytest.mark.parametrize("symbol", ["rLRT3", "rLRT8"])
def test_deploy__each_token__has_its_terms(tokens: Tokens, symbol: str) -> None:
    token, settings = tokens.leveraged.tokens[symbol], SETTINGS[symbol]
    expected = (*(settings[key] for key in TERMS), tokens.scene.roles.treasury)
    assert tuple(token.terms()) == expected
    assert token.market() == tokens.market.address
    assert (token.name(), token.symbol(), token.decimals()) == (settings["name"], symbol, 18)
    assert token.band() == expected[1:2] + expected[:1] + expected[2:3]
    of_market = tokens.market.terms()
    ltv = WAD - WAD * WAD // settings["target_leverage_wad"]
    in_danger = WAD - WAD * WAD // settings["danger_leverage_wad"]
    assert ltv < of_market.max_ltv
    assert in_danger < of_market.threshold


def test_deploy__seed__is_at_the_target_and_nobodys(tokens: Tokens) -> None:
    looper = tokens.scene.roles.looper
    before, price = tokens.holdings(looper), tokens.backing()
    token = deploy(tokens)
    worth = ETHER * price // PRICE_SCALE
    borrowed = worth * 7 // 8
    # The market rounds debt up.
    assert tokens.position(token) == (ETHER, borrowed + 1)
    assert token.totalSupply() == token.balanceOf(DEAD) == worth - borrowed
    assert token.equity() == worth - borrowed - 1
    assert abs(token.leverage() - 8 * WAD) < 1_000
    after = tokens.holdings(looper)
    assert after["lrt"] == before["lrt"] - ETHER
    assert after["weth"] == before["weth"] + borrowed
    tokens.assert_empty()


def test_deploy__seed_too_small__reverts(tokens: Tokens) -> None:
    with reverts("token: seed"):
        deploy(tokens, seed=ETHER // 20)
    # Of the leverage that borrows less: the market's minimum.
    with reverts("market: debt below minimum"):
        deploy(tokens, seed=9 * ETHER // 100)


LEVERAGES = {
    "token: band": [
        {"target_leverage_wad": 72 * WAD // 10},
        {"least_leverage_wad": 8 * WAD},
        {"most_leverage_wad": 8 * WAD},
        {"danger_leverage_wad": 89 * WAD // 10},
    ],
    "token: floor": [{"floor_leverage_wad": 8 * WAD + 1}, {"floor_leverage_wad": 10 * WAD // 9}],
    "token: step": [{"step_leverage_wad": 0}],
    "token: period": [{"period_seconds": 3_599}, {"period_seconds": 30 * 86_400 + 1}],
    "token: start discount": [{"start_discount_wad": 2 * 10**16 + 1}],
    "token: pay": [{"max_pay_wad": 12 * 10**15 + 1}, {"danger_pay_wad": 5 * 10**16 + 1}],
    "token: loss": [{"max_loss_wad": 6 * 10**16 + 1}, {"danger_loss_wad": 10**17 + 1}],
    "token: duration": [{"duration_seconds": 599}, {"duration_seconds": 30 * 86_400 + 1}],
    "token: cooldown": [{"cooldown_seconds": 599}, {"cooldown_seconds": 30 * 86_400 + 1}],
    "token: fee": [{"yearly_fee_wad": 2 * 10**16 + 1}],
    "token: fee receiver": [{"fee_receiver": NOBODY}],
    "token: target above market's": [
        {
            "target_leverage_wad": 112 * WAD // 10,
            "most_leverage_wad": 12 * WAD,
            "danger_leverage_wad": 13 * WAD,
        }
    ],
    "token: danger above market's": [{"danger_leverage_wad": 143 * WAD // 10}],
}


@pytest.mark.parametrize(
    ("reason", "terms"),
    [(reason, terms) for reason, several in LEVERAGES.items() for terms in several],
)
def test_deploy__terms_that_cannot_work__reverts(
    tokens: Tokens, reason: str, terms: dict[str, Any]
) -> None:
    with reverts(reason):
        deploy(tokens, **terms)


def test_deploy__danger_that_no_product_bears__reverts(tokens: Tokens) -> None:
    """In a market that liquidates above a leverage of 20.4 only."""
    protocol, stranger = tokens.scene.protocol, tokens.scene.roles.stranger
    ratios = (94 * 10**16, 951 * 10**15, 103 * 10**16, 10**16, 5 * 10**16)
    terms = (*tuple(tokens.market.terms())[:3], *ratios, 10**17, 10**17)
    made = protocol.factory.create_market(terms, "Another", "rWETH", sender=stranger)
    market = made.events[-1].args["market"]
    with reverts("token: danger"):
        deploy(tokens, market=market, danger_leverage_wad=20 * WAD + 1)


def test_deploy__terms_at_their_bounds__works(tokens: Tokens) -> None:
    token = deploy(
        tokens,
        danger_leverage_wad=142 * WAD // 10,
        period_seconds=3_600,
        start_discount_wad=2 * 10**16,
        max_pay_wad=5 * 10**16,
        danger_pay_wad=5 * 10**16,
        duration_seconds=600,
        max_loss_wad=10**17,
        danger_loss_wad=10**17,
        cooldown_seconds=600,
        yearly_fee_wad=2 * 10**16,
        floor_leverage_wad=8 * WAD,
    )
    assert token.leverage() > 7 * WAD


def test_deploy__permit__is_the_standards(tokens: Tokens) -> None:
    token, looper = tokens.token(3), tokens.scene.roles.looper
    assert token.nonces(looper) == 0
    assert len(token.DOMAIN_SEPARATOR()) == 32


def test_leveraged__addresses_and_another_chain__are_the_same(tokens: Tokens) -> None:
    leveraged, chain = tokens.leveraged, tokens.scene.chain
    assert list(leveraged.addresses()) == [
        *("rLRT3", "rLRT8"),
        *("leveraged_zap", "rebalancer", "derivatives_lens"),
    ]
    assert leveraged.on(chain).addresses() == leveraged.addresses()
    for token in leveraged.tokens.values():
        assert leveraged.zap.serves(token.address)
        assert leveraged.rebalancer.serves(token.address)
