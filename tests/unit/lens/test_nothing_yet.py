from relever.protocol import UNLIMITED, WAD, Deployment
from tests.scene import ETHER, borrow_against, lend


def test_market__nothing_lent__has_no_utilisation(deployment: Deployment) -> None:
    protocol = deployment.protocol
    view = protocol.lens.market(protocol.market.address)
    assert (view.cash, view.utilisation, view.loan_held, view.collateral_held) == (0, 0, 0, 0)
    assert view.state.supply_shares == view.state.borrow_shares == view.protocol_shares == 0
    assert view.halted_until == 0


def test_position__nothing_lent__is_nothing(deployment: Deployment) -> None:
    protocol, looper = deployment.protocol, deployment.roles.looper
    view = protocol.lens.position(protocol.market.address, looper)
    assert tuple(view) == (looper, 0, 0, 0, 0, UNLIMITED, UNLIMITED, False, False, 0)


def test_vault__nothing_staked__is_the_seed_and_the_pools_share(deployment: Deployment) -> None:
    protocol = deployment.protocol
    view = protocol.lens.vault(protocol.vault.address)
    assert view.idle == view.total_assets == view.total_supply
    assert [stake.adapter for stake in view.adapters] == [
        protocol.eigenlayer.address,
        protocol.symbiotic.address,
    ]
    for stake in view.adapters:
        assert (stake.booked, stake.live, stake.exiting, stake.at_risk) == (0, 0, 0, 0)


def test_market__all_lent_out__is_used_to_the_last_unit(deployment: Deployment) -> None:
    protocol = deployment.protocol
    lend(deployment, 10 * ETHER)
    borrow_against(deployment, 20 * ETHER, 10 * ETHER)
    view = protocol.lens.market(protocol.market.address)
    assert (view.cash, view.utilisation, view.loan_held) == (0, WAD, 0)
    assert view.collateral_held == 20 * ETHER
