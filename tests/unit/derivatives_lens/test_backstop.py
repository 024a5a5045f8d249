"""What the lens says of the backstop pool, beside its books and the two marks reckoned anew."""

from typing import Any

from relever.artifacts import artifact
from relever.chain import Contract
from tests.unit.backstop.conftest import (
    BACKED,
    DAY,
    DISCOUNT,
    SEED,
    VIRTUAL,
    WAD,
    Backstop,
)

LOT = 100 * WAD


def deploy(place: Backstop) -> Contract:
    return place.chain.deploy(artifact("DerivativesLens"), place.vault.address)


def assert_seen(place: Backstop) -> Any:
    """Books as the pool has them, and lots as one who knows costs and rates values them."""
    pool, state = place.pool, deploy(place).backstop(place.pool.address)
    claims = [(one.id, one.cost, one.waiting, one.claimable) for one in state.claims]
    assert claims == [
        (
            claim,
            pool.claim_cost(claim),
            place.queue.request(claim).shares,
            place.queue.request(claim).claimable_assets,
        )
        for claim in pool.open_claims()
    ]
    assert (
        state.cash,
        state.unqueued,
        state.unqueued_cost,
        tuple((claim, cost) for claim, cost, *_ in claims),
        (state.lst, state.lst_cost, state.lst_since),
        (state.head, state.next_id, state.waiting_shares, state.waiting_worth),
        state.locked_profit,
        state.supply,
        *place.state()[-3:],
    ) == place.state()
    assert state.assets == pool.totalAssets()
    assert state.liquid == max(0, state.cash - state.waiting_worth)
    assert (state.discount, state.paused_until) == (pool.discount(), pool.paused_until())
    return state


def assert_leaver(state: Any, low: int) -> None:
    price = WAD * (low + VIRTUAL) // (state.supply + VIRTUAL)
    said = state.leaver_usable, state.leaver_assets, state.leaver_price
    assert said == (True, low, price)


def assert_joiner(state: Any, high: int, shares: int) -> None:
    price = -(-WAD * (high + VIRTUAL) // (shares + VIRTUAL))
    said = (
        *(state.joiner_usable, state.joiner_assets),
        *(state.joiner_shares, state.joiner_price),
    )
    assert said == (True, high, shares, price)


def test_backstop__only_cash__both_marks_are_that(backed: Backstop) -> None:
    state = assert_seen(backed)
    assert_leaver(state, BACKED + SEED)
    assert_joiner(state, BACKED + SEED, BACKED + SEED)
    assert (state.discount, state.claims, state.waiting_shares) == (DISCOUNT, [], 0)


def test_backstop__lrt_claim_and_line__are_all_in_it(backed: Backstop) -> None:
    first = backed.bought(LOT)
    backed.sell(LOT)
    who = backed.actors.depositor
    backed.ask(BACKED // 2, who)
    state = assert_seen(backed)
    assert [one.id for one in state.claims] == [first]
    assert (state.unqueued, state.claims[0].waiting) == (LOT, LOT)
    assert (state.head, state.next_id, state.waiting_shares) == (1, 2, BACKED // 2)
    costs = [state.claims[0].cost, state.unqueued_cost]
    worth, least = backed.worth(LOT), backed.worth(LOT) * 995 // 1000
    assert all(cost < least for cost in costs)
    low = state.cash + sum(costs)
    assert_leaver(state, low)
    supply = BACKED + SEED
    owed = min(
        BACKED // 2 * (low + VIRTUAL) // (supply + VIRTUAL),
        BACKED // 2 * backed.pool.least_rate() // WAD,
    )
    assert_joiner(state, state.cash + 2 * worth - owed, supply - BACKED // 2)


def test_backstop__slashed__claims_are_worth_the_least_they_bring(backed: Backstop) -> None:
    backed.bought(LOT)
    backed.slash(WAD // 5)
    state = assert_seen(backed)
    worth = backed.worth(LOT)
    least = worth * 995 // 1000
    assert least < state.claims[0].cost
    assert_leaver(state, state.cash + least)
    assert_joiner(state, state.cash + worth, BACKED + SEED)


def test_backstop__paid_and_sold__shows_what_is_locked(backed: Backstop) -> None:
    claim = backed.bought(LOT)
    cost = backed.pool.claim_cost(claim)
    backed.setup.deposit(20 * LOT)
    backed.pay_line()
    paid = assert_seen(backed).claims[0].claimable
    assert paid == backed.queue.request(claim).claimable_assets > 0
    backed.pool.harvest([claim])
    backed.chain.advance(DAY)
    state = assert_seen(backed)
    assert 0 < state.locked_profit < backed.in_weth(paid) - cost
    assert_leaver(state, state.cash - state.locked_profit)
    assert_joiner(state, state.cash, BACKED + SEED)


def test_backstop__not_sold__shows_the_wsteth(backed: Backstop) -> None:
    claim = backed.bought(LOT)
    backed.setup.deposit(20 * LOT)
    backed.pay_line()
    backed.pay_well(depth=0)
    backed.pool.harvest([claim])
    state = assert_seen(backed)
    assert state.claims == []
    assert state.lst > 0 < state.lst_cost
    assert_leaver(state, state.cash + state.lst_cost)
    assert_joiner(state, state.cash + backed.in_weth(state.lst), BACKED + SEED)


def test_backstop__vault_cannot_be_read__says_so_and_all_else(backed: Backstop) -> None:
    backed.bought(LOT)
    backed.setup.adapter.set_broken(True)
    state = assert_seen(backed)
    said = state.leaver_usable, state.leaver_assets, state.leaver_price
    assert said == (False, 0, 0)
    said = (
        *(state.joiner_usable, state.joiner_assets),
        *(state.joiner_shares, state.joiner_price),
    )
    assert said == (False, 0, 0, 0)


def test_backstop__winding_down__nobody_joins(backed: Backstop) -> None:
    backed.vault.quarantine(backed.setup.second_adapter.address, sender=backed.actors.owner)
    state = assert_seen(backed)
    assert_leaver(state, BACKED + SEED)
    assert (state.joiner_usable, state.joiner_assets, state.joiner_price) == (False, 0, 0)
