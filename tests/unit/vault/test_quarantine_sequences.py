"""A quarantine against an exact model in fractions: any order of leaving, entering and returns."""

from dataclasses import dataclass, field
from fractions import Fraction

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.vault.conftest import SEED, VIRTUAL, WAD, Exits

STEPS = ["leave", "enter", "queue", "recover", "claim", "lower", "sync"]
WHO = ["depositor", "holder", "attacker", "payer"]


@dataclass
class Model:
    """What the vault and its pocket are, had they fractions of a unit."""

    total: Fraction = Fraction(40 * WAD + SEED)
    supply: Fraction = Fraction(100 * WAD + SEED)
    expected: int = 60 * WAD
    shares_part: Fraction = Fraction(1)
    shares: dict[str, Fraction] = field(default_factory=lambda: dict.fromkeys(WHO, Fraction(0)))
    claims: dict[str, Fraction] = field(default_factory=lambda: dict.fromkeys(WHO, Fraction(0)))
    owed: dict[str, Fraction] = field(default_factory=lambda: dict.fromkeys(WHO, Fraction(0)))
    money: dict[str, Fraction] = field(default_factory=lambda: dict.fromkeys(WHO, Fraction(0)))

    def leave(self, who: str, shares: int) -> None:
        assets = shares * (self.total + VIRTUAL) / (self.supply + VIRTUAL)
        if self.expected:
            part = self.shares_part * shares / self.supply
            self.shares_part -= part
            self.claims[who] += part
        self.total -= assets
        self.supply -= shares
        self.shares[who] -= shares
        self.money[who] += assets

    def enter(self, who: str, assets: int) -> None:
        price = self.total + self.expected * self.shares_part + VIRTUAL
        shares = assets * (self.supply + VIRTUAL) / price
        self.total += assets
        self.supply += shares
        self.shares[who] += shares
        self.money[who] -= assets

    def recover(self, amount: int) -> None:
        self.expected -= amount
        self.total += amount * self.shares_part
        for who, part in self.claims.items():
            self.owed[who] += amount * part

    def part_of(self, who: str) -> Fraction:
        return self.shares_part * self.shares[who] / self.supply + self.claims[who]

    def worth(self, who: str) -> Fraction:
        """All that an account has, with what it may still expect, no virtual unit counted."""
        held = self.shares[who] * self.total / self.supply
        return self.money[who] + held + self.owed[who] + self.expected * self.part_of(who)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(STEPS), st.sampled_from(WHO), st.integers(1, 1000)),
        min_size=1,
        max_size=14,
    )
)
def test_quarantine__any_sequence__is_what_the_exact_model_says(
    exits: Exits, steps: list[tuple[str, str, int]]
) -> None:
    setup, vault, pocket, queue = exits.setup, exits.setup.vault, exits.pocket, exits.queue
    token, adapter = setup.token, setup.adapter
    accounts = {who: getattr(setup.actors, who) for who in WHO}
    with setup.chain.isolated():
        vault.transfer(accounts["holder"], 30 * WAD, sender=accounts["depositor"])
        started = {who: token.balanceOf(account) for who, account in accounts.items()}
        vault.quarantine(adapter.address, sender=setup.actors.owner)
        model = Model()
        model.shares |= {"depositor": Fraction(70 * WAD), "holder": Fraction(30 * WAD)}
        fair = {who: model.worth(who) for who in WHO}

        def give_back(amount: int) -> None:
            id = adapter.exits()
            vault.deallocate(adapter.address, 1, sender=setup.actors.allocator)
            adapter.set_exit(id, amount, amount)
            vault.finish_exit(adapter.address, id)
            model.recover(amount)

        for name, who, size in steps:
            account = accounts[who]
            match name:
                case "leave" | "queue":
                    shares = vault.maxRedeem(account) * size // 1000
                    if shares < WAD // 50:
                        continue
                    if name == "leave":
                        vault.redeem(shares, account, account, sender=account)
                    else:
                        queue.requestRedeem(shares, account, account, sender=account)
                        queue.finalize(1)
                        queue.claim(queue.head() - 1, account, sender=account)
                    model.leave(who, shares)
                case "enter":
                    vault.deposit(size * WAD // 10, account, sender=account)
                    model.enter(who, size * WAD // 10)
                case "recover":
                    give_back(model.expected * size // 1000)
                case "claim" if pocket.claimable(adapter.address, account):
                    model.money[who] += model.owed[who]
                    model.owed[who] = Fraction(0)
                    pocket.claim(adapter.address, account)
                case "lower" if model.expected:
                    lost = model.expected - model.expected * (1000 - size // 4) // 1000
                    if lost:
                        expected = model.expected - lost
                        pocket.lower_expectation(
                            adapter.address, expected, sender=setup.actors.owner
                        )
                        for each in WHO:
                            fair[each] -= lost * model.part_of(each)
                        model.expected = expected
                case "sync":
                    vault.sync()
            # What is there pays all claims, at any time.
            owed = sum(pocket.claimable(adapter.address, each) for each in accounts.values())
            assert owed <= token.balanceOf(pocket.address) <= owed + 2 * len(steps) + len(WHO)
            assert pocket.expected_of(adapter.address) == model.expected

        give_back(model.expected)
        # Each step rounds shares or assets by a unit or two, at rates between 0.4 and 1.
        units = 4 * (len(steps) + 1)
        for who, account in accounts.items():
            money = token.balanceOf(account) - started[who]
            shares = vault.balanceOf(account)
            owed = pocket.claimable(adapter.address, account)
            assert abs(money - model.money[who]) <= units, who
            assert abs(shares - model.shares[who]) <= units, who
            assert abs(owed - model.owed[who]) <= units, who
            # Nobody gains or loses by what he or others do, but for the virtual units: they have
            # no part of what comes back, and are worth what a share is worth.
            now = money + owed + vault.previewRedeem(shares)
            assert abs(now - fair[who]) <= units + VIRTUAL * len(steps), who
