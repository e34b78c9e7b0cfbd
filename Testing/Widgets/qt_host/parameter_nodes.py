"""``slicer.parameterNodeWrapper``: typed attributes over a parameter node, and widgets bound to them.

Behaves as Slicer's does where a module can notice, oddities included: ``connectGui`` gives back no tag, so
``disconnectGui`` of what it gave back does nothing; only ``connectParametersToGui`` gives a tag that disconnects.
"""

from __future__ import annotations

import typing

import slicer
from PySide6 import QtWidgets
from vtkmodules.vtkCommonCore import vtkCommand

from Testing.Widgets.qt_host import parameter_kinds
from Testing.Widgets.qt_host.parameter_connectors import Connector, connector
from Testing.Widgets.qt_host.parameter_kinds import Default, Kind

PARAMETER_NAME = "SlicerParameterName"


def parameterNodeWrapper(cls: type | None = None) -> type:
    """Make a class of type hints a wrapper of parameter nodes."""
    if cls is None:
        return parameterNodeWrapper
    kinds = {}
    for name, declared in typing.get_type_hints(cls, include_extras=True).items():
        kind = Kind.of(declared)
        if name in vars(cls):
            kind = Kind(kind.plain, (Default(vars(cls)[name]), *kind.annotations))
        kinds[name] = kind
    parameters = {name: _parameter(name) for name in kinds}
    return type(cls.__name__, (_Wrapper, cls), {**parameters, "_kinds": kinds, "__module__": cls.__module__})


def _parameter(name: str) -> property:
    return property(lambda self: self.getValue(name), lambda self, value: self.setValue(name, value))


class _Wrapper:
    _kinds: typing.ClassVar[dict[str, Kind]] = {}

    def __init__(self, parameterNode: slicer.vtkMRMLScriptedModuleNode) -> None:
        self.parameterNode = parameterNode
        self._bound: dict[int, dict[str, Connector]] = {}
        self._tags = 0
        self._showing = False
        for name, kind in self._kinds.items():
            if not parameterNode.HasParameter(name):
                kind.write(parameterNode, name, kind.default())

    def getValue(self, name: str) -> object:
        """A parameter's value."""
        kind = self._kind(name)
        if not self.parameterNode.HasParameter(name):
            kind.write(self.parameterNode, name, kind.default())
        return kind.read(self.parameterNode, name)

    def setValue(self, name: str, value: object) -> None:
        """Change a parameter: one ModifiedEvent of the node, none where nothing changes."""
        with slicer.util.NodeModify(self.parameterNode):
            self._kind(name).write(self.parameterNode, name, value)

    def default(self, name: str) -> Default:
        """What a parameter is before anyone set it."""
        return Default(self._kind(name).default())

    def dataType(self, name: str) -> object:
        """A parameter's type."""
        return self._kind(name).plain

    def connectGui(self, gui: object) -> None:
        """Bind every widget that names a parameter in its property SlicerParameterName; ``gui`` has them as attributes.

        Gives back nothing, as Slicer's.
        """
        widgets = gui.findChildren(QtWidgets.QWidget) if hasattr(gui, "findChildren") else vars(gui).values()
        named = {widget.property(PARAMETER_NAME): widget for widget in widgets if widget.property(PARAMETER_NAME)}
        self.connectParametersToGui(named)

    def connectParametersToGui(self, mapping: dict[str, QtWidgets.QWidget]) -> int:
        """Bind widgets to parameters by name; gives the tag that :meth:`disconnectGui` takes."""
        bound = {name: connector(widget, self._kind(name)) for name, widget in mapping.items()}
        self._tags += 1
        self._bound[self._tags] = bound
        for name, each in bound.items():
            each.write(self.getValue(name))
            each.on_changed(self._take_from(name, each))
        self.AddObserver(vtkCommand.ModifiedEvent, self._show)
        return self._tags

    def disconnectGui(self, tag: int | None) -> None:
        """Release the widgets of a tag; nothing for a tag that is not known."""
        for each in self._bound.pop(tag, {}).values():
            each.release()

    def _take_from(self, name: str, bound: Connector) -> typing.Callable[[], None]:
        def take() -> None:
            if not self._showing:
                self.setValue(name, bound.read())

        return take

    def _show(self, caller: object, event: str) -> None:
        if self._showing:
            return
        self._showing = True
        try:
            for bound in list(self._bound.values()):
                for name, each in bound.items():
                    each.write(self.getValue(name))
        finally:
            self._showing = False

    def _kind(self, name: str) -> Kind:
        if name not in self._kinds:
            raise ValueError(f"Cannot find a param with the given name: {name}")
        return self._kinds[name]

    def AddObserver(self, event: object, function: object, priority: float = 0.0) -> int:
        """Observe the node."""
        return self.parameterNode.AddObserver(event, function, priority)

    def RemoveObserver(self, tag: int) -> None:
        """Observe the node no more."""
        self.parameterNode.RemoveObserver(tag)

    def StartModify(self) -> int:
        """Hold the node's events back."""
        return self.parameterNode.StartModify()

    def EndModify(self, was: int) -> None:
        """Let the node's events go."""
        self.parameterNode.EndModify(was)

    def Modified(self) -> None:
        """Tell the observers."""
        self.parameterNode.Modified()


def parameter_node_namespace() -> object:
    """The module ``slicer.parameterNodeWrapper``."""
    import types

    module = types.ModuleType("slicer.parameterNodeWrapper", __doc__)
    module.parameterNodeWrapper = parameterNodeWrapper
    module.isParameterNodeWrapper = lambda thing: (
        isinstance(thing, _Wrapper) or (isinstance(thing, type) and issubclass(thing, _Wrapper))
    )
    module.SlicerParameterNamePropertyName = PARAMETER_NAME
    for name in ("Default", "Decimals", "SingleStep", "Validator", "WithinRange", "Minimum", "Maximum", "Choice"):
        setattr(module, name, getattr(parameter_kinds, name))
    return module
