import pytest
from eth_abi.abi import encode

from relever.artifacts import artifact
from relever.baselayer import parts
from relever.baselayer.symbiotic import BURNER, create_vault
from relever.chain import Contract, Revert
from tests.suites import NOBODY, deploy_symbiotic_adapter
from tests.unit.adapters.conftest import Symbio

EPOCH = 3_600


def vault_terms(symbio: Symbio) -> bytes:
    core, admin = symbio.world.core, symbio.world.roles.base_admin
    return encode(
        ["address", "address", "uint48", "bool", "bool", "uint256", *["address"] * 5],
        [core.wsteth.address, BURNER, EPOCH, False, False, 0, *[admin] * 5],
    )


def configured_vault(symbio: Symbio, slasher_type: int | None) -> Contract:
    """A vault as anyone makes it, with a slasher of that type or none."""
    core, admin = symbio.world.core, symbio.world.roles.base_admin
    delegator = encode(
        ["((address,address,address),address[],address[])"],
        [((admin, NOBODY, admin), [admin], [admin])],
    )
    slasher = encode(["((bool))"], [((False,),)])
    has_slasher = slasher_type is not None
    terms = (
        *(1, admin, vault_terms(symbio), 0, delegator),
        *(has_slasher, slasher_type or 0, slasher),
    )
    address = core.symbiotic_vault_configurator.create.call(terms)[0]
    core.symbiotic_vault_configurator.create(terms)
    return symbio.chain.contract(address, parts.symbiotic("Vault"))


def create(symbio: Symbio, symbiotic_vault: Contract) -> Contract:
    return deploy_symbiotic_adapter(symbio.world, symbio.vault, symbiotic_vault.address)


def test_create__instant_slasher__terms_are_as_given(symbio: Symbio) -> None:
    adapter, place = symbio.adapter, symbio.place
    assert adapter.vault() == symbio.vault.address
    assert adapter.asset() == symbio.token.address
    assert adapter.symbiotic_vault() == place.vault.address
    assert adapter.slasher() == place.slasher.address
    assert adapter.epoch_duration() == place.vault.epochDuration() == EPOCH
    assert adapter.veto_duration() == 0


def test_create__veto_slasher__knows_its_window(veto_symbio: Symbio) -> None:
    adapter, slasher = veto_symbio.adapter, veto_symbio.place.slasher
    assert adapter.slasher() == slasher.address
    assert adapter.veto_duration() == slasher.vetoDuration() == 1_200


def test_create__nothing_staked__is_worth_nothing(symbio: Symbio) -> None:
    adapter = symbio.adapter
    assert adapter.staked() == adapter.exiting() == adapter.total_assets() == 0
    assert adapter.value_at_risk() == 0
    assert adapter.open_exits() == []


def test_create__vault_of_another_asset__reverts(symbio: Symbio) -> None:
    world, core = symbio.world, symbio.world.core
    place = create_vault(core, world.roles, 0, core.weth.address)
    with pytest.raises(Revert) as failure:
        create(symbio, place.vault)
    assert failure.value.reason == "symbiotic: vault asset"


def test_create__no_slasher__nothing_is_ever_at_risk(symbio: Symbio) -> None:
    adapter = create(symbio, configured_vault(symbio, None))
    assert adapter.slasher() == NOBODY
    assert adapter.value_at_risk() == 0


def test_create__vault_without_its_parts__reverts(symbio: Symbio) -> None:
    # Anyone could still give it any slasher of theirs.
    factory = symbio.world.core.symbiotic_vault_factory
    terms = (1, symbio.world.roles.base_admin, vault_terms(symbio))
    address = factory.create.call(*terms)
    factory.create(*terms)
    with pytest.raises(Revert) as failure:
        create(symbio, symbio.chain.contract(address, parts.symbiotic("Vault")))
    assert failure.value.reason == "symbiotic: vault not initialized"


def test_create__unknown_kind_of_slasher__reverts(symbio: Symbio) -> None:
    chain, core, admin = symbio.chain, symbio.world.core, symbio.world.roles.base_admin
    factory = chain.contract(
        core.symbiotic_vault_configurator.SLASHER_FACTORY(), parts.symbiotic("SlasherFactory")
    )
    new_type = factory.totalTypes()
    slasher = chain.deploy(
        parts.symbiotic("Slasher"),
        core.symbiotic_vault_factory.address,
        core.symbiotic_network_middleware.address,
        factory.address,
        new_type,
    )
    factory.whitelist(slasher.address, sender=admin)
    with pytest.raises(Revert) as failure:
        create(symbio, configured_vault(symbio, new_type))
    assert failure.value.reason == "symbiotic: unknown slasher"


def test_create__later_version_of_the_vault__reverts(symbio: Symbio) -> None:
    core, admin = symbio.world.core, symbio.world.roles.base_admin
    factory = core.symbiotic_vault_factory
    for _ in range(2):
        code = symbio.chain.deploy(
            artifact("MigratedSymbioticVault"), factory.address, symbio.token.address
        )
        factory.whitelist(code.address, sender=admin)
    place = configured_vault(symbio, 0)
    factory.migrate(place.address, 3, b"", sender=admin)
    with pytest.raises(Revert) as failure:
        create(symbio, place)
    assert failure.value.reason == "symbiotic: vault version"
