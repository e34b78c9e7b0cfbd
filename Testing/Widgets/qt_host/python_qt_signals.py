"""Signals connected by C++ signature, and the exceptions of the functions they call: kept, so that no test misses one.

Qt swallows an exception that a connected function raises (it is printed, and the program goes on), in Slicer as here.
"""

from __future__ import annotations

import inspect
import logging
import sys
from collections.abc import Callable
from types import TracebackType

import shiboken6
from PySide6 import QtCore

_log = logging.getLogger(__name__)
_relays: dict[int, list[tuple[str, Callable, Callable]]] = {}
slot_errors: list[BaseException] = []
already_told: list[BaseException] = []


def connect(sender: QtCore.QObject, signature: str, receiver: object, slot: str | None = None) -> bool:
    """Call ``receiver`` (or its slot of that signature) with as many of the signal's values as it takes.

    Raises:
        ValueError: if the sender has no such signal (PythonQt only prints it).
    """
    signal = _signal(sender, signature)
    function = getattr(receiver, slot.partition("(")[0]) if slot else receiver
    relay = _relay(function, signature)
    key = _address(sender)
    if key not in _relays:
        _relays[key] = []
        sender.destroyed.connect(lambda *_: _relays.pop(key, None))
    _relays[key].append((_tidy(signature), function, relay))
    signal.connect(relay)
    return True


def disconnect(sender: QtCore.QObject, signature: str, receiver: object, slot: str | None = None) -> bool:
    """Undo :func:`connect`; False where there is nothing to undo."""
    function = getattr(receiver, slot.partition("(")[0]) if slot else receiver
    entries = _relays.get(_address(sender), [])
    for entry in entries:
        if entry[0] == _tidy(signature) and entry[1] == function:
            entries.remove(entry)
            _signal(sender, signature).disconnect(entry[2])
            return True
    return False


def keep_error(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Remember an exception that Qt swallowed, unless the person at the screen has been told of it."""
    if not any(error is told for told in already_told):
        slot_errors.append(error)
        _log.error("A function that Qt called failed.", exc_info=(kind, error, trace))


def _signal(sender: QtCore.QObject, signature: str) -> QtCore.SignalInstance:
    tidy = _tidy(signature)
    name, _, values = tidy.partition("(")
    meta = sender.metaObject()
    if tidy in getattr(type(sender), "cpp_signals", ()):
        return getattr(sender, name)
    if meta.indexOfSignal(tidy) < 0:
        raise ValueError(f"{meta.className()} has no signal {signature}")
    signal = getattr(sender, name)
    named = {meta.method(index).methodSignature().data().decode() for index in range(meta.methodCount())}
    others = [each for each in named if each.startswith(f"{name}(")]
    # ``clicked()`` is ``clicked(bool)`` with its default value; only true overloads are chosen by type.
    if not all(tidy.startswith(each[:-1]) or each.startswith(tidy[:-1]) for each in others):
        return signal[values.rstrip(")")]
    return signal


def _relay(function: Callable, signature: str) -> Callable[..., None]:
    inside = signature.partition("(")[2].rstrip(") ")
    sent = inside.count(",") + 1 if inside else 0
    taken = min(sent, _number_of_arguments(function))
    as_bool = inside == "bool"

    def call(*values: object) -> None:
        chosen = values[:taken]
        if as_bool:
            chosen = tuple(bool(value) for value in chosen)
        try:
            function(*chosen)
        except Exception:
            keep_error(*sys.exc_info())

    return _TAKES[min(sent, len(_TAKES) - 1)](call)


# PySide looks at the number of arguments of a function and sends no more than that.
_TAKES: tuple[Callable[[Callable], Callable], ...] = (
    lambda call: lambda: call(),
    lambda call: lambda a: call(a),
    lambda call: lambda a, b: call(a, b),
    lambda call: lambda a, b, c: call(a, b, c),
)


def _number_of_arguments(function: Callable) -> int:
    """Positional arguments a function takes; like PythonQt, everything for one that cannot be looked into."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return sys.maxsize
    if any(each.kind is each.VAR_POSITIONAL for each in parameters):
        return sys.maxsize
    return sum(each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD) for each in parameters)


def _tidy(signature: str) -> str:
    return QtCore.QMetaObject.normalizedSignature(signature).data().decode()


def _address(thing: QtCore.QObject) -> int:
    return shiboken6.getCppPointer(thing)[0]
