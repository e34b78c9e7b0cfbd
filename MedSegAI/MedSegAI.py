"""Slicer's module file: a panel that segments a volume with a model, in a worker process.

Small on purpose; the panels for heat map, correction and consensus are to come. Everything it calls is tested against
Slicer's own core, but this file has not been run inside the desktop application yet.
"""

import shutil
import sys
from pathlib import Path

import qt
import slicer
import vtk
from slicer import vtkMRMLScalarVolumeNode, vtkMRMLSegmentationNode
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.parameterNodeWrapper import parameterNodeWrapper
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin

# Slicer loads this file under the name MedSegAI; this line makes it the package that holds Logic, Bridge and Widgets.
__path__ = [str(Path(__file__).resolve().parent)]

POLL_MILLISECONDS = 100


class MedSegAI(ScriptedLoadableModule):
    """What Slicer lists in its menu of modules."""

    def __init__(self, parent: object) -> None:
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = "MedSegAI"
        self.parent.categories = [translate("qSlicerAbstractCoreModule", "Segmentation")]
        self.parent.dependencies = ["Segmentations"]
        self.parent.contributors = ["MedSegAI developers"]
        self.parent.helpText = _(
            "Segments a volume with a Swin-UNETR network. Choose a volume and a model, and press Segment. "
            "For research only. See the <a href='https://github.com/MedSegAI/MedSegAI'>documentation</a>."
        )
        self.parent.acknowledgementText = ""


@parameterNodeWrapper
class MedSegAIParameterNode:
    """The panel's choices, saved with the scene.

    Args:
        inputVolume: The scan to segment.
        outputSegmentation: The segmentation to overwrite; none makes a new one.
        modelName: Name of the model.
    """

    inputVolume: vtkMRMLScalarVolumeNode
    outputSegmentation: vtkMRMLSegmentationNode
    modelName: str = "hippocampus-mr"


class MedSegAIWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The panel."""

    def __init__(self, parent: object = None) -> None:
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic = None
        self._parameters = None
        self._binding = None
        self._run = None
        self._timer = None

    def setup(self) -> None:
        """Build the panel when the module is first opened."""
        ScriptedLoadableModuleWidget.setup(self)
        panel = slicer.util.loadUI(self.resourcePath("UI/MedSegAI.ui"))
        self.layout.addWidget(panel)
        self.ui = slicer.util.childWidgetVariables(panel)
        panel.setMRMLScene(slicer.mrmlScene)
        self.logic = MedSegAILogic()
        self._timer = qt.QTimer()
        self._timer.setInterval(POLL_MILLISECONDS)
        self._timer.connect("timeout()", self._poll)
        self.ui.modelSelector.addItems(self.logic.model_names())
        self.ui.modelSelector.connect("currentTextChanged(QString)", self._choose_model)
        self.ui.segmentButton.connect("clicked(bool)", self._segment_or_cancel)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.StartCloseEvent, self._scene_closes)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndCloseEvent, self._scene_closed)
        self._use_parameters(self.logic.getParameterNode())

    def cleanup(self) -> None:
        """Stop the work and the worker when the module is unloaded."""
        self._timer.stop()
        self.removeObservers()
        self._use_parameters(None)
        self.logic.close()

    def enter(self) -> None:
        """Use the scene's parameter node whenever the panel is shown."""
        self._use_parameters(self.logic.getParameterNode())

    def exit(self) -> None:
        """Leave the parameter node alone while another module is shown; work under way goes on."""
        self._use_parameters(None)

    def _scene_closes(self, caller: object, event: object) -> None:
        self._use_parameters(None)
        if self._run is not None:
            self._run.cancel()

    def _scene_closed(self, caller: object, event: object) -> None:
        if self.parent.isEntered:
            self._use_parameters(self.logic.getParameterNode())

    def _use_parameters(self, parameters: MedSegAIParameterNode | None) -> None:
        if self._parameters is not None:
            self._parameters.disconnectGui(self._binding)
            self.removeObserver(self._parameters, vtk.vtkCommand.ModifiedEvent, self._show_state)
        self._parameters = parameters
        if parameters is None:
            return
        self._binding = parameters.connectGui(self.ui)
        self.addObserver(parameters, vtk.vtkCommand.ModifiedEvent, self._show_state)
        self.ui.modelSelector.setCurrentText(parameters.modelName)
        if parameters.inputVolume is None:
            parameters.inputVolume = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLScalarVolumeNode")
        self._show_state()

    def _choose_model(self, name: str) -> None:
        if self._parameters is not None:
            self._parameters.modelName = name

    def _show_state(self, caller: object = None, event: object = None) -> None:
        running = self._run is not None
        ready = self._parameters is not None and self._parameters.inputVolume is not None
        self.ui.segmentButton.text = _("Cancel") if running else _("Segment")
        self.ui.segmentButton.enabled = running or (ready and self.ui.modelSelector.count > 0)
        self.ui.segmentButton.toolTip = (
            _("Stop the segmentation.") if running else _("Segment the volume, in a process of its own.")
        )
        self.ui.progressBar.visible = running

    def _segment_or_cancel(self, checked: bool = False) -> None:
        if self._run is not None:
            self.ui.statusLabel.text = _("Stopping")
            self._run.cancel()
            return
        with slicer.util.tryWithErrorDisplay(_("The segmentation could not be started."), waitCursor=True):
            self._run = self.logic.start(
                self._parameters.inputVolume,
                model_name=self._parameters.modelName,
                output=self._parameters.outputSegmentation,
            )
            self._timer.start()
        self._show_state()

    def _poll(self) -> None:
        # Waiting a moment lets Python's other threads run: Slicer's main loop holds the interpreter in between.
        ended = self._run.poll(timeout=0.01)
        self.ui.progressBar.value = self._run.status.percent
        self.ui.statusLabel.text = self._run.status.text
        if ended:
            self._timer.stop()
            self._show_result()

    def _show_result(self) -> None:
        from MedSegAI.Logic.errors import Cancelled

        run, self._run = self._run, None
        self.ui.statusLabel.text = ""
        try:
            segmentation = run.finish()
            self.ui.statusLabel.text = _("Done")
            if self._parameters is not None:
                self._parameters.outputSegmentation = segmentation
        except Cancelled:
            self.ui.statusLabel.text = _("Cancelled")
        except Exception as error:
            slicer.util.errorDisplay(str(error), windowTitle="MedSegAI")
        self._show_state()


class MedSegAILogic(ScriptedLoadableModuleLogic):
    """What the panel asks for; also usable from Slicer's Python console."""

    def __init__(self) -> None:
        ScriptedLoadableModuleLogic.__init__(self)
        self._runner = None

    def getParameterNode(self) -> MedSegAIParameterNode:
        """The choices saved in the scene."""
        return MedSegAIParameterNode(super().getParameterNode())

    def model_names(self) -> list:
        """Names of the installed models; their cards are not read yet."""
        from MedSegAI.Logic.models.registry import model_folders

        return [folder.name for folder in model_folders()]

    def start(
        self,
        scan: vtkMRMLScalarVolumeNode,
        *,
        model_name: str,
        output: vtkMRMLSegmentationNode | None = None,
    ) -> object:
        """Begin to segment a volume node; returns the :class:`SegmentationRun` to poll, cancel and finish.

        Raises:
            MedSegAIError: if a package or the model is missing, or the volume cannot be segmented.
        """
        from MedSegAI.Widgets.dependencies import ensure_packages, ensure_torch

        ensure_packages(Path(__file__).resolve().parent / "Resources" / "requirements.txt")
        ensure_torch()
        from MedSegAI.Logic.models.registry import find_model
        from MedSegAI.Widgets.segmentation_run import SegmentationRun

        return SegmentationRun(self.runner(), scan, model=find_model(model_name), output=output)

    def runner(self) -> object:
        """The worker process's runner, which keeps the model warm between runs."""
        from MedSegAI.Logic.worker.runner import SubprocessRunner

        if self._runner is None:
            self._runner = SubprocessRunner(python=shutil.which("PythonSlicer") or sys.executable)
        return self._runner

    def close(self) -> None:
        """End the worker process."""
        if self._runner is not None:
            self._runner.close()


class MedSegAITest(ScriptedLoadableModuleTest):
    """Tests that need the application; all others run without it (see CONTRIBUTING.md)."""

    def setUp(self) -> None:
        """Begin with an empty scene."""
        slicer.mrmlScene.Clear()

    def runTest(self) -> None:
        """Run every test of this class."""
        self.setUp()
        self.test_a_volume_goes_to_the_worker_and_comes_back()

    def test_a_volume_goes_to_the_worker_and_comes_back(self) -> None:
        """Slicer's Python can start the worker, and the voxels that come back are those that were sent."""
        from MedSegAI.Bridge.volume_nodes import node_to_volume
        from MedSegAI.Logic.reporter import SilentReporter

        image = vtk.vtkImageData()
        image.SetDimensions(4, 5, 6)
        image.AllocateScalars(vtk.VTK_SHORT, 1)
        image.GetPointData().GetScalars().Fill(7)
        node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "scan")
        node.SetAndObserveImageData(image)
        logic = MedSegAILogic()
        try:
            job = logic.runner().start_check(node_to_volume(node), rounds=1, reporter=SilentReporter())
            _volume, total = job.wait()
        finally:
            logic.close()
        self.assertEqual(total, 7 * 4 * 5 * 6)
