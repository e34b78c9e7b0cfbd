"""Slicer's module file: the four classes that Slicer looks for; what they do lies in Session and Widgets.

Everything it calls is tested against Slicer's own core, and the panel's buttons are pressed in a Qt host of our own,
but this file has not been run inside the desktop application yet.
"""

import shutil
import sys
from pathlib import Path

import slicer
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.parameterNodeWrapper import parameterNodeWrapper
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)

# Slicer loads this file under the name MedSegAI; this line makes it the package that holds Logic, Bridge and Widgets.
__path__ = [str(Path(__file__).resolve().parent)]

SECTIONS = ("model", "scans", "prepare", "region", "point", "run", "results", "refine", "heat", "experts")
SECTIONS += ("consensus", "export")


class MedSegAI(ScriptedLoadableModule):
    """What Slicer lists in its menu of modules."""

    def __init__(self, parent: object) -> None:
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = "MedSegAI"
        self.parent.categories = [translate("qSlicerAbstractCoreModule", "Segmentation")]
        self.parent.dependencies = ["Markups", "Segmentations"]
        self.parent.contributors = ["MedSegAI developers"]
        self.parent.helpText = _(
            "Segments a scan with a Swin-UNETR network, shows with a heat map where the network looked, and hands both "
            "to Slicer. Choose a model and a scan, and press Segment. For research only. "
            "See the <a href='https://github.com/MedSegAI/MedSegAI'>documentation</a>."
        )
        self.parent.acknowledgementText = ""
        slicer.app.connect("startupCompleted()", register_sample_data)


def register_sample_data() -> None:
    """Add the sample head to Slicer's Sample Data module; it lies on this computer, so nothing is downloaded."""
    try:
        import SampleData
    except ImportError:
        return
    SampleData.SampleDataLogic.registerCustomSampleDataSource(
        category="MedSegAI",
        sampleName="ICBM152Head",
        uris=[],
        fileNames=[],
        nodeNames=[],
        thumbnailFileName=str(Path(__file__).resolve().parent / "Resources" / "Icons" / "MedSegAI.png"),
        customDownloader=load_sample_head,
    )


def load_sample_head(_source: object = None) -> list:
    """Bring the sample head into the scene; gives its node in a list, as Slicer's samples do."""
    from MedSegAI.Logic.errors import MedSegAIError
    from MedSegAI.Widgets.sample_head import add_sample_head

    try:
        return [add_sample_head()]
    except MedSegAIError as error:
        slicer.util.errorDisplay(str(error), windowTitle="MedSegAI")
        return []


@parameterNodeWrapper
class MedSegAIParameterNode:
    """The user's choices, saved with the scene; the fields of ``Session/choices.py``, as scripts reach them.

    Args:
        model: Name of the model.
        device: "auto", "cpu" or "cuda".
        engine: What evaluates the network: "auto", "torch", "openvino", "openvino-int8", "onnxruntime" or "tensorrt".
        region: "find", "whole", "roi" or "point".
        target: Segment to explain; empty for the first.
        layer: Layer to explain; empty for the model's own.
        heat_threshold: 0..1; heat below it is transparent.
        heat_opacity: 0..1.
        heat_colours: Name of the colours.
        heat_in_slices: Whether the heat map lies over the slices.
        heat_in_3d: Whether its surface shows in 3D.
        journal: Folder of the case's corrections; empty for the one named after the scan.
        rater: Name of who corrects.
        rater_role: What that person is.
        fuse_method: "staple", "majority" or "simple".
        fuse_threshold: 0 to below 1; probability above which the consensus holds a structure.
        fuse_drafts: Whether drafts count, too.
        show_disagreement: Whether the map of disagreement lies over the slices.
        view_input: Which of the model's inputs the slices show, from 0.
        view_stage: "after", "before" or the name of an extra: which stage of its preparation they show.
        same_space: Whether all inputs are taken to lie in one space already.
        explain_points: Whether what was pointed at is explained as soon as it is segmented.
    """

    model: str = "hippocampus-mr"
    device: str = "auto"
    engine: str = "auto"
    region: str = "find"
    target: str = ""
    layer: str = ""
    heat_threshold: float = 0.3
    heat_opacity: float = 0.5
    heat_colours: str = "heat"
    heat_in_slices: bool = True
    heat_in_3d: bool = False
    journal: str = ""
    rater: str = ""
    rater_role: str = ""
    fuse_method: str = "staple"
    fuse_threshold: float = 0.5
    fuse_drafts: bool = False
    show_disagreement: bool = False
    view_input: int = 0
    view_stage: str = "after"
    same_space: bool = False
    explain_points: bool = False


class MedSegAIWidget(ScriptedLoadableModuleWidget):
    """The panel: the set-up always, the case once every package is here."""

    def __init__(self, parent: object = None) -> None:
        # Without a parent the base class calls setup at once.
        self.logic = None
        self._panel = None
        self._setup = None
        self._case = None
        ScriptedLoadableModuleWidget.__init__(self, parent)

    def setup(self) -> None:
        """Build the panel when the module is first opened."""
        from MedSegAI.Widgets.dependencies import missing_packages
        from MedSegAI.Widgets.setup_panel import SetupPanel

        ScriptedLoadableModuleWidget.setup(self)
        self._panel = slicer.util.loadUI(self.resourcePath("UI/MedSegAI.ui"))
        self.layout.addWidget(self._panel)
        self.ui = slicer.util.childWidgetVariables(self._panel)
        self._panel.setMRMLScene(slicer.mrmlScene)
        self.logic = MedSegAILogic()
        requirements = Path(self.resourcePath("requirements.txt"))
        self._setup = SetupPanel(self.ui, None, requirements=requirements, complete=self._open_case)
        self._setup.refresh()
        self._show_sections(False)
        if not missing_packages(requirements):
            self._open_case()

    def cleanup(self) -> None:
        """Leave no timer, observer, shortcut or worker behind when the module is unloaded or reloaded."""
        if self._case is not None:
            self._case.close()
            self._case = None
        if self.logic is not None:
            self.logic.close()

    def enter(self) -> None:
        """Show what happened in the scene meanwhile."""
        if self._case is not None:
            self._case.enter()

    def _open_case(self) -> None:
        from MedSegAI.Widgets.case_panels import CasePanels

        session = self.logic.session()
        self._setup.use(session)
        self._case = CasePanels(self._panel, self.ui, session, setup=self._setup)
        self._show_sections(True)

    def _show_sections(self, visible: bool) -> None:
        for name in SECTIONS:
            getattr(self.ui, f"{name}Section").setVisible(visible)


class MedSegAILogic(ScriptedLoadableModuleLogic):
    """What the panel drives; also for Slicer's Python console and for scripts."""

    def __init__(self) -> None:
        ScriptedLoadableModuleLogic.__init__(self)
        self._session = None

    def getParameterNode(self) -> MedSegAIParameterNode:
        """The choices saved in the scene; setting one is the same as choosing it on the panel."""
        return MedSegAIParameterNode(super().getParameterNode())

    def session(self) -> object:
        """The :class:`MedSegAI.Session.session.Session` of Slicer's scene, begun with the first call.

        Raises:
            ImportError: if a package of ``Resources/requirements.txt`` is missing; the panel installs it.
        """
        if self._session is None:
            from MedSegAI.Bridge.scene import open_scene
            from MedSegAI.Session.session import Session
            from MedSegAI.Widgets.process_runner import process_runner

            # Slicer itself is no Python interpreter; the one that comes with it is.
            runner = process_runner(python=shutil.which("PythonSlicer") or sys.executable)
            self._session = Session(open_scene(), runner)
        return self._session

    def close(self) -> None:
        """Stop the work and end the worker process; the scene stays as it is."""
        if self._session is not None:
            self._session.close()
            self._session = None


class MedSegAITest(ScriptedLoadableModuleTest):
    """The whole flow on the real panel, for Slicer's own test runner: load, segment, explain, save, reload.

    It has been run in the Qt host of ``Testing/Widgets``, but not inside the desktop application yet. It needs the
    packages of ``Resources/requirements.txt`` and torch.
    """

    def setUp(self) -> None:
        """Begin with an empty scene."""
        slicer.mrmlScene.Clear()

    def runTest(self) -> None:
        """Run every test of this class."""
        self.setUp()
        self.test_a_head_is_segmented_explained_saved_and_opened_again()

    def test_a_head_is_segmented_explained_saved_and_opened_again(self) -> None:
        """Pressing the buttons finds both hippocampi, shows a heat map, and an .mrb brings the same case back."""
        import tempfile

        slicer.util.selectModule("MedSegAI")
        widget = slicer.modules.MedSegAIWidget
        session = widget.logic.session()
        self.delayDisplay("Loading the sample head")
        session.set_input(0, load_sample_head()[0])
        self._press(widget, "segmentButton")
        self.assertEqual(len(session.rows), 4, str(session.run.error))
        self.assertTrue(all(row.volume_ml > 0.5 for row in session.rows))
        self._press(widget, "explainButton")
        self.assertIsNotNone(session.heat_map, str(session.run.error))
        volumes = [row.volume_ml for row in session.rows]
        with tempfile.TemporaryDirectory() as folder:
            session.save(Path(folder) / "case.mrb")
            slicer.mrmlScene.Clear()
            self.assertIsNone(session.segmentation)
            session.open(Path(folder) / "case.mrb")
        self.assertEqual([row.volume_ml for row in session.rows], volumes)
        self.assertIsNotNone(session.heat_map)
        self.delayDisplay("Passed")

    def _press(self, widget: MedSegAIWidget, name: str) -> None:
        """Press a button once it can be pressed, and wait until the work it began has ended."""
        import time

        session, button = widget.logic.session(), getattr(widget.ui, name)
        end = time.monotonic() + 300
        pressed = False
        while not pressed or session.is_busy:
            self.assertLess(time.monotonic(), end, f"{name} took too long")
            if not pressed and button.enabled:
                button.click()
                pressed = True
            slicer.app.processEvents()
