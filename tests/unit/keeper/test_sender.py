"""What was sent is followed to its end: restarts, reorganisations, stuck and lost transactions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from eth_account.signers.local import LocalAccount

from relever.keeper import Keeper, Policy
from relever.protocol import Deployment
from tests.keepers import GWEI, FaultyNode, Make, Told, liquidations
from tests.scene import slash_and_sync

POLICY = Policy(confirmations=4, stuck_blocks=2)


def swallowing(method: str, params: list[Any], result: Callable[[], Any]) -> Any:
    """A fault: transactions are answered with their hash, and thrown away."""
    if method == "eth_sendRawTransaction":
        return {"result": "0x" + "ab" * 32}
    return result()


def hiding(method: str, params: list[Any], result: Callable[[], Any]) -> Any:
    """The same, by a node that says afterwards that it has them."""
    if method == "eth_getTransactionByHash":
        return {"result": {"hash": params[0]}}
    return swallowing(method, params, result)


def test_look__restart_with_a_transaction_pending__does_not_act_twice(
    breached: Deployment, make: Make, told: Told
) -> None:
    keeper = make(policy=POLICY)
    keeper.look()
    keeper.close()
    again = make(policy=POLICY)
    again.look()
    assert len(told.events("sent")) == 1
    for _ in range(6):
        breached.chain.mine()
        again.look()
    assert len(liquidations(breached)) == 1
    assert [line["failed"] for line in told.events("mined")] == [False]


def test_look__killed_between_journal_and_node__sends_what_is_written(
    breached: Deployment, make: Make, told: Told, faulty: FaultyNode
) -> None:
    faulty.fault = swallowing
    keeper = make(faulty.url, policy=POLICY)
    keeper.look()
    keeper.close()
    faulty.heal()
    again = make(faulty.url, policy=POLICY)
    again.look()
    assert len(told.events("sent again: the node has lost it")) == 1
    breached.chain.mine()
    again.look()
    breached.chain.mine()
    assert len(liquidations(breached)) == 1
    assert len(told.events("sent")) == 1


def test_look__lost_and_done_by_somebody_else__is_given_up(
    breached: Deployment, make: Make, told: Told, faulty: FaultyNode, other_account: LocalAccount
) -> None:
    faulty.fault = swallowing
    keeper = make(faulty.url, policy=POLICY)
    keeper.look()
    rival = make(signer=other_account, folder="rival")
    rival.look()
    breached.chain.mine()
    faulty.heal()
    keeper.look()
    assert len(told.events("given up")) == 1
    breached.chain.mine()
    assert len(liquidations(breached)) == 1


def test_look__stuck__is_replaced_by_the_same_nonce_for_more(
    breached: Deployment, make: Make, told: Told, faulty: FaultyNode, account: LocalAccount
) -> None:
    faulty.fault = hiding
    keeper = make(faulty.url, policy=POLICY)
    keeper.look()
    breached.chain.mine()
    keeper.look()
    assert not told.events("replaced")
    breached.chain.mine()
    faulty.heal()
    # The true node does not know it, but time is up: it is replaced anyway.
    keeper.look()
    (sent,), (replaced,) = told.events("sent"), told.events("replaced")
    assert replaced["nonce"] == sent["nonce"]
    assert replaced["fee_wei"] * 100 >= sent["fee_wei"] * 113
    breached.chain.mine()
    keeper.look()
    assert len(liquidations(breached)) == 1
    assert int(breached.chain.rpc("eth_getTransactionCount", [account.address, "latest"]), 16) == 1


def test_look__stuck_and_not_worth_it_any_more__uses_the_nonce_up(
    breached: Deployment,
    make: Make,
    told: Told,
    faulty: FaultyNode,
    account: LocalAccount,
    other_account: LocalAccount,
) -> None:
    faulty.fault = hiding
    keeper = make(faulty.url, policy=POLICY)
    keeper.look()
    make(signer=other_account, folder="rival").look()
    breached.chain.mine(2)

    def hidden_still(method: str, params: list[Any], result: Callable[[], Any]) -> Any:
        answer = result()
        if method == "eth_getTransactionByHash" and answer["result"] is None:
            return {"result": {"hash": params[0]}}
        return answer

    faulty.fault = hidden_still
    keeper.look()
    (cancelled,) = told.events("cancelled")
    assert cancelled["why"] == "market: healthy"
    breached.chain.mine()
    keeper.look()
    assert [line["kind"] for line in told.events("mined")] == ["cancel"]
    assert len(liquidations(breached)) == 1
    assert breached.world.core.weth.balanceOf(account.address) == 0


def test_look__block_taken_back__the_transaction_is_sent_again(
    breached: Deployment, make: Make, told: Told
) -> None:
    chain = breached.chain
    snapshot = chain.rpc("evm_snapshot")
    keeper = make(policy=POLICY)
    keeper.look()
    chain.mine()
    keeper.look()
    assert len(liquidations(breached)) == 1
    chain.rpc("evm_revert", [snapshot])
    chain.rpc("anvil_dropAllTransactions")
    # Another block of the same number than the one that was taken back.
    chain.rpc("evm_mine", [chain.timestamp + 7])
    keeper.look()
    assert told.events("blocks were taken back")
    assert told.events("transaction taken back")
    assert told.events("sent again: the node has lost it")
    chain.mine()
    keeper.look()
    chain.mine()
    assert len(liquidations(breached)) == 1
    assert len(told.events("sent")) == 1


def _slashed_and_taken_back(scene: Deployment, keeper: Keeper) -> None:
    """A slash, the liquidation on it, and then neither has happened."""
    chain = scene.chain
    keeper.look()
    snapshot = chain.rpc("evm_snapshot")
    slash_and_sync(scene, 5 * 10**16)
    keeper.look()
    chain.mine()
    keeper.look()
    assert len(liquidations(scene)) == 1
    chain.rpc("evm_revert", [snapshot])
    chain.rpc("anvil_dropAllTransactions")
    chain.rpc("evm_mine", [chain.timestamp + 7])
    keeper.look()


def test_look__slash_taken_back__the_transaction_is_not_sent_again(
    scene: Deployment, make: Make, told: Told
) -> None:
    keeper = make(policy=POLICY)
    _slashed_and_taken_back(scene, keeper)
    assert len(told.events("given up")) == 1
    scene.chain.mine()
    keeper.look()
    assert liquidations(scene) == []
    assert len(told.events("sent")) == 1


def test_look__nonce_that_was_given_up__is_used_for_the_next_act(
    scene: Deployment, make: Make, told: Told
) -> None:
    keeper = make(policy=POLICY)
    _slashed_and_taken_back(scene, keeper)
    slash_and_sync(scene, 6 * 10**16)
    for _ in range(2):
        keeper.look()
        scene.chain.mine()
    assert len(liquidations(scene)) == 1
    first, second = told.events("sent")
    assert first["nonce"] == second["nonce"]


def test_look__reorganised_by_the_node__ends_with_one_liquidation(
    breached: Deployment, make: Make, told: Told
) -> None:
    keeper = make(policy=POLICY)
    keeper.look()
    breached.chain.mine()
    keeper.look()
    breached.chain.mine()
    keeper.look()
    breached.chain.rpc("anvil_reorg", [2, []])
    for _ in range(4):
        keeper.look()
        breached.chain.mine()
    assert len(liquidations(breached)) == 1
    assert all(not line["failed"] for line in told.events("mined"))


def test_look__old_enough__is_final(breached: Deployment, make: Make, told: Told) -> None:
    keeper = make(policy=POLICY)
    for _ in range(8):
        keeper.look()
        breached.chain.mine()
    keeper.close()
    again = make(policy=POLICY)
    again.look()
    journal = (again._options.folder / "journal.jsonl").read_text()
    assert '{"finish":{"nonce":0}}' in journal
    assert len(told.events("sent")) == 1


def test_look__failed_on_chain__rests_and_stops_when_it_costs_too_much(
    breached: Deployment, make: Make, told: Told
) -> None:
    # A griefer repays a little in front of each attempt: simulations succeed, transactions fail.
    policy = Policy(tip_wei_per_gas=100 * GWEI, failed_wei_per_day=1, least_net_profit_wei=0)
    keeper = make(policy=policy)
    keeper.look()
    market, borrower = breached.protocol.market, breached.roles.borrower
    journal = keeper._journal
    assert journal is not None
    breached.chain.rpc("anvil_dropAllTransactions")
    weth = breached.world.core.weth
    breached.world.fund(borrower, weth=10**18 * 5)
    weth.approve(market.address, 10**18 * 5, sender=borrower)
    market.repay(10**18 * 5, borrower, sender=borrower)
    breached.chain.rpc("eth_sendRawTransaction", [journal.in_flight[0].last.raw])
    breached.chain.mine()
    keeper.look()
    (mined,) = told.events("mined")
    assert mined["failed"]
    assert not told.events("skipped")
    breached.chain.advance(3_600)
    slash_and_sync(breached, 25 * 10**16)
    breached.chain.mine(20)
    keeper.look()
    assert len(told.events("sent")) == 1
    assert told.events("skipped")[-1]["why"] == "too much lost today"
