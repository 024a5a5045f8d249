import pytest
from eth_abi import encode

from relever.artifacts import artifact
from relever.chain import Call, Contract
from relever.protocol import Deployment
from tests.lrt_paths import NOBODY
from tests.scene import ETHER, SWAP, reason_of, reverts
from tests.unit.router.conftest import FREE, deploy_hostile

OPEN_DATA = encode(["address", *["uint256"] * 4], [NOBODY, ETHER, ETHER, ETHER, 0])
CLOSE_DATA = encode(["uint256", "uint256"], [ETHER, 1])


@pytest.mark.parametrize("role", ["stranger", "looper", "owner", "liquidator"])
@pytest.mark.parametrize(
    ("delta", "data"), [(0, OPEN_DATA), (-ETHER, CLOSE_DATA)], ids=["opening", "closing"]
)
def test_on_adjust__by_anyone__reverts(
    scene: Deployment, role: str, delta: int, data: bytes
) -> None:
    router, caller = scene.protocol.router, getattr(scene.roles, role)
    with reverts("router: not the active market"):
        router.on_adjust(scene.roles.looper, delta, 0, data, sender=caller)


@pytest.mark.parametrize("name", ["market", "liquidator", "factory", "router", "swap", "vault"])
def test_on_adjust__by_a_contract_of_the_suite_at_rest__reverts(
    scene: Deployment, name: str
) -> None:
    protocol = scene.protocol
    caller = scene.chain.impersonate(getattr(protocol, name).address)
    with reverts("router: not the active market"):
        protocol.router.on_adjust(scene.roles.looper, 0, 0, OPEN_DATA, sender=caller)


def test_default__ether_from_anyone__reverts(scene: Deployment) -> None:
    router = scene.protocol.router.address
    for role in ("stranger", "looper", "owner"):
        sender = getattr(scene.roles, role)
        with reverts("router: ether only from weth"):
            scene.chain.send(Call(sender, router, b"", ETHER))


def test_default__unknown_function__reverts(scene: Deployment) -> None:
    with reverts("router: ether only from weth"):
        scene.chain.send(
            Call(scene.roles.stranger, scene.protocol.router.address, b"\x12\x34\x56\x78")
        )


def test_create__lst_that_is_not_the_vaults_asset__reverts(scene: Deployment) -> None:
    protocol, core = scene.protocol, scene.world.core
    for name, last in (("LeverageRouter", ([],)), ("Liquidator", (NOBODY,))):
        with reverts("path: lst is not the lrt's asset"):
            scene.chain.deploy(
                artifact(name),
                protocol.factory.address,
                protocol.vault.address,
                core.steth.address,
                core.weth.address,
                protocol.swap.address,
                NOBODY,
                *last,
            )


def test_create__fixed_targets__are_those_of_the_suite(scene: Deployment) -> None:
    protocol, core = scene.protocol, scene.world.core
    for helper in (protocol.router, protocol.liquidator):
        assert helper.FACTORY() == protocol.factory.address
        assert helper.LRT() == protocol.vault.address
        assert helper.LST() == core.wsteth.address
        assert helper.STETH() == core.steth.address
        assert helper.WETH() == core.weth.address
        assert helper.SWAP() == protocol.swap.address
        assert helper.STABLE_SWAP() == NOBODY


@pytest.fixture
def hostile(scene: Deployment) -> tuple[Contract, Contract]:
    """A router that takes any market for listed, and a market that uses that."""
    return deploy_hostile(scene, "LeverageRouter", [])


@pytest.mark.parametrize("outer", ["open", "close"])
@pytest.mark.parametrize("inner", ["open", "close"])
def test_router__in_the_middle_of_a_call__is_locked(
    scene: Deployment, hostile: tuple[Contract, Contract], outer: str, inner: str
) -> None:
    router, market = hostile
    calls = {
        "open": (market.address, NOBODY, 0, ETHER, FREE),
        "close": (market.address, ETHER, 0, SWAP, FREE),
    }
    market.set_call(router.address, getattr(router, inner).encode(*calls[inner]))
    getattr(router, outer)(*calls[outer], sender=scene.roles.looper)
    assert market.called() is True
    assert (market.succeeded(), market.answer()) == (False, b"")


@pytest.mark.parametrize("outer", ["open", "close"])
def test_on_adjust__by_another_in_the_middle_of_a_call__reverts(
    scene: Deployment, hostile: tuple[Contract, Contract], outer: str
) -> None:
    router, market = hostile
    calls = {
        "open": (market.address, NOBODY, 0, ETHER, FREE),
        "close": (market.address, ETHER, 0, SWAP, FREE),
    }
    other = scene.chain.deploy(artifact("HostileMarket"))
    callback = router.on_adjust.encode(scene.roles.looper, 0, 0, OPEN_DATA)
    other.set_call(router.address, callback)
    # The market that is entered asks another one to call back.
    market.set_call(other.address, other.adjust.encode(NOBODY, 0, 0, NOBODY, b""))
    getattr(router, outer)(*calls[outer], sender=scene.roles.looper)
    assert market.succeeded() is True
    assert other.succeeded() is False
    assert reason_of(other.answer()) == "router: not the active market"


@pytest.mark.parametrize("first", ["open", "close"])
def test_on_adjust__after_a_call_in_the_same_transaction__reverts(
    scene: Deployment, hostile: tuple[Contract, Contract], first: str
) -> None:
    router, market = hostile
    calls = {
        "open": (market.address, NOBODY, 0, ETHER, FREE),
        "close": (market.address, ETHER, 0, SWAP, FREE),
    }
    # While the call runs, the very same callback is answered.
    callback = router.on_adjust.encode(scene.roles.looper, 0, 0, encode(["uint256"] * 5, [0] * 5))
    market.set_call(router.address, callback)
    market.run(router.address, getattr(router, first).encode(*calls[first]), callback)
    assert market.succeeded() is False
    assert reason_of(market.answer()) == "router: not the active market"
    market.set_call(router.address, callback)
    getattr(router, first)(*calls[first], sender=scene.roles.looper)
    assert market.succeeded() is True


def test_on_adjust__token_refuses_the_approval__reverts(scene: Deployment) -> None:
    market = scene.chain.deploy(artifact("HostileMarket"))
    token = scene.chain.deploy(artifact("RefusingToken")).address
    swap = scene.protocol.swap.address
    router = scene.chain.deploy(
        artifact("LeverageRouter"), market.address, token, token, token, swap, NOBODY, []
    )
    market.set_call(
        router.address,
        router.on_adjust.encode(NOBODY, 0, 0, encode(["uint256"] * 5, [0, 0, 0, 1, 0])),
    )
    router.open(market.address, NOBODY, 0, 1, FREE, sender=scene.roles.looper)
    assert market.succeeded() is False
    assert reason_of(market.answer()) == "token: approve failed"
