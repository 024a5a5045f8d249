"""Complete fuzzing steps per second, next to Ape's transactions, on the same Anvil binary.

A step counts with all of it: the action, the model's word on the outcome, on each word of storage
and on what the Lens says, and all invariants. Single is Hypothesis's machine on a forked Anvil,
bulk is one author in this process and one actor in another. The rounds take turns, so that a busy
moment of the machine hits all alike; the medians count.
"""

import argparse
import json
import os
import sys
from dataclasses import asdict
from itertools import count

from bench.rpc import ROOT, Case, apes, measure, show
from relever.chain import Anvil
from relever.fuzz.campaign import BULK, DRAWN, LENGTH, SINGLE, Campaign, Settings, opened

OUTPUT = ROOT / "build" / "bench" / "fuzz.json"
# Steps a second that must be reached.
TARGETS = {"single_steps_per_s": 300, "batch_steps_per_s": 1_500}
SINGLE_NAME, BULK_NAME, APE = "single: Hypothesis on Anvil", "bulk", "Ape: transaction"
# Examples a round.
BULK_EXAMPLES, SINGLE_EXAMPLES = 48, 2


class Broken(Exception):
    """Something did not hold, so that there is nothing to measure; says what."""


def cases(single: Campaign, bulk: Campaign) -> list[Case]:
    """Each round plays other examples."""
    numbers = {SINGLE: count(), BULK: count()}

    def run(campaign: Campaign, examples: int) -> None:
        mode = campaign.settings.mode
        for example in campaign.examples([next(numbers[mode]) for _ in range(examples)]):
            if example.tally.findings:
                raise Broken(f"{mode}, {example.line}: play it by make fuzz to see")

    drawn = SINGLE_EXAMPLES * DRAWN * LENGTH
    played = BULK_EXAMPLES * LENGTH
    return [
        Case(SINGLE_NAME, lambda: run(single, SINGLE_EXAMPLES), 1, drawn, APE),
        Case(BULK_NAME, lambda: run(bulk, BULK_EXAMPLES), 1, played, APE),
    ]


def main() -> int:
    """Measure, print the table, write it to build/bench/fuzz.json; 1 when a target is missed."""
    parser = argparse.ArgumentParser(prog="bench-fuzz", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="rounds measured (7)")
    rounds = max(1, parser.parse_args().rounds)
    load = os.getloadavg()[0]
    with (
        opened(Settings(seed=1, mode=SINGLE)) as single,
        opened(Settings(seed=1, mode=BULK)) as bulk,
        Anvil.start() as node,
        apes(node.url) as peers,
    ):
        try:
            rows = measure([*cases(single, bulk), *peers], rounds)
        except Broken as broken:
            print(f"bench-fuzz: {broken}", file=sys.stderr)
            return 1
    medians = {row.name: row.median for row in rows}
    reached = {
        "single_steps_per_s": medians[SINGLE_NAME],
        "batch_steps_per_s": medians[BULK_NAME],
        "ape_tx_per_s": medians[APE],
    }
    document = {
        **reached,
        "load": round(load, 2),
        "rows": [asdict(row) for row in rows],
    }
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    OUTPUT.write_text(json.dumps(document, indent=2) + "\n")
    show([row for row in rows if row.name != "Ape: call"], "Complete steps", load)
    missed = {key: least for key, least in TARGETS.items() if reached[key] < least}
    for key, least in missed.items():
        print(f"bench-fuzz: {key} is {reached[key]:,}, below {least:,}", file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
