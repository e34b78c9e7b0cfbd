"""The scene's parameter node: what a case's choices and node references are kept in, so that they are saved with it.

It is the node that Slicer's ``getParameterNode`` and ``parameterNodeWrapper`` use for the module, with the same names.
"""

from __future__ import annotations

from dataclasses import dataclass

import slicer

MODULE_NAME = "MedSegAI"


@dataclass(frozen=True)
class ParameterSnapshot:
    """All that a parameter node held at one time.

    Args:
        parameters: Pairs (name, text), in order of name.
        references: Pairs (role, node ID), in order of role.
    """

    parameters: tuple[tuple[str, str], ...]
    references: tuple[tuple[str, str], ...]

    def differing(self, other: ParameterSnapshot) -> frozenset[str]:
        """Names of the parameters and roles that are not the same in both."""
        mine, theirs = self.parameters + self.references, other.parameters + other.references
        return frozenset(name for name, _ in set(mine) ^ set(theirs))


def parameter_node(scene: slicer.vtkMRMLScene) -> slicer.vtkMRMLScriptedModuleNode:
    """The module's parameter node in this scene, made on first use; a singleton, as Slicer makes it."""
    node = scene.GetSingletonNode(MODULE_NAME, "vtkMRMLScriptedModuleNode")
    if node is None:
        node = slicer.vtkMRMLScriptedModuleNode()
        node.SetSingletonTag(MODULE_NAME)
        node.SetName(scene.GenerateUniqueName(MODULE_NAME))
        node = scene.AddNode(node)
    # Closing a scene resets its singletons, and Slicer looks for this attribute.
    if node.GetAttribute("ModuleName") != MODULE_NAME:
        node.SetAttribute("ModuleName", MODULE_NAME)
    return node


def parameters_of(node: slicer.vtkMRMLScriptedModuleNode) -> dict[str, str]:
    """All parameters by name."""
    return {name: node.GetParameter(name) for name in sorted(node.GetParameterNames())}


def write_parameters(node: slicer.vtkMRMLScriptedModuleNode, parameters: dict[str, str]) -> None:
    """Set the given parameters and leave the others; observers hear of it once, and only where something changed."""
    was_modifying = node.StartModify()
    for name, text in parameters.items():
        node.SetParameter(name, text)
    node.EndModify(was_modifying)


def refer_to(node: slicer.vtkMRMLScriptedModuleNode, references: dict[str, slicer.vtkMRMLNode | None]) -> None:
    """Set the nodes that the given roles refer to; None takes a reference away. Observers hear of it once."""
    was_modifying = node.StartModify()
    for role, other in references.items():
        _refer(node, role, None if other is None else other.GetID())
    node.EndModify(was_modifying)


def take_snapshot(node: slicer.vtkMRMLScriptedModuleNode) -> ParameterSnapshot:
    """What the node holds now."""
    roles: list[str] = []
    node.GetNodeReferenceRoles(roles)
    references = ((role, node.GetNodeReferenceID(role)) for role in sorted(roles))
    return ParameterSnapshot(tuple(parameters_of(node).items()), tuple((role, key) for role, key in references if key))


def restore_snapshot(node: slicer.vtkMRMLScriptedModuleNode, snapshot: ParameterSnapshot) -> None:
    """Make the node hold what it held then, no more and no less; observers hear of it once."""
    now = take_snapshot(node)
    wanted = dict(snapshot.parameters)
    was_modifying = node.StartModify()
    for name in dict(now.parameters).keys() - wanted.keys():
        node.UnsetParameter(name)
    for name, text in wanted.items():
        node.SetParameter(name, text)
    for role in dict(now.references).keys() - dict(snapshot.references).keys():
        _refer(node, role, None)
    for role, key in snapshot.references:
        _refer(node, role, key)
    node.EndModify(was_modifying)


def _refer(node: slicer.vtkMRMLScriptedModuleNode, role: str, key: str | None) -> None:
    # Setting the same reference again would tell observers of a change that is none.
    if node.GetNodeReferenceID(role) != key:
        node.SetNodeReferenceID(role, key)
