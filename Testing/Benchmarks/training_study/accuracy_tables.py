"""The tables of the study as Markdown: how accurate, with intervals over people, and how different from ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from MedSegAI.Logic.evaluation.intervals import Bootstrap, Mean, mean_of
from MedSegAI.Logic.evaluation.paired import PairedDifference, holm, paired_difference
from Testing.Benchmarks.training_study.recipes import Recipe
from Testing.Benchmarks.training_study.results import LABELS, Result

AS_TRAINED = "as trained"
COMPARED_WITH = {"accuracy": "ours", "ablation": "base"}
NOTE = (
    "Means over the 62 validation cases; brackets hold 95% bootstrap intervals over the people they are of (cases 2k-1 "
    "and 2k are one person, 2,000 draws). Differences are of the mean Dice, paired by case; p is of the Wilcoxon "
    "signed-rank test over people, and after Holm's correction over the table."
)


def person_of(case: str) -> str:
    """Whose hippocampus it is: hippocampus_(2k-1) and hippocampus_(2k) are the two sides of one person."""
    return str((int(case.rpartition("_")[2]) + 1) // 2)


def mean_dice(result: Result, variant: str = AS_TRAINED) -> Mean:
    """Mean Dice of both labels, with its interval over people."""
    return _mean(result.mean_dice(variant))


def difference(
    one: Result, other: Result, *, variant: str = AS_TRAINED, other_variant: str = AS_TRAINED
) -> PairedDifference:
    """Mean Dice of the first minus that of the second, on the cases of both."""
    scores = one.mean_dice(variant)
    people = {case: person_of(case) for case in scores}
    return paired_difference(scores, other.mean_dice(other_variant), subjects=people, bootstrap=Bootstrap())


def accuracy_and_ablation(recipes: Mapping[str, Recipe], results: Mapping[str, Result]) -> str:
    """Both tables, with what is missing said in a line."""
    parts = [
        "## Accuracy",
        _table("accuracy", recipes, results),
        "## Ablations: one change each",
        _table("ablation", recipes, results),
        "## The same weights, used otherwise",
        _variants(recipes, results),
        NOTE,
    ]
    missing = [name for name in recipes if name not in results]
    if missing:
        parts.append(f"Not trained yet: {', '.join(missing)}.")
    return "\n\n".join(part for part in parts if part)


def _table(table: str, recipes: Mapping[str, Recipe], results: Mapping[str, Result]) -> str:
    there = [recipe for recipe in recipes.values() if recipe.table == table and recipe.name in results]
    if not there:
        return "Nothing measured yet."
    reference = results.get(COMPARED_WITH[table])
    differences = [
        None if reference is None or recipe.name == reference.name else difference(results[recipe.name], reference)
        for recipe in there
    ]
    corrected = holm([None if each is None else each.p_value for each in differences])
    rows = [
        [*_facts(recipe, results[recipe.name]), *_against(each, p)]
        for recipe, each, p in zip(there, differences, corrected)
    ]
    header = [
        "",
        "CPU min",
        "Steps",
        "MB fp16",
        *LABELS.values(),
        "Mean Dice",
        "HD95 mm",
        "Minus ours",
        "p",
        "p (Holm)",
    ]
    return _markdown(header, rows)


def _facts(recipe: Recipe, result: Result) -> list[str]:
    labels = [_plain(_mean(result.of_label(AS_TRAINED, label, "dice")).value, 3) for label in LABELS.values()]
    distances = [_mean(result.of_label(AS_TRAINED, label, "hd95")) for label in LABELS.values()]
    known = [each.value for each in distances if each.value is not None]
    return [
        recipe.title,
        f"{result.cpu_minutes:.0f}",
        f"{result.steps:,}",
        f"{result.megabytes:.1f}",
        *labels,
        _with_interval(mean_dice(result)),
        _plain(sum(known) / len(known) if known else None, 2),
    ]


def _against(each: PairedDifference | None, corrected: float | None) -> list[str]:
    if each is None or each.difference is None:
        return ["", "", ""]
    interval = "" if each.low is None else f" [{each.low:+.4f}, {each.high:+.4f}]"
    return [f"{each.difference:+.4f}{interval}", _p(each.p_value), _p(corrected)]


def _variants(recipes: Mapping[str, Recipe], results: Mapping[str, Result]) -> str:
    rows = []
    for name, recipe in recipes.items():
        for variant in results[name].variants if name in results else ():
            if variant == AS_TRAINED:
                continue
            each = difference(results[name], results[name], variant=variant)
            against = _against(each, None)[:2]
            rows.append([recipe.title, variant, _with_interval(mean_dice(results[name], variant)), *against])
    header = ["", "Used", "Mean Dice", "Minus as trained", "p"]
    return _markdown(header, rows) if rows else "Nothing measured yet."


def _mean(scores: Mapping[str, float | None]) -> Mean:
    return mean_of(list(scores.values()), subjects=[person_of(case) for case in scores], bootstrap=Bootstrap())


def _with_interval(mean: Mean) -> str:
    return _plain(mean.value, 4) + ("" if mean.low is None else f" [{mean.low:.4f}, {mean.high:.4f}]")


def _plain(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _p(value: float | None) -> str:
    if value is None:
        return ""
    return "<0.0001" if value < 1e-4 else f"{value:.2g}"


def _markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
