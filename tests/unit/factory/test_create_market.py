from relever.artifacts import artifact
from relever.chain import Event
from relever.protocol import Deployment, contract_address, deploy_blueprint
from tests.lrt_paths import NOBODY
from tests.scene import reverts


def test_create__deployer__owns_it_and_the_guardian_is_set(deployment: Deployment) -> None:
    chain, roles = deployment.chain, deployment.roles
    blueprint = deploy_blueprint(chain, roles.stranger)
    factory = chain.deploy(
        artifact("MarketFactory"), blueprint, roles.guardian, sender=roles.stranger
    )
    assert factory.owner() == roles.stranger
    assert factory.pending_owner() == NOBODY
    assert factory.guardian() == roles.guardian
    assert factory.BLUEPRINT() == blueprint
    logs = chain.rpc("eth_getLogs", [{"address": factory.address, "fromBlock": "0x0"}])
    assert [chain.decode_log(log) for log in logs][-1] == Event(
        "GuardianSet", {"guardian": roles.guardian}, factory.address
    )


def test_create__no_guardian__reverts(deployment: Deployment) -> None:
    blueprint = deployment.protocol.factory.BLUEPRINT()
    with reverts("factory: guardian"):
        deployment.chain.deploy(artifact("MarketFactory"), blueprint, NOBODY)


def test_create_market__by_a_stranger__is_known_but_not_listed(deployment: Deployment) -> None:
    factory, roles = deployment.protocol.factory, deployment.roles
    terms = deployment.protocol.market.terms()
    expected = contract_address(deployment.chain, factory.address)
    receipt = factory.create_market(tuple(terms), "Another", "ANO", sender=roles.stranger)
    market = deployment.chain.contract(expected, artifact("LendingMarket"))
    created = {"market": expected, "creator": roles.stranger}
    assert receipt.events == [Event("MarketCreated", created, factory.address)]
    assert factory.is_market(expected)
    assert not factory.is_listed(expected)
    assert not factory.was_listed(expected)
    # What it was created with, and caps of nothing.
    assert market.terms() == terms
    assert tuple(market.caps()) == (0, 0, 0)
    assert (market.name(), market.symbol()) == ("Another", "ANO")
    assert market.FACTORY() == factory.address


def test_create_market__same_terms_twice__makes_two(deployment: Deployment) -> None:
    factory = deployment.protocol.factory
    terms = tuple(deployment.protocol.market.terms())
    made = [factory.create_market(terms, "A", "A").events[-1].args["market"] for _ in range(2)]
    assert len({*made, deployment.protocol.market.address}) == 3


def test_create_market__terms_that_cannot_work__reverts(
    deployment: Deployment,
) -> None:
    factory = deployment.protocol.factory
    terms = deployment.protocol.market.terms()
    with reverts("factory: max ltv"):
        factory.create_market(tuple(terms._replace(max_ltv=terms.threshold)), "A", "A")
    with reverts("factory: same token"):
        factory.create_market(tuple(terms._replace(loan=terms.collateral)), "A", "A")
