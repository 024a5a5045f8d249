"""The whole story on a local chain: lend, restake, loop, earn, slash, liquidate, leave.

`make demo` or `ape run demo`. Every number is read from the chain; `--json` prints the same as one
document. The command fails when one of its closing checks fails.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from eth_utils.address import to_checksum_address
from rich.console import Console
from rich.table import Table

from relever.artifacts import artifacts
from relever.baselayer import build_world, deploy_core
from relever.chain import Anvil, AnvilError, Chain, Contract, Receipt, Revert
from relever.protocol import PRICE_SCALE, UNLIMITED, WAD, Deployment, deploy

ROOT = Path(__file__).parents[1]
# Where `--keep` leaves the addresses.
KEPT = ROOT / "build" / "demo.json"

ETHER = 10**18
DAY = 86_400
REDEEM = 2

LENT = 1_000 * ETHER
DEPOSITED = 400 * ETHER
EIGENLAYER_PER_CENT, SYMBIOTIC_PER_CENT = 65, 30
EQUITY = 20 * ETHER
LEVERAGE = 5
REWARD_DAYS = 30
STAKING_REWARD_PER_YEAR = 3 * WAD // 100
RESTAKING_REWARD = ETHER
SLASH = 3 * WAD // 10
SYMBIOTIC_SLASH = 10 * ETHER
# The protocols give back up to some units less than was asked for.
ROUNDING = 1_000
# The vault's virtual assets and shares.
VIRTUAL = 10**9


@dataclass(frozen=True)
class Transaction:
    """One transaction of a step: what it did, whom it called, what it cost."""

    what: str
    sender: str
    contract: str
    address: str
    hash: str
    block: int
    gas_used: int


@dataclass(frozen=True)
class Party:
    """What a party owns and owes: tokens in wei, `net_worth` in wei of WETH at booked rates."""

    weth: int
    wsteth: int
    lrt: int
    waiting: int
    lent: int
    collateral: int
    debt: int
    net_worth: int


@dataclass(frozen=True)
class System:
    """Where the protocol stands: seconds, rates and health in WAD, price by 1e36, wei."""

    time: int
    vault_rate: int
    lst_rate: int
    fundamental_price: int
    vault_idle: int
    eigenlayer_staked: int
    symbiotic_staked: int
    vault_shares: int
    queued_shares: int
    set_aside: int
    supplied: int
    borrowed: int
    looper_health: int


@dataclass
class Step:
    """One step of the story with the state before and after it."""

    name: str
    title: str
    transactions: list[Transaction] = field(default_factory=list)
    before: dict[str, Party] = field(default_factory=dict)
    after: dict[str, Party] = field(default_factory=dict)
    system: System | None = None


@dataclass(frozen=True)
class Check:
    """A sentence that must be true at the end, and the two numbers that say so."""

    name: str
    sentence: str
    left: int
    relation: str
    right: int

    @property
    def ok(self) -> bool:
        if self.relation == "=":
            return self.left == self.right
        if self.relation == ">=":
            return self.left >= self.right
        return self.left < self.right


class Story:
    """Plays the story on a deployment and keeps what happened."""

    def __init__(self, scene: Deployment, tell: Callable[[Step], None]) -> None:
        self.scene = scene
        self.steps: list[Step] = []
        self.checks: list[Check] = []
        self._tell = tell
        self._receipts: list[Receipt] = []
        self._names = self._name_contracts()

    def play(self) -> None:
        """Every step in order, then the checks."""
        scene, roles, core = self.scene, self.scene.roles, self.scene.world.core
        chain, suite, weth, wsteth = scene.chain, scene.protocol, core.weth, core.wsteth
        vault, market, adapter = suite.vault, suite.market, suite.eigenlayer

        with self._step("lend", f"A lender supplies {LENT // ETHER:,} WETH"):
            scene.world.fund(roles.lender, weth=LENT)
            self._do("approve", weth.approve(market.address, LENT, sender=roles.lender))
            self._do("lend", market.deposit(LENT, roles.lender, sender=roles.lender))

        with self._step("restake", "A depositor restakes, the vault stakes in both protocols"):
            scene.world.fund(roles.depositor, wsteth=DEPOSITED)
            self._do("approve", wsteth.approve(vault.address, DEPOSITED, sender=roles.depositor))
            self._do("deposit", vault.deposit(DEPOSITED, roles.depositor, sender=roles.depositor))
            total = vault.totalAssets()
            for place, per_cent in (
                (adapter, EIGENLAYER_PER_CENT),
                (suite.symbiotic, SYMBIOTIC_PER_CENT),
            ):
                stake = vault.allocate(
                    place.address, total * per_cent // 100, sender=roles.allocator
                )
                self._do("stake", stake)

        with self._step("open", f"A looper opens {LEVERAGE}x in one transaction"):
            scene.world.fund(roles.looper, wsteth=EQUITY)
            looper, router = roles.looper, suite.router
            self._do("approve", wsteth.approve(router.address, EQUITY, sender=looper))
            self._do("authorise", market.set_authorization(router.address, True, sender=looper))
            borrowed = EQUITY * wsteth.stEthPerToken() // WAD * (LEVERAGE - 1)
            bounds = (0, borrowed, 0, chain.timestamp, 0)
            self._do(
                f"open {LEVERAGE}x",
                router.open(
                    market.address, wsteth.address, EQUITY, borrowed, bounds, sender=looper
                ),
            )

        with self._step("rewards", f"{REWARD_DAYS} days of staking and restaking rewards"):
            rate_before = suite.oracle.fundamental()
            scene.world.fund(roles.avs, weth=RESTAKING_REWARD)
            self._do("pay stakers", scene.world.submit_rewards(weth, RESTAKING_REWARD))
            earned = {adapter.address: {weth.address: RESTAKING_REWARD}}
            claim = scene.world.reward_earners(earned)[adapter.address]
            self._do("claim", adapter.claim_rewards(claim, sender=roles.stranger))
            sold = suite.seller.sell(weth.address, RESTAKING_REWARD, 0, sender=roles.stranger)
            self._do("sell for the vault", sold)
            chain.advance(REWARD_DAYS * DAY)
            pooled = core.steth.getTotalPooledEther()
            reward = pooled * STAKING_REWARD_PER_YEAR * REWARD_DAYS // (365 * WAD)
            self._do("staking rewards", scene.world.accrue_rewards(reward))
            self._do("feed answers", scene.answer_fundamental())
        rate_grown = suite.oracle.fundamental()

        with self._step("slash", "EigenLayer slashes the operator"):
            stake_before = adapter.total_assets()
            slashed = scene.world.slash(SLASH)
            self._do("slashOperator", slashed)
        stake_after = adapter.total_assets()

        with self._step("sync", "Anyone syncs the vault: the rate falls, and health with it"):
            rate_booked = vault.rate()
            self._do("sync", vault.sync(sender=roles.stranger))
            self._do("feed answers", scene.answer_fundamental())
        rate_synced = vault.rate()
        unhealthy = self._health()

        with self._step("liquidate", "A liquidator without money repays, and keeps the profit"):
            liquidator = roles.liquidator
            had = weth.balanceOf(liquidator) + vault.balanceOf(liquidator)
            self._do(
                "liquidate",
                suite.liquidator.liquidate(
                    market.address, looper, UNLIMITED, REDEEM, 1, sender=liquidator
                ),
            )
        improved = self._health()
        profit = weth.balanceOf(liquidator)
        bad_debt = self._event_sum("Liquidated", "bad_debt")

        with self._step("close", "The looper closes what is left"):
            collateral, _ = market.position(looper)
            bounds = (0, 0, 1, chain.timestamp, 0)
            self._do(
                "close",
                router.close(market.address, collateral, UNLIMITED, REDEEM, bounds, sender=looper),
            )

        with self._step("withdraw", "The lender takes out everything it is owed"):
            shares = market.balanceOf(roles.lender)
            owed = market.previewRedeem(shares)
            self._do(
                "redeem", market.redeem(shares, roles.lender, roles.lender, sender=roles.lender)
            )
        paid = self._paid_out()
        due, symbiotic_loss = self._play_queue()

        same, at_least, below = "=", ">=", "<"
        self._check("rate_rose", "rewards raised the price", rate_before, below, rate_grown)
        self._check(
            "slash_is_real",
            "EigenLayer took exactly the slashed part of the stake",
            stake_after,
            same,
            stake_before * (WAD - SLASH) // WAD,
        )
        self._check("rate_fell", "the sync booked the loss", rate_synced, below, rate_booked)
        self._check("health_fell", "the slash made the position unhealthy", unhealthy, below, WAD)
        self._check("health_improved", "the liquidation improved it", unhealthy, below, improved)
        self._check("no_capital", "the liquidator had no WETH and no LRT", had, same, 0)
        self._check("liquidator_profit", "the liquidator made a profit", profit, at_least, 1)
        self._check("no_bad_debt", "no debt was written off", bad_debt, same, 0)
        self._check("lender_paid", "the lender got all it was owed", paid, same, owed)
        self._check("lender_whole", "that is more than it had lent", owed, at_least, LENT + 1)
        left = self.steps[-1].after["depositor"]
        self._check("queue_whole", "the depositor has no LRT left", left.lrt, same, 0)
        self._check(
            "symbiotic_slash_is_real",
            "Symbiotic took exactly what was asked for after the veto window",
            symbiotic_loss,
            same,
            SYMBIOTIC_SLASH,
        )
        self._check("queue_paid", "the queue paid the lesser of both rates", left.wsteth, same, due)
        self._check_conservation()

    def _play_queue(self) -> tuple[int, int]:
        """The depositor leaves with more than is idle, and a slash comes in between.

        Returns:
            What is due to it in wstETH by the lesser of both rates; what Symbiotic slashed.
        """
        scene, roles, suite = self.scene, self.scene.roles, self.scene.protocol
        vault, queue, symbiotic = suite.vault, suite.queue, suite.symbiotic
        who, network = roles.depositor, scene.world.symbiotic
        with self._step("request", "The depositor asks for everything: more than is idle"):
            shares = vault.balanceOf(who)
            self._do("approve", vault.approve(queue.address, shares, sender=who))
            self._do("request", queue.requestRedeem(shares, who, who, sender=who))
            request_id = self._receipts[-1].events[-1].args["requestId"]
            request = queue.request(request_id)

        with self._step("veto window", "Symbiotic is asked for a slash, and nobody vetoes it"):
            staked = symbiotic.total_assets()
            index = network.request_slash(SYMBIOTIC_SLASH)
            network.pass_veto_window()
            self._do("execute slash", network.execute_slash(index))
            slashed = staked - symbiotic.total_assets()
            self._do("sync", vault.sync(sender=roles.stranger))

        with self._step("unstake", "The allocator takes stake back from both; their delays pass"):
            missing = request.assets - vault.idle() + ROUNDING
            exits = []
            for place, amount in (
                (symbiotic, symbiotic.staked() // 2),
                (suite.eigenlayer, missing - symbiotic.staked() // 2),
            ):
                taken = vault.deallocate(place.address, amount, sender=roles.allocator)
                self._do("take back", taken)
                exit_id = next(e.args["id"] for e in taken.events if e.address == vault.address)
                exits.append((place, exit_id))
            network.veto.pass_exit_delay()
            scene.world.pass_withdrawal_delay()

        with self._step("claim", "Anyone brings it home and finalises, the depositor claims"):
            anyone = roles.stranger
            for place, exit_id in exits:
                self._do("bring home", vault.finish_exit(place.address, exit_id, sender=anyone))
            total, supply = vault.live_total_assets(True), vault.totalSupply()
            worth = shares * (total + VIRTUAL) // (supply + VIRTUAL)
            self._do("finalise", queue.finalize(1, sender=anyone))
            self._do("claim", queue.claim(request_id, who, sender=who))
        return min(request.assets, worth), slashed

    def document(self) -> dict[str, Any]:
        """The story as one JSON document; amounts are strings of wei."""
        return {
            "addresses": {**self.scene.world.addresses(), **self.scene.protocol.addresses()},
            "steps": [_plain(asdict(step)) for step in self.steps],
            "checks": {check.name: check.ok for check in self.checks},
            "evidence": {
                check.name: f"{check.sentence}: {check.left} {check.relation} {check.right}"
                for check in self.checks
            },
        }

    def _check_conservation(self) -> None:
        suite, core, chain = self.scene.protocol, self.scene.world.core, self.scene.chain
        vault, market = suite.vault, suite.market
        # From the vault's and the market's own events, of this story and of the deployment.
        flows = [
            event
            for contract in (vault, suite.queue)
            for log in self._logs(contract)
            for event in [chain.decode_log(log)]
        ]
        total = sum(
            sign * event.args[key]
            for event in flows
            for name, key, sign in (
                ("Deposit", "assets", 1),
                ("Withdraw", "assets", -1),
                ("RequestFilled", "assets", 1),
                ("RequestClaimed", "assets", -1),
                ("RewardsPaid", "amount", 1),
                ("Synced", "gain", 1),
                ("Synced", "loss", -1),
            )
            if event.name == name
        )
        held = vault.totalAssets() + vault.locked_profit() + suite.queue.set_aside()
        self._check(
            "vault_conserved",
            "vault: paid in + gained - lost - paid out = assets + set aside in the queue",
            total,
            "=",
            held,
        )
        moved = [chain.decode_log(log) for log in self._logs(market)]
        cash = sum(
            sign * event.args[key]
            for event in moved
            for name, key, sign in (
                ("Deposit", "assets", 1),
                ("Withdraw", "assets", -1),
                ("Adjusted", "debt_delta", -1),
                ("Liquidated", "repaid", 1),
            )
            if event.name == name
        )
        self._check(
            "market_conserved",
            "market: lent - withdrawn - borrowed + repaid = WETH held",
            cash,
            "=",
            core.weth.balanceOf(market.address),
        )
        accounts = self._accounts()
        for name, token in (("weth", core.weth), ("wsteth", core.wsteth), ("lrt", vault)):
            self._check(
                f"{name}_conserved",
                f"{name}: the sum of all balances = supply",
                sum(token.balanceOf(account) for account in accounts),
                "=",
                token.totalSupply(),
            )
        for name, contract in (("router", suite.router), ("liquidator", suite.liquidator)):
            self._check(
                f"{name}_empty",
                f"the {name} holds no token, no ether, no allowance",
                self._left_at(contract),
                "=",
                0,
            )

    def _left_at(self, contract: Contract) -> int:
        suite, core = self.scene.protocol, self.scene.world.core
        tokens = (core.weth, core.wsteth, core.steth, suite.vault, suite.market)
        spenders = (suite.vault, suite.market, suite.swap, core.wsteth)
        left: int = (
            self.scene.chain.balance(contract.address)
            + sum(token.balanceOf(contract.address) for token in tokens)
            + sum(
                token.allowance(contract.address, spender.address)
                for token in tokens
                for spender in spenders
            )
        )
        return left

    def _accounts(self) -> list[str]:
        """Everyone who can hold a token here: accounts, contracts, and whom transfers went to."""
        core, suite = self.scene.world.core, self.scene.protocol
        found = {*self.scene.chain.accounts, *suite.addresses().values()}
        for token in (core.weth, core.wsteth, suite.vault):
            for log in self._logs(token):
                event = self.scene.chain.decode_log(log)
                found.update(value for key, value in event.args.items() if _is_address(value))
        found.update(self.scene.world.addresses().values())
        return sorted(found)

    def _logs(self, contract: Contract) -> list[dict[str, Any]]:
        logs: list[dict[str, Any]] = self.scene.chain.rpc(
            "eth_getLogs", [{"address": contract.address, "fromBlock": "0x0", "toBlock": "latest"}]
        )
        return logs

    @contextmanager
    def _step(self, name: str, title: str) -> Iterator[None]:
        step = Step(name, title, before=self._parties())
        self.steps.append(step)
        yield
        step.after = self._parties()
        step.system = self._system()
        self._tell(step)

    def _do(self, what: str, receipt: Receipt) -> None:
        self._receipts.append(receipt)
        sent = self.scene.chain.rpc("eth_getTransactionByHash", [receipt.tx_hash])
        sender, target = to_checksum_address(sent["from"]), to_checksum_address(sent["to"])
        self.steps[-1].transactions.append(
            Transaction(
                what,
                self._names.get(sender, sender),
                self._names.get(target, target),
                target,
                receipt.tx_hash,
                receipt.block_number,
                receipt.gas_used,
            )
        )

    def _check(self, name: str, sentence: str, left: int, relation: str, right: int) -> None:
        self.checks.append(Check(name, sentence, left, relation, right))

    def _event_sum(self, name: str, key: str) -> int:
        return sum(
            event.args[key]
            for receipt in self._receipts
            for event in receipt.events
            if event.name == name
        )

    def _paid_out(self) -> int:
        """What the lender's last transaction brought it, by the token's own balance."""
        before, after = self.steps[-1].before["lender"], self.steps[-1].after["lender"]
        return after.weth - before.weth

    def _health(self) -> int:
        view = self.scene.protocol.snapshot(self.scene.roles.looper)
        health: int = view.positions[0].health
        return health

    def _system(self) -> System:
        suite, core = self.scene.protocol, self.scene.world.core
        view = suite.snapshot(self.scene.roles.looper)
        staked = {stake.adapter: stake.live - stake.exiting for stake in view.vault.adapters}
        return System(
            time=view.time,
            vault_rate=view.vault.rate,
            lst_rate=core.wsteth.stEthPerToken(),
            fundamental_price=view.oracle.fundamental,
            vault_idle=view.vault.idle,
            eigenlayer_staked=staked[suite.eigenlayer.address],
            symbiotic_staked=staked[suite.symbiotic.address],
            vault_shares=view.vault.total_supply,
            queued_shares=view.vault.queued_shares,
            set_aside=view.vault.set_aside,
            supplied=view.market.state.supply_assets,
            borrowed=view.market.state.borrow_assets,
            looper_health=view.positions[0].health,
        )

    def _parties(self) -> dict[str, Party]:
        roles = self.scene.roles
        names = ("lender", "depositor", "looper", "liquidator")
        return {name: self._party(getattr(roles, name)) for name in names}

    def _party(self, account: str) -> Party:
        suite, core = self.scene.protocol, self.scene.world.core
        weth, wsteth = core.weth.balanceOf(account), core.wsteth.balanceOf(account)
        lrt = suite.vault.balanceOf(account)
        requests = range(1, suite.queue.next_id())
        waiting = sum(suite.queue.pendingRedeemRequest(id, account) for id in requests)
        lent = suite.market.previewRedeem(suite.market.balanceOf(account))
        collateral, debt = suite.market.position(account)
        worth = (lrt + waiting + collateral) * suite.oracle.fundamental() // PRICE_SCALE
        net = weth + wsteth * core.wsteth.stEthPerToken() // WAD + worth + lent - debt
        return Party(weth, wsteth, lrt, waiting, lent, collateral, debt, net)

    def _name_contracts(self) -> dict[str, str]:
        world, suite = self.scene.world, self.scene.protocol
        accounts = {account: name for name, account in asdict(world.roles).items()}
        contracts = {"feed aggregator": self.scene.feed.aggregator.address}
        contracts |= {_title(name): address for name, address in world.addresses().items()}
        contracts |= suite.addresses()
        return accounts | {address: name for name, address in contracts.items()}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the story; 0 when every check is true."""
    parser = argparse.ArgumentParser(prog="demo", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--keep", action="store_true", help="leave the chain running at the end")
    parser.add_argument("--port", type=int, help="the chain's port; a free one by default")
    options = parser.parse_args(arguments)
    console = Console(stderr=options.json, highlight=False)
    try:
        return _run(console, options.json, options.keep, options.port)
    except AnvilError as error:
        print(f"relever: {error}", file=sys.stderr)
        return 1
    except Revert as error:
        print(f"relever: the story broke off: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("relever: stopped; the chain is ended", file=sys.stderr)
        return 130


def _run(console: Console, as_json: bool, keep: bool, port: int | None) -> int:
    names = [
        "LRTVault",
        "WithdrawalQueue",
        "EigenLayerAdapter",
        "OracleAdapter",
        "LendingMarket",
        "MarketFactory",
    ]
    names += ["UniswapV3Swap", "LeverageRouter", "BackstopPool", "Liquidator", "Lens", "Quoter"]
    names += ["Outlook"]
    names += ["StETHDouble", "WstETHDouble", "EigenPodManagerDouble", "AVSRegistrarDouble"]
    console.print("Compiling the contracts (kept under build/ for the next time) ...")
    artifacts(names, progress=lambda name: console.print(f"  {name}", style="dim"))
    console.print(
        "Starting Anvil; deploying WETH, Lido's doubles, EigenLayer, Chainlink, Uniswap ..."
    )
    with Anvil.start(port=port) as node:
        chain = Chain.connect(node.ipc)
        world = build_world(deploy_core(chain))
        console.print("Deploying Relever ...")
        scene = deploy(world)
        _show_addresses(console, scene)
        story = Story(scene, lambda step: _show_step(console, step))
        story.play()
        _show_checks(console, story.checks)
        if as_json:
            print(json.dumps(story.document(), indent=2))
        if keep:
            _show_kept(console, node, scene)
    failed = [check.name for check in story.checks if not check.ok]
    if failed:
        print(f"relever: checks failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def _show_addresses(console: Console, scene: Deployment) -> None:
    table = Table(title="Relever on the local chain", title_justify="left")
    table.add_column("contract")
    table.add_column("address")
    for name, address in scene.protocol.addresses().items():
        table.add_row(name, address)
    console.print(table)


def _show_step(console: Console, step: Step) -> None:
    console.print(f"\n[bold]{step.title}[/bold]")
    for done in step.transactions:
        console.print(
            f"  {done.what:<16} {done.sender + ' -> ' + done.contract:<36} {done.gas_used:>9,} gas",
            style="dim",
        )
    changed = [(name, step.before[name], after) for name, after in step.after.items()]
    changed = [(name, before, after) for name, before, after in changed if before != after]
    keys = [
        key
        for key in ("weth", "wsteth", "lrt", "waiting", "lent", "collateral", "debt", "net_worth")
        if any(getattr(before, key) != getattr(after, key) for _, before, after in changed)
    ]
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 2))
    table.add_column("party", no_wrap=True)
    for key in keys:
        table.add_column(key.replace("_", " "), justify="right", no_wrap=True)
    for name, before, after in changed:
        table.add_row(name, *(_change(getattr(before, key), getattr(after, key)) for key in keys))
    if changed:
        console.print(table)
    system = step.system
    if system is not None:
        health = "none" if system.looper_health == UNLIMITED else _decimal(system.looper_health)
        console.print(
            f"  rate {_decimal(system.vault_rate, 6)} wstETH, "
            f"price {_decimal(system.fundamental_price // WAD, 6)} WETH, "
            f"idle {_decimal(system.vault_idle, 2)}, in EigenLayer "
            f"{_decimal(system.eigenlayer_staked, 2)}, in Symbiotic "
            f"{_decimal(system.symbiotic_staked, 2)}",
            f"\n  lent {_decimal(system.supplied, 2)}, borrowed {_decimal(system.borrowed, 2)}, "
            f"looper's health {health}",
        )


def _show_checks(console: Console, checks: Sequence[Check]) -> None:
    console.print("\n[bold]Checks[/bold] (exact, in the smallest unit)")
    for check in checks:
        mark = "[green]yes[/green]" if check.ok else "[red]NO [/red]"
        console.print(f"  {mark} {check.sentence}")
        console.print(f"      {check.left} {check.relation} {check.right}", style="dim")


def _show_kept(console: Console, node: Anvil, scene: Deployment) -> None:
    pid = node.detach()
    # From here on it is driven by whoever talks to it.
    scene.chain.rpc("evm_setAutomine", [True])
    addresses = {**scene.world.core.addresses(), **scene.protocol.addresses()}
    KEPT.parent.mkdir(exist_ok=True)
    KEPT.write_text(json.dumps(addresses, indent=2) + "\n", encoding="utf-8")
    file = KEPT.relative_to(ROOT)
    call = '{"jsonrpc":"2.0","id":1,"method":"eth_blockNumber","params":[]}'
    lines = [
        f"\nThe chain goes on at {node.url} (process {pid}), its addresses are in {file}.",
        "To talk to it:",
        f"  curl -s {node.url} -H 'content-type: application/json' -d '{call}'",
        "or, in .venv/bin/python:",
        "  from relever import Protocol",
        f'  protocol = Protocol.connect("{node.url}", "{file}")',
        '  protocol.quote_open(amount="5ether", borrow="0ether")',
        f"or: .venv/bin/python -m relever.client position quote --node {node.url} \\",
        "        --amount 5ether --borrow 0ether",
        "Nobody lends there any more: lend before you borrow.",
        f"To end it: kill {pid}",
    ]
    console.print("\n".join(lines), markup=False, soft_wrap=True)


def _change(before: int, after: int) -> str:
    if before == after:
        return _decimal(after, 2) if after else "-"
    return f"{_decimal(before, 2)} -> {_decimal(after, 2)}"


def _decimal(amount: int, digits: int = 4) -> str:
    """WAD or wei as a decimal number, cut, not rounded: a health below 1 never shows as 1."""
    sign, amount = ("-" if amount < 0 else ""), abs(amount)
    fraction = f"{amount % WAD:018d}"[:digits]
    return f"{sign}{amount // WAD:,}.{fraction}"


def _title(name: str) -> str:
    """EigenLayer's and Uniswap's contracts by the names that they are known by."""
    if "_" not in name:
        return name
    return "".join(part.capitalize() for part in name.split("_"))


def _is_address(value: object) -> bool:
    return isinstance(value, str) and value.startswith("0x") and len(value) == 42


def _plain(value: Any) -> Any:
    """JSON keeps no large integers: amounts become strings, counts stay numbers."""
    if isinstance(value, dict):
        counts = {"block", "gas_used", "time"}
        return {key: item if key in counts else _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, int) else value


if __name__ == "__main__":
    sys.exit(main())
