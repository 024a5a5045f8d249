"""A deployment under bad luck and bad input: it says why it stops, goes on, repeats nothing."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from bench.deploys.stage import ETHER, network_file
from relever.baselayer import parts
from relever.chain import Chain, Rpc, RpcError
from relever.deploy.__main__ import main
from relever.deploy.facts import OWNED
from relever.deploy.plan import DETERMINISTIC, PlanError
from relever.deploy.preflight import check_places
from relever.deploy.record import RecordError, lasting, opened
from relever.deploy.runner import Progress, RunError
from relever.deploy.settings import read
from relever.protocol import Protocol
from tests.unit.deploy.conftest import READER, SEPOLIA, Network

STEPS = 30


class Killed(BaseException):
    """Nothing is put in order after it."""


class Faulty(Chain):
    """A chain whose answers a test replaces: `fault` is told method and parameters, and asks on."""

    def __init__(self, url: str, fault: Callable[[str, Any, Callable[[], Any]], Any]) -> None:
        super().__init__(Rpc(url), [READER])
        self._fault = fault

    def rpc(self, method: str, params: Any = ()) -> Any:
        return self._fault(method, params, lambda: super(Faulty, self).rpc(method, params))


def nonce(network: Network) -> int:
    found = network.chain.rpc("eth_getTransactionCount", [network.account.address, "latest"])
    return int(found, 16)


def interrupt_at(count: int, error: type[BaseException] = Killed) -> Callable[[Progress], None]:
    """What stops a deployment when it has told so often what it does."""
    left = [count]

    def tell(_: Progress) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise error

    return tell


def test_run__undisturbed__leaves_a_suite_that_works(network: Network, record: Path) -> None:
    document = network.run(record)
    assert document["finished"]
    assert [one["nonce"] for one in document["steps"].values()] == list(range(STEPS))
    protocol = Protocol.at(network.chain, document["addresses"])
    world, depositor = network.world, network.world.roles.depositor
    network.chain.rpc("evm_setAutomine", [False])
    world.fund(depositor, wsteth=ETHER)
    world.core.wsteth.approve(protocol.vault.address, ETHER, sender=depositor)
    protocol.vault.deposit(ETHER, depositor, sender=depositor)
    assert protocol.vault.balanceOf(depositor) == ETHER
    assert protocol.snapshot(depositor).oracle.fundamental > 0
    # Nothing is left with what made it.
    launcher = document["addresses"]["launcher"]
    for token in (world.core.weth, world.core.wsteth, protocol.vault, protocol.market):
        assert token.balanceOf(launcher) == 0
    for name in OWNED:
        assert getattr(protocol, name).owner() == network.account.address


def test_run__finished__does_nothing_again(network: Network, record: Path) -> None:
    first = network.run(record)
    assert network.run(record) == first
    assert nonce(network) == STEPS


@pytest.mark.parametrize("method", ["eth_sendRawTransaction", "eth_getTransactionReceipt"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_run__killed_around_requests__goes_on_and_repeats_nothing(
    network: Network, record: Path, tmp_path: Path, method: str, after: bool
) -> None:
    """Killed before, or right after, each seventh request of a kind, as often as it takes."""
    with network.chain.isolated():
        peaceful = lasting(network.run(tmp_path / "peaceful.json"))
    asked = [0]

    def fault(name: str, _: Any, result: Callable[[], Any]) -> Any:
        asked[0] += name == method
        dies = name == method and asked[0] % 7 == 3
        if dies and not after:
            raise Killed
        found = result()
        if dies:
            raise Killed
        return found

    deaths = 0
    while True:
        try:
            document = network.run(record, chain=Faulty(network.url, fault))
            break
        except Killed:
            deaths += 1
    assert deaths > 3
    assert nonce(network) == STEPS
    assert lasting(document) == peaceful


@pytest.mark.parametrize("seed", range(3))
def test_run__ctrl_c_anywhere__leaves_a_whole_record(
    network: Network, record: Path, seed: int
) -> None:
    chance = random.Random(seed)

    def fault(_: str, __: Any, result: Callable[[], Any]) -> Any:
        if chance.random() < 0.01:
            raise KeyboardInterrupt
        return result()

    for _ in range(200):
        try:
            network.run(record, chain=Faulty(network.url, fault))
            break
        except KeyboardInterrupt:
            assert not record.exists() or json.loads(record.read_text())["format"] == 1
    assert json.loads(record.read_text())["finished"]
    assert nonce(network) == STEPS


def test_command__ctrl_c__says_how_to_go_on(
    network: Network, record: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    def interrupted(*_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr("relever.deploy.runner.Runner.run", interrupted)
    assert main([*network.command(record), "--yes", "--no-dry-run"]) == 130
    assert "run the same again" in capsys.readouterr().err


def test_run__lost_record__finds_what_stands(network: Network, record: Path) -> None:
    with pytest.raises(Killed):
        network.run(record, tell=interrupt_at(15))
    sent = nonce(network)
    record.unlink()
    document = network.run(record)
    assert [one["found"] for one in document["steps"].values()].count(True) == sent
    assert nonce(network) == STEPS


def test_run__three_blocks_taken_back__sends_the_same_again(network: Network, record: Path) -> None:
    taken_back: list[int] = []

    def fault(method: str, _: Any, result: Callable[[], Any]) -> Any:
        if method == "eth_getTransactionReceipt" and nonce(network) == STEPS:
            # Else no block would come after the last step.
            network.chain.mine()
        return result()

    def tell(progress: Progress) -> None:
        if progress.what == "mined" and progress.number == 12 and not taken_back:
            network.chain.rpc("anvil_reorg", [3, []])
            taken_back.append(nonce(network))

    chain = Faulty(network.url, fault)
    document = network.run(record, chain=chain, tell=tell, confirmations=5)
    assert taken_back == [12 - 3]
    assert nonce(network) == STEPS
    for entry in document["steps"].values():
        receipt = network.chain.rpc("eth_getTransactionReceipt", [entry["hash"]])
        assert receipt["blockHash"] == entry["block_hash"]
        assert len(entry["attempts"]) == 1


def test_run__final_blocks_taken_back__is_refused(network: Network, record: Path) -> None:
    """Deeper than the confirmations asked for, which are none here."""

    def tell(progress: Progress) -> None:
        if progress.what == "mined" and progress.number == 12:
            network.chain.rpc("anvil_reorg", [3, []])

    with pytest.raises(RunError, match="was taken back, which lay 0 blocks deep"):
        network.run(record, tell=tell)


def test_run__dropped_transaction__is_sent_again(network: Network, record: Path) -> None:
    network.chain.rpc("evm_setAutomine", [False])
    dropped: list[str] = []

    def fault(method: str, params: Any, result: Callable[[], Any]) -> Any:
        found = result()
        if method == "eth_sendRawTransaction":
            if len(dropped) < 3:
                network.chain.rpc("anvil_dropTransaction", [found])
                dropped.append(found)
            else:
                network.chain.rpc("evm_mine")
        return found

    network.run(record, chain=Faulty(network.url, fault))
    assert len(dropped) == 3
    assert nonce(network) == STEPS


def test_run__underpriced__offers_more_with_the_same_nonce(network: Network, record: Path) -> None:
    """The node refuses what offers less than it asks, until it is offered enough."""
    offers: list[str] = []

    def fault(method: str, params: Any, result: Callable[[], Any]) -> Any:
        if method == "eth_sendRawTransaction" and params[0] not in offers:
            offers.append(params[0])
        if method == "eth_sendRawTransaction" and len(offers) < 3:
            raise RpcError("eth_sendRawTransaction: transaction underpriced", -32000)
        return result()

    document = network.run(record, chain=Faulty(network.url, fault))
    attempts = document["steps"]["launcher"]["attempts"]
    assert len(attempts) == 3
    for cheaper, dearer in pairwise(attempts):
        assert dearer["fee"] * 100 >= cheaper["fee"] * 110
    assert document["steps"]["launcher"]["hash"] == attempts[-1]["hash"]
    assert nonce(network) == STEPS


def test_run__stuck__is_replaced(network: Network, record: Path) -> None:
    """Blocks come and go without it, until it offers more."""
    network.chain.rpc("evm_setAutomine", [False])
    held: list[str] = []

    def fault(method: str, params: Any, result: Callable[[], Any]) -> Any:
        if method == "eth_sendRawTransaction":
            if not held:
                held.append(params[0])
                return "0x" + "00" * 32
            found = result()
            network.chain.rpc("evm_mine")
            return found
        if method == "eth_getTransactionByHash" and len(held) == 1:
            network.chain.rpc("evm_mine")
            return {"hash": params[0]} if nonce(network) == 0 else result()
        return result()

    document = network.run(record, chain=Faulty(network.url, fault))
    assert len(document["steps"]["launcher"]["attempts"]) == 2
    assert nonce(network) == STEPS


def test_run__nonce_used_by_something_else__sends_it_with_another(
    network: Network, record: Path
) -> None:
    """The account's owner sends something in between, of which the record knows nothing."""
    chain, address = network.chain, network.chain.impersonate(network.account.address)

    def tell(progress: Progress) -> None:
        if progress.number == 5:
            chain.rpc("eth_sendTransaction", [{"from": address, "to": address, "value": "0x0"}])

    document = network.run(record, tell=tell)
    assert document["finished"]
    assert nonce(network) == STEPS + 1
    assert len({one["nonce"] for one in document["steps"].values()}) == STEPS


def test_run__foreign_pending_transaction__is_refused(network: Network, record: Path) -> None:
    chain, address = network.chain, network.chain.impersonate(network.account.address)
    chain.rpc("evm_setAutomine", [False])
    chain.rpc("eth_sendTransaction", [{"from": address, "to": address, "value": "0x0"}])
    with pytest.raises(RunError, match=r"1 transactions of .* are pending"):
        network.run(record)


def test_run__unfunded__says_how_much_and_goes_on_when_funded(
    network: Network, record: Path
) -> None:
    network.chain.set_balance(network.account.address, ETHER)
    with pytest.raises(RunError, match=r"has 0\.9.* ether and seeds may take 12\.0.*run again"):
        network.run(record)
    network.chain.set_balance(network.account.address, 100 * ETHER)
    assert network.run(record)["finished"]
    assert nonce(network) == STEPS


def test_run__dear_gas__waits_for_a_better_day(network: Network, record: Path) -> None:
    def fault(method: str, _: Any, result: Callable[[], Any]) -> Any:
        dear = {"baseFeePerGas": hex(200 * 10**9)} if method == "eth_getBlockByNumber" else None
        return result() if dear is None else {**result(), **dear}

    with pytest.raises(RunError, match="gwei, and 300 is the most"):
        network.run(record, chain=Faulty(network.url, fault))
    assert nonce(network) == 0


def test_run__second_at_the_same_time__is_refused(network: Network, record: Path) -> None:
    def second(progress: Progress) -> None:
        if progress.number == 3:
            with pytest.raises(RecordError, match="in use by another deployment"):
                network.run(record)

    assert network.run(record, tell=second)["finished"]
    assert nonce(network) == STEPS


def test_run__second_with_another_record__deploys_nothing_twice(
    network: Network, record: Path, tmp_path: Path
) -> None:
    """Two operators, one account, two records: they get in each other's way, and no further."""
    errors: list[Exception] = []

    def other() -> None:
        try:
            network.run(tmp_path / "other.json")
        except (RunError, RpcError) as error:
            errors.append(error)

    thread = threading.Thread(target=other)
    thread.start()
    with suppress(RunError, RpcError):
        network.run(record)
    thread.join()
    document = network.run(record)
    assert document["finished"]
    launched = document["addresses"]["launcher"]
    created = int(network.chain.rpc("eth_getTransactionCount", [launched, "latest"]), 16) - 1
    assert created == len(document["contracts"]) - 2


def test_run__settings_changed_meanwhile__is_refused(network: Network, record: Path) -> None:
    with pytest.raises(Killed):
        network.run(record, tell=interrupt_at(3))
    market = network.settings.protocol.market.model_copy(update={"fee_wad": 7})
    protocol = network.settings.protocol.model_copy(update={"market": market})
    changed = network.settings.model_copy(update={"protocol": protocol})
    with pytest.raises(RecordError, match=r"settings\.protocol\.market\.fee_wad was .* and is 7"):
        network.run(record, settings=changed)


def test_run__chain_begun_anew__is_refused(network: Network, record: Path) -> None:
    """The same genesis, and nothing of what the record says is final."""
    snapshot = network.chain.snapshot()
    network.run(record)
    network.chain.revert(snapshot)
    with pytest.raises(RunError, match="holds no code: is it the same chain"):
        network.run(record)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"format": 1', '{"format": 1, "steps": 3}'])
def test_run__damaged_record__is_refused_and_kept(
    network: Network, record: Path, text: str
) -> None:
    record.write_text(text)
    with pytest.raises(RecordError, match=r"record\.json"):
        network.run(record)
    assert record.read_text() == text


def test_opened__of_another_format__says_so(record: Path) -> None:
    record.write_text('{"format": 99}')
    with pytest.raises(RecordError, match="format 99, not 1"), opened(record, {}):
        pass


def test_command__wrong_chain__is_refused(
    network: Network, record: Path, tmp_path: Path, capsys: Any
) -> None:
    other = network_file(tmp_path, SEPOLIA + 1, network.addresses)
    command = network.command(record)
    command[1] = str(other)
    assert main([*command, "--yes"]) == 1
    assert "is of chain 11155111, and the settings are for 11155112" in _words(capsys)
    assert not record.exists()


def test_command__no_deterministic_deployer__is_refused(
    network: Network, record: Path, capsys: Any
) -> None:
    network.chain.set_code(DETERMINISTIC, b"")
    assert main([*network.command(record), "--yes"]) == 1
    assert "has no deterministic deployer" in _words(capsys)


def test_command__unfunded__is_told_after_the_rehearsal_and_nothing_is_sent(
    network: Network, record: Path, capsys: Any
) -> None:
    network.chain.set_balance(network.account.address, ETHER)
    assert main([*network.command(record), "--yes"]) == 1
    assert "has 1.000000 ether, and the deployment takes about 12." in _words(capsys)
    assert nonce(network) == 0


def test_command__dry_run__shows_the_plan_and_sends_nothing(
    network: Network, record: Path, capsys: Any
) -> None:
    assert main([*network.command(record), "--dry-run"]) == 0
    words = _words(capsys)
    assert network.plan().book["vault"] in words
    assert "Nothing was sent" in words
    assert nonce(network) == 0
    assert not record.exists()


def test_command__nobody_to_ask__is_refused(network: Network, record: Path, capsys: Any) -> None:
    assert main([*network.command(record), "--no-dry-run"]) == 1
    assert "give --yes" in _words(capsys)
    assert nonce(network) == 0


def test_command__no_node__is_refused(network: Network, record: Path, capsys: Any) -> None:
    command = network.command(record)
    command[3] = "http://127.0.0.1:1"
    assert main([*command, "--yes"]) == 1
    assert "cannot be reached" in _words(capsys)


def _words(capsys: Any) -> str:
    return " ".join(capsys.readouterr().err.split())


def test_check_places__no_code__names_all(network: Network, tmp_path: Path) -> None:
    stranger = network.world.roles.stranger
    changed = {**network.addresses, "feed": stranger, "weth": stranger}
    settings = read("", network_file(tmp_path, SEPOLIA, changed))
    with pytest.raises(PlanError) as caught:
        check_places(network.reader(), settings)
    assert f"weth at {stranger} holds no code" in str(caught.value)
    assert f"feed at {stranger} holds no code" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "other", "said"),
    [
        ("wsteth", "weth", "wsteth at .* is not it"),
        ("feed", "weth", "feed at .* is not it"),
        ("symbiotic_vault", "wsteth", "symbiotic_vault at .* is not it"),
        ("lst_pool", "wsteth", "lst_pool at .* is not it"),
        ("wsteth_strategy", "feed", "wsteth_strategy at .* is not it"),
        ("operator", "weth", "operator: .* is none in EigenLayer"),
    ],
)
def test_check_places__another_contract__is_named(
    network: Network, tmp_path: Path, name: str, other: str, said: str
) -> None:
    changed = {**network.addresses, name: network.addresses[other]}
    settings = read("", network_file(tmp_path, SEPOLIA, changed))
    with pytest.raises(PlanError, match=said):
        check_places(network.reader(), settings)


def test_check_places__old_feed__is_named(network: Network) -> None:
    network.chain.advance(100_000)
    with pytest.raises(PlanError, match="feed: its answer is 100000 s old"):
        check_places(network.reader(), network.settings)


def test_run__pool_made_by_a_stranger__goes_on(network: Network, record: Path) -> None:
    """Who knows the addresses beforehand can make the pool, at any price: it is empty."""
    plan, stranger = network.plan(), network.world.roles.stranger
    factory = network.world.core.uniswap_factory
    network.chain.rpc("evm_setAutomine", [False])
    factory.createPool(plan.book["vault"], plan.book["weth"], 100, sender=stranger)
    pool = network.chain.contract(plan.book["lrt_pool"], parts.uniswap_core("UniswapV3Pool"))
    pool.initialize(2**96 * 7, sender=stranger)
    network.chain.rpc("evm_setAutomine", [True])
    document = network.run(record)
    assert document["steps"]["pool"]["found"]
    assert document["finished"]


def test_run__launcher_made_by_a_stranger__goes_on(network: Network, record: Path) -> None:
    """He has paid for it, and that is all."""
    first = network.plan().steps[0].build()
    network.chain.rpc(
        "eth_sendTransaction",
        [
            {
                "from": network.world.roles.stranger,
                "to": first.to,
                "data": "0x" + first.data.hex(),
            }
        ],
    )
    document = network.run(record)
    assert document["steps"]["launcher"]["found"]
    assert document["finished"]


def test_run__owner_elsewhere__is_offered_everything(network: Network, record: Path) -> None:
    """A Safe accepts by itself, and has all; the deployer keeps no role."""
    safe = network.world.roles.keeper
    roles = network.settings.network.roles.model_copy(
        update={"owner": safe, "guardian": safe, "allocator": safe, "treasury": safe}
    )
    changed = network.settings.network.model_copy(update={"roles": roles})
    settings = network.settings.model_copy(update={"network": changed})
    document = network.run(record, settings=settings)
    network.chain.rpc("evm_setAutomine", [False])
    protocol = Protocol.at(network.chain, document["addresses"])
    for name in OWNED:
        contract = getattr(protocol, name)
        assert contract.pending_owner() == safe
        contract.accept_ownership(sender=safe)
        assert contract.owner() == safe
    assert protocol.market.balanceOf(safe) > 0
    assert network.account.address not in (
        protocol.vault.guardian(),
        protocol.vault.allocator(),
        protocol.vault.fee_recipient(),
        protocol.factory.guardian(),
        protocol.seller.guardian(),
    )


def test_run__without_a_feed__has_a_double(network: Network, record: Path, tmp_path: Path) -> None:
    settings = read("", network_file(tmp_path, SEPOLIA, {**network.addresses, "feed": None}))
    document = network.run(record, settings=settings)
    assert document["contracts"]["feed"]["kind"] == "MarketFeedDouble"
    protocol = Protocol.at(network.chain, document["addresses"])
    assert protocol.oracle.feed() == document["addresses"]["feed"]
    assert protocol.oracle.market_price()[1]


def test_plan__same_account_and_parameters__has_the_same_addresses(
    network: Network, tmp_path: Path
) -> None:
    """And with another salt, all others."""
    again = network_file(tmp_path, SEPOLIA, network.addresses, confirmations_blocks=9)
    assert network.plan(settings=read("", again)).book == network.plan().book
    other = network_file(tmp_path, SEPOLIA, network.addresses, salt="second")
    made = network.plan(settings=read("", other))
    assert not {one.address for one in made.creations.values()} & {
        one.address for one in network.plan().creations.values()
    }
