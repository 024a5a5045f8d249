"""`verify` is silent on a deployment as it should be, and finds each difference that is planted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from relever.artifacts import artifact
from relever.chain import Contract
from relever.deploy.__main__ import main
from relever.deploy.record import describe, genesis, read, write
from relever.deploy.verify import verify
from tests.unit.deploy.conftest import ETHER, Network

WAD = 10**18


class Deployed:
    """A finished deployment whose owner's key is at hand."""

    def __init__(self, network: Network, record: Path) -> None:
        self.network, self.record = network, record
        network.chain.rpc("evm_setAutomine", [True])
        self.document = network.run(record)
        network.chain.rpc("evm_setAutomine", [False])
        self.plan = network.plan()
        self.owner = network.chain.impersonate(network.account.address)

    def contract(self, name: str) -> Contract:
        """One that the node lets us drive."""
        kind = self.document["contracts"][name]["kind"]
        return self.network.chain.contract(self.document["addresses"][name], artifact(kind))

    def store(self, name: str, variable: str, value: int) -> None:
        """Write a variable over, as no call could."""
        slot = artifact(self.document["contracts"][name]["kind"]).storage[variable]
        place = self.document["addresses"][name]
        self.network.chain.rpc("anvil_setStorageAt", [place, f"0x{slot:064x}", f"0x{value:064x}"])

    def found(self) -> list[str]:
        """What `verify` names."""
        about = describe(self.plan, "sepolia", genesis(self.plan.chain))
        return [one.what for one in verify(self.plan, about, read(self.record))]


@pytest.fixture(scope="module")
def finished(bare_network: Network, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    with bare_network.chain.isolated():
        yield Deployed(bare_network, tmp_path_factory.mktemp("verify") / "record.json")


@pytest.fixture
def deployed(finished: Deployed) -> Iterator[Deployed]:
    kept = finished.record.read_text()
    with finished.network.chain.isolated():
        yield finished
    finished.record.write_text(kept)


def test_verify__as_deployed__finds_nothing(deployed: Deployed) -> None:
    assert deployed.found() == []


def test_verify__with_users_at_work__finds_nothing(deployed: Deployed) -> None:
    """What is used, donated to and lent to is no difference."""
    world, vault = deployed.network.world, deployed.contract("vault")
    user, launcher = world.roles.depositor, deployed.document["addresses"]["launcher"]
    world.fund(user, wsteth=ETHER)
    world.core.wsteth.approve(vault.address, ETHER, sender=user)
    vault.deposit(ETHER, user, sender=user)
    vault.transfer(launcher, 1, sender=user)
    vault.transfer(deployed.document["addresses"]["market"], 1, sender=user)
    assert deployed.found() == []


def set_deposit_cap(deployed: Deployed) -> None:
    deployed.contract("vault").set_deposit_cap(1, sender=deployed.owner)


def set_adapter_cap(deployed: Deployed) -> None:
    adapter = deployed.document["addresses"]["symbiotic"]
    deployed.contract("vault").set_adapter_caps(adapter, 1, WAD, sender=deployed.owner)


def leave_pending_owner(deployed: Deployed) -> None:
    stranger = deployed.network.world.roles.stranger
    deployed.contract("factory").transfer_ownership(stranger, sender=deployed.owner)


def give_seller_away(deployed: Deployed) -> None:
    stranger = deployed.network.world.roles.stranger
    seller = deployed.contract("seller")
    seller.transfer_ownership(stranger, sender=deployed.owner)
    seller.accept_ownership(sender=stranger)


def change_guardian(deployed: Deployed) -> None:
    stranger = deployed.network.world.roles.stranger
    deployed.contract("factory").set_guardian(stranger, sender=deployed.owner)


def change_allocator(deployed: Deployed) -> None:
    stranger = deployed.network.world.roles.stranger
    deployed.contract("vault").set_allocator(stranger, sender=deployed.owner)


def swap_feed(deployed: Deployed) -> None:
    world = deployed.network.world
    feed = world.feed("another")
    feed.answer(world.core.wsteth.stEthPerToken())
    deployed.store("oracle", "replacement._used", int(feed.proxy.address, 16))


def raise_exit_fee(deployed: Deployed) -> None:
    deployed.contract("vault").set_exit_fee(0, 0, sender=deployed.owner)


def redirect_fee(deployed: Deployed) -> None:
    stranger = deployed.network.world.roles.stranger
    deployed.contract("vault").set_performance_fee(10**17, stranger, sender=deployed.owner)


def delist(deployed: Deployed) -> None:
    market = deployed.document["addresses"]["market"]
    deployed.contract("factory").delist_market(market, sender=deployed.owner)


def change_market_caps(deployed: Deployed) -> None:
    deployed.contract("market").set_caps((1, 1, 0), sender=deployed.owner)


def change_reward_terms(deployed: Deployed) -> None:
    nobody = "0x0000000000000000000000000000000000000000"
    weth = deployed.network.world.core.weth
    deployed.contract("seller").set_terms(weth, (nobody, 0, 1, nobody), sender=deployed.owner)


def leave_allowance(deployed: Deployed) -> None:
    launcher, weth = deployed.contract("launcher"), deployed.network.world.core.weth
    approval = weth.approve.encode(deployed.document["addresses"]["market"], 1)
    launcher.run([(weth.address, 0, approval)], sender=deployed.owner)


def change_immutable(deployed: Deployed) -> None:
    """The same compiler's code, other immutables."""
    place = deployed.document["addresses"]["router"]
    code = bytearray(deployed.plan.code_at(place))
    code[-1] ^= 1
    deployed.network.chain.set_code(place, bytes(code))


def change_vault_immutable(deployed: Deployed) -> None:
    """Of a contract whose constructor cannot be run again."""
    place = deployed.document["addresses"]["vault"]
    code = bytearray(deployed.plan.code_at(place))
    code[-1] ^= 1
    deployed.network.chain.set_code(place, bytes(code))


def change_code(deployed: Deployed) -> None:
    place = deployed.document["addresses"]["lens"]
    deployed.network.chain.set_code(place, artifact("Outlook").runtime)


def remove_code(deployed: Deployed) -> None:
    deployed.network.chain.set_code(deployed.document["addresses"]["zap"], b"")


def pause(deployed: Deployed) -> None:
    deployed.contract("vault").pause(3_600, sender=deployed.owner)


def depeg(deployed: Deployed) -> None:
    """The feed says four fifths of what the LRT is worth."""
    world = deployed.network.world
    feed = world.chain.contract(
        deployed.document["addresses"]["feed"], artifact("MarketFeedDouble")
    )
    answer = feed.latestRoundData()[1]
    deployed.network.chain.advance(100)
    place = feed.address
    double = artifact("SettableFeed")
    made = deployed.network.chain.deploy(double, 18, sender=world.roles.stranger)
    now = deployed.network.chain.timestamp
    made.set_round((1, answer * 8 // 10, now, now, 1), sender=world.roles.stranger)
    code = deployed.plan.code_at(made.address)
    deployed.network.chain.set_code(place, code)
    for slot in range(6):
        word = deployed.network.chain.words([(made.address, slot)])[0]
        deployed.network.chain.rpc(
            "anvil_setStorageAt", [place, f"0x{slot:064x}", f"0x{word:064x}"]
        )


def age_feed(deployed: Deployed) -> None:
    deployed.network.chain.advance(100_000)


PLANTED: list[tuple[Callable[[Deployed], None], str]] = [
    (set_deposit_cap, "vault.deposit_cap()"),
    (set_adapter_cap, "vault.adapter_caps("),
    (leave_pending_owner, "factory.pending_owner()"),
    (give_seller_away, "seller.owner()"),
    (change_guardian, "factory.guardian()"),
    (change_allocator, "vault.allocator()"),
    (swap_feed, "oracle.feed()"),
    (raise_exit_fee, "vault.exit_terms()"),
    (redirect_fee, "vault.fee_recipient()"),
    (delist, "factory.is_listed("),
    (change_market_caps, "market.caps()"),
    (change_reward_terms, "seller.terms("),
    (leave_allowance, "weth.allowance("),
    (change_immutable, "immutables of router"),
    (change_vault_immutable, "keccak256 of the code of vault"),
    (change_code, "code of lens"),
    (remove_code, "code of zap"),
    (pause, "vault.paused_until()"),
    (depeg, "market price"),
    (age_feed, "market price"),
]


@pytest.mark.parametrize(("plant", "named"), PLANTED, ids=[one.__name__ for one, _ in PLANTED])
def test_verify__a_planted_difference__is_found(
    deployed: Deployed, plant: Callable[[Deployed], None], named: str
) -> None:
    plant(deployed)
    found = deployed.found()
    assert any(one.startswith(named) for one in found), found


def edit_address(document: dict[str, Any]) -> None:
    document["addresses"]["guardian"] = document["addresses"]["router"]


def edit_argument(document: dict[str, Any]) -> None:
    document["contracts"]["queue"]["arguments"][1] = 7


def edit_source(document: dict[str, Any]) -> None:
    document["contracts"]["router"]["source_sha256"] = "00"


def edit_parameter(document: dict[str, Any]) -> None:
    document["settings"]["protocol"]["market"]["fee_wad"] = 7


def edit_compiler(document: dict[str, Any]) -> None:
    document["compiler"]["vyper"] = "0.4.2"


def unfinish(document: dict[str, Any]) -> None:
    document["finished"] = False


EDITS: list[tuple[Callable[[dict[str, Any]], None], str]] = [
    (edit_address, "record.addresses.guardian"),
    (edit_argument, "record.contracts.queue.arguments"),
    (edit_source, "record.contracts.router.source_sha256"),
    (edit_parameter, "record.settings.protocol.market.fee_wad"),
    (edit_compiler, "record.compiler.vyper"),
    (unfinish, "the deployment"),
]


@pytest.mark.parametrize(("edit", "named"), EDITS, ids=[one.__name__ for one, _ in EDITS])
def test_verify__an_edited_record__is_found(
    deployed: Deployed, edit: Callable[[dict[str, Any]], None], named: str
) -> None:
    document = read(deployed.record)
    edit(document)
    write(deployed.record, document)
    assert deployed.found() == [named]


def test_command__clean_and_with_a_difference__ends_with_0_and_1(
    deployed: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["verify", *deployed.network.command(deployed.record)[:6]]
    # The same settings under the name that the command gives them.
    document = read(deployed.record)
    write(deployed.record, {**document, "network": "custom"})
    assert main(command) == 0
    set_deposit_cap(deployed)
    assert main(command) == 1
    assert "vault.deposit_cap()" in capsys.readouterr().err


def test_command__no_record__says_so(network: Network, tmp_path: Path, capsys: Any) -> None:
    assert main(["verify", *network.command(tmp_path / "none.json")[:6]]) == 1
    assert "there is no record" in capsys.readouterr().err
