"""nnU-Net 2 within a budget of CPU time: what runs in the environment of its own that ``nnunet.py`` makes.

    python nnunet_inside.py train|predict DATASET --cpu-minutes M

Network, patch, batch, loss, optimiser, augmentation and prediction are nnU-Net's own. Only the length of the run is
ours: the polynomial decay of its learning rate spans the budget, as it spans the 1,000 epochs of a run of its own, and
nothing is validated on the way. The last state is resumed after a kill, as is the CPU time it had cost.
"""

import argparse
import json
import multiprocessing
import os
import resource
from pathlib import Path

import torch
from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor
from nnunetv2.run.run_training import get_trainer_from_args
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer

STEPS_BETWEEN_SAVES = 10
CONFIGURATION = "3d_fullres"


def cpu_seconds() -> float:
    """Of this process, all its threads, and of its children that ended."""
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


class nnUNetTrainerCpuBudget(nnUNetTrainer):  # noqa: N801 - nnU-Net finds its trainers by such names
    """nnU-Net's trainer, stopped when its CPU time is spent."""

    cpu_budget_seconds = 1800.0

    def run_training(self) -> None:
        self.on_train_start()
        spent, steps, losses = self._so_far()
        while spent < self.cpu_budget_seconds:
            self.network.train()
            for _ in range(STEPS_BETWEEN_SAVES):
                started = cpu_seconds()
                share = min(spent / self.cpu_budget_seconds, 1.0)
                for group in self.optimizer.param_groups:
                    group["lr"] = self.initial_lr * (1 - share) ** 0.9
                losses.append(float(self.train_step(next(self.dataloader_train))["loss"]))
                spent, steps = spent + cpu_seconds() - started, steps + 1
                if spent >= self.cpu_budget_seconds:
                    break
            self.current_epoch += 1
            mean = sum(losses[-STEPS_BETWEEN_SAVES:]) / len(losses[-STEPS_BETWEEN_SAVES:])
            self.print_to_log_file(f"step {steps}, {spent:.0f} CPU seconds, loss {mean:.4f}")
            self._save(spent, steps, losses)
        self.on_train_end()

    def plot_network_architecture(self) -> None:
        """A picture of the network is left out."""

    def _so_far(self) -> tuple[float, int, list[float]]:
        progress, state = (Path(self.output_folder, name) for name in ("progress.json", "checkpoint_latest.pth"))
        if not (progress.is_file() and state.is_file()):
            return 0.0, 0, []
        self.load_checkpoint(str(state))
        kept = json.loads(progress.read_text())
        return kept["cpu_seconds"], kept["steps"], kept["losses"]

    def _save(self, spent: float, steps: int, losses: list[float]) -> None:
        folder = Path(self.output_folder)
        self.save_checkpoint(str(folder / "beside.pth"))
        (folder / "beside.pth").replace(folder / "checkpoint_latest.pth")
        record = {"cpu_seconds": spent, "steps": steps, "losses": losses}
        record["parameters"] = sum(tensor.numel() for tensor in self.network.parameters())
        record |= {"patch": list(self.configuration_manager.patch_size), "batch": self.configuration_manager.batch_size}
        (folder / "progress.json").write_text(json.dumps(record))


def train(trainer: nnUNetTrainerCpuBudget) -> None:
    if not Path(trainer.output_folder, "checkpoint_final.pth").is_file():
        trainer.run_training()


def predict(trainer: nnUNetTrainerCpuBudget, split: Path, images: Path, output: Path) -> None:
    """Label maps of the validation images, by nnU-Net's own predictor: overlap 0.5, Gaussian weights, mirroring."""
    trainer.load_checkpoint(str(Path(trainer.output_folder, "checkpoint_final.pth")))
    trainer.set_deep_supervision_enabled(False)
    predictor = nnUNetPredictor(use_mirroring=True, device=torch.device("cpu"), allow_tqdm=False)
    predictor.manual_initialization(
        trainer.network,
        trainer.plans_manager,
        trainer.configuration_manager,
        [trainer.network.state_dict()],
        trainer.dataset_json,
        type(trainer).__name__,
        trainer.inference_allowed_mirroring_axes,
    )
    names = json.loads(split.read_text())[0]["val"]
    wanted = [[str(images / f"{name}_0000.nii.gz")] for name in names]
    output.mkdir(parents=True, exist_ok=True)
    targets = [str(output / f"{name}.nii.gz") for name in names]
    predictor.predict_from_files_sequential(wanted, targets, save_probabilities=False, overwrite=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=("train", "predict"))
    parser.add_argument("dataset", help="such as Dataset401_Hippocampus")
    parser.add_argument("--cpu-minutes", type=float, default=30.0)
    parser.add_argument("--output", type=Path, help="folder of the predicted label maps")
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(1)
    raw, preprocessed = (Path(os.environ[name], options.dataset) for name in ("nnUNet_raw", "nnUNet_preprocessed"))
    trainer = get_trainer_from_args(options.dataset, CONFIGURATION, 0, "nnUNetTrainer", device=torch.device("cpu"))
    trainer.__class__ = nnUNetTrainerCpuBudget
    trainer.cpu_budget_seconds = options.cpu_minutes * 60
    if options.action == "train":
        train(trainer)
    else:
        predict(trainer, preprocessed / "splits_final.json", raw / "imagesTr", options.output)


if __name__ == "__main__":
    multiprocessing.freeze_support()
    main()
