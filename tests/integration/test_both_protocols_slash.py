"""One vault in EigenLayer and in both of Symbiotic's kinds of vaults: who bears what of a slash.

What each rounding can cost, in asset units:

- EigenLayer: a tranche of the stake is a number of shares, one unit each here, times the operator's
  magnitude, rounded down: 1. What an exit takes off the stake after a slash is first turned into
  shares of before it, down: 2 more, see `EIGEN_EXIT`.
- Symbiotic: a slash is divided between the stake and two buckets of exits by two divisions down, so
  that the last of the three gets up to 2 more than its share; what we have of each is rounded down,
  1, and moves by less than 1 by the virtual unit in Symbiotic's shares: 4.
- The vault: a worth is rounded down: 1 for each time a holder or a request is paid.
"""

from collections.abc import Callable, Iterator

import pytest

from relever.baselayer import Symbiotic, build_world, deploy_core
from relever.chain import Anvil, Chain, Contract, Revert
from tests.scene import reverts
from tests.suites import (
    SEED,
    UNLIMITED,
    VIRTUAL,
    WAD,
    Suite,
    deploy_adapter,
    deploy_exits,
    deploy_symbiotic_adapter,
    deploy_vault,
    enter,
    stake,
)

EIGEN, EIGEN_EXIT, SYMBIOTIC = 1, 3, 4
# What a requested slash shows above what it takes of us: three parts of 4, less than the adapter's
# own bound of 8 and its rounding up.
AT_RISK = 8 + 1
DEPOSITS_PAUSED, WITHDRAWALS_PAUSED = 1 << 0, 1 << 1


class Both(Suite):
    """The depositor holds 50 shares, the lender 30, the borrower 20. Staked are 30 in EigenLayer
    and 25 in each of the Symbiotic vaults, where a stranger has 25 too; 20 and the seed are idle.
    """

    @property
    def eigen(self) -> Contract:
        return self.adapters[0]

    @property
    def instant(self) -> Contract:
        return self.adapters[1]

    @property
    def veto(self) -> Contract:
        return self.adapters[2]

    @property
    def symbiotic(self) -> Symbiotic:
        return self.world.symbiotic

    @property
    def holders(self) -> list[str]:
        roles = self.world.roles
        return [roles.depositor, roles.lender, roles.borrower]

    def mature(self) -> None:
        """Let every exit that was started by now become payable."""
        self.world.pass_withdrawal_delay()
        self.symbiotic.instant.pass_exit_delay()

    def live(self) -> list[int]:
        return [adapter.total_assets() for adapter in self.adapters]

    def exit_value(self, adapter: Contract, exit_id: int) -> int:
        """What one exit is worth now, by the protocol itself."""
        if adapter == self.eigen:
            core = self.world.core
            shares = core.delegation_manager.getQueuedWithdrawal(exit_id.to_bytes(32, "big"))[1]
            return int(core.wsteth_strategy.sharesToUnderlyingView(shares[0]))
        place = self.symbiotic.instant if adapter == self.instant else self.symbiotic.veto
        return int(place.vault.withdrawalsOf(exit_id, adapter.address))

    def waiting_worth(self, request: int, total: int) -> int:
        """What is still to be paid for a request, at a total."""
        found = self.queue.request(request)
        return min(found.assets, self.worth(total, found.shares))


def near(value: int, exact: tuple[int, int], rounding: int) -> bool:
    """Whether a value misses a fraction by no more than the rounding."""
    numerator, denominator = exact
    return abs(value * denominator - numerator) <= rounding * denominator


@pytest.fixture(scope="module")
def built() -> Iterator[Both]:
    with Anvil.start() as node:
        world = build_world(deploy_core(Chain.connect(node.ipc)))
        roles, wsteth, vault = world.roles, world.core.wsteth, deploy_vault(world)
        queue = deploy_exits(world, vault)
        for who, amount in ((roles.depositor, 50), (roles.lender, 30), (roles.borrower, 20)):
            enter(world, vault, who, amount * WAD)
        enter(world, vault, roles.stranger, 0)
        eigen = deploy_adapter(world, vault)
        stake(world, vault, eigen, 30 * WAD)
        adapters = [eigen]
        for place in (world.symbiotic.instant, world.symbiotic.veto):
            adapter = deploy_symbiotic_adapter(world, vault, place.vault.address)
            stake(world, vault, adapter, 25 * WAD)
            wsteth.approve(place.vault.address, UNLIMITED, sender=roles.stranger)
            place.vault.deposit(roles.stranger, 25 * WAD, sender=roles.stranger)
            adapters.append(adapter)
        # Past the first epochs, so that there are some before.
        for _ in range(3):
            world.symbiotic.instant.pass_epoch()
        yield Both(world, vault, queue, tuple(adapters))


@pytest.fixture
def suite(built: Both) -> Iterator[Both]:
    with built.chain.isolated():
        yield built


# --- everyone's share ---


@pytest.mark.parametrize("odd", [0, 12_345_678_901_234_567])
def test_slashes__of_all_three__every_holder_request_and_tranche_loses_its_share(
    suite: Both, odd: int
) -> None:
    vault, queue, roles = suite.vault, suite.queue, suite.world.roles
    # The first request is paid, the second in part; the rest of it and the third wait.
    paid = suite.join(12 * WAD, roles.lender)
    part = suite.join(15 * WAD, roles.depositor)
    suite.finalize()
    last = suite.join(10 * WAD, roles.borrower)
    aside = queue.set_aside()
    assert aside == 20 * WAD + SEED
    assert queue.request(part).shares == 7 * WAD - SEED

    # Tranches in both protocols, in Symbiotic of two epochs.
    tranches = [
        (suite.eigen, suite.start_exit(suite.eigen, 10 * WAD + odd)),
        (suite.instant, suite.start_exit(suite.instant, 8 * WAD + odd)),
    ]
    suite.symbiotic.instant.pass_epoch()
    tranches += [
        (suite.instant, suite.start_exit(suite.instant, 6 * WAD - odd)),
        (suite.veto, suite.start_exit(suite.veto, 7 * WAD + odd)),
        (suite.eigen, suite.start_exit(suite.eigen, 5 * WAD - odd)),
    ]
    staked = [adapter.staked() for adapter in suite.adapters]
    leaving = [suite.exit_value(*tranche) for tranche in tranches]
    vault.sync()
    total, supply = vault.totalAssets(), vault.totalSupply()
    shares = [vault.balanceOf(who) for who in suite.holders]
    worths = [suite.worth(total, held) for held in shares]
    waiting = {request: suite.waiting_worth(request, total) for request in (part, last)}

    # A quarter in EigenLayer; of the 50 in each Symbiotic vault 20, for the stake of the last epoch
    # and so of both exits' too, and 15 by a request.
    suite.world.slash(WAD // 4 + odd)
    captured = suite.symbiotic.instant.vault.currentEpochStart() - 1
    suite.symbiotic.slash(20 * WAD + odd, captured)
    suite.chain.advance(1)
    index = suite.symbiotic.request_slash(15 * WAD + odd)
    suite.symbiotic.pass_veto_window()
    suite.symbiotic.execute_slash(index)

    left = {
        suite.eigen.address: (WAD - WAD // 4 - odd, WAD),
        suite.instant.address: (30 * WAD - odd, 50 * WAD),
        suite.veto.address: (35 * WAD - odd, 50 * WAD),
    }
    for adapter, was in zip(suite.adapters, staked, strict=True):
        kept, whole = left[adapter.address]
        rounding = EIGEN if adapter == suite.eigen else SYMBIOTIC
        assert near(adapter.staked(), (was * kept, whole), rounding)
    for tranche, was in zip(tranches, leaving, strict=True):
        kept, whole = left[tranche[0].address]
        rounding = EIGEN if tranche[0] == suite.eigen else SYMBIOTIC
        assert near(suite.exit_value(*tranche), (was * kept, whole), rounding)

    # What the books lose is what the adapters lost: of 80 about 7.5, 10 and 7.5.
    booked = [vault.booked(adapter.address) for adapter in suite.adapters]
    for adapter, was, now in zip(suite.adapters, booked, suite.live(), strict=True):
        kept, whole = left[adapter.address]
        parts = 1 + sum(exit_adapter == adapter for exit_adapter, _ in tranches)
        rounding = parts * (EIGEN if adapter == suite.eigen else SYMBIOTIC)
        assert near(was - now, (was * (whole - kept), whole), rounding)
    loss = sum(booked) - sum(suite.live())
    vault.sync()
    suite.conserved()
    assert vault.totalAssets() == total - loss
    for held, worth in zip(shares, worths, strict=True):
        lost = worth - suite.worth(total - loss, held)
        # Two worths are rounded down, one each: less than a unit off.
        assert near(lost, (loss * held, supply + VIRTUAL), 1)
        assert vault.convertToAssets(held) == worth - lost
    for request, worth in waiting.items():
        lost = worth - suite.waiting_worth(request, total - loss)
        assert near(lost, (loss * queue.request(request).shares, supply + VIRTUAL), 1)

    # Paid requests have lost nothing, and every tranche brings home what it was worth.
    assert queue.set_aside() == aside
    assert suite.claim(paid, roles.lender) == 12 * WAD
    values = [suite.exit_value(*tranche) for tranche in tranches]
    suite.mature()
    assert [suite.finish_exit(*tranche) for tranche in tranches] == values
    expected = {request: suite.waiting_worth(request, total - loss) for request in waiting}
    suite.finalize()
    suite.conserved()
    assert suite.claim(part, roles.depositor) == 8 * WAD + SEED + expected[part]
    assert suite.claim(last, roles.borrower) == expected[last]
    assert (vault.queued_shares(), queue.set_aside()) == (0, 0)


def test_slashes__after_everything_was_finalised__take_nothing_from_it(suite: Both) -> None:
    requests = [suite.join(6 * WAD, who) for who in suite.holders]
    suite.finalize()
    suite.world.slash(WAD)
    suite.symbiotic.slash(UNLIMITED)
    index = suite.symbiotic.request_slash(UNLIMITED)
    suite.symbiotic.pass_veto_window()
    suite.symbiotic.execute_slash(index)
    suite.vault.sync()
    suite.conserved()
    for request, who in zip(requests, suite.holders, strict=True):
        assert suite.claim(request, who) == 6 * WAD


def test_slashes__of_exits_in_flight__spare_only_the_matured(suite: Both) -> None:
    """One exit of each adapter has matured, one has not, and one starts within the veto window."""
    ripe = [(adapter, suite.start_exit(adapter, 6 * WAD)) for adapter in suite.adapters]
    suite.mature()
    suite.chain.mine()
    green = [(adapter, suite.start_exit(adapter, 4 * WAD)) for adapter in suite.adapters]
    suite.chain.advance(1)

    suite.world.slash(WAD // 2)
    # Of 44 that have not left: half.
    suite.symbiotic.slash(22 * WAD)
    index = suite.symbiotic.request_slash(22 * WAD)
    late = suite.start_exit(suite.veto, 5 * WAD)
    suite.symbiotic.pass_veto_window()
    suite.symbiotic.execute_slash(index)

    assert suite.eigen.staked() == 10 * WAD
    assert suite.instant.staked() == 15 * WAD // 2
    assert suite.veto.staked() == 10 * WAD // 2
    # The two of one epoch are one to Symbiotic.
    assert late == green[2][1]
    halves = [suite.exit_value(*exit_) for exit_ in green]
    assert halves == [2 * WAD, 2 * WAD, 9 * WAD // 2]
    suite.vault.sync()
    suite.conserved()
    assert suite.vault.totalAssets() == 100 * WAD + SEED - 12 * WAD - 19 * WAD // 2 * 2
    assert [suite.finish_exit(*exit_) for exit_ in ripe] == [6 * WAD] * 3
    suite.mature()
    assert [suite.finish_exit(*exit_) for exit_ in green] == halves
    suite.conserved()


def test_exit__after_a_slash_and_before_another__loses_to_the_second_only_its_part(
    suite: Both,
) -> None:
    """Odd amounts and magnitudes. EigenLayer rounds what it takes of the magnitude up, each time;
    against what is left of it, its roundings are at most as stated.
    """
    first, second = WAD // 3, WAD // 7
    after_first = WAD - first
    after_second = after_first - -(-after_first * second // WAD)
    suite.world.slash(first)
    staked = suite.eigen.staked()
    assert near(staked, (30 * WAD * after_first, WAD), EIGEN)
    exit_id = suite.start_exit(suite.eigen, 9 * WAD + 7)
    leaving = suite.exit_value(suite.eigen, exit_id)
    assert 9 * WAD + 7 - EIGEN_EXIT <= leaving <= 9 * WAD + 7
    assert staked - EIGEN <= suite.eigen.staked() + leaving <= staked
    stayed = suite.eigen.staked()
    suite.world.slash(second)
    for value, was in (
        (suite.exit_value(suite.eigen, exit_id), leaving),
        (suite.eigen.staked(), stayed),
    ):
        assert near(value, (was * after_second, after_first), EIGEN)
    suite.vault.sync()
    suite.conserved()


# --- the veto window ---


def leave_by_redeem(suite: Both, who: str, shares: int) -> int:
    return suite.redeem(shares, who)


def leave_by_the_queue(suite: Both, who: str, shares: int) -> int:
    """While a slash is visible only who asked can have it finalised."""
    request = suite.join(shares, who)
    suite.queue.finalize(1, sender=who)
    return suite.claim(request, who)


@pytest.mark.parametrize("leave", [leave_by_redeem, leave_by_the_queue])
def test_veto_window__who_leaves_in_it__bears_the_visible_slash(
    suite: Both, leave: Callable[[Both, str, int], int]
) -> None:
    vault, roles = suite.vault, suite.world.roles
    # An exit in flight is at risk like the stake beside it.
    suite.start_exit(suite.veto, 11 * WAD + 3)
    suite.world.slash(WAD // 10)
    suite.symbiotic.slash(10 * WAD)
    index = suite.symbiotic.request_slash(20 * WAD)
    total, supply = 100 * WAD + SEED, vault.totalSupply()
    # 3 and 5 are lost, and 10 will be.
    risk = suite.veto.value_at_risk()
    assert 10 * WAD <= risk <= 10 * WAD + AT_RISK

    paid = leave(suite, roles.borrower, 5 * WAD)

    assert paid == 5 * WAD * (total - 8 * WAD - risk + VIRTUAL) // (supply + VIRTUAL)
    suite.symbiotic.pass_veto_window()
    suite.symbiotic.execute_slash(index)
    assert risk - AT_RISK <= 25 * WAD - suite.veto.total_assets() <= risk
    vault.sync()
    suite.conserved()
    # Who waited gets no less, and more only by what rounding up the risk kept from who left.
    assert paid <= suite.redeem(5 * WAD, roles.lender) <= paid + 2 * AT_RISK
    suite.conserved()


# --- everything of one, of all ---


def slash_whole(suite: Both, which: int, captured: int | None = None) -> None:
    """Take all that one adapter has, in its protocol's own way.

    Args:
        captured: for Symbiotic, when it was all stake.
    """
    match which:
        case 0:
            suite.world.slash(WAD)
        case 1:
            suite.symbiotic.slash(UNLIMITED, captured)
        case 2:
            index = suite.symbiotic.request_slash(UNLIMITED, captured)
            suite.symbiotic.pass_veto_window()
            suite.symbiotic.execute_slash(index)


@pytest.mark.parametrize("which", [0, 1, 2])
def test_full_slash__of_one__leaves_a_vault_that_works(suite: Both, which: int) -> None:
    vault, roles = suite.vault, suite.world.roles
    adapter, other = suite.adapters[which], suite.adapters[which - 1]
    request = suite.join(30 * WAD, roles.depositor)
    captured = suite.chain.timestamp
    suite.chain.advance(1)
    dead, alive = suite.start_exit(adapter, 5 * WAD), suite.start_exit(other, 5 * WAD)
    whole = adapter.total_assets()
    slash_whole(suite, which, captured)
    assert adapter.total_assets() == 0
    vault.sync()
    suite.conserved()
    total = 100 * WAD + SEED - whole
    assert vault.totalAssets() == total
    expected = suite.worth(total, 30 * WAD)

    suite.mature()
    assert suite.finish_exit(adapter, dead) == 0
    assert suite.finish_exit(other, alive) == 5 * WAD
    suite.finalize()
    assert suite.claim(request, roles.depositor) == expected
    newcomer = roles.stranger
    vault.deposit(10 * WAD, newcomer, sender=newcomer)
    assert vault.previewRedeem(vault.balanceOf(newcomer)) in (10 * WAD - 1, 10 * WAD)
    vault.allocate(other.address, 5 * WAD, sender=suite.allocator)
    expected = suite.worth(vault.totalAssets(), WAD)
    assert suite.redeem(WAD, roles.lender) == expected
    suite.conserved()


def test_full_slash__of_all__leaves_what_is_idle_to_all_alike(suite: Both) -> None:
    vault, roles = suite.vault, suite.world.roles
    requests = {who: suite.join(10 * WAD, who) for who in suite.holders}
    for which in range(3):
        slash_whole(suite, which)
    assert suite.live() == [0, 0, 0]
    expected = suite.worth(20 * WAD + SEED, 10 * WAD)
    suite.finalize()
    suite.conserved()
    assert [suite.claim(request, who) for who, request in requests.items()] == [expected] * 3

    # It goes on: who comes pays the new price, and Symbiotic's vaults take stake again.
    newcomer = roles.stranger
    vault.deposit(10 * WAD, newcomer, sender=newcomer)
    assert 10 * WAD - 5 <= vault.previewRedeem(vault.balanceOf(newcomer)) <= 10 * WAD
    with reverts("eigen: operator fully slashed"):
        vault.allocate(suite.eigen.address, WAD, sender=suite.allocator)
    for adapter in (suite.instant, suite.veto):
        vault.allocate(adapter.address, 4 * WAD, sender=suite.allocator)
    exit_id = suite.start_exit(suite.veto, WAD)
    suite.mature()
    assert WAD - SYMBIOTIC <= suite.finish_exit(suite.veto, exit_id) <= WAD
    paid = suite.redeem(WAD, roles.lender)
    assert suite.worth(20 * WAD, WAD) // 2 < paid < WAD
    suite.conserved()


# --- what the protocols do besides ---


def test_undelegation__forced_with_exits_and_a_line__comes_home_and_is_paid(suite: Both) -> None:
    vault, roles, core = suite.vault, suite.world.roles, suite.world.core
    request = suite.join(40 * WAD, roles.depositor)
    ours = suite.start_exit(suite.eigen, 10 * WAD)
    core.delegation_manager.undelegate(suite.eigen.address, sender=roles.operator)
    assert (suite.eigen.staked(), suite.eigen.exiting()) == (0, 30 * WAD)
    assert vault.sync().events == []
    # A slash reaches the forced exit like the other.
    suite.world.slash(WAD // 10)
    vault.sync()
    suite.conserved()
    expected = suite.worth(97 * WAD + SEED, 40 * WAD)
    roots = core.delegation_manager.getQueuedWithdrawalRoots(suite.eigen.address)
    (forced,) = {int.from_bytes(root, "big") for root in roots} - {ours}
    suite.mature()
    assert suite.finish_exit(suite.eigen, forced) == 18 * WAD
    assert suite.finish_exit(suite.eigen, ours) == 9 * WAD
    suite.finalize()
    assert suite.claim(request, roles.depositor) == expected
    assert vault.booked(suite.eigen.address) == 0
    suite.conserved()


def test_paused_strategy__no_deposits__the_rest_goes_on(suite: Both) -> None:
    vault, roles, strategy = suite.vault, suite.world.roles, suite.world.core.wsteth_strategy
    exit_id = suite.start_exit(suite.eigen, 5 * WAD)
    strategy.pause(DEPOSITS_PAUSED, sender=roles.base_admin)
    with reverts("Pausable: index is paused"):
        vault.allocate(suite.eigen.address, WAD, sender=suite.allocator)
    vault.allocate(suite.instant.address, WAD, sender=suite.allocator)
    suite.world.slash(WAD // 2)
    vault.sync()
    suite.conserved()
    expected = suite.worth(85 * WAD + SEED, WAD)
    assert suite.redeem(WAD, roles.lender) == expected
    suite.mature()
    assert suite.finish_exit(suite.eigen, exit_id) == 5 * WAD // 2
    assert suite.start_exit(suite.eigen, 5 * WAD) != exit_id
    suite.conserved()


def test_paused_strategy__no_withdrawals__waits_with_all_else_going_on(suite: Both) -> None:
    vault, roles, strategy = suite.vault, suite.world.roles, suite.world.core.wsteth_strategy
    exit_id = suite.start_exit(suite.eigen, 5 * WAD)
    suite.mature()
    strategy.pause(WITHDRAWALS_PAUSED, sender=roles.base_admin)
    with reverts("Pausable: index is paused"):
        suite.finish_exit(suite.eigen, exit_id)
    # It can still be read, and so still be left and entered.
    assert suite.eigen.total_assets() == 30 * WAD
    assert suite.redeem(WAD, roles.lender) == WAD
    vault.deposit(WAD, roles.stranger, sender=roles.stranger)
    strategy.unpause(0, sender=roles.base_admin)
    assert suite.finish_exit(suite.eigen, exit_id) == 5 * WAD
    suite.conserved()


# --- bounds ---


def test_exits__as_many_as_the_adapters_take__can_all_be_read_slashed_and_finished(
    suite: Both,
) -> None:
    vault, roles, core = suite.vault, suite.world.roles, suite.world.core
    in_eigenlayer = [suite.start_exit(suite.eigen, WAD) for _ in range(16)]
    with reverts("eigen: too many open exits"):
        suite.start_exit(suite.eigen, WAD)
    # The operator forces one more: more than we would ever ask for, and read all the same.
    core.delegation_manager.undelegate(suite.eigen.address, sender=roles.operator)
    symbiotic = (suite.instant, suite.veto)
    in_symbiotic: dict[str, list[int]] = {adapter.address: [] for adapter in symbiotic}
    for _ in range(8):
        for adapter in symbiotic:
            in_symbiotic[adapter.address].append(suite.start_exit(adapter, WAD))
        suite.symbiotic.instant.pass_epoch()
    for adapter in symbiotic:
        with reverts("symbiotic: too many open exits"):
            suite.start_exit(adapter, WAD)

    # All but the exit of the last epoch have matured in Symbiotic: of 17 and it, and 25, a half.
    suite.world.slash(WAD // 2)
    captured = suite.symbiotic.instant.vault.currentEpochStart() - 1
    suite.symbiotic.slash(43 * WAD // 2, captured)
    receipt = vault.sync()
    suite.conserved()
    assert suite.live() == [15 * WAD, 25 * WAD - 9 * WAD, 25 * WAD]
    # Each reading may cost 1.5 million, see `READ_GAS` of the vault.
    assert receipt.gas_used < 3 * 1_500_000

    suite.mature()
    core_roots = core.delegation_manager.getQueuedWithdrawalRoots(suite.eigen.address)
    assert len(core_roots) == 17
    forced = {int.from_bytes(root, "big") for root in core_roots} - set(in_eigenlayer)
    came = [suite.finish_exit(suite.eigen, exit_id) for exit_id in (*in_eigenlayer, *forced)]
    assert came == [WAD // 2] * 16 + [7 * WAD]
    for adapter in symbiotic:
        came = [suite.finish_exit(adapter, id_) for id_ in in_symbiotic[adapter.address]]
        last = WAD // 2 if adapter == suite.instant else WAD
        assert came == [WAD] * 7 + [last]
    suite.conserved()


@pytest.mark.parametrize("last_only", [False, True])
def test_sync__with_any_gas__books_all_or_nothing(suite: Both, last_only: bool) -> None:
    """Also when only the last reading has something to say: a starved one leaves little to do."""
    vault = suite.vault
    for _ in range(7):
        suite.start_exit(suite.veto, WAD)
        suite.symbiotic.veto.pass_epoch()
    slash_whole(suite, 2)
    if not last_only:
        suite.world.slash(WAD // 4)
        suite.symbiotic.slash(10 * WAD)
    before = [vault.booked(adapter.address) for adapter in suite.adapters]
    live = suite.live()
    ended = set()
    for gas in (*range(100_000, 900_000, 4_000), *range(900_000, 3_000_000, 100_000)):
        with suite.chain.isolated():
            try:
                vault.sync(gas=gas)
                ended.add("done")
            except Revert:
                ended.add("refused")
                assert [vault.booked(a.address) for a in suite.adapters] == before
            else:
                assert [vault.booked(a.address) for a in suite.adapters] == live
    assert ended == {"done", "refused"}


# --- in a hundred parts ---


def test_redeem__in_a_hundred_parts__pays_no_more_than_at_once(suite: Both) -> None:
    """With a fee, an unbooked loss and a visible slash. Each part rounds down its worth, and up its
    fee: it costs less than 2.
    """
    suite.vault.set_exit_fee(40 * WAD, 10**16, sender=suite.world.roles.owner)
    suite.world.slash(WAD // 7)
    suite.symbiotic.request_slash(20 * WAD + 1)
    who = suite.holders[0]
    with suite.chain.isolated():
        whole = suite.redeem(10 * WAD, who)
    parts = sum(suite.redeem(WAD // 10, who) for _ in range(100))
    assert whole - 2 * 100 <= parts <= whole
    suite.conserved()


def test_request__in_a_hundred_parts__pays_no_more_than_at_once(suite: Both) -> None:
    """Each part rounds down its worth: less than 1."""
    vault, queue, who = suite.vault, suite.queue, suite.holders[0]
    suite.symbiotic.request_slash(20 * WAD + 1)
    with suite.chain.isolated():
        whole = leave_by_the_queue(suite, who, 10 * WAD)
    vault.approve(queue.address, 10 * WAD, sender=who)
    for _ in range(100):
        queue.requestRedeem(WAD // 10, who, who, sender=who)
    assert queue.finalize(UNLIMITED, sender=who).events
    parts = sum(suite.claim(1 + part, who) for part in range(100))
    assert whole - 100 <= parts <= whole
    assert vault.queued_shares() == queue.set_aside() == 0
    suite.conserved()


def test_exits__of_one_stake_in_many_parts__lose_no_more_than_at_once(suite: Both) -> None:
    """A hundred exits of one epoch are one to Symbiotic, slashed and paid as one."""
    ids = {suite.start_exit(suite.instant, WAD // 10) for _ in range(100)}
    (exit_id,) = ids
    # Each withdrawal rounds the shares that it burns up, and those of the bucket down.
    assert 25 * WAD - 100 <= suite.instant.total_assets() <= 25 * WAD
    suite.chain.advance(1)
    suite.symbiotic.slash(25 * WAD)
    assert near(suite.exit_value(suite.instant, exit_id), (5 * WAD, 1), 100 + SYMBIOTIC)
    suite.vault.sync()
    suite.conserved()
    suite.mature()
    assert near(suite.finish_exit(suite.instant, exit_id), (5 * WAD, 1), 100 + SYMBIOTIC)
    suite.conserved()
