"""How much a few strokes mend an AI result: Dice against the number of strokes, for each method.

    python -m Testing.Benchmarks.refinement [--dataset DIR] [--cases 62] [--part whole] [-o FOLDER]

The shipped model's results of validation hippocampi are damaged in five ways (``damaged_results.py``); an expert who
knows the truth (``scribbling_expert.py``) draws one short stroke at a time into the largest error that is left, and the
label is refined after each. Beside the methods of ``MedSegAI.Logic.refine``: Slicer's GrowCut, as it comes and held to
the same rules about what a stroke may change, and painting the stroke's own voxels. Writes ``refinement.json`` and
``refinement.png``. Times are those of one thread. Settings were chosen on training cases, GrowCut's too.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from MedSegAI.Logic.evaluation.metrics import dice
from MedSegAI.Logic.refine.reach import around_strokes
from MedSegAI.Logic.refine.refine import refine
from MedSegAI.Logic.refine.settings import RefineMethod
from Testing.Benchmarks.damaged_results import DAMAGES, NONE, Case, ai_results, damaged
from Testing.Benchmarks.grow_cut import grow_cut
from Testing.Benchmarks.scribbling_expert import next_stroke

HIPPOCAMPUS = Path(os.environ.get("MEDSEGAI_DATA") or "../shared/data") / "msd_hippocampus"
PARTS = {"whole": (1, 2), "anterior": (1,), "posterior": (2,)}
PAINTING = "painting"
WINNER = "graph cut"
SEED = 1
GROW_CUT = {"border_mm": 1.0, "reach_mm": 6.0, "distance_penalty": 0.0}
GROW_CUT_BY_OUR_RULES = {"border_mm": 1.5, "reach_mm": 6.0, "distance_penalty": 1.0}

# Case, present mask, this round's inside and outside strokes, voxels of earlier strokes; gives the mask.
Step = Callable[[Case, np.ndarray, np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def ours(method: RefineMethod, *, probability: bool) -> Step:
    def step(case: Case, mask: np.ndarray, inside: np.ndarray, outside: np.ndarray, earlier: np.ndarray) -> np.ndarray:
        known = case.probability if probability else None
        return refine(case.scan, mask, inside, outside, probability=known, protected=earlier, method=method).mask

    return step


def painting(case: Case, mask: np.ndarray, inside: np.ndarray, outside: np.ndarray, earlier: np.ndarray) -> np.ndarray:
    return (mask | inside) & ~outside


def growing(case: Case, mask: np.ndarray, inside: np.ndarray, outside: np.ndarray, earlier: np.ndarray) -> np.ndarray:
    return grow_cut(case.scan, mask, inside | (earlier & mask), outside | (earlier & ~mask), **GROW_CUT)


def growing_by_our_rules(
    case: Case, mask: np.ndarray, inside: np.ndarray, outside: np.ndarray, earlier: np.ndarray
) -> np.ndarray:
    """Within reach only, adding only beside an inside stroke, removing only beside an outside one, and connected."""
    reach = around_strokes(
        mask,
        inside,
        outside,
        spacing_kji=case.scan.grid.spacing_kji,
        reach_mm=GROW_CUT_BY_OUR_RULES["reach_mm"],
        largest_box=mask.size,
        protected=earlier,
    )
    seeds = {"inside": inside | (earlier & mask), "outside": outside | (earlier & ~mask)}
    grown = grow_cut(case.scan, mask, **seeds, **GROW_CUT_BY_OUR_RULES)
    refined = mask.copy()
    refined[reach.box.slices] = reach.keep_connected(grown[reach.box.slices])
    return refined


STEPS: dict[str, Step] = {
    PAINTING: painting,
    "GrowCut (Slicer)": growing,
    "GrowCut by our rules": growing_by_our_rules,
    "geodesic": ours(RefineMethod.GEODESIC, probability=False),
    "random walker": ours(RefineMethod.RANDOM_WALKER, probability=False),
    WINNER: ours(RefineMethod.GRAPH_CUT, probability=False),
    "random walker + network's probability": ours(RefineMethod.RANDOM_WALKER, probability=True),
    f"{WINNER} + network's probability": ours(RefineMethod.GRAPH_CUT, probability=True),
}


def dice_by_strokes(case: Case, step: Step, *, strokes: int) -> tuple[list[float], list[float]]:
    """Dice before the first and after each stroke (strokes + 1), and the seconds of each refinement."""
    mask, earlier = case.mask, np.zeros_like(case.mask)
    scores, seconds = [dice(mask, case.truth)], []
    for _ in range(strokes):
        drawn = next_stroke(mask, case.truth, spacing_kji=case.scan.grid.spacing_kji)
        if drawn is not None:
            stroke, is_inside = drawn
            nothing = np.zeros_like(stroke)
            inside, outside = (stroke, nothing) if is_inside else (nothing, stroke)
            started = time.process_time()
            mask = step(case, mask, inside, outside, earlier & ~stroke)
            seconds.append(time.process_time() - started)
            earlier = earlier | stroke
        scores.append(dice(mask, case.truth))
    return scores, seconds


def measure(options: argparse.Namespace) -> dict:
    scores: dict[tuple[str, str], list[list[float]]] = defaultdict(list)
    seconds: dict[str, list[float]] = defaultdict(list)
    cases = ai_results(options.dataset, subset=options.subset, cases=options.cases, values=PARTS[options.part])
    for case in cases:
        for damage in (NONE, *DAMAGES):
            broken = damaged(case, damage, seed=SEED)
            for name, step in STEPS.items():
                curve, taken = dice_by_strokes(broken, step, strokes=options.strokes)
                scores[name, damage].append(curve)
                seconds[name] += taken
        print(case.name, flush=True)
    return summary(scores, seconds)


def summary(scores: dict[tuple[str, str], list[list[float]]], seconds: dict[str, list[float]]) -> dict:
    """Means over the cases, and how much the winner gains on each other method, with intervals."""
    curves = {name: {kind: np.array(scores[name, kind]) for kind in (NONE, *DAMAGES)} for name in STEPS}
    over_damages = {name: np.mean([of[kind] for kind in DAMAGES], axis=0) for name, of in curves.items()}
    return {
        "cases": len(over_damages[WINNER]),
        "dice": {
            name: {"mean of damages": rounded(over_damages[name])} | {kind: rounded(a) for kind, a in of.items()}
            for name, of in curves.items()
        },
        f"gain of {WINNER}": {
            name: [gain(over_damages[WINNER] - other, at) for at in range(1, other.shape[1])]
            for name, other in over_damages.items()
            if name != WINNER
        },
        "milliseconds": {
            name: {"median": round(1000 * float(np.median(all_)), 1), "most": round(1000 * max(all_), 1)}
            for name, all_ in seconds.items()
        },
    }


def rounded(curves: np.ndarray) -> list[float]:
    return curves.mean(axis=0).round(4).tolist()


def gain(differences: np.ndarray, strokes: int) -> dict[str, float | list[float]]:
    """Mean over cases of a paired difference in Dice after so many strokes, with a 95% bootstrap interval."""
    values = differences[:, strokes]
    drawn = np.random.default_rng(0).choice(values, size=(2000, len(values)))
    low, high = np.percentile(drawn.mean(axis=1), [2.5, 97.5])
    return {"strokes": strokes, "mean": round(float(values.mean()), 4), "interval": [round(low, 4), round(high, 4)]}


def draw(found: dict, path: Path, *, title: str) -> None:
    from matplotlib.figure import Figure

    kinds = ["mean of damages", *DAMAGES, NONE]
    figure = Figure(figsize=(15, 7.5), layout="constrained")
    axes = figure.subplots(2, 4, sharex=True)
    colours = ["#777777", "#d8a200", "#a06a00", "#9467bd", "#2ca02c", "#1f77b4", "#2ca02c", "#1f77b4"]
    for ax, kind in zip(axes.flat, kinds):
        for (name, curves), colour in zip(found["dice"].items(), colours):
            dashed = "--" if "probability" in name else "-"
            ax.plot(
                curves[kind], dashed, color=colour, label=name, marker=".", lw=2 if name.startswith(WINNER) else 1.2
            )
        ax.set_title(
            {NONE: "AI's own result, not damaged", kinds[0]: "all damages (mean)"}.get(kind, kind), fontsize=11
        )
        ax.grid(alpha=0.3)
    for ax in axes[:, 0]:
        ax.set_ylabel("Dice with the expert's label")
    for ax in axes[1]:
        ax.set_xlabel("strokes drawn")
    handles = axes.flat[0].get_legend_handles_labels()
    axes.flat[-1].axis("off")
    times = found["milliseconds"]
    labels = [f"{name} ({times[name]['median']:.0f} ms)" for name in handles[1]]
    axes.flat[-1].legend(
        handles[0], labels, loc="center", fontsize=9.5, title="median time of a refinement, one thread"
    )
    figure.suptitle(title)
    figure.savefig(path, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", type=Path, default=HIPPOCAMPUS, help="default: %(default)s")
    parser.add_argument("--subset", default="val")
    parser.add_argument("--cases", type=int, help="only the first so many")
    parser.add_argument("--part", choices=list(PARTS), default="whole", help="which labels make the mask")
    parser.add_argument("--strokes", type=int, default=6)
    parser.add_argument(
        "-o", "--output", type=Path, default=Path("runs/refinement"), help="folder; default: %(default)s"
    )
    options = parser.parse_args()
    if not (options.dataset / "split.json").is_file():
        print(f"No labelled cases at {options.dataset}: set MEDSEGAI_DATA, or name them with --dataset.")
        return
    torch.set_num_threads(1)
    found = measure(options)
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "refinement.json").write_text(json.dumps(found, indent=1))
    part = "Hippocampus" if options.part == "whole" else f"{options.part.capitalize()} hippocampus"
    title = f"{part}, {found['cases']} cases ({options.subset}): one simulated stroke after another"
    draw(found, options.output / "refinement.png", title=title)
    print(f"{'Dice after 0, 1, ... strokes, mean of damages':48}{'ms':>6}")
    for name, curves in found["dice"].items():
        numbers = " ".join(f"{value:.3f}" for value in curves["mean of damages"])
        print(f"{name:40}{numbers}{found['milliseconds'][name]['median']:8.1f}")


if __name__ == "__main__":
    main()
