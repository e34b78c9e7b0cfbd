"""The report of a run: one page of HTML that needs nothing else."""

from __future__ import annotations

import base64
import datetime
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

from MedSegAI.Logic.files.atomic import write_beside
from MedSegAI.Logic.provenance import software_versions
from MedSegAI.Logic.report.agreement_plots import shade
from MedSegAI.Logic.report.agreement_style import PAGE_STYLE
from MedSegAI.Logic.training.budget import Budget
from MedSegAI.Logic.training.checkpoint import Progress
from MedSegAI.Logic.training.config import TrainingConfig, config_as_mapping
from MedSegAI.Logic.training.curves import Curve, curves_svg
from MedSegAI.Logic.training.worst_cases import WorstCase

_STYLE = PAGE_STYLE + (
    "pre { background: #f4f6f8; padding: .8em 1em; overflow-x: auto; font-size: 13px; line-height: 1.35; }\n"
    "figure { margin: 1em 0; } figcaption { color: #3c4650; margin-bottom: .3em; }\n"
)


def write_run_report(
    path: Path,
    config: TrainingConfig,
    progress: Progress,
    *,
    ending: str,
    case_names: Sequence[str],
    worst_cases: Sequence[WorstCase],
) -> None:
    """Write the page, for a run that ended or was stopped.

    Args:
        path: Where it goes.
        config: Of the run.
        progress: How far it is.
        ending: A sentence: what ended it.
        case_names: Of the validation cases, in the order of ``progress.best_scores``.
        worst_cases: Shown as pictures.

    Raises:
        StorageError: if it cannot be written.
    """
    created = f"{datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d %H:%M} UTC"
    text = run_page(config, progress, ending=ending, case_names=case_names, worst_cases=worst_cases, created=created)
    with write_beside(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def run_page(
    config: TrainingConfig,
    progress: Progress,
    *,
    ending: str,
    case_names: Sequence[str],
    worst_cases: Sequence[WorstCase] = (),
    created: str = "",
) -> str:
    """The page as text: no script, no link, nothing from elsewhere; fields as in :func:`write_run_report`."""
    title = f"Training run: {config.name}"
    body = [
        f"<h1>{escape(title)}</h1>",
        f'<p class="faint">Made {escape(created)}.</p>' if created else "",
        *_findings(config, progress, ending),
        *_curves(config, progress),
        *_cases(config, progress, case_names),
        *_pictures(worst_cases),
        *_configuration(config),
        *_versions(),
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(part for part in body if part)
        + "\n</body>\n</html>\n"
    )


def _findings(config: TrainingConfig, progress: Progress, ending: str) -> Iterator[str]:
    sentences = [ending]
    if progress.best_scores:
        sentences.append(
            f"Best mean Dice of the {len(progress.best_scores)} validation cases: {progress.best_dice:.4f}, after "
            f"{progress.best_step} steps (best.pt). These cases chose the step, so the figure is a little kind."
        )
    else:
        sentences.append("No validation was done yet.")
    hours = f"{_duration(progress.seconds)} on the clock, {_duration(progress.cpu_seconds)} of processor time"
    sentences.append(f"{progress.step} steps of at most {Budget.of(config).sentence}: {hours}, validations counted.")
    yield '<ul class="findings">'
    yield from (f"<li>{escape(sentence)}</li>" for sentence in sentences)
    yield "</ul>"


def _curves(config: TrainingConfig, progress: Progress) -> Iterator[str]:
    rows = progress.history
    mark = progress.best_step if progress.best_scores else None
    names = {f"dice_{name}": name for _, name in sorted(config.data.labels.items())}
    if len(names) > 1:
        names["dice_mean"] = "mean"
    dice = [Curve(name, [(row["steps"], row[key]) for row in rows if key in row]) for key, name in names.items()]
    plots = {
        "Validation Dice": curves_svg(dice, title="Validation Dice of each label against steps", mark=mark),
        "Training loss": curves_svg(
            [Curve("mean loss of an epoch", [(row["steps"], row["train_loss"]) for row in rows])],
            title="Training loss against steps",
            logarithmic=True,
            mark=mark,
        ),
        "Learning rate": curves_svg(
            [Curve("learning rate", [(row["steps"], row["learning_rate"]) for row in rows])],
            title="Learning rate against steps",
        ),
    }
    for heading, plot in plots.items():
        if plot:
            yield f"<h2>{heading}</h2>"
            yield plot
    if mark is not None:
        yield '<p class="faint">Dashed: the step of the best weights.</p>'


def _cases(config: TrainingConfig, progress: Progress, names: Sequence[str]) -> Iterator[str]:
    if not progress.best_scores:
        return
    labels = [name for _, name in sorted(config.data.labels.items())]
    rows = [
        (name, [score[label] for label in labels], sum(score.values()) / len(score))
        for name, score in zip(names, progress.best_scores)
    ]
    yield "<h2>Dice of every validation case</h2>"
    yield f"<p>By the weights of step {progress.best_step}, the lowest mean first.</p>"
    heads = "".join(f"<th>{escape(name)}</th>" for name in (*labels, "mean"))
    yield f'<table class="heat"><thead><tr><th>Case</th>{heads}</tr></thead><tbody>'
    for name, values, mean in sorted(rows, key=lambda row: row[2]):
        yield f"<tr><th>{escape(name)}</th>{''.join(_shaded(value) for value in (*values, mean))}</tr>"
    yield "</tbody></table>"


def _shaded(value: float) -> str:
    background, text = shade(value)
    return f'<td style="background:{background};color:{text}">{value:.3f}</td>'


def _pictures(worst_cases: Sequence[WorstCase]) -> Iterator[str]:
    if not worst_cases:
        return
    yield "<h2>The worst cases</h2>"
    yield "<p>Of the slices that both marked, those in which expert and network differ most.</p>"
    for case in worst_cases:
        dice = ", ".join(f"{name} {value:.3f}" for name, value in case.dice.items())
        encoded = base64.b64encode(case.picture).decode("ascii")
        yield f"<figure><figcaption>{escape(case.name)}: Dice {case.mean_dice:.3f} ({escape(dice)})</figcaption>"
        yield f'<img alt="Three slices of {escape(case.name)}" src="data:image/png;base64,{encoded}"></figure>'


def _configuration(config: TrainingConfig) -> Iterator[str]:
    import yaml

    text = yaml.safe_dump(config_as_mapping(config), sort_keys=False, allow_unicode=True)
    yield "<h2>Configuration</h2>"
    yield "<p>All fields, defaults included; <code>medsegai train --explain</code> says what each means.</p>"
    yield f"<pre>{escape(text)}</pre>"


def _versions() -> Iterator[str]:
    versions = ", ".join(f"{name} {version}" for name, version in software_versions().items())
    yield "<h2>Software</h2>"
    yield f'<p class="faint">{escape(versions)}</p>'


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
