"""The launcher: creates for its owner, at places that nobody else can take, and for nobody else."""

from __future__ import annotations

from typing import Any

import pytest
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from relever.artifacts import artifact
from relever.baselayer import World
from relever.chain import Call, Chain, Contract, Revert
from relever.chain.abi import interface
from relever.deploy.suite import SEED
from relever.protocol import Deployment

SALT = keccak(text="a contract")
DETERMINISTIC = "0x4e59b44847b379578588920cA78FbF26c0B4956C"


@pytest.fixture
def owner(deployment: Deployment) -> str:
    return deployment.roles.keeper


@pytest.fixture
def launcher(chain: Chain, owner: str) -> Contract:
    return chain.deploy(artifact("Launcher"), owner, sender=owner)


def create2(deployer: str, salt: bytes, code: bytes) -> str:
    packed = b"\xff" + bytes.fromhex(deployer[2:]) + salt + keccak(code)
    return to_checksum_address(keccak(packed)[12:])


def factory_code(guardian: str) -> bytes:
    made = artifact("MarketFactory")
    return made.bytecode + interface(made.abi).constructor.encode((guardian, guardian))


def test_create__by_its_owner__is_at_its_place(
    launcher: Contract, owner: str, chain: Chain
) -> None:
    code = factory_code(owner)
    receipt = launcher.create(SALT, code, [], [], sender=owner)
    place = create2(launcher.address, SALT, code)
    # The factory says who its owner and guardian are.
    assert receipt.events[-1].args == {"made": place}
    factory = chain.contract(place, artifact("MarketFactory"))
    assert factory.owner() == launcher.address
    assert factory.guardian() == owner


def test_create__same_salt_and_code_again__reverts(launcher: Contract, owner: str) -> None:
    launcher.create(SALT, factory_code(owner), [], [], sender=owner)
    with pytest.raises(Revert):
        launcher.create(SALT, factory_code(owner), [], [], sender=owner)


def test_create__calls_before_and_after__are_made_in_order(
    launcher: Contract, owner: str, world: World, chain: Chain
) -> None:
    """The vault takes its seed while it is created, and is handed over in the same transaction."""
    wsteth, made = world.core.wsteth, artifact("LRTVault")
    world.fund(world.roles.lender, wsteth=SEED)
    wsteth.transfer(launcher.address, SEED, sender=world.roles.lender)
    arguments = (wsteth, "Name", "SYM", owner, owner, 1, 10**18, launcher)
    code = made.bytecode + interface(made.abi).constructor.encode(arguments)
    vault = chain.contract(create2(launcher.address, SALT, code), made)
    before = (wsteth.address, 0, wsteth.approve.encode(vault.address, SEED))
    after = (vault.address, 0, vault.transfer_ownership.encode(owner))
    launcher.create(SALT, code, [before], [after], sender=owner)
    assert wsteth.balanceOf(launcher.address) == 0
    assert vault.totalSupply() == SEED
    assert vault.pending_owner() == owner
    vault.accept_ownership(sender=owner)
    assert vault.owner() == owner
    with pytest.raises(Revert, match="ownable: caller is not the owner"):
        launcher.run([(vault.address, 0, vault.transfer_ownership.encode(owner))], sender=owner)


def test_create__a_later_call_fails__creates_nothing(
    launcher: Contract, owner: str, chain: Chain
) -> None:
    code = factory_code(owner)
    place = create2(launcher.address, SALT, code)
    factory = chain.contract(place, artifact("MarketFactory"))
    unknown = (place, 0, factory.list_market.encode(owner))
    with pytest.raises(Revert, match="factory: unknown market"):
        launcher.create(SALT, code, [], [unknown], sender=owner)
    assert chain.rpc("eth_getCode", [place, "latest"]) == "0x"


def test_create__constructor_fails__gives_its_reason(launcher: Contract, owner: str) -> None:
    nobody = "0x0000000000000000000000000000000000000000"
    with pytest.raises(Revert, match="factory: guardian"):
        launcher.create(SALT, factory_code(nobody), [], [], sender=owner)


def test_create_next__place__depends_on_the_count_only(
    launcher: Contract, owner: str, chain: Chain
) -> None:
    place = launcher.create_next.call(factory_code(owner), sender=owner)
    assert launcher.create_next.call(artifact("Lens").bytecode, sender=owner) == place
    receipt = launcher.create_next(factory_code(owner), sender=owner)
    assert receipt.events[-1].args == {"made": place}
    assert chain.contract(place, artifact("MarketFactory")).owner() == launcher.address


@pytest.mark.parametrize("function", ["create", "create_next", "run"])
def test_each__by_a_stranger__reverts(
    launcher: Contract, deployment: Deployment, function: str
) -> None:
    """Nobody takes a place or a right in front of the owner."""
    code = factory_code(deployment.roles.stranger)
    given: dict[str, tuple[Any, ...]] = {
        "create": (SALT, code, [], []),
        "create_next": (code,),
        "run": ([],),
    }
    with pytest.raises(Revert, match="launcher: not owner"):
        getattr(launcher, function)(*given[function], sender=deployment.roles.stranger)


def test_launcher__made_by_a_stranger__is_its_owners_all_the_same(
    chain: Chain, deployment: Deployment, owner: str
) -> None:
    """Who sends the deployer's first transaction in its place only pays for it."""
    made = artifact("Launcher")
    code = made.bytecode + interface(made.abi).constructor.encode((owner,))
    stranger = deployment.roles.stranger
    chain.send(Call(stranger, DETERMINISTIC, SALT + code, label="front run"))
    launcher = chain.contract(create2(DETERMINISTIC, SALT, code), made)
    assert launcher.OWNER() == owner
    other = made.bytecode + interface(made.abi).constructor.encode((stranger,))
    # A launcher of the stranger's own is elsewhere, and so is all that it makes.
    assert create2(DETERMINISTIC, SALT, other) != launcher.address


@pytest.mark.parametrize(("sent", "given"), [(1, 0), (0, 1), (2, 1)])
def test_run__ether_that_does_not_add_up__reverts(
    launcher: Contract, owner: str, world: World, sent: int, given: int
) -> None:
    call = (world.core.weth.address, given, world.core.weth.deposit.encode())
    with pytest.raises(Revert, match="launcher: ether"):
        launcher.run([call], sender=owner, value=sent)


def test_run__to_no_code__reverts(launcher: Contract, owner: str) -> None:
    with pytest.raises(Revert, match="launcher: no contract"):
        launcher.run([(owner, 0, b"")], sender=owner)


def test_run__that_comes_back__reverts(launcher: Contract, owner: str) -> None:
    """What it calls cannot act through it, whoever it is."""
    again = launcher.run.encode([])
    with pytest.raises(Revert):
        launcher.run([(launcher.address, 0, again)], sender=owner)


def test_deployment__without_owner__reverts(chain: Chain, owner: str) -> None:
    with pytest.raises(Revert, match="launcher: owner"):
        chain.deploy(
            artifact("Launcher"), "0x0000000000000000000000000000000000000000", sender=owner
        )
