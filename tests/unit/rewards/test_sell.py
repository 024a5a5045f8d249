import pytest

from relever.artifacts import artifact
from relever.chain import Contract, Event, Revert
from tests.scene import reverts
from tests.unit.rewards.conftest import (
    DISCOUNT,
    MAX_AGE,
    PRICE,
    WAD,
    WETH_DISCOUNT,
    Shop,
    least_out,
    up,
)

AMOUNT = 1_000 * WAD


def fails(shop: Shop, reason: str, amount: int = AMOUNT, min_out: int = 0) -> None:
    """A sale of the reward token is refused, and nothing has moved."""
    before = shop.holdings(shop.reward)
    with reverts(reason):
        shop.sell(amount, min_out=min_out)
    assert shop.holdings(shop.reward) == before


def settable_feed(shop: Shop, decimals: int = 18) -> Contract:
    """A feed that the test writes, as the reward token's feed; fresh and right at first."""
    feed = shop.chain.deploy(artifact("SettableFeed"), decimals)
    now = shop.chain.timestamp
    feed.set_round((1, PRICE * 10**decimals // WAD, now, now, 1))
    shop.set_terms(shop.reward, shop.terms(feed=feed.address))
    return feed


def test_sell__reward_token__proceeds_unlock_in_the_vault(shop: Shop) -> None:
    shop.earn(AMOUNT)
    held, idle = shop.asset.balanceOf(shop.vault.address), shop.vault.idle()
    keeper = shop.world.roles.keeper

    receipt = shop.sell(AMOUNT)

    sold = receipt.events[-1]
    out = sold.args["out"]
    assert sold == shop.event(
        "Sold", token=shop.reward.address, seller=keeper, amount=AMOUNT, out=out
    )
    paid = Event("RewardsPaid", {"payer": shop.seller.address, "amount": out}, shop.vault.address)
    assert paid in receipt.events
    # 0.3 % and 0.01 % of fees, and next to no slippage.
    fair = AMOUNT * PRICE // shop.rate
    assert fair * 9_960 // 10_000 < out < fair * 9_969 // 10_000
    assert shop.holdings(shop.reward) == (0, 0, held + out, idle + out, out)
    assert shop.weth.balanceOf(shop.seller.address) == 0
    for token in (shop.reward, shop.weth, shop.asset):
        assert token.balanceOf(shop.swap.address) == token.balanceOf(keeper) == 0


def test_sell__part_of_it__the_rest_waits(shop: Shop) -> None:
    shop.earn(AMOUNT)
    shop.sell(AMOUNT // 4)
    assert shop.reward.balanceOf(shop.seller.address) == AMOUNT - AMOUNT // 4


def test_sell__asset__handed_over_as_it_is(shop: Shop) -> None:
    shop.earn(WAD + 1, shop.asset)
    receipt = shop.sell(WAD + 1, shop.asset, min_out=WAD + 1)
    assert receipt.events[-1].args["out"] == WAD + 1
    assert shop.vault.locked_profit() == WAD + 1
    assert shop.asset.balanceOf(shop.seller.address) == 0


def test_sell__asset_for_more_of_it__reverts(shop: Shop) -> None:
    shop.earn(WAD, shop.asset)
    with reverts("rewards: too little out"):
        shop.sell(WAD, shop.asset, min_out=WAD + 1)


def test_sell__weth__needs_no_feed(shop: Shop) -> None:
    shop.earn(6 * WAD, shop.weth)
    assert shop.seller.least_out(shop.weth.address, 6 * WAD) == up(
        6 * WAD * (WAD - WETH_DISCOUNT), shop.rate
    )
    out = shop.sell(6 * WAD, shop.weth).events[-1].args["out"]
    fair = 6 * WAD * WAD // shop.rate
    assert fair * 9_998 // 10_000 < out < fair
    assert shop.vault.locked_profit() == out


def test_sell__weth_and_reward_held_together__only_the_sold_one_goes(shop: Shop) -> None:
    shop.earn(AMOUNT)
    shop.earn(5 * WAD, shop.weth)
    shop.earn(7 * WAD, shop.asset)
    shop.sell(AMOUNT)
    assert shop.weth.balanceOf(shop.seller.address) == 5 * WAD
    assert shop.asset.balanceOf(shop.seller.address) == 7 * WAD


def test_sell__zero__reverts(shop: Shop) -> None:
    shop.earn(AMOUNT)
    fails(shop, "rewards: zero amount", amount=0)


def test_sell__more_than_held__reverts(shop: Shop) -> None:
    shop.earn(AMOUNT)
    fails(shop, "rewards: more than held", amount=AMOUNT + 1)


@pytest.mark.parametrize("min_out_above", [1, 10**30])
def test_sell__callers_bound_above_the_proceeds__reverts(shop: Shop, min_out_above: int) -> None:
    shop.earn(AMOUNT)
    with shop.chain.isolated():
        out = shop.sell(AMOUNT).events[-1].args["out"]
    fails(shop, "rewards: too little out", min_out=out + min_out_above)
    shop.sell(AMOUNT, min_out=out)


def test_sell__token_without_terms__reverts_and_waits(shop: Shop) -> None:
    token = shop.chain.deploy(artifact("SettableToken"), 18, 0)
    shop.earn(AMOUNT, token)
    with reverts("rewards: token without terms"):
        shop.sell(AMOUNT, token)
    assert token.balanceOf(shop.seller.address) == AMOUNT


def test_sell__removed_token__reverts_until_it_has_terms_again(shop: Shop) -> None:
    shop.earn(AMOUNT)
    shop.seller.remove_token(shop.reward.address, sender=shop.owner)
    fails(shop, "rewards: token without terms")
    shop.set_terms(shop.reward, shop.terms())
    shop.sell(AMOUNT)


def test_sell__feed_at_its_greatest_age__then_stale(shop: Shop) -> None:
    shop.earn(AMOUNT)
    shop.feed.answer(PRICE)
    shop.chain.advance(MAX_AGE)
    with shop.chain.isolated():
        shop.sell(AMOUNT)
    shop.chain.advance(1)
    fails(shop, "rewards: stale feed")


@pytest.mark.parametrize(
    ("answer", "age", "reason"),
    [
        (0, 0, "rewards: bad answer"),
        (-1, 0, "rewards: bad answer"),
        (-PRICE, 0, "rewards: bad answer"),
        (PRICE, -1, "rewards: stale feed"),
        (PRICE, MAX_AGE + 1, "rewards: stale feed"),
        (PRICE, None, "rewards: stale feed"),
    ],
)
def test_sell__unusable_round__reverts(
    shop: Shop, answer: int, age: int | None, reason: str
) -> None:
    feed, now = settable_feed(shop), shop.chain.timestamp
    shop.earn(AMOUNT)
    updated_at = 0 if age is None else now - age
    feed.set_round((2, answer, updated_at, updated_at, 2))
    fails(shop, reason)


def test_sell__reverting_feed__reverts_clearly(shop: Shop) -> None:
    feed = settable_feed(shop)
    shop.earn(AMOUNT)
    feed.set_broken(True)
    fails(shop, "rewards: feed does not answer")
    feed.set_broken(False)
    shop.sell(AMOUNT)


def test_sell__feed_that_reverts_with_a_round__reverts_clearly(shop: Shop) -> None:
    feed = shop.chain.deploy(artifact("RoundInRevertFeed"))
    shop.set_terms(shop.reward, shop.terms(feed=feed.address))
    shop.earn(AMOUNT)
    fails(shop, "rewards: feed does not answer")


def test_sell__feed_that_eats_gas__is_stopped(shop: Shop) -> None:
    feed = shop.chain.deploy(artifact("GasEatingFeed"))
    shop.set_terms(shop.reward, shop.terms(feed=feed.address))
    shop.earn(AMOUNT)
    feed.set_appetite(10**9)
    fails(shop, "rewards: feed does not answer")


def test_sell__starved_of_gas__is_refused_before_the_feed_is_asked(shop: Shop) -> None:
    with reverts("feed: not enough gas"):
        shop.seller.least_out.call(shop.reward.address, AMOUNT, gas=180_000)
    assert shop.seller.least_out.call(shop.reward.address, AMOUNT, gas=300_000) > 0


@pytest.mark.parametrize("length", [0, 32, 159])
def test_sell__feed_of_too_few_bytes__reverts_clearly(shop: Shop, length: int) -> None:
    feed = shop.chain.deploy(artifact("RawAnswerFeed"))
    feed.set_answer(b"\x01" * length)
    shop.set_terms(shop.reward, shop.terms(feed=feed.address))
    shop.earn(AMOUNT)
    fails(shop, "rewards: feed does not answer")


def test_sell__price_that_the_pool_is_far_below__reverts_until_it_falls(shop: Shop) -> None:
    shop.earn(AMOUNT)
    shop.feed.answer(PRICE * 102 // 100)
    fails(shop, "rewards: too little out")
    shop.feed.answer(PRICE * 101 // 100)
    shop.sell(AMOUNT)


@pytest.mark.parametrize("amount", [1, 7, WAD - 1, WAD, 123_456_789 * WAD + 1])
def test_least_out__any_amount__is_exact_and_rounded_up(shop: Shop, amount: int) -> None:
    assert shop.seller.least_out(shop.reward.address, amount) == least_out(amount, shop.rate)


@pytest.mark.parametrize("feed_decimals", [0, 8, 18])
@pytest.mark.parametrize("token_decimals", [0, 6, 18])
def test_least_out__other_decimals__is_the_same_price(
    shop: Shop, token_decimals: int, feed_decimals: int
) -> None:
    token = shop.chain.deploy(artifact("SettableToken"), token_decimals, 0)
    feed = shop.chain.deploy(artifact("SettableFeed"), feed_decimals)
    now = shop.chain.timestamp
    # Three ETH for one whole token.
    feed.set_round((1, 3 * 10**feed_decimals, now, now, 1))
    shop.set_terms(token, shop.terms(feed=feed.address))
    expected = up(21 * WAD * (WAD - DISCOUNT), shop.rate)
    assert shop.seller.least_out(token.address, 7 * 10**token_decimals) == expected


def test_least_out__asset__is_the_amount(shop: Shop) -> None:
    assert shop.seller.least_out(shop.asset.address, 5) == 5


def test_least_out__lido_rewards__follows_the_rate(shop: Shop) -> None:
    before = shop.rate
    shop.world.accrue_rewards(1_000 * WAD)
    assert shop.rate > before
    assert shop.seller.least_out(shop.reward.address, WAD) == least_out(WAD, shop.rate)


def test_sell__dust__never_for_nothing(shop: Shop) -> None:
    shop.earn(AMOUNT)
    # The first leg gives nothing for it, which the second refuses.
    for amount in (1, 400):
        with pytest.raises(Revert):
            shop.sell(amount)
    assert shop.reward.balanceOf(shop.seller.address) == AMOUNT


def test_sell__amount_beyond_all_arithmetic__reverts(shop: Shop) -> None:
    shop.earn(2**255)
    with pytest.raises(Revert):
        shop.sell(2**255)
    assert shop.reward.balanceOf(shop.seller.address) == 2**255


def test_sell__more_than_the_pools_take__reverts(shop: Shop) -> None:
    shop.earn(10**6 * WAD)
    fails(shop, "swap: not enough liquidity", amount=10**6 * WAD)
    # In parts, with the pool's arbitrageurs in between, it goes.
    shop.sell(10_000 * WAD)


def test_sell__swap_that_claims_more_than_it_paid__reverts(shop: Shop) -> None:
    swap = shop.chain.deploy(artifact("SettableSwap"))
    shop.set_terms(shop.reward, shop.terms(swap=swap.address))
    shop.earn(AMOUNT)
    shop.earn(5 * WAD, shop.weth)
    fair = AMOUNT * PRICE // WAD
    shop.world.fund(shop.world.roles.trader, weth=fair)
    shop.weth.transfer(swap.address, fair, sender=shop.world.roles.trader)
    swap.set_terms(fair - 1, fair)
    # What is missing must not come out of the WETH that is held.
    fails(shop, "rewards: swap has not paid")
    swap.set_terms(fair, fair)
    shop.sell(AMOUNT)
    assert shop.weth.balanceOf(shop.seller.address) == 5 * WAD


def test_sell__in_two_parts__gains_unlock_together(shop: Shop) -> None:
    shop.earn(AMOUNT)
    first = shop.sell(AMOUNT // 2).events[-1].args["out"]
    second = shop.sell(AMOUNT // 2).events[-1].args["out"]
    assert first > second
    assert shop.vault.locked_profit() == first + second
