"""Grey windows for looking at a CT: which Hounsfield units are shown from black to white.

The presets are the ones that radiologists' textbooks agree on to within some tens of HU, such as Hofer, "CT Teaching
Manual" (Thieme), and the usual protocols of hospitals as Radiopaedia's article "Windowing (CT)" lists them. They are
conventions and no measurements: any of them may be moved.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class WindowPreset:
    """One way to look at a CT.

    Args:
        key: Name in files and on the command line.
        title: What a person reads.
        level: Middle of the window, HU.
        width: From black to white, HU.
    """

    key: str
    title: str
    level: float
    width: float

    @property
    def low(self) -> float:
        """HU shown as black, and all below it."""
        return self.level - self.width / 2

    @property
    def high(self) -> float:
        """HU shown as white, and all above it."""
        return self.level + self.width / 2


WINDOW_PRESETS = (
    WindowPreset("lung", "Lung", -600, 1500),
    WindowPreset("mediastinum", "Mediastinum", 50, 350),
    WindowPreset("bone", "Bone", 400, 1800),
    WindowPreset("brain", "Brain", 40, 80),
    WindowPreset("liver", "Liver", 60, 160),
)


def window_preset(key: str) -> WindowPreset:
    """The preset of this name.

    Raises:
        ValueError: if there is none.
    """
    for preset in WINDOW_PRESETS:
        if preset.key == key:
            return preset
    raise ValueError(f"there is no window '{key}'; there are {', '.join(one.key for one in WINDOW_PRESETS)} and own")
