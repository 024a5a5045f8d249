"""What can be liquidated at a profit is, once, and for no less than its gas."""

from __future__ import annotations

from eth_account.signers.local import LocalAccount

from relever.artifacts import artifact
from relever.keeper import Policy
from relever.protocol import WAD, Deployment
from tests.keepers import GWEI, Make, Told, liquidations
from tests.scene import ETHER, borrow_against, worth


def test_look__breached_position__liquidates_once_at_a_profit(
    breached: Deployment, make: Make, told: Told, account: LocalAccount
) -> None:
    keeper = make()
    for _ in range(3):
        assert keeper.look()
        breached.chain.mine()
    (done,) = liquidations(breached)
    assert done["owner"] == breached.roles.borrower
    assert done["liquidator"] == breached.protocol.liquidator.address
    assert not done["deleverage"]
    (mined,) = told.events("mined")
    assert int(mined["profit_wei"]) > int(mined["gas_wei"])
    assert breached.world.core.weth.balanceOf(account.address) == int(mined["profit_wei"])


def test_look__same_head_again__does_nothing(breached: Deployment, make: Make, told: Told) -> None:
    keeper = make()
    assert keeper.look()
    assert not keeper.look()
    assert len(told.events("sent")) == 1


def test_look__two_ways_out__takes_the_better(breached: Deployment, make: Make, told: Told) -> None:
    liquidator, market = breached.protocol.liquidator, breached.protocol.market.address
    profits = {
        name: liquidator.liquidate.call(
            market, breached.roles.borrower, 2**256 - 1, route, 0, sender=breached.roles.stranger
        )
        for name, route in (("swap", 1), ("redeem", 2))
    }
    make().look()
    (sent,) = told.events("sent")
    assert sent["way"] == max(profits, key=lambda name: profits[name])
    assert int(sent["expected_wei"]) == max(profits.values())


def test_look__bound_on_chain__covers_gas_and_profit_asked(
    breached: Deployment, make: Make, told: Told
) -> None:
    policy = Policy(tip_wei_per_gas=20 * GWEI)
    make(policy=policy).look()
    (sent,) = told.events("sent")
    gas_used = sent["gas"] * 100 // 150
    assert int(sent["least_wei"]) >= gas_used * sent["fee_wei"] + policy.least_net_profit_wei
    assert int(sent["least_wei"]) <= int(sent["expected_wei"])


def test_look__gas_above_the_profit__sends_nothing(
    breached: Deployment, make: Make, told: Told
) -> None:
    policy = Policy(tip_wei_per_gas=10_000 * GWEI, most_fee_wei_per_gas=20_000 * GWEI)
    make(policy=policy).look()
    assert not told.events("sent")


def test_look__gas_above_the_most__sends_nothing(
    breached: Deployment, make: Make, told: Told
) -> None:
    make(policy=Policy(tip_wei_per_gas=2 * GWEI, most_fee_wei_per_gas=GWEI)).look()
    assert not told.events("sent")
    assert {line["why"] for line in told.events("skipped")} == {"gas too dear"}


def test_look__dust_positions__are_not_even_simulated(
    scene: Deployment, make: Make, told: Told
) -> None:
    # A griefer opens many loans of the least size, which no gas price on this network pays for.
    for owner in scene.chain.accounts[:5]:
        borrow_against(scene, ETHER // 5, worth(scene, 18 * ETHER // 100), owner=owner)
    scene.world.slash(5 * WAD // 100)
    scene.protocol.vault.sync(sender=scene.roles.stranger)
    scene.answer_fundamental()
    make(policy=Policy(tip_wei_per_gas=500 * GWEI, most_fee_wei_per_gas=1_000 * GWEI)).look()
    named = {line["target"].split(":")[1] for line in told.events("sent", "skipped")}
    assert named == {scene.roles.borrower}


def test_look__dry_run__says_what_it_would_send(
    breached: Deployment, make: Make, told: Told
) -> None:
    keeper = make(signer=None, dry_run=True)
    keeper.look()
    breached.chain.mine()
    keeper.look()
    assert liquidations(breached) == []
    assert {line["kind"] for line in told.events("would send")} == {"liquidate"}


def test_look__only_the_market_price_breaches__deleverages(
    scene: Deployment, make: Make, told: Told
) -> None:
    keeper = make(policy=Policy(poke_every_seconds=600))
    for _ in range(16):
        scene.chain.advance(1_800)
        scene.answer_fundamental(discount=4 * WAD // 100)
        keeper.look()
        scene.chain.mine()
    (done,) = liquidations(scene)
    assert done["deleverage"]
    assert done["owner"] == scene.roles.borrower
    mined = told.events("mined")
    assert not any(line["failed"] for line in mined)
    assert {"poke", "liquidate"} <= {line["kind"] for line in mined}


def test_look__unlisted_market_with_any_oracle__is_not_watched(
    breached: Deployment, make: Make, told: Told
) -> None:
    factory, terms = breached.protocol.factory, breached.protocol.market.terms()
    made = factory.create_market(tuple(terms), "Fake", "F", sender=breached.roles.stranger)
    make().look()
    watched = [line["market"] for line in told.events("watching market")]
    assert watched == [breached.protocol.market.address]
    assert made.events[-1].args["market"] not in watched


def test_look__market_listed_later__its_old_positions_are_known(
    scene: Deployment, make: Make, told: Told
) -> None:
    factory, terms = scene.protocol.factory, scene.protocol.market.terms()
    made = factory.create_market(tuple(terms), "Second", "S", sender=scene.roles.stranger)
    second = scene.chain.contract(made.events[-1].args["market"], artifact("LendingMarket"))
    second.set_caps((10**22, 10**22, 0), sender=scene.roles.owner)
    owner, vault, weth = scene.roles.depositor, scene.protocol.vault, scene.world.core.weth
    scene.world.fund(owner, weth=100 * ETHER)
    weth.approve(second.address, 100 * ETHER, sender=owner)
    second.deposit(100 * ETHER, owner, sender=owner)
    vault.approve(second.address, 10 * ETHER, sender=owner)
    second.adjust(owner, 10 * ETHER, 5 * ETHER, owner, sender=owner)
    keeper = make()
    keeper.look()
    known = len(keeper.book)
    factory.list_market(second.address, sender=scene.roles.owner)
    keeper.look()
    assert len(keeper.book) == known + 1
