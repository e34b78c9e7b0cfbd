"""The validator's messages in plain words, counted, and without what they quote of the patient."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from MedSegAI.Logic.dicom_check.finding import Finding, Weight
from MedSegAI.Logic.dicom_check.validator import Validation

RULE = "dciodvfy"
_EXAMPLES = 3
_MESSAGE = re.compile(r"^(?P<weight>Error|Warning) - (?:<(?P<path>[^>]*)> - )?(?P<text>.*)$")
_ATTRIBUTE = re.compile(
    r"(?:(?P<keyword>[A-Za-z0-9]+))?\((?P<group>[0-9a-f]{4}),(?P<element>[0-9a-f]{4})[^)]*\)(?:\[\d+\])?$"
)
_QUOTED = re.compile(r"= <.*?>(?= - |$)")
# Types of values that a person may have written or that tell of one: texts, numbers of orders, dates, ages.
_OF_PERSONS = re.compile(r"\[(?:PN|SH|LO|ST|LT|UT|UC|DA|DT|TM|AS|AE)\] =")
_NEEDED = {
    "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "Rows", "Columns", "PixelData", "BitsAllocated",
    "BitsStored", "PixelRepresentation", "PhotometricInterpretation", "SamplesPerPixel", "SOPClassUID",
}  # fmt: skip
_LET_IT_BE = "Nothing to do for a segmentation; tell whoever made or exported the files, if other programs complain."


@dataclass(frozen=True)
class _Kind:
    """How one kind of message reads: parts of the validator's text, a title and its meaning ({what} is filled in)."""

    parts: tuple[str, ...]
    title: str
    meaning: str


_KINDS = (
    _Kind(("Missing attribute", "Type 1 "), "{what} is missing", "Every object of this kind must say it."),
    _Kind(("Empty attribute", "Type 1 "), "{what} is empty", "Every object of this kind must give it a value."),
    _Kind(
        ("Missing attribute", "Type 2 "), "{what} is missing", "It must be there, though it may be empty if not known."
    ),
    _Kind(
        ("Missing attribute", "Conditional"),
        "{what} is missing",
        "It must be there under a condition that holds, or seems to hold, for these files.",
    ),
    _Kind(
        ("Empty attribute", "Conditional"),
        "{what} is empty",
        "It must have a value under a condition that holds, or seems to hold, for these files.",
    ),
    _Kind(("needed to build DICOMDIR",), "{what} is missing", "A CD or DVD of these files cannot be made without it."),
    _Kind(
        ("not present in standard DICOM IOD",),
        "{what} does not belong here",
        "The standard does not know it in this kind of object; programs pass over it.",
    ),
    _Kind(("condition unsatisfied",), "{what} should not be there", "Its condition does not hold for these files."),
    _Kind(
        ("Retired",), "{what} is out of date", "The standard has retired it, or this form of it; it still reads well."
    ),
    _Kind(("Private tag without owner",), "{what} has no owner", "Nobody can say what this private value means."),
    _Kind(
        ("Unrecognized defined term",), "{what} has an unusual term", "It is none of the terms that the standard lists."
    ),
    _Kind(
        ("Unrecognized enumerated value",),
        "{what} has a forbidden value",
        "The standard allows a few values, and not this.",
    ),
    _Kind(("Value Representation",), "{what} has a wrong type", "It is stored as another type than the standard says."),
    _Kind(("value representation",), "{what} has a wrong type", "It is stored as another type than the standard says."),
    _Kind(("for this VR",), "{what} has a malformed value", "Its value is not written as values of its type are."),
    _Kind(
        ("should be absent (not empty)",),
        "{what} is empty",
        "It should be left out, or have a value, as the case may be.",
    ),
)


def findings_of(validations: Sequence[Validation]) -> list[Finding]:
    """One finding for each kind of message about one attribute, with the number of files it was said of."""
    files: dict[tuple[str, str, str], dict[str, None]] = defaultdict(dict)
    first: dict[tuple[str, str, str], str] = {}
    failures: dict[str, list[str]] = defaultdict(list)
    for validation in validations:
        if validation.failed:
            failures[validation.failed].append(validation.path.name)
        for line in validation.lines:
            said = without_persons(line)
            key = _key(said)
            first.setdefault(key, said)
            files[key][validation.path.name] = None
    found = [_finding(first[key], list(names)) for key, names in files.items()]
    return found + [_failure(why, names) for why, names in failures.items()]


def _key(said: str) -> tuple[str, str, str]:
    """Messages that share it are one finding: whatever the value, and wherever in nested sequences."""
    matched = _MESSAGE.match(said)
    if not matched:
        return "", "", said
    kind = _kind_of(matched["text"])
    _, what = _attribute(matched["path"] or "")
    return matched["weight"], what, kind.title if kind else matched["text"]


def _kind_of(text: str) -> _Kind | None:
    return next((kind for kind in _KINDS if all(part in text for part in kind.parts)), None)


def without_persons(line: str) -> str:
    """A message without the values it quotes of texts, dates and the patient's own attributes."""
    matched = _MESSAGE.match(line)
    path = (matched and matched["path"]) or ""
    about_a_person = _OF_PERSONS.search(line) or re.search(r"\(0010,|Name\(|Person|Patient|Physician|Operator", path)
    return _QUOTED.sub("= <not shown>", line) if about_a_person else line


def _finding(said: str, names: list[str]) -> Finding:
    matched = _MESSAGE.match(said)
    text = matched["text"] if matched else said
    keyword, what = _attribute((matched and matched["path"]) or "")
    kind = _kind_of(text)
    is_error = said.startswith("Error")
    hinders = is_error and keyword in _NEEDED and ("Missing" in text or "Empty" in text)
    meaning = kind.meaning if kind else f"The validator says: {text}."
    return Finding(
        rule=RULE,
        title=(kind.title if kind else "{what}").format(what=what or "A rule of the standard is broken"),
        meaning=meaning,
        advice="Export the series again, with its geometry and pixels." if hinders else _LET_IT_BE,
        weight=Weight.ERROR if is_error else Weight.WARNING,
        hinders=hinders,
        count=len(names),
        examples=tuple(names[:_EXAMPLES]),
        said=said,
    )


def _attribute(path: str) -> tuple[str, str]:
    """Keyword of the attribute a message is about, and how a person reads it: "Pixel Spacing (0028,0030)"."""
    last = path.rpartition("/")[2]
    matched = _ATTRIBUTE.search(last)
    if not matched:
        return "", last
    keyword = matched["keyword"] or ""
    if matched["element"] == "0000":
        return "", "Group Length (gggg,0000)"
    tag = f"({matched['group']},{matched['element']})"
    words = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", keyword)
    return keyword, f"{words} {tag}" if words else f"Attribute {tag}"


def _failure(why: str, names: list[str]) -> Finding:
    return Finding(
        rule=RULE,
        title=f"The validator {why}",
        meaning="It came to no end on these files, which some badly broken files make it do; our own rules ran all the "
        "same.",
        advice="Look at these files first, and export them again if they are damaged.",
        weight=Weight.ERROR,
        count=len(names),
        examples=tuple(names[:_EXAMPLES]),
        said=f"dciodvfy {why}",
    )
