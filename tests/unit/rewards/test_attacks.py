"""What a seller of rewards that anyone may call has to withstand. The trader is the attacker."""

import pytest

from relever.artifacts import artifact
from relever.baselayer import Pool
from relever.chain import Contract, Receipt, Revert
from tests.scene import reverts
from tests.unit.rewards.conftest import (
    DISCOUNT,
    NOBODY,
    PRICE,
    WAD,
    WETH_DISCOUNT,
    Shop,
    least_out,
)

AMOUNT = 60_000 * WAD
NO_DEADLINE = 2**256 - 1


def push(
    shop: Shop, pool: Pool, sold: Contract, amount: int, bought: Contract, exact_out: bool = False
) -> Receipt:
    """The attacker trades in a pool by Uniswap's router: sells `amount`, or buys exactly that."""
    router, attacker = shop.world.core.swap_router, shop.world.roles.trader
    sold.approve(router.address, 2**256 - 1, sender=attacker)
    limit = 2**255 if exact_out else 0
    terms = (
        *(sold.address, bought.address, pool.fee_millionths, attacker, NO_DEADLINE),
        *(amount, limit, 0),
    )
    trade = router.exactOutputSingle if exact_out else router.exactInputSingle
    return trade(terms, sender=attacker)


def sandwich(shop: Shop, pool: Pool, sold: Contract, bought: Contract, pushed: int) -> int:
    """Sell before the seller does, buy back after; what that gains of `bought`. Reverts with it."""
    attacker = shop.world.roles.trader
    before = bought.balanceOf(attacker)
    push(shop, pool, sold, pushed, bought)
    shop.sell(AMOUNT, who=attacker)
    push(shop, pool, bought, pushed, sold, exact_out=True)
    return int(bought.balanceOf(attacker) - before)


def best_sandwich(shop: Shop, pool: Pool, sold: Contract, bought: Contract, most: int) -> int:
    """The most that `sandwich` gains, pushing as far as the seller just still sells."""
    low, high = 0, most
    gain = 0
    while high - low > most // 2**10:
        middle = (low + high) // 2
        with shop.chain.isolated():
            try:
                gain = max(gain, sandwich(shop, pool, sold, bought, middle))
                low = middle
            except Revert as refusal:
                if refusal.reason != "rewards: too little out":
                    raise
                high = middle
    assert 0 < low < high < most
    return gain


@pytest.fixture
def prey(shop: Shop) -> Shop:
    """Rewards wait, and the attacker has all it could want."""
    attacker = shop.world.roles.trader
    shop.earn(AMOUNT)
    shop.world.fund(attacker, weth=10_000 * WAD, wsteth=1_000 * WAD)
    shop.reward.mint(attacker, 10**6 * WAD)
    return shop


def test_sandwich__of_the_reward_pool__gains_at_most_the_discount(prey: Shop) -> None:
    worth = AMOUNT * PRICE // WAD
    gain = best_sandwich(prey, prey.reward_pool, prey.reward, prey.weth, 100_000 * WAD)
    # In WETH, and there is something to gain, so that the bound is what stops it.
    assert worth * DISCOUNT // WAD // 10 < gain <= worth * DISCOUNT // WAD


def test_sandwich__of_the_exit_pool__gains_at_most_the_discount(prey: Shop) -> None:
    worth = AMOUNT * PRICE // prey.rate
    gain = best_sandwich(prey, prey.lst_pool, prey.weth, prey.asset, 5_000 * WAD)
    # In wstETH.
    assert gain <= worth * DISCOUNT // WAD


def test_sandwich__in_one_block__a_deep_push_stops_the_sale(prey: Shop) -> None:
    shop, attacker, router = prey, prey.world.roles.trader, prey.world.core.swap_router
    pushed = 100_000 * WAD
    shop.reward.approve(router.address, pushed, sender=attacker)
    before = shop.holdings(shop.reward)
    terms = (
        *(shop.reward.address, shop.weth.address, shop.reward_pool.fee_millionths),
        *(attacker, NO_DEADLINE, pushed, 0, 0),
    )
    receipts = shop.chain.send_batch(
        [
            router.exactInputSingle.build(terms, sender=attacker, gas=1_000_000),
            shop.seller.sell.build(shop.reward.address, AMOUNT, 0, sender=attacker, gas=2_000_000),
        ],
        check=False,
    )
    assert receipts[0].block_number == receipts[1].block_number
    assert [receipt.status for receipt in receipts] == [True, False]
    assert shop.holdings(shop.reward) == before


def test_sandwich__pool_pushed_the_other_way__the_holders_gain(prey: Shop) -> None:
    with prey.chain.isolated():
        fair = prey.sell(AMOUNT).events[-1].args["out"]
    push(prey, prey.reward_pool, prey.weth, 50 * WAD, prey.reward)
    assert prey.sell(AMOUNT).events[-1].args["out"] > fair


def test_split__in_any_parts__is_bound_no_less(shop: Shop) -> None:
    whole = shop.seller.least_out(shop.reward.address, AMOUNT + 6)
    for parts in (2, 3, 7):
        share = (AMOUNT + 6) // parts
        amounts = [share] * (parts - 1) + [AMOUNT + 6 - share * (parts - 1)]
        bounds = [shop.seller.least_out(shop.reward.address, amount) for amount in amounts]
        assert whole <= sum(bounds) <= whole + 2 * parts


def test_split__sandwiched_again_and_again__loses_at_most_the_discount(prey: Shop) -> None:
    out = 0
    parts = 5
    for _ in range(parts):
        push(prey, prey.reward_pool, prey.reward, 1_000 * WAD, prey.weth)
        out += prey.sell(AMOUNT // parts).events[-1].args["out"]
    assert out >= least_out(AMOUNT, prey.rate)


def test_donation__of_a_reward_token__is_sold_for_the_holders(prey: Shop) -> None:
    shop, attacker = prey, prey.world.roles.trader
    shop.reward.transfer(shop.seller.address, 5 * WAD, sender=attacker)
    rate = shop.vault.rate()
    shop.sell(AMOUNT + 5 * WAD)
    assert shop.vault.rate() == rate
    assert shop.vault.locked_profit() > 0


@pytest.mark.parametrize("leg", ["first", "exit"])
def test_donation__in_the_middle_of_a_sale__does_not_pass_for_proceeds(
    prey: Shop, leg: str
) -> None:
    """Who can run code while a swap runs may have a claim of the asset paid to the seller then: it
    must not make up for what the swap does not pay.
    """
    shop, attacker, gift = prey, prey.world.roles.trader, 200 * WAD
    swap = shop.chain.deploy(artifact("SettableSwap"))
    shop.asset.transfer(swap.address, 2 * gift, sender=attacker)
    shop.weth.transfer(swap.address, 200 * WAD, sender=attacker)
    swap.set_hook(shop.asset.address, shop.asset.transfer.encode(shop.seller.address, gift))
    if leg == "first":
        token, seller = shop.reward, shop.seller
        shop.set_terms(token, shop.terms(swap=swap.address))
        fair = AMOUNT * PRICE // WAD
    else:
        token = shop.weth
        seller = deploy_seller(shop, swap.address)
        swap.set_hook(shop.asset.address, shop.asset.transfer.encode(seller.address, gift))
        seller.set_terms(token.address, (NOBODY, 0, WETH_DISCOUNT, NOBODY), sender=shop.owner)
        token.transfer(seller.address, AMOUNT * PRICE // WAD, sender=attacker)
        fair = AMOUNT * PRICE // shop.rate
    amount = token.balanceOf(seller.address)
    swap.set_terms(fair * 9 // 10, fair * 9 // 10)
    with reverts("rewards: too little out"):
        seller.sell(token.address, amount, 0, sender=attacker)
    swap.set_terms(fair, fair)
    seller.sell(token.address, amount, 0, sender=attacker)
    # It waits for a sale of its own.
    assert swap.hook_success()
    assert shop.asset.balanceOf(seller.address) == gift


def deploy_seller(shop: Shop, exit_swap: str) -> Contract:
    guardian = shop.world.roles.guardian
    return shop.chain.deploy(
        artifact("RewardsSeller"),
        *(shop.vault.address, shop.weth.address, exit_swap, guardian),
        sender=shop.owner,
    )


@pytest.fixture
def unruly(prey: Shop) -> Contract:
    """A reward token that runs code whenever it moves, at a swap that pays its price."""
    shop, attacker = prey, prey.world.roles.trader
    token = shop.chain.deploy(artifact("UnrulyToken"))
    swap = shop.chain.deploy(artifact("SettableSwap"))
    fair = AMOUNT * PRICE // WAD
    shop.weth.transfer(swap.address, fair, sender=attacker)
    swap.set_terms(fair, fair)
    shop.set_terms(token, shop.terms(swap=swap.address))
    token.mint(shop.seller.address, AMOUNT)
    return token


def test_reentry__every_function__is_locked_while_selling(prey: Shop, unruly: Contract) -> None:
    shop, seller = prey, prey.seller
    calls = [
        seller.sell.encode(shop.reward.address, AMOUNT, 0),
        seller.sell.encode(unruly.address, 1, 0),
        seller.least_out.encode(shop.reward.address, AMOUNT),
        seller.remove_token.encode(shop.reward.address),
        seller.set_terms.encode(shop.reward.address, shop.terms()),
        seller.set_guardian.encode(shop.owner),
        seller.terms.encode(shop.reward.address),
        seller.guardian.encode(),
    ]
    # The token itself is owner and guardian, so that nothing but the lock stands in its way.
    seller.set_guardian(unruly.address, sender=shop.owner)
    seller.transfer_ownership(unruly.address, sender=shop.owner)
    seller.accept_ownership(sender=shop.chain.impersonate(unruly.address))
    for call in calls:
        with shop.chain.isolated():
            unruly.set_hook(seller.address, call)
            shop.sell(AMOUNT, unruly)
            assert unruly.hook_calls() == 1
            assert unruly.hook_success() is False
    # The same calls go through at rest, all but those that sell what is not there.
    for call in calls[2:]:
        with shop.chain.isolated():
            unruly.set_hook(seller.address, call)
            unruly.transfer(NOBODY, 0)
            assert unruly.hook_success()


def test_fee_on_transfer__pool_gets_less_than_it_was_told__reverts_and_nothing_is_lost(
    shop: Shop,
) -> None:
    token = shop.chain.deploy(artifact("SettableToken"), 18, 10**15)
    pool = shop.chain.deploy(artifact("CheatingPool"), *sorted_pair(token, shop.weth))
    swap = shop.chain.deploy(artifact("UniswapV3Swap"), [pool.address])
    shop.set_terms(token, shop.terms(swap=swap.address))
    shop.earn(AMOUNT, token)
    before = shop.holdings(token)
    sign = 1 if int(token.address, 16) < int(shop.weth.address, 16) else -1
    pool.set_terms(sign * AMOUNT, sign * AMOUNT, sign * AMOUNT * PRICE // WAD)
    with reverts("token: balance"):
        shop.sell(AMOUNT, token)
    assert shop.holdings(token) == before


def sorted_pair(*tokens: Contract) -> list[str]:
    return [t.address for t in sorted(tokens, key=lambda t: int(t.address, 16))]


def test_cheap_weth__exit_pool_pushed__sale_of_weth_is_bound_too(prey: Shop) -> None:
    shop, attacker = prey, prey.world.roles.trader
    shop.earn(10 * WAD, shop.weth)
    # WETH below its price by more than 1 %.
    push(shop, shop.lst_pool, shop.weth, 1_500 * WAD, shop.asset)
    with reverts("rewards: too little out"):
        shop.sell(10 * WAD, shop.weth, who=attacker)
