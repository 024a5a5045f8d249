from typing import Any

import pytest

from relever.chain import Contract, Receipt, Revert
from relever.protocol import UNLIMITED, WAD, Deployment
from tests.lrt_paths import NOBODY, add_far_liquidity, push_lrt_price
from tests.scene import (
    BEST,
    ETHER,
    REDEEM,
    SWAP,
    holdings,
    lend,
    mint_lrt,
    open_leveraged,
    reason_of,
    reverts,
    slash_and_sync,
    stake_everything,
)

# More than the LRT's pool can take, and than lies idle.
TOO_LARGE = 60 * ETHER


@pytest.fixture
def several(scene: Deployment) -> Deployment:
    """Three who can be liquidated, beside the borrower, who is healthy."""
    roles = scene.roles
    for owner, equity in ((roles.looper, 3), (roles.trader, 2), (roles.stranger, 1)):
        open_leveraged(scene, equity * ETHER, 10 * equity * ETHER, owner)
    slash_and_sync(scene, WAD // 10)
    return scene


def unhealthy(scene: Deployment) -> list[str]:
    roles = scene.roles
    return [roles.looper, roles.trader, roles.stranger]


def liquidate_many(
    scene: Deployment,
    owners: list[str],
    route: int = SWAP,
    min_profit: int = 0,
    gas: int | None = None,
) -> Receipt:
    market, keeper = scene.protocol.market.address, scene.roles.keeper
    receipt: Receipt = scene.protocol.liquidator.liquidate_many(
        market, owners, route, min_profit, sender=keeper, gas=gas
    )
    return receipt


def done(receipt: Receipt) -> list[dict[str, Any]]:
    """What the liquidator says that it did."""
    return [dict(event.args) for event in receipt.events if event.name == "LiquidatedFor"]


def one_by_one(scene: Deployment, owners: list[str], route: int) -> list[dict[str, Any]]:
    """The same by as many calls of `liquidate`, in the same order and all in one block."""
    market, liquidate = scene.protocol.market.address, scene.protocol.liquidator.liquidate
    keeper = scene.roles.keeper
    calls = [liquidate.build(market, who, UNLIMITED, route, 0, sender=keeper) for who in owners]
    with scene.chain.isolated():
        return [event for receipt in scene.chain.send_batch(calls) for event in done(receipt)]


def is_liquidatable(scene: Deployment, owner: str) -> bool:
    answer: bool = scene.protocol.lens.position(scene.protocol.market.address, owner).liquidatable
    return answer


@pytest.mark.parametrize("route", [SWAP, REDEEM, BEST])
def test_liquidate_many__three__are_what_three_calls_would_be(
    several: Deployment, route: int
) -> None:
    roles, owners = several.roles, unhealthy(several)
    before = holdings(several, roles.keeper)
    expected = one_by_one(several, owners, route)

    receipt = liquidate_many(several, owners, route)

    events = done(receipt)
    assert events == expected
    assert [event["owner"] for event in events] == owners
    assert all(event["profit"] > 0 for event in events)
    profit = sum(event["profit"] for event in events)
    assert holdings(several, roles.keeper) == {**before, "weth": before["weth"] + profit}
    assert not any(is_liquidatable(several, owner) for owner in owners)
    paid = receipt.events[-1]
    assert paid.name == "Transfer"
    assert paid.args["dst"] == roles.keeper
    assert paid.args["wad"] == profit


def test_liquidate_many__profit_bound__is_over_all_and_holds_to_the_unit(
    several: Deployment,
) -> None:
    owners = unhealthy(several)
    market, keeper = several.protocol.market.address, several.roles.keeper
    profit = several.protocol.liquidator.liquidate_many.call(market, owners, SWAP, 0, sender=keeper)
    with several.chain.isolated(), reverts("liquidator: profit too small"):
        liquidate_many(several, owners, min_profit=profit + 1)
    receipt = liquidate_many(several, owners, min_profit=profit)
    assert sum(event["profit"] for event in done(receipt)) == profit


def test_liquidate_many__nobody__does_nothing(several: Deployment) -> None:
    assert liquidate_many(several, []).events == []
    with reverts("liquidator: profit too small"):
        liquidate_many(several, [], min_profit=1)


def test_liquidate_many__healthy_and_strange_ones__are_passed_over(several: Deployment) -> None:
    protocol, roles = several.protocol, several.roles
    strange = [roles.borrower, NOBODY, protocol.market.address, protocol.liquidator.address]
    strange += [protocol.vault.address, several.world.core.weth.address, roles.lender]
    owners = unhealthy(several)
    before, _ = protocol.market.position(roles.borrower)
    mixed = [*strange[:3], owners[0], *strange[3:], owners[1], owners[2], *strange]
    receipt = liquidate_many(several, mixed)
    assert [event["owner"] for event in done(receipt)] == owners
    assert protocol.market.position(roles.borrower)[0] == before


def test_liquidate_many__only_healthy__moves_nothing(several: Deployment) -> None:
    receipt = liquidate_many(several, [several.roles.borrower, several.roles.lender])
    assert receipt.events == []


def test_liquidate_many__twice_the_same__is_done_once(several: Deployment) -> None:
    looper = several.roles.looper
    assert len(done(liquidate_many(several, [looper] * 3))) == 1


def test_liquidate_many__sixty_four__are_the_most(several: Deployment) -> None:
    lender = several.roles.lender
    assert len(done(liquidate_many(several, [*[lender] * 63, several.roles.looper]))) == 1
    with pytest.raises(Revert):
        liquidate_many(several, [lender] * 65)


def test_liquidate_many__one_that_cannot_be_sold__takes_no_other_down(scene: Deployment) -> None:
    roles = scene.roles
    lend(scene, 2_000 * ETHER)
    open_leveraged(scene, TOO_LARGE, 10 * TOO_LARGE, roles.trader)
    open_leveraged(scene, 3 * ETHER, 30 * ETHER)
    stake_everything(scene)
    slash_and_sync(scene, WAD // 10)
    for route in (SWAP, REDEEM, BEST):
        with pytest.raises(Revert):
            scene.protocol.liquidator.liquidate(
                scene.protocol.market.address,
                roles.trader,
                UNLIMITED,
                route,
                0,
                sender=roles.keeper,
            )
    before = scene.protocol.market.position(roles.trader)[0]
    for route in (SWAP, BEST):
        with scene.chain.isolated():
            receipt = liquidate_many(scene, [roles.trader, roles.looper, roles.trader], route)
            assert [event["owner"] for event in done(receipt)] == [roles.looper]
            assert scene.protocol.market.position(roles.trader)[0] == before


def test_liquidate_many__sale_below_the_repayment__is_passed_over(several: Deployment) -> None:
    add_far_liquidity(several)
    push_lrt_price(several, 9 * WAD // 10)
    assert liquidate_many(several, unhealthy(several), SWAP).events == []
    assert len(done(liquidate_many(several, unhealthy(several), BEST))) == 3


def test_liquidate_many__deep_loss__writes_off_the_rest(scene: Deployment) -> None:
    roles = scene.roles
    open_leveraged(scene, 3 * ETHER, 30 * ETHER)
    open_leveraged(scene, 2 * ETHER, 20 * ETHER, roles.trader)
    slash_and_sync(scene, WAD // 3)
    receipt = liquidate_many(scene, [roles.looper, roles.trader], REDEEM)
    assert [event["owner"] for event in done(receipt)] == [roles.looper, roles.trader]
    for owner in (roles.looper, roles.trader):
        assert scene.protocol.market.position(owner) == (0, 0)


def test_liquidate_many__market_delisted__goes_on(several: Deployment) -> None:
    protocol, roles = several.protocol, several.roles
    protocol.factory.delist_market(protocol.market.address, sender=roles.guardian)
    assert len(done(liquidate_many(several, unhealthy(several)))) == 3


def test_liquidate_many__market_never_listed__reverts(several: Deployment) -> None:
    protocol, roles = several.protocol, several.roles
    terms = tuple(protocol.market.terms())
    made = protocol.factory.create_market(terms, "Other", "O", sender=roles.stranger)
    for market in (made.events[-1].args["market"], roles.stranger, NOBODY):
        with reverts("liquidator: never listed"):
            protocol.liquidator.liquidate_many(market, [roles.looper], SWAP, 0, sender=roles.keeper)


def test_liquidate_many__no_such_route__passes_all_over(several: Deployment) -> None:
    assert liquidate_many(several, unhealthy(several), SWAP | REDEEM).events == []


@pytest.mark.parametrize("route", [SWAP, BEST])
def test_liquidate_many__whatever_gas_it_gets__passes_nobody_over(
    several: Deployment, route: int
) -> None:
    """Whoever estimates gas by the least that goes through must not get a call that does less."""
    owners = unhealthy(several)
    outcomes = []
    for gas in (*range(150_000, 1_500_000, 25_000), *range(1_500_000, 4_000_000, 100_000)):
        with several.chain.isolated():
            try:
                outcomes.append(len(done(liquidate_many(several, owners, route, gas=gas))))
            except Revert:
                outcomes.append(None)
    assert set(outcomes) == {None, 3}
    assert outcomes == sorted(outcomes, key=lambda made: made or 0)


def test_liquidate_many__too_little_gas_to_tell__says_so(several: Deployment) -> None:
    healthy = [several.roles.borrower]
    with reverts("liquidator: too little gas"):
        liquidate_many(several, healthy, gas=300_000)
    assert liquidate_many(several, healthy, gas=1_000_000).events == []


def test_liquidate_many__in_the_middle_of_a_call__is_locked(
    scene: Deployment, hostile: tuple[Contract, Contract]
) -> None:
    liquidator, market = hostile
    arguments = (market.address, [scene.roles.looper, scene.roles.trader], SWAP, 0)
    for function, given, reason in (
        ("liquidate_many", arguments, ""),
        ("liquidate", (market.address, scene.roles.looper, UNLIMITED, SWAP, 0), ""),
        ("try_sale", (0, SWAP, scene.roles.looper), "path: trials are its own"),
    ):
        market.set_call(liquidator.address, getattr(liquidator, function).encode(*given))
        receipt = liquidator.liquidate_many(*arguments, sender=scene.roles.keeper)
        assert market.called() is True
        assert (market.succeeded(), reason_of(market.answer())) == (False, reason)
        # The market says that it did nothing, and it goes on to the next.
        assert [event["profit"] for event in done(receipt)] == [0, 0]


def test_on_liquidate__after_many_in_the_same_transaction__reverts(
    scene: Deployment, hostile: tuple[Contract, Contract]
) -> None:
    liquidator, market = hostile
    # Something to sell, so that the callback itself would go through.
    mint_lrt(scene, liquidator.address, ETHER)
    callback = liquidator.on_liquidate.encode(
        NOBODY, 0, ETHER, SWAP.to_bytes(32, "big") + bytes(32)
    )
    arguments = (market.address, [scene.roles.looper], SWAP, 0)
    market.run(liquidator.address, liquidator.liquidate_many.encode(*arguments), callback)
    assert market.succeeded() is False
    assert reason_of(market.answer()) == "liquidator: not active market"
