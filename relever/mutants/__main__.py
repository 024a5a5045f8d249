"""`make mutants`: the mutation score of our contracts, see the package."""

import argparse
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from relever.artifacts import CompileError
from relever.mutants import suite, tree
from relever.mutants.campaign import Campaign, MutantsError, Sample, shuffled
from relever.mutants.job import DUPLICATE, EQUIVALENT, UNCOMPILABLE
from relever.mutants.operators import OPERATORS, Mutant, mutants
from relever.mutants.report import Report

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "mutants"
# What part must be killed.
LEAST = 90


def main(arguments: Sequence[str]) -> int:
    """Run the command; the exit code is 1 when too few were killed or something is wrong."""
    console = Console()
    try:
        options = _options(arguments)
        paths = suite.chosen(options.files)
        if options.list:
            _list(console, mutants(tree.sources(ROOT), paths, options.operators))
            return 0
        return _run(console, options, paths)
    except KeyboardInterrupt:
        print("\nstopped: what was found is kept, run it again to go on", file=sys.stderr)
        return 130
    except (MutantsError, CompileError, suite.UnknownFile) as error:
        print(f"mutants: {error}", file=sys.stderr)
        return 1


def _run(console: Console, options: argparse.Namespace, paths: Sequence[str]) -> int:
    def progress(line: str) -> None:
        console.print(line, markup=False, highlight=False, soft_wrap=True)

    started = time.monotonic()
    tests = list(dict.fromkeys(test for path in paths for test in suite.lane_of(path)))
    with Campaign(ROOT, BUILD, options.workers, tests, progress) as campaign:
        order = shuffled(mutants(campaign.sources, list(paths), options.operators), options.seed)
        size = len(order) if options.sample is None else options.sample
        progress(f"{len(order)} candidates in {len(paths)} files; {size} wanted at most")
        campaign.start()
        known = len(campaign.store.results)
        sample = Sample(order, size)
        campaign.run(sample)
        results = campaign.store.results
        counted = sample.counted(results)
        took = [results[mutant.key].outcome.state for mutant in order[: sample.taken]]
        states = Counter(took)
        dropped = {state: states[state] for state in (UNCOMPILABLE, EQUIVALENT)}
        dropped[DUPLICATE] = len(took) - len(counted) - sum(dropped.values())
        ran = len(results) - known
        report = Report(
            counted, dropped, campaign.sources, ran, time.monotonic() - started, options.seed
        )
    report.show(console)
    report.write(BUILD / "report.json")
    console.print(f"Written to {(BUILD / 'report.json').relative_to(ROOT)}.", highlight=False)
    if 100 * report.score < options.least:
        print(f"mutants: less than {options.least} % were killed", file=sys.stderr)
        return 1
    return 0


def _list(console: Console, found: Sequence[Mutant]) -> None:
    for mutant in found:
        console.print(f"{mutant.key} {mutant}", markup=False, highlight=False, soft_wrap=True)
    by = Counter(mutant.operator for mutant in found)
    counts = ", ".join(f"{by[operator]} {operator}" for operator in OPERATORS if by[operator])
    console.print(f"{len(found)} candidates: {counts or 'none'}", highlight=False)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make mutants", description="Mutation score of the contracts (ARGS: these options)."
    )
    parser.add_argument("--sample", type=_positive, help="so many mutants; without it, all")
    parser.add_argument("--seed", type=int, default=1, help="of the sample's order")
    layers = ", ".join(suite.SUITE)
    parser.add_argument(
        "--files",
        type=_names,
        default=list(suite.DEFAULT),
        help=f"layers ({layers}, or all), contracts and modules, by commas",
    )
    parser.add_argument("--operators", type=_operators, help=f"of {', '.join(OPERATORS)}")
    parser.add_argument("--workers", type=_positive, default=os.cpu_count() or 1)
    parser.add_argument("--least", type=float, default=LEAST, help="per cent that must be killed")
    parser.add_argument("--list", action="store_true", help="only list the candidates")
    return parser.parse_args(arguments)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is below 1")
    return number


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _operators(text: str) -> list[str]:
    names = _names(text)
    for name in names:
        if name not in OPERATORS:
            raise argparse.ArgumentTypeError(f"{name} is none of {', '.join(OPERATORS)}")
    return names


if __name__ == "__main__":
    # Ended like Ctrl-C does it: workers and nodes too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main(sys.argv[1:]))
