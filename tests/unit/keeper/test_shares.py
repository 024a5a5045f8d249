"""The keeper brings leveraged tokens back to their target, and serves the backstop pool."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from eth_account.signers.local import LocalAccount

from relever.keeper import DeploymentError, Keeper, Log, Options, Policy, Suite
from relever.keeper.node import Head
from relever.leveraged import Leveraged, deploy_leveraged
from relever.protocol import UNLIMITED, WAD, Deployment
from tests.keepers import GWEI, TRUST, Told
from tests.scene import (
    DAY,
    ETHER,
    back,
    borrow_against,
    empty_pool,
    slash_and_sync,
    worth,
)
from tests.unit.keeper.test_upkeep import kinds

HOUR = 3_600


@pytest.fixture
def leveraged(scene: Deployment) -> Leveraged:
    """Both tokens, with a holder in the 8x one."""
    found = deploy_leveraged(scene)
    vault, owner = scene.protocol.vault, scene.roles.depositor
    token = found.tokens["rLRT8"]
    vault.approve(token.address, UNLIMITED, sender=owner)
    token.mint(10 * ETHER, UNLIMITED, 0, owner, sender=owner)
    return found


@pytest.fixture
def keeper(
    scene: Deployment, leveraged: Leveraged, account: LocalAccount, told: Told, tmp_path: Path
) -> Iterator[Keeper]:
    yield from _keeper(scene, leveraged, account, told.log, tmp_path)


def _keeper(
    scene: Deployment,
    leveraged: Leveraged,
    account: LocalAccount | None,
    log: Log,
    folder: Path,
    policy: Policy | None = None,
    without: tuple[str, ...] = (),
) -> Iterator[Keeper]:
    addresses = {**scene.protocol.addresses(), **leveraged.addresses()}
    addresses = {name: one for name, one in addresses.items() if name not in without}
    options = Options(
        url=scene.chain._rpc.url,
        folder=folder,
        account=account,
        dry_run=account is None,
        policy=policy or Policy(),
        trust=TRUST,
    )
    found = Keeper(Suite(addresses), options, log)
    yield found
    found.close()


def look(scene: Deployment, keeper: Keeper, times: int = 1) -> None:
    for _ in range(times):
        keeper.look()
        scene.chain.mine()


def lose(scene: Deployment, wad: int) -> None:
    """Lido's validators lose so much: no position is worth as much as before."""
    pooled = scene.world.core.steth.getTotalPooledEther()
    scene.world.slash_validators(pooled * wad // WAD)
    scene.answer_fundamental()


def taken(scene: Deployment, leveraged: Leveraged) -> list[dict[str, int]]:
    logs = scene.chain.rpc(
        "eth_getLogs",
        [{"fromBlock": "0x0", "toBlock": "latest", "address": leveraged.rebalancer.address}],
    )
    return [scene.chain.decode_log(log).args for log in logs]


def test_look__token_out_of_its_band__starts_its_auction_and_takes_it_when_that_pays(
    scene: Deployment, leveraged: Leveraged, keeper: Keeper, told: Told, account: LocalAccount
) -> None:
    token, weth = leveraged.tokens["rLRT8"], scene.world.core.weth
    lose(scene, 2 * WAD // 100)
    assert token.leverage() > token.band()[2]
    look(scene, keeper, 2)
    assert kinds(told)[:1] == ["start auction"]
    for _ in range(12):
        scene.chain.advance(600)
        scene.answer_fundamental()
        look(scene, keeper)
    done = taken(scene, leveraged)
    assert done
    assert all(one["lowers"] and one["profit"] >= 10**15 for one in done)
    assert token.leverage() <= token.band()[2]
    assert weth.balanceOf(account.address) == sum(one["profit"] for one in done)


def test_look__token_in_danger__is_taken_at_once(
    scene: Deployment, leveraged: Leveraged, keeper: Keeper, told: Told
) -> None:
    token = leveraged.tokens["rLRT8"]
    lose(scene, 5 * WAD // 100)
    assert token.leverage() > token.terms().danger
    look(scene, keeper, 3)
    assert "rebalance" in kinds(told)
    assert taken(scene, leveraged)
    assert token.leverage() <= token.terms().danger


def test_look__token_whose_leverage_must_rise__is_paid_in_lrt(
    scene: Deployment, leveraged: Leveraged, keeper: Keeper, account: LocalAccount
) -> None:
    token, vault = leveraged.tokens["rLRT8"], scene.protocol.vault
    raised(scene)
    scene.answer_fundamental()
    assert token.leverage() < token.band()[0]
    for _ in range(15):
        look(scene, keeper)
        scene.chain.advance(600)
        scene.answer_fundamental()
    done = taken(scene, leveraged)
    assert done
    assert not any(one["lowers"] for one in done)
    assert vault.balanceOf(account.address) == sum(one["profit"] for one in done) > 0


def test_look__nobody_pays_enough__is_skipped_and_said(
    scene: Deployment, leveraged: Leveraged, account: LocalAccount, told: Told, tmp_path: Path
) -> None:
    greedy = Policy(least_net_profit_wei=5 * ETHER)
    for keeper in _keeper(scene, leveraged, account, told.log, tmp_path, greedy):
        lose(scene, 5 * WAD // 100)
        look(scene, keeper, 2)
        assert "rebalance" not in kinds(told)
        why = {line["why"] for line in told.events("skipped") if line["kind"] == "rebalance"}
        assert why == {"profit below gas"}


def test_look__feed_is_dead__leverage_still_falls(
    scene: Deployment, leveraged: Leveraged, keeper: Keeper, told: Told
) -> None:
    lose(scene, 5 * WAD // 100)
    scene.chain.advance(3 * DAY)
    look(scene, keeper, 3)
    assert "rebalance" in kinds(told)
    assert taken(scene, leveraged)


def raised(scene: Deployment) -> None:
    """LRT is worth so much more that the 8x token's leverage is to rise."""
    # Less than the growth cap lets through, and more than its band bears.
    scene.chain.advance(200 * DAY)
    pooled = scene.world.core.steth.getTotalPooledEther()
    scene.world.accrue_rewards(pooled * 3 // 100)


def test_look__feed_is_dead__leverage_does_not_rise(
    scene: Deployment, leveraged: Leveraged, keeper: Keeper, told: Told
) -> None:
    token = leveraged.tokens["rLRT8"]
    raised(scene)
    assert token.leverage() < token.band()[0]
    for _ in range(4):
        look(scene, keeper)
        scene.chain.advance(HOUR)
    assert "start auction" in kinds(told)
    assert "rebalance" not in kinds(told)
    assert not told.events("a view of the deployment reverts")


def test_look__market_is_halted__leverage_does_not_rise_and_that_is_said(
    scene: Deployment, leveraged: Leveraged, keeper: Keeper, told: Told
) -> None:
    protocol, roles, token = scene.protocol, scene.roles, leveraged.tokens["rLRT8"]
    borrow_against(scene, 20 * ETHER, worth(scene, 18 * ETHER), owner=roles.trader)
    lose(scene, 40 * WAD // 100)
    for owner in (roles.borrower, roles.trader):
        protocol.liquidator.liquidate(
            protocol.market.address, owner, UNLIMITED, 1, 0, sender=roles.stranger
        )
    assert protocol.market.halted_until() > scene.chain.timestamp + 3 * HOUR
    # Somebody gives the token so much that its leverage is to rise.
    gift = 60 * ETHER
    scene.world.fund(roles.trader, weth=gift)
    scene.world.core.weth.approve(protocol.market.address, gift, sender=roles.trader)
    protocol.market.adjust(token.address, 0, -gift, roles.trader, sender=roles.trader)
    assert token.leverage() < token.band()[0]
    for _ in range(4):
        scene.chain.advance(HOUR // 2)
        scene.answer_fundamental()
        look(scene, keeper)
    why = {line["why"] for line in told.events("skipped") if line["target"] == token.address}
    assert why == {"market: borrowing halted"}
    assert taken(scene, leveraged) == []


def test_look__no_taker__the_auction_is_begun_anew_when_it_has_lapsed(
    scene: Deployment, leveraged: Leveraged, account: LocalAccount, told: Told, tmp_path: Path
) -> None:
    token, greedy = leveraged.tokens["rLRT8"], Policy(least_net_profit_wei=5 * ETHER)
    for keeper in _keeper(scene, leveraged, account, told.log, tmp_path, greedy):
        lose(scene, 2 * WAD // 100)
        for _ in range(10):
            look(scene, keeper)
            scene.chain.advance(HOUR)
            scene.answer_fundamental()
        # It pays more for two hours, stays there for two, and then has to begin anew.
        assert kinds(told).count("start auction") == 3
        assert not any(line["failed"] for line in told.events("mined"))
        assert taken(scene, leveraged) == []
        assert token.leverage() > token.band()[2]


def test_look__period_is_over__is_looked_at_once(
    scene: Deployment, leveraged: Leveraged, keeper: Keeper, told: Told
) -> None:
    look(scene, keeper)
    assert "checkpoint" not in kinds(told)
    scene.chain.advance(14 * DAY)
    look(scene, keeper, 3)
    assert kinds(told).count("checkpoint") == 2


def test_keeper__deployment_without_tokens__does_without(
    scene: Deployment, leveraged: Leveraged, account: LocalAccount, told: Told, tmp_path: Path
) -> None:
    names = tuple(leveraged.addresses())
    for keeper in _keeper(scene, leveraged, account, told.log, tmp_path, without=names):
        lose(scene, 5 * WAD // 100)
        look(scene, keeper, 2)
        assert {"rebalance", "start auction"}.isdisjoint(kinds(told))
        (said,) = told.events("serving")
        assert (said["tokens"], said["backstop"]) == ([], True)


def test_keeper__deployment_without_one_token__serves_the_other(
    scene: Deployment, leveraged: Leveraged, account: LocalAccount, told: Told, tmp_path: Path
) -> None:
    for keeper in _keeper(scene, leveraged, account, told.log, tmp_path, without=("rLRT3",)):
        scene.chain.advance(14 * DAY)
        look(scene, keeper, 2)
        (said,) = told.events("serving")
        assert said["tokens"] == ["rLRT8"]
        checked = {one["target"] for one in told.events("sent") if one["kind"] == "checkpoint"}
        assert checked == {leveraged.tokens["rLRT8"].address}


@pytest.mark.parametrize("name", ["rLRT3", "rebalancer", "backstop", "orders"])
@pytest.mark.parametrize("text", ["0x12", "", "rLRT3"])
def test_suite__no_address__says_which(
    scene: Deployment, leveraged: Leveraged, name: str, text: str
) -> None:
    addresses = {**scene.protocol.addresses(), **leveraged.addresses(), name: text}
    with pytest.raises(DeploymentError, match=f"{name} is no address: "):
        Suite(addresses)


def test_keeper__begun_again_without_its_rebalancer__gives_up_what_it_had_sent(
    scene: Deployment, leveraged: Leveraged, account: LocalAccount, told: Told, tmp_path: Path
) -> None:
    lose(scene, 5 * WAD // 100)
    for keeper in _keeper(scene, leveraged, account, told.log, tmp_path):
        keeper.look()
        assert "rebalance" in kinds(told)
    scene.chain.rpc("anvil_dropAllTransactions")
    scene.chain.mine()
    for keeper in _keeper(
        scene, leveraged, account, told.log, tmp_path, without=("rebalancer", "backstop")
    ):
        look(scene, keeper, 2)
        why = {line["why"] for line in told.events("given up")}
        assert why == {"not of this deployment"}
        assert taken(scene, leveraged) == []


def test_look__backstop_has_bought__is_queued_collected_and_its_line_paid(
    scene: Deployment, leveraged: Leveraged, keeper: Keeper, told: Told
) -> None:
    protocol, roles = scene.protocol, scene.roles
    pool, queue, vault = protocol.backstop, protocol.queue, protocol.vault
    back(scene, 100 * ETHER, roles.lender)
    slash_and_sync(scene, 6 * WAD // 100)
    bought = protocol.liquidator.liquidate(
        protocol.market.address, roles.borrower, UNLIMITED, 8, 0, sender=roles.stranger
    )
    assert any(event.name == "Bought" for event in bought.events)
    shares = pool.balanceOf(roles.lender)
    pool.request_exit(shares, roles.lender, roles.lender, sender=roles.lender)
    had = scene.world.core.weth.balanceOf(roles.lender)
    look(scene, keeper, 2)
    assert {"enqueue", "serve"} <= set(kinds(told))
    first = scene.world.core.weth.balanceOf(roles.lender) - had
    assert 0 < first < 100 * ETHER
    # The vault has enough again, and the request has waited.
    vault_needs = vault.queued_shares()
    assert vault_needs > 0
    scene.world.fund(roles.depositor, wsteth=200 * ETHER)
    scene.world.core.wsteth.approve(vault.address, 200 * ETHER, sender=roles.depositor)
    vault.deposit(200 * ETHER, roles.depositor, sender=roles.depositor)
    scene.chain.advance(2 * HOUR)
    scene.answer_fundamental()
    look(scene, keeper, 5)
    assert kinds(told).count("harvest") == 1
    assert queue.request(1).shares == 0
    assert kinds(told).count("serve") == 2
    paid = scene.world.core.weth.balanceOf(roles.lender) - had
    assert paid > 99 * ETHER
    assert pool.waiting_shares() == 0


@pytest.mark.parametrize("crumbs", [40, 140])
def test_look__crumbs_before_an_exit_from_the_backstop__are_walked_over(
    scene: Deployment, keeper: Keeper, told: Told, crumbs: int
) -> None:
    pool, roles = scene.protocol.backstop, scene.roles
    back(scene, 10 * ETHER, roles.lender)
    for _ in range(crumbs):
        pool.transfer(roles.stranger, 2, sender=roles.lender)
        pool.request_exit(2, roles.stranger, roles.stranger, sender=roles.stranger)
    look(scene, keeper)
    paid_for_crumbs = kinds(told).count("serve")
    # No more than one walk is spent on them: a real exit may stand behind as many.
    assert paid_for_crumbs == (1 if crumbs > 128 else 0)
    shares = pool.balanceOf(roles.lender)
    pool.request_exit(shares, roles.lender, roles.lender, sender=roles.lender)
    had = scene.world.core.weth.balanceOf(roles.lender)
    look(scene, keeper, 2)
    assert pool.waiting_shares() == 0
    assert scene.world.core.weth.balanceOf(roles.lender) - had > 9 * ETHER
    assert kinds(told).count("serve") == paid_for_crumbs + 1


def test_look__backstop_without_cash__is_not_asked(
    scene: Deployment, leveraged: Leveraged, keeper: Keeper, told: Told
) -> None:
    """A trial costs a request for each position, and the seed alone buys nothing."""
    vault, depositor = scene.protocol.vault, scene.roles.depositor
    look(scene, keeper)
    empty_pool(scene, scene.lrt_pool)
    most = vault.maxRedeem(depositor)
    vault.redeem(most, depositor, depositor, sender=depositor)
    slash_and_sync(scene, 6 * WAD // 100)
    tried = list(keeper._liquidations(Head(0, "", "", 0, GWEI)))
    assert tried
    assert {way for act in tried for way in act.ways} == {"swap", "redeem"}
    back(scene, 100 * ETHER)
    tried = list(keeper._liquidations(Head(0, "", "", 0, GWEI)))
    assert {way for act in tried for way in act.ways} == {"swap", "redeem", "backstop"}
    look(scene, keeper)
    sent = {one["way"] for one in told.events("sent") if one["kind"] == "liquidate"}
    assert sent == {"backstop"}


def test_look__upkeep_too_dear__waits(
    scene: Deployment, leveraged: Leveraged, account: LocalAccount, told: Told, tmp_path: Path
) -> None:
    cheap = Policy(most_upkeep_fee_wei_per_gas=GWEI // 1_000)
    for keeper in _keeper(scene, leveraged, account, told.log, tmp_path, cheap):
        scene.chain.advance(14 * DAY)
        look(scene, keeper, 2)
        assert kinds(told) == []


def test_keeper__dry_run__says_what_it_would_send(
    scene: Deployment, leveraged: Leveraged, told: Told, tmp_path: Path
) -> None:
    for keeper in _keeper(scene, leveraged, None, told.log, tmp_path):
        lose(scene, 5 * WAD // 100)
        look(scene, keeper)
        would = {line["kind"] for line in told.events("would send")}
        assert "rebalance" in would
        assert taken(scene, leveraged) == []
