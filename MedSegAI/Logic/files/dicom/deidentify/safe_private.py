"""Private attributes that PS3.15 (Table E.3.10-1) lists as safe, and which some measurements need."""

from __future__ import annotations

# Private creator: last two digits of the elements of its block.
_SAFE: dict[tuple[int, str], frozenset[int]] = {
    (0x7053, "Philips PET Private Group"): frozenset((0x00, 0x09)),
    (0x00E1, "ELSCINT1"): frozenset((0x21,)),
    (0x01E1, "ELSCINT1"): frozenset((0x26, 0x50)),
    (0x01F1, "ELSCINT1"): frozenset((0x01, 0x07, 0x26, 0x27)),
    (0x0019, "GEMS_ACQU_01"): frozenset((0x23, 0x24, 0x27, 0x9E)),
    (0x0025, "GEMS_SERS_01"): frozenset((0x07,)),
    (0x0043, "GEMS_PARM_01"): frozenset((0x27, 0x6F)),
    (0x0045, "GEMS_HELIOS_01"): frozenset((0x01, 0x02)),
    (0x2001, "Philips Imaging DD 001"): frozenset((0x03, 0x04)),
    (0x2005, "Philips MR Imaging DD 001"): frozenset((0x0D, 0x0E)),
    (0x0019, "SIEMENS MR HEADER"): frozenset((0x0C, 0x0D, 0x0E, 0x27)),
}


def is_safe_private(group: int, creator: str, element: int) -> bool:
    """Whether a private attribute says only how the picture was made.

    Args:
        group: Its group.
        creator: Its private creator.
        element: Its element; only the last two hexadecimal digits count.
    """
    return element & 0xFF in _SAFE.get((group, creator.strip()), frozenset())
