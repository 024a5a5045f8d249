"""What stands on the chain, compared with what the record and the settings say."""

from __future__ import annotations

from typing import Any

from relever.baselayer import parts
from relever.chain import Call, Revert, RpcError
from relever.deploy.facts import Difference, Fact, differences
from relever.deploy.plan import Creation, Plan
from relever.deploy.suite import blueprint_code

_WAD = 10**18


def verify(plan: Plan, about: dict[str, Any], document: dict[str, Any]) -> list[Difference]:
    """Every difference found.

    Args:
        plan: made of the settings, for the deployer of the record.
        about: what `describe` says of it now.
        document: the record.

    Raises:
        RpcError: the node cannot be reached.
    """
    found = _record(about, document)
    if not document.get("finished"):
        found.append(Difference("the deployment", "not finished", "finished: run it again"))
    found += [one for creation in plan.creations.values() for one in _code(plan, creation)]
    found += _recorded_code(plan, document)
    found += differences(plan.contract, [*plan.facts(), *_at_rest(plan)])
    return found + _staked(plan) + _prices(plan)


def _record(then_now: dict[str, Any], document: dict[str, Any]) -> list[Difference]:
    """All that the record says before the first step, down to the single values."""
    found: list[Difference] = []

    def compare(where: str, then: Any, now: Any) -> None:
        if isinstance(then, dict) and isinstance(now, dict):
            for key in {**now, **then} if where != "record" else now:
                if key in now or not where.startswith("record.contracts."):
                    compare(f"{where}.{key}", then.get(key), now.get(key))
        elif then != now:
            found.append(Difference(where, f"{then!r:.100}", f"{now!r:.100}"))

    compare("record", document, then_now)
    return found


def _code(plan: Plan, creation: Creation) -> list[Difference]:
    """The compiler's code, then immutables, for which the constructor is run again where it can."""
    what = f"code of {creation.name}"
    found = plan.code_at(creation.address)
    if not found:
        return [Difference(what, "nothing", f"{creation.artifact.name} at {creation.address}")]
    if creation.name == "blueprint":
        expected = blueprint_code(creation.artifact.bytecode)[10:]
        return (
            [] if found == expected else [Difference(what, "other code", "the market's blueprint")]
        )
    runtime = creation.artifact.runtime
    if found[: len(runtime)] != runtime:
        return [Difference(what, "other code", f"{creation.artifact.name} of these sources")]
    again = _run_again(plan, creation)
    if again is None or again == found:
        return []
    return [
        Difference(f"immutables of {creation.name}", _tail(found, runtime), _tail(again, runtime))
    ]


def _tail(code: bytes, runtime: bytes) -> str:
    return f"0x{code[len(runtime) :].hex():.80}"


def _run_again(plan: Plan, creation: Creation) -> bytes | None:
    """The code that the constructor gives now, or None where it cannot be run twice."""
    request = Call(plan.launcher.address, None, creation.code, 0, 2**24, creation.name)
    try:
        code: bytes = plan.chain.read(request)
    except Revert:
        return None
    except RpcError as error:
        if error.code == 0:
            raise
        return None
    return code


def _recorded_code(plan: Plan, document: dict[str, Any]) -> list[Difference]:
    """Code with immutables as it was when it was deployed."""
    found, steps = [], document.get("steps", {})
    for name in [*plan.creations, "market"]:
        contract = document.get("contracts", {}).get(name, {})
        time = steps.get(contract.get("step"), {}).get("time", 0)
        digest, then = plan.code_digest(name, time), str(contract.get("code_keccak"))
        if digest != then:
            found.append(Difference(f"keccak256 of the code of {name}", digest, then))
    return found


def _at_rest(plan: Plan) -> list[Fact]:
    """Nothing is paused, and the launcher has no right left by which its owner could act."""
    book, launcher = plan.book, plan.launcher.address
    tokens = list(plan.settings.leveraged.tokens)
    return [
        Fact("vault", "paused_until", 0),
        Fact("market", "halted_until", 0),
        Fact("wsteth", "allowance", 0, (launcher, book["vault"])),
        Fact("weth", "allowance", 0, (launcher, book["backstop"])),
        Fact("weth", "allowance", 0, (launcher, book["market"])),
        *(Fact("vault", "allowance", 0, (launcher, book[symbol])) for symbol in tokens),
    ]


def _staked(plan: Plan) -> list[Difference]:
    """The adapter's delegation, which is EigenLayer's to tell."""
    book = plan.book
    manager = plan.chain.contract(
        book["delegation_manager"], parts.eigenlayer_core("DelegationManager")
    )
    operator = manager.delegatedTo(book["eigenlayer"])
    if operator == book["operator"]:
        return []
    return [Difference("whom eigenlayer delegates to", operator, book["operator"])]


def _prices(plan: Plan) -> list[Difference]:
    """Both prices are there, within the feed's bounds, and agree as far as they should."""
    terms, oracle = plan.settings.protocol.oracle, plan.contract("oracle")
    try:
        fundamental = oracle.fundamental()
        market, usable = oracle.market_price()
        rate = plan.contract("vault").live_rate()
    except Revert as error:
        return [Difference("prices", str(error), "answered")]
    found = []
    least, most = terms.feed_min_answer_e36, terms.feed_max_answer_e36
    if not least <= fundamental <= most:
        found.append(Difference("fundamental price", str(fundamental), f"{least} to {most}"))
    if not usable:
        found.append(Difference("market price", "unusable", "fresh and within its bounds"))
    elif market < fundamental * (_WAD - terms.deep_discount_wad) // _WAD:
        least = fundamental * (_WAD - terms.deep_discount_wad) // _WAD
        found.append(Difference("market price", str(market), f"{least} or more"))
    if not _WAD // 2 <= rate <= 2 * _WAD:
        found.append(Difference("vault.live_rate()", str(rate), "0.5e18 to 2e18"))
    return found
