"""`make fuzz`: a campaign of the fuzzer with its reports, or one counterexample again."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from relever.artifacts import CompileError, artifacts
from relever.chain import AnvilError
from relever.fuzz.actions.machines import MACHINES
from relever.fuzz.campaign import BULK, LENGTH, SINGLE, Budget, Settings
from relever.fuzz.coverage import coverage, functions
from relever.fuzz.findings import FindingError, load
from relever.fuzz.hunt import hunts, report
from relever.fuzz.replay import replay
from relever.fuzz.replicas import ReplicaError
from relever.fuzz.report import STOPPED, Pace, Run
from relever.fuzz.report.page import page
from relever.fuzz.report.progress import Progress
from relever.fuzz.report.tables import show
from relever.fuzz.scale import ScaleError, play
from relever.fuzz.tally import Tally
from relever.protocol import CONTRACTS

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "fuzz"
# What is deployed beside the suite.
DOUBLES = (
    *("StETHDouble", "WstETHDouble", "EigenPodManagerDouble", "AVSRegistrarDouble"),
    "ScriptedCaller",
)


def main(arguments: Sequence[str]) -> int:
    """Run the command.

    Returns:
        0, or 1 when something is broken, too little was met, or the command cannot be run; 130
        when it was stopped and nothing was broken until then.
    """
    console = Console()
    try:
        options = _options(arguments)
        names = [*CONTRACTS.values(), *DOUBLES]
        artifacts(names, lambda name: console.print(f"compiled {name}", highlight=False))
        if options.replay is not None:
            return _replay(console, options.replay)
        if options.replicas:
            return _hunt(console, options)
        return _run(console, options)
    except KeyboardInterrupt:
        print("fuzz: stopped", file=sys.stderr)
        return 130
    except (AnvilError, CompileError, FindingError, ReplicaError, ScaleError) as error:
        print(f"fuzz: {error}", file=sys.stderr)
        return 1


def _run(console: Console, options: argparse.Namespace) -> int:
    settings = Settings(
        seed=options.seed,
        machine=options.machine,
        mode=options.mode,
        compare=options.compare,
        length=options.length,
        replica=options.replica,
    )
    run = _campaign(console, settings, options)
    out: Path = options.out
    run.write(out / "report.json")
    (out / "report.html").write_text(page(run), encoding="utf-8")
    show(console, run)
    names = ", ".join(str(_near(out / name)) for name in ("report.html", "report.json", "log.txt"))
    console.print(f"Written: {names}.", highlight=False, soft_wrap=True)
    if run.failed:
        return 1
    return 130 if run.ended else 0


def _campaign(console: Console, settings: Settings, options: argparse.Namespace) -> Run:
    """Play it to its end or until somebody stops it, and write down what comes."""
    seconds = None if options.minutes is None else 60 * options.minutes
    budget = Budget(options.examples, seconds)
    tally, files, ended = Tally(), dict[str, Path](), ""
    options.out.mkdir(parents=True, exist_ok=True)
    with (
        (options.out / "log.txt").open("w", encoding="utf-8") as log,
        Progress(console, settings, options.workers) as progress,
    ):
        pace = Pace()
        try:
            for example in play(settings, budget, options.workers, options.scheduler):
                tally.add(example.tally)
                pace.add(example.tally.steps)
                print(example.line, file=log, flush=True)
                for finding in example.tally.findings:
                    files[finding.name] = _near(finding.write(options.out / "findings"))
                progress.show(tally, pace)
        except KeyboardInterrupt:
            ended = STOPPED
        except ScaleError as error:
            # What was played before is told all the same.
            if not tally.examples:
                raise
            ended = str(error)
    met = coverage(tally, settings.machine, settings.length, frozenset(functions()))
    return Run(
        settings=settings,
        workers=options.workers,
        seconds=pace.seconds,
        steps_per_s=pace.steps_per_s,
        windows=pace.windows(),
        tally=tally,
        coverage=met,
        files=files,
        ended=ended,
    )


def _replay(console: Console, path: Path) -> int:
    def say(line: str) -> None:
        console.print(line, markup=False, highlight=False, soft_wrap=True)

    return 1 if replay(load(path), say) else 0


def _hunt(console: Console, options: argparse.Namespace) -> int:
    def progress(line: str) -> None:
        console.print(line, markup=False, highlight=False)

    options.out.mkdir(parents=True, exist_ok=True)
    each = Budget(seconds=options.seconds)
    return report(hunts(each, options.seed, progress), options.out, console, _near)


def _near(path: Path) -> Path:
    """By its short name where it is in the repository."""
    path = path.resolve()
    return path.relative_to(ROOT) if path.is_relative_to(ROOT) else path


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make fuzz", description="Play any order of actions and check that all still holds."
    )
    much = parser.add_mutually_exclusive_group()
    much.add_argument("--minutes", type=_minutes, help="play so long; 1 when nothing is said")
    much.add_argument("--examples", type=_positive, help="play so many examples")
    much.add_argument("--replay", type=Path, metavar="FILE", help="play a counterexample again")
    much.add_argument(
        "--replicas",
        action="store_true",
        help="find the flaw of every replica, without the model",
    )
    parser.add_argument(
        "--seconds", type=_positive, default=60, help="what each replica may take (60)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of all chance there is")
    parser.add_argument("--machine", choices=list(MACHINES), default="protocol")
    parser.add_argument("--workers", type=_positive, default=max(1, (os.cpu_count() or 1) // 2))
    parser.add_argument(
        "--mode",
        choices=(BULK, SINGLE),
        default=BULK,
        help="on an EVM without a node, or by Hypothesis on a forked Anvil",
    )
    parser.add_argument(
        "--no-model",
        dest="compare",
        action="store_false",
        help="check the sentences alone, without the model's word",
    )
    parser.add_argument("--replica", type=int, metavar="NN", help="play on this broken variant")
    parser.add_argument("--length", type=_positive, default=LENGTH, help="steps of an example")
    parser.add_argument("--scheduler", metavar="ADDRESS", help="of Dask, for other machines too")
    parser.add_argument("--out", type=Path, default=BUILD, help="the folder of the reports")
    options = parser.parse_args(arguments)
    if options.minutes is None and options.examples is None:
        options.minutes = 1.0
    return options


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is no number of 1 or above")
    return int(text)


def _minutes(text: str) -> float:
    try:
        minutes = float(text)
    except ValueError:
        minutes = 0.0
    if not 0 < minutes < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is no time to play, in minutes")
    return minutes


if __name__ == "__main__":
    # Ended like Ctrl-C does it: workers and nodes too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main(sys.argv[1:]))
