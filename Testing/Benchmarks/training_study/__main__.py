"""How good a network gets for equal CPU time: ours, nnU-Net's, MONAI's, and ours with one thing changed.

    python -m Testing.Benchmarks.training_study run [NAME...] [--minutes M] [--work FOLDER] [--data FOLDER]
    python -m Testing.Benchmarks.training_study table
    python -m Testing.Benchmarks.training_study picture [-o FILE]

``run`` trains each recipe of ``recipes.yaml`` (or those named) for its CPU time on one thread, measures the 62
validation cases once, and writes ``results/NAME.json``; a recipe that has one is skipped, and a run that was killed
goes on from its checkpoint in the work folder. Everything: about 7 hours of one core. ``table`` and ``picture`` read
the results alone. docs/accuracy.md says what was found.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from Testing.Benchmarks.training_study.recipes import read_recipes
from Testing.Benchmarks.training_study.results import RESULTS, read_results, write_result

DATA = Path(os.environ.get("MEDSEGAI_DATA") or "../shared/data") / "msd_hippocampus"


def run(options: argparse.Namespace) -> None:
    from Testing.Benchmarks.training_study.run import run_recipe

    recipes = read_recipes()
    unknown = [name for name in options.names if name not in recipes]
    if unknown:
        raise SystemExit(f"No recipe '{unknown[0]}'. There are: {', '.join(recipes)}.")
    for name in options.names or recipes:
        if (options.results / f"{name}.json").is_file():
            print(f"{name}: has a result, skipped")
            continue
        print(f"{name}: {recipes[name].title}", flush=True)
        work = options.work.resolve()
        result = run_recipe(recipes[name], options.data.resolve(), work, cpu_minutes=options.minutes)
        write_result(result, options.results)
        for variant in result.variants:
            means = result.mean_dice(variant).values()
            print(f"{name}, {variant}: mean Dice {sum(means) / len(means):.4f}", flush=True)


def table(options: argparse.Namespace) -> None:
    from Testing.Benchmarks.training_study.accuracy_tables import accuracy_and_ablation

    print(accuracy_and_ablation(read_recipes(), read_results(options.results)))


def picture(options: argparse.Namespace) -> None:
    from Testing.Benchmarks.training_study.picture import draw

    draw(read_recipes(), read_results(options.results), options.output)
    print(f"Written: {options.output}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of the results")
    actions = parser.add_subparsers(required=True)
    running = actions.add_parser("run", help="train and measure")
    running.add_argument("names", nargs="*", metavar="NAME", help="recipes; default: all, in order")
    running.add_argument("--minutes", type=float, help="CPU minutes each, instead of the recipe's own")
    running.add_argument("--work", type=Path, default=Path("runs/training_study"), help="default: %(default)s")
    running.add_argument("--data", type=Path, default=DATA, help="default: %(default)s")
    running.set_defaults(act=run)
    actions.add_parser("table", help="print both tables").set_defaults(act=table)
    drawing = actions.add_parser("picture", help="draw Dice against CPU minutes")
    drawing.add_argument("-o", "--output", type=Path, default=Path("docs/accuracy.png"), help="default: %(default)s")
    drawing.set_defaults(act=picture)
    options = parser.parse_args()
    options.act(options)


if __name__ == "__main__":
    main()
