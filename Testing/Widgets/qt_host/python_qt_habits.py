"""PythonQt's habits on PySide's objects: properties are attributes, and signals are connected by their C++ signature.

While installed, ``widget.text`` is the text (not a method that gives it), ``widget.text = "x"`` sets it, ``.name`` is
the object's name, and ``widget.connect("clicked(bool)", function)`` connects. As in PythonQt, a C++ object takes no
attribute that it does not have, so a misspelt property is an error here too.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from PySide6 import QtCore, QtGui, QtUiTools, QtWidgets

from Testing.Widgets.qt_host.python_qt_signals import connect, disconnect

_QObject = QtCore.QObject
_natives: dict[str, dict[type, Callable]] = {"__getattribute__": {}, "__setattr__": {}}
_properties: dict[type, dict[str, str]] = {}
_being_read: set[tuple[int, str]] = set()
_open_to_attributes: list[bool] = []


def install() -> None:
    """Let every Qt object of this process behave as PythonQt's do."""
    # QObject has a way to read and to set attributes, but so have many of its subclasses.
    for method, ours in {"__getattribute__": _get, "__setattr__": _set}.items():
        _natives[method] = {cls: vars(cls)[method] for cls in _classes_of_qt() if method in vars(cls)}
        for cls in _natives[method]:
            setattr(cls, method, ours)


def uninstall() -> None:
    """Give PySide's own behaviour back."""
    for method, natives in _natives.items():
        for cls, function in natives.items():
            setattr(cls, method, function)


def _native_get(self: QtCore.QObject, name: str) -> object:
    natives = _natives["__getattribute__"]
    return next(natives[cls] for cls in type(self).__mro__ if cls in natives)(self, name)


@contextlib.contextmanager
def open_to_attributes() -> Iterator[None]:
    """While a ``.ui`` file is loaded: PySide makes the children attributes of the top widget, as PythonQt has them."""
    _open_to_attributes.append(True)
    try:
        yield
    finally:
        _open_to_attributes.pop()


def _classes_of_qt() -> set[type]:
    named = (getattr(module, name) for module in (QtCore, QtGui, QtWidgets, QtUiTools) for name in dir(module))
    return {each for each in named if isinstance(each, type) and issubclass(each, _QObject)}


def _get(self: QtCore.QObject, name: str) -> object:
    extra = _EXTRA.get(name)
    if extra is not None:
        return extra(self)
    qt_name = _properties_of(type(self)).get(name)
    key = (id(self), name)
    # Qt asks the Python object whether it overrides a method such as sizeHint, which is a property too: the question
    # that comes while the property is read must be answered with the method, or it would be asked for ever.
    if qt_name is None or key in _being_read:
        return _native_get(self, name)
    _being_read.add(key)
    try:
        return _native_get(self, "property")(qt_name)
    finally:
        _being_read.discard(key)


def _set(self: QtCore.QObject, name: str, value: object) -> None:
    qt_name = _properties_of(type(self)).get(name)
    if qt_name is not None:
        if not self.metaObject().property(self.metaObject().indexOfProperty(qt_name)).isWritable():
            raise AttributeError(f"{name} of {type(self).__name__} is read-only")
        _native_get(self, "setProperty")(qt_name, value)
        return
    # What object.__setattr__ does follows; Python does not let that be called past PySide's own.
    own = next((vars(base)[name] for base in type(self).__mro__ if name in vars(base)), None)
    if hasattr(type(own), "__set__"):
        own.__set__(self, value)
    elif _is_from_cpp(type(self)) and not _is_pysides_own(name, value):
        raise AttributeError(f"{type(self).__name__} has no property {name}, and C++ objects take no new attributes")
    else:
        _native_get(self, "__dict__")[name] = value


def _is_pysides_own(name: str, value: object) -> bool:
    # PySide keeps a signal that was asked for as an attribute of the object.
    return bool(_open_to_attributes) or name.startswith("_") or isinstance(value, QtCore.SignalInstance)


def _is_from_cpp(cls: type) -> bool:
    return cls.__module__.startswith("PySide6") or "stands_for_cpp" in vars(cls)


def _properties_of(cls: type) -> dict[str, str]:
    """Attribute names of a class that are Qt properties, with the property's own name."""
    known = _properties.get(cls)
    if known is None:
        meta = cls.staticMetaObject
        names = [meta.property(index).name() for index in range(meta.propertyCount())]
        known = {name: name for name in names if not _is_python_code(cls, name)}
        known.setdefault("name", "objectName")
        _properties[cls] = known
    return known


def _is_python_code(cls: type, name: str) -> bool:
    """Whether a Python class overrides this property's method."""
    owner = next((base for base in cls.__mro__ if name in vars(base)), None)
    if owner is None or isinstance(vars(owner)[name], QtCore.Property):
        return False
    return not owner.__module__.startswith(("PySide6", "Shiboken"))


def _either(ours: Callable[..., bool], name: str) -> Callable[[QtCore.QObject], object]:
    """PythonQt's method; PySide's own where PySide itself calls it, which is with the sender as first argument."""

    def bound(self: QtCore.QObject) -> Callable[..., object]:
        def call(*arguments: object) -> object:
            if arguments and isinstance(arguments[0], _QObject):
                return _native_get(self, name)(*arguments)
            return ours(self, *arguments)

        return call

    return bound


def _class_name(self: QtCore.QObject) -> Callable[[], str]:
    return lambda: _native_get(self, "metaObject")().className()


def _run_modally(self: QtCore.QObject) -> Callable[..., object]:
    return _native_get(self, "exec")


_EXTRA: dict[str, Callable[[QtCore.QObject], object]] = {
    "connect": _either(connect, "connect"),
    "disconnect": _either(disconnect, "disconnect"),
    "className": _class_name,
    "exec_": _run_modally,
}
