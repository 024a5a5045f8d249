"""ERC-4626 on the LRT vault, from whatever it can have gone through: VAULT-1 to VAULT-14.

No tolerance anywhere. Prices of a share are compared as fractions with the vault's virtual parts,
multiplied out, so that nothing is lost by rounding them.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relever.artifacts import artifact
from relever.chain import Anvil, Chain, Contract, Receipt, Revert
from tests.unit.vault.conftest import (
    DAY,
    DEAD,
    SEED,
    UNLIMITED,
    UNLOCK_PERIOD,
    VIRTUAL,
    WAD,
    Setup,
    assets_down,
    assets_up,
    build,
    exit_fee,
    shares_down,
    shares_up,
)

BUFFER, MAX_FEE = 50 * WAD, 10**16
PERFORMANCE_FEE = 2 * 10**17
MONEY = 10**7 * WAD

# An amount: so many units, or so many less than the most, or a part of it.
AMOUNTS = st.one_of(
    st.tuples(st.just("least"), st.integers(1, 2_000)),
    st.tuples(st.just("most"), st.integers(0, 2_000)),
    st.tuples(st.just("part"), st.integers(1, 10**18)),
)
ENTRIES, EXITS = ("deposit", "mint"), ("withdraw", "redeem")
WAITED = st.integers(0, DAY)
property_of = partial(settings, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@dataclass(frozen=True)
class State:
    """The vault as it is while tests look at it; whoever acts has the money and the approvals."""

    name: str
    setup: Setup
    queue: Contract

    @property
    def chain(self) -> Chain:
        return self.setup.chain

    @property
    def vault(self) -> Contract:
        return self.setup.vault

    @property
    def token(self) -> Contract:
        return self.setup.token

    @property
    def holder(self) -> str:
        return self.setup.actors.depositor

    @property
    def holders(self) -> list[str]:
        """All who can have shares."""
        return [*vars(self.setup.actors).values(), DEAD, self.queue.address]

    def balances(self) -> dict[str, int]:
        """Shares by holder."""
        return dict(
            zip(
                self.holders,
                self.chain.read_batch([self.vault.balanceOf.build(who) for who in self.holders]),
                strict=True,
            )
        )

    def most(self, action: str) -> int:
        """By the `max*` of an action, for the holder."""
        return int(getattr(self.vault, f"max{action.capitalize()}")(self.holder))

    def preview(self, action: str, amount: int) -> int:
        return int(getattr(self.vault, f"preview{action.capitalize()}")(amount))

    def draw(self, action: str, amount: tuple[str, int]) -> int:
        """An amount from one unit to the most that the action takes; zero when it takes none."""
        way, number = amount
        most = self.most(action)
        if way == "least":
            return min(number, most)
        if way == "most":
            return max(min(1, most), most - number)
        return -(-most * number // 10**18)

    def act(self, action: str, amount: int, who: str | None = None) -> Receipt:
        """For oneself."""
        who = who or self.holder
        if action in ENTRIES:
            return getattr(self.vault, action)(amount, who, sender=who)
        return getattr(self.vault, action)(amount, who, who, sender=who)

    def result(self, action: str, amount: int) -> int:
        """Act, and return what the vault did for it: assets for shares or shares for assets."""
        event = self.act(action, amount).events[-1]
        return int(event.args["shares" if action in ("deposit", "withdraw") else "assets"])


def fresh(state: State) -> None:
    """Nothing in it but the seed."""


def used(state: State) -> None:
    """Two holders, two adapters, a gain that has unlocked, and a share of an odd price above 1."""
    setup, vault = state.setup, state.vault
    setup.deposit(70 * WAD)
    setup.deposit(30 * WAD + 1, setup.actors.holder)
    vault.pay_rewards(8 * WAD + 12_345, sender=setup.actors.payer)
    state.chain.advance(UNLOCK_PERIOD)
    setup.allocate(60 * WAD)
    setup.allocate(20 * WAD, setup.second_adapter)


def profitable(state: State) -> None:
    """Some profit has unlocked, some is locked, and an adapter has gained what nobody booked."""
    used(state)
    state.vault.pay_rewards(5 * WAD + 7, sender=state.setup.actors.payer)
    state.chain.advance(2 * DAY + 11)
    state.setup.report(63 * WAD + 1)


def changed(state: State) -> None:
    """One adapter has gained, the other lost less; nobody booked either."""
    used(state)
    state.setup.report(65 * WAD + 1)
    state.setup.report(17 * WAD, state.setup.second_adapter)


def slashed(state: State) -> None:
    """A loss is booked; a part that came back and another loss are not; a slash is visible."""
    used(state)
    state.setup.report(48 * WAD + 13)
    state.vault.sync()
    state.setup.report(14 * WAD + 1, state.setup.second_adapter)
    state.setup.report(50 * WAD + 13, at_risk=5 * WAD + 3)


def buffer_empty(state: State) -> None:
    """Some thousand units are left idle: the next exit pays all but the highest fee."""
    used(state)
    vault, holder = state.vault, state.setup.actors.holder
    vault.withdraw(vault.idle() - 5_003, holder, holder, sender=holder)


def two_requests(state: State) -> None:
    """The first for less than what is idle, both together for more."""
    used(state)
    queue, holder = state.queue, state.setup.actors.holder
    queue.requestRedeem(9 * WAD + 1, holder, holder, sender=holder)
    queue.requestRedeem(20 * WAD, holder, holder, sender=holder)


def queue_pending(state: State) -> None:
    """The first request is paid, the second in part; more has come in since, but not enough."""
    two_requests(state)
    state.queue.finalize(10)
    state.setup.deposit(WAD + 1, state.setup.actors.holder)


def queue_funded(state: State) -> None:
    """A request waits, and what is idle pays it and more."""
    two_requests(state)
    state.queue.cancel(2, sender=state.setup.actors.holder)


def paused(state: State) -> None:
    used(state)
    state.vault.pause(3 * DAY, sender=state.setup.actors.guardian)


STATES: dict[str, Callable[[State], None]] = {
    "fresh": fresh,
    "profitable": profitable,
    "changed": changed,
    "slashed": slashed,
    "buffer empty": buffer_empty,
    "queue pending": queue_pending,
    "queue funded": queue_funded,
    "paused": paused,
}


@pytest.fixture(scope="module")
def scene() -> Iterator[tuple[Setup, Contract]]:
    """A fresh vault with a queue, a side pocket and both fees."""
    with Anvil.start() as node:
        setup = build(Chain.connect(node.ipc))
        actors, vault, chain = setup.actors, setup.vault, setup.chain
        queue = chain.deploy(artifact("WithdrawalQueue"), vault.address, DAY, 0)
        pocket = chain.deploy(artifact("SidePocket"), vault.address)
        vault.set_exits(queue.address, pocket.address, sender=actors.owner)
        vault.set_exit_fee(BUFFER, MAX_FEE, sender=actors.owner)
        vault.set_performance_fee(PERFORMANCE_FEE, actors.guardian, sender=actors.owner)
        for who in vars(actors).values():
            setup.token.mint(who, MONEY)
            vault.approve(queue.address, UNLIMITED, sender=who)
        yield setup, queue
        chain.close()


@pytest.fixture(scope="module", params=STATES)
def state(scene: tuple[Setup, Contract], request: pytest.FixtureRequest) -> Iterator[State]:
    state = State(request.param, *scene)
    with state.chain.isolated():
        STATES[request.param](state)
        yield state


def test_states__each__is_what_it_says(state: State) -> None:
    vault, queue = state.vault, state.queue
    booked, live = vault.totalAssets(), vault.live_total_assets(False)
    leaving, idle = vault.live_total_assets(True), vault.idle()
    gain = state.setup.adapter.total_assets() - vault.booked(state.setup.adapter.address)
    waiting = vault.queued_shares()
    assert (booked == SEED) is (state.name == "fresh")
    assert (vault.rate() > WAD) is (state.name not in ("fresh", "slashed"))
    assert (vault.locked_profit() > WAD) is (state.name == "profitable")
    assert (gain > 0) is (state.name in ("profitable", "changed", "slashed"))
    assert (live < booked) is (state.name in ("changed", "slashed"))
    assert (leaving < live) is (state.name == "slashed")
    assert (idle == 5_003) is (state.name == "buffer empty")
    assert (waiting > 0) is state.name.startswith("queue")
    assert (0 < idle < vault.convertToAssets(waiting)) is (state.name == "queue pending")
    assert (queue.set_aside() > 0) is (state.name == "queue pending")
    assert (vault.paused_until() > state.chain.timestamp) is (state.name == "paused")


# --- one action ---


@dataclass(frozen=True)
class Books:
    """What an action changes, at one moment."""

    total: int
    supply: int
    locked: int
    idle: int
    booked: int

    @classmethod
    def of(cls, state: State) -> "Books":
        vault, setup = state.vault, state.setup
        total, supply, locked, idle, first, second = state.chain.read_batch(
            [
                vault.totalAssets.build(),
                vault.totalSupply.build(),
                vault.locked_profit.build(),
                vault.idle.build(),
                vault.booked.build(setup.adapter.address),
                vault.booked.build(setup.second_adapter.address),
            ]
        )
        return cls(total, supply, locked, idle, first + second)


def check_rounding(
    state: State, action: str, amount: int, other: int, total: int, supply: int
) -> int:
    """By how much the vault may round and in whose favour, from its definition; returns the fee."""

    def on(paid: int) -> int:
        return exit_fee(state.vault, paid)

    if action == "deposit":
        assert other == shares_down(amount, total, supply), "VAULT-5: deposit rounds down"
        return 0
    if action == "mint":
        assert other == assets_up(amount, total, supply), "VAULT-5: mint rounds up"
        return 0
    if action == "withdraw":
        fee = int(on(amount))
        assert other == shares_up(amount + fee, total, supply), "VAULT-5: withdraw rounds up"
        return fee
    worth = assets_down(amount, total, supply)
    assert other + on(other) <= worth, "VAULT-5: redeem rounds down"
    assert other + 1 + on(other + 1) > worth, "VAULT-5: redeem pays all but the fee"
    return worth - other


@pytest.mark.parametrize("action", [*ENTRIES, *EXITS])
@property_of(max_examples=25)
@given(amount=AMOUNTS, waited=WAITED, third=st.booleans())
def test_action__any_amount__does_what_was_previewed_and_costs_nobody_else(
    state: State, action: str, amount: tuple[str, int], waited: int, third: bool
) -> None:
    vault, token, actors = state.vault, state.token, state.setup.actors
    with state.chain.isolated():
        state.chain.advance(waited)
        given_ = state.draw(action, amount)
        if not given_:
            with pytest.raises(Revert):
                state.act(action, 1)
            return
        other = state.preview(action, given_)
        if not other:
            # Too little for a share, or for a unit.
            with pytest.raises(Revert) as failure:
                state.act(action, given_)
            nothing = "shares" if action in ENTRIES else "assets"
            assert failure.value.reason == f"vault: zero {nothing}", "VAULT-5"
            return
        leaving = action in EXITS
        assets, shares = (given_, other) if action in ("deposit", "withdraw") else (other, given_)
        live, price = vault.live_total_assets(False), vault.live_total_assets(leaving)
        before, had = Books.of(state), state.balances()
        missing = vault.unrecovered_loss()
        fee = check_rounding(state, action, given_, other, price, before.supply)
        with state.chain.isolated():
            vault.sync()
            synced, held = Books.of(state), state.balances()

        caller = actors.attacker if third and leaving else state.holder
        receiver = actors.stranger if third else state.holder
        if caller != state.holder:
            vault.approve(caller, shares - 1, sender=state.holder)
            with pytest.raises(Revert):
                getattr(vault, action)(given_, receiver, state.holder, sender=caller)
            vault.approve(caller, shares, sender=state.holder)
        money = [token.balanceOf(who) for who in (state.holder, receiver, vault.address)]
        to_whom = (receiver, state.holder) if leaving else (receiver,)

        receipt = getattr(vault, action)(given_, *to_whom, sender=caller)

        # What was said is what is done, once, and by exactly these amounts.
        (event,) = [
            event
            for event in receipt.events
            if event.address == vault.address and event.name in ("Deposit", "Withdraw")
        ]
        numbers = {"assets": assets, "shares": shares}
        if leaving:
            people = {"sender": caller, "receiver": receiver, "owner": state.holder}
            assert event == state.setup.event("Withdraw", **people, **numbers), "VAULT-1, VAULT-2"
            assert vault.allowance(state.holder, caller) == 0, "VAULT-11"
        else:
            people = {"sender": caller, "owner": receiver}
            assert event == state.setup.event("Deposit", **people, **numbers), "VAULT-1, VAULT-2"
        after, has = Books.of(state), state.balances()
        sign = -1 if leaving else 1
        assert after.supply == synced.supply + sign * shares, "VAULT-2: supply"
        assert after.total == synced.total + sign * assets - fee, "VAULT-2: totalAssets"
        assert after.locked == synced.locked + fee, "VAULT-2: the fee is locked"
        assert after.idle == before.idle + sign * assets, "VAULT-2: idle"
        assert after.booked == synced.booked, "VAULT-2: booked"
        whose = state.holder if leaving else receiver
        assert has == {**held, whose: held[whose] + sign * shares}, "VAULT-2: shares"
        payer_or_payee = receiver if leaving else state.holder
        moved = dict(zip((state.holder, receiver, vault.address), money, strict=True))
        moved[payer_or_payee] -= sign * assets
        moved[vault.address] += sign * assets
        assert all(token.balanceOf(who) == sum_ for who, sum_ in moved.items()), "VAULT-2: assets"

        # Flows: what came in, and what the adapters gained and lost.
        changes = [event.args for event in receipt.events if event.name == "Synced"]
        gained = sum(change["gain"] - change["loss"] for change in changes)
        assert after.total + after.locked == (
            before.total + before.locked + sign * assets + gained
        ), "VAULT-8"

        # The price of a share, after the losses that anyone could have booked, never falls: 0 wei.
        assert (after.total + VIRTUAL) * (before.supply + VIRTUAL) >= (live + VIRTUAL) * (
            after.supply + VIRTUAL
        ), "VAULT-6"
        for who, balance in had.items():
            if who != whose:
                worth = assets_down(balance, live, before.supply)
                assert assets_down(has[who], after.total, after.supply) >= worth, "VAULT-6: others"

        assert sum(has.values()) == after.supply, "VAULT-9"
        # After a loss the virtual assets are worth more than the virtual shares paid for: the dead
        # shares, which nobody redeems, bear that, all of it less than the virtual assets.
        claims = {who: assets_down(has[who], after.total, after.supply) for who in has}
        assert sum(claims.values()) - claims[DEAD] <= after.total, "VAULT-7"
        assert sum(claims.values()) < after.total + VIRTUAL, "VAULT-7"
        assert token.balanceOf(vault.address) == after.idle, "VAULT-7: the idle assets are there"

        minted = sum(e.args["shares"] for e in receipt.events if e.name == "PerformanceFeePaid")
        missing += sum(change["loss"] for change in changes)
        gain = max(0, sum(change["gain"] for change in changes) - missing)
        owed = shares_down(gain * PERFORMANCE_FEE // WAD, live, before.supply)
        assert synced.supply - before.supply == minted == owed, "VAULT-14"


# --- two actions ---


@pytest.mark.parametrize("entry", ENTRIES)
@pytest.mark.parametrize("leave", EXITS)
@property_of(max_examples=20)
@given(amount=AMOUNTS, waited=WAITED)
def test_round_trip__in_and_out_and_out_and_in__never_enriches(
    state: State, entry: str, leave: str, amount: tuple[str, int], waited: int
) -> None:
    """For the same of one thing, no more of the other: not a unit, in either order."""
    with state.chain.isolated():
        state.chain.advance(waited)
        for first, second in ((entry, leave), (leave, entry)):
            with state.chain.isolated():
                given_ = state.draw(first, amount)
                if not given_ or not state.preview(first, given_):
                    continue
                got = state.result(first, given_)
                # Back with what came out, or to what went in.
                same = (first in ("deposit", "withdraw")) == (second in ("deposit", "withdraw"))
                back = given_ if same else got
                # Beyond what can be done at once, what the vault says that it would do.
                possible = 0 < back <= state.most(second) and state.preview(second, back)
                came = (state.result if possible else state.preview)(second, back)
                # Exact outputs (mint, withdraw) cost the second time at least what the first gave.
                exact = second in ("mint", "withdraw")
                start = got if same else given_
                assert came >= start if exact else came <= start, f"VAULT-3: {first}, {second}"


# --- the views ---


@pytest.mark.parametrize("action", [*ENTRIES, *EXITS])
@property_of(max_examples=10)
@given(waited=WAITED)
def test_max__any_time__is_taken_and_one_more_is_not(
    state: State, action: str, waited: int
) -> None:
    with state.chain.isolated():
        state.chain.advance(waited)
        most = state.most(action)
        with state.chain.isolated(), pytest.raises(Revert):
            state.act(action, most + 1)
        if most:
            state.act(action, most)
        stopped = state.name == "paused" and action in ENTRIES
        kept = state.name in ("fresh", "queue pending") and action in EXITS
        assert (most == 0) is (stopped or kept), "VAULT-10"


@property_of(max_examples=25)
@given(
    small=st.one_of(st.integers(0, 1_000), st.integers(0, 10**30)),
    more=st.one_of(st.integers(0, 3), st.integers(0, 10**30)),
    waited=WAITED,
    donation=st.sampled_from([0, 1, 10**24]),
)
def test_conversions__any_amounts__rise_and_are_the_same_for_all(
    state: State, small: int, more: int, waited: int, donation: int
) -> None:
    vault, chain = state.vault, state.chain
    names = [f"convertTo{what}" for what in ("Shares", "Assets")]
    names += [f"preview{action.capitalize()}" for action in (*ENTRIES, *EXITS)]

    def views(amount: int, who: str) -> dict[str, int]:
        calls = [getattr(vault, name).build(amount, sender=who) for name in names]
        return dict(zip(names, chain.read_batch(calls), strict=True))

    with chain.isolated():
        chain.advance(waited)
        low, high = views(small, state.holder), views(small + more, state.holder)
        nothing = views(0, state.holder)
        assert all(low[name] <= high[name] for name in names), "VAULT-4: monotone"
        assert not any(nothing.values()), "VAULT-5: nothing for nothing"
        assert low == views(small, state.setup.actors.stranger), "VAULT-4: the same for all"
        assert vault.convertToAssets(low["convertToShares"]) <= small, "VAULT-4"
        assert vault.convertToShares(low["convertToAssets"]) <= small, "VAULT-4"
        # Who enters gets no more than at the booked rate after losses, who leaves neither.
        assert low["previewRedeem"] <= low["convertToAssets"], "VAULT-1"
        assert low["previewWithdraw"] >= low["convertToShares"], "VAULT-1"
        before = Books.of(state)
        state.token.mint(vault.address, donation)
        assert views(small, state.holder) == low, "VAULT-13"
        assert Books.of(state) == before, "VAULT-13"


@pytest.mark.parametrize("action", [*ENTRIES, *EXITS])
def test_action__of_nothing__is_refused(state: State, action: str) -> None:
    with pytest.raises(Revert) as failure:
        state.act(action, 0)
    nothing = "shares" if action in ("mint", "redeem") else "assets"
    assert failure.value.reason == f"vault: zero {nothing}", "VAULT-5"


# --- the first one ---


@pytest.mark.parametrize("state", ["fresh"], indirect=True)
@property_of(max_examples=30)
@given(
    first=st.one_of(st.integers(1, 1_000), st.integers(1, SEED)),
    gift=st.one_of(st.integers(1, 1_000), st.integers(1, 90_000 * WAD)),
    paid=st.one_of(st.integers(1, 10**9), st.integers(1, 90_000 * WAD)),
    donated=st.booleans(),
)
def test_first_depositor__before_and_after_a_victim__does_not_gain(
    state: State, first: int, gift: int, paid: int, donated: bool
) -> None:
    """The victim loses the worth of less than one share, to all, and a unit; the attacker gains
    nothing at all.
    """
    setup, vault = state.setup, state.vault
    attacker, victim = setup.actors.attacker, setup.actors.depositor
    with setup.chain.isolated():
        had = setup.token.balanceOf(attacker)
        setup.deposit(first, attacker)
        if donated:
            setup.token.transfer(vault.address, gift, sender=attacker)
        else:
            vault.pay_rewards(gift, sender=attacker)
            setup.chain.advance(UNLOCK_PERIOD)
        share = assets_up(1, vault.totalAssets(), vault.totalSupply())
        if not vault.previewDeposit(paid):
            assert paid < share, "VAULT-12: refused only what buys no share"
            return
        shares = setup.deposit(paid, victim)
        assert vault.convertToAssets(shares) >= paid - share, "VAULT-12: the victim's loss"
        if vault.previewRedeem(first):
            vault.redeem(first, attacker, attacker, sender=attacker)
        assert setup.token.balanceOf(attacker) <= had, "VAULT-12: the attacker's gain"
