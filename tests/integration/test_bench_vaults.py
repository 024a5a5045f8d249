"""What `make bench-gas` measures of our own vault, on the real base layer; peers are left out."""

from bench.vaults import with_syncs
from relever.baselayer import build_world, deploy_core
from relever.chain import Anvil, Chain


def test_with_syncs__vault_with_stake__each_operation_has_its_gas() -> None:
    with Anvil.start() as node:
        chain = Chain.connect(node.ipc)
        world = build_world(deploy_core(chain))
        before = chain.block_number
        rows = with_syncs(world)
        assert chain.block_number == before

    gas = {row.operation: row.relever for row in rows}
    assert len(gas) == len(rows)
    for what in ("deposit", "deposit, first", "redeem", "redeem, all"):
        alone = max(gas[f"EigenLayer: {what}"], gas[f"Symbiotic: {what}"])
        assert 100_000 < alone < gas[f"both: {what}"]
    # A slot that was empty.
    assert gas["both: deposit, first"] - gas["both: deposit"] == 17_100
    assert gas["both: sync, nothing new"] < gas["both: sync, a slash in one"]
    assert gas["both: requestRedeem"] < gas["both: requestRedeem, first"]
    assert gas["both: finalize 1"] < gas["both: finalize 10"] < 10 * gas["both: finalize 1"]
    assert 21_000 < gas["both: claim"] < gas["both: finalize 1"]
