"""nnU-Net 2 as a rival: an environment of its own, its own planner and trainer, our split and our budget."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from MedSegAI.Logic.files.decathlon import read_split

NNUNET = "nnunetv2==2.8.1"
DATASET = "Dataset401_Hippocampus"
REPOSITORY = Path(__file__).parents[3]
# nnU-Net itself and those of its needs that would bring torchvision, which does not fit our torch, are installed
# without their own needs; these are all that it imports here.
NEEDS = (
    *(
        "torch",
        "numpy",
        "scipy",
        "SimpleITK",
        "scikit-image",
        "scikit-learn",
        "connected-components-3d",
        "blosc2>=3.3.2",
    ),
    *("pillow", "future", "pandas", "threadpoolctl", "einops", "tqdm", "graphviz", "tifffile", "requests", "nibabel"),
    *("matplotlib", "seaborn", "imagecodecs", "yacs"),
)
WITHOUT_THEIR_NEEDS = (
    NNUNET,
    "dynamic-network-architectures==0.4.4",
    "acvl-utils==0.2.6",
    "batchgenerators==0.25.5",
    "batchgeneratorsv2==0.3.6",
    "timm==1.0.22",
)


@dataclass(frozen=True)
class NnunetRun:
    """What a finished run leaves.

    Args:
        cpu_seconds: Spent on training steps, children counted.
        steps: Steps done.
        parameters: Of its network.
        predictions: Folder of label maps, NAME.nii.gz.
        remark: Patch and batch that its planner chose.
    """

    cpu_seconds: float
    steps: int
    parameters: int
    predictions: Path
    remark: str


def run_nnunet(data: Path, work: Path, *, cpu_minutes: float) -> NnunetRun:
    """Set up, plan, train and predict; each part that is done is kept, so a killed run goes on."""
    work.mkdir(parents=True, exist_ok=True)
    python = _environment(work / "environment")
    folders = {name: str(work / name) for name in ("nnUNet_raw", "nnUNet_preprocessed", "nnUNet_results")}
    one_thread = {"OMP_NUM_THREADS": "1", "nnUNet_n_proc_DA": "0", "nnUNet_def_n_proc": "1", "nnUNet_compile": "f"}
    environment = {**os.environ, **folders, **one_thread}
    lay_out(data, work / "nnUNet_raw" / DATASET)
    preprocessed = work / "nnUNet_preprocessed" / DATASET
    if not (preprocessed / "splits_final.json").is_file():
        plan = python.with_name("nnUNetv2_plan_and_preprocess")
        command = [str(python), str(plan), "-d", "401", "-c", "3d_fullres", "-np", "1", "-npfp", "1"]
        # The planner takes this number for its threads, where 0 is not allowed.
        subprocess.run(command, env=environment | {"nnUNet_n_proc_DA": "1"}, check=True)
        write_split(data, preprocessed / "splits_final.json")
    inside = [str(python), str(Path(__file__).with_name("nnunet_inside.py"))]
    budget = ["--cpu-minutes", str(cpu_minutes)]
    subprocess.run([*inside, "train", DATASET, *budget], env=environment, check=True)
    predictions = work / "predictions"
    subprocess.run([*inside, "predict", DATASET, "--output", str(predictions)], env=environment, check=True)
    results = work / "nnUNet_results" / DATASET
    record = json.loads(next(results.glob("*/fold_0/progress.json")).read_text())
    remark = f"patch {'x'.join(map(str, record['patch']))}, batch {record['batch']}"
    return NnunetRun(record["cpu_seconds"], record["steps"], record["parameters"], predictions, remark)


def _environment(folder: Path) -> Path:
    """Python of the environment that holds nnU-Net; made on first use."""
    python = folder / "bin" / "python"
    done = folder / "is-complete"
    if not done.is_file():
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        install = [str(python), "-m", "pip", "install", "-q"]
        constraints = ["-c", str(REPOSITORY / "constraints.txt")]
        subprocess.run([*install, *constraints, *NEEDS], check=True)
        subprocess.run([*install, "--no-deps", *WITHOUT_THEIR_NEEDS], check=True)
        done.touch()
    return python


def lay_out(data: Path, folder: Path) -> None:
    """The training and validation cases under nnU-Net's names; images are linked, not copied."""
    split = read_split(data / "split.json")
    names = [*split.train, *split.val]
    for kind, ending in (("imagesTr", "_0000"), ("labelsTr", "")):
        (folder / kind).mkdir(parents=True, exist_ok=True)
        for name in names:
            link = folder / kind / f"{name}{ending}.nii.gz"
            if not link.exists():
                link.symlink_to((data / kind / f"{name}.nii.gz").resolve())
    description = {
        "channel_names": {"0": "MRI"},
        "labels": {"background": 0, "anterior": 1, "posterior": 2},
        "numTraining": len(names),
        "file_ending": ".nii.gz",
    }
    (folder / "dataset.json").write_text(json.dumps(description))


def write_split(data: Path, path: Path) -> None:
    """Our split as nnU-Net's only fold."""
    split = read_split(data / "split.json")
    path.write_text(json.dumps([{"train": list(split.train), "val": list(split.val)}]))
