"""The four views: axial, coronal and sagittal slices and 3D, drawn here and sent to the browser as pictures."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from trame.widgets import html
from trame.widgets import vuetify3 as vuetify
from trame_server import Server
from trame_slicer.app.logic.slice_view_logic import connect_slice_view_slider_to_state
from trame_slicer.core import LayoutManager, SlicerApp
from trame_slicer.rca_view import register_rca_factories
from trame_slicer.views import AbstractView, Layout, LayoutDirection, SliceView, ThreeDView, ViewLayoutDefinition

from MedSegAI.Web.case.controls import hint, marks

TEXTS = {
    "view_reset": "Fit the picture to the view",
    "view_in_3d": "Show this slice in 3D",
    "view_slice": "Position of the slice in mm",
    "view_Axial": "Axial",
    "view_Coronal": "Coronal",
    "view_Sagittal": "Sagittal",
    "view_ThreeD": "3D",
    "layout_four": "Four views",
    "layout_axial": "Axial",
    "layout_coronal": "Coronal",
    "layout_sagittal": "Sagittal",
    "layout_3d": "3D",
}

FOUR_VIEWS = "four"
# Left, right, top and bottom of a slice view, as Slicer turns its slices: the patient's right is on the left.
# Left and right stand below the middle, where the heat map's legend ends.
_SIDES = {"Axial": "RLAP", "Coronal": "RLSI", "Sagittal": "APSI"}
_PLACES = ("left:6px;top:75%", "right:6px;top:75%", "top:4px;left:50%", "bottom:30px;left:50%")
_OVER_THE_PICTURE = "color:#9fb3c8;user-select:none;pointer-events:none;text-shadow:0 0 3px #000"
_PICTURES_A_SECOND, _PICTURES_A_SECOND_ELSEWHERE = 30.0, 10.0


class CaseViews:
    """The views of one case.

    Args:
        core: Slicer's core; its view manager makes the views.
        server: The trame server that sends the pictures.
    """

    def __init__(self, core: SlicerApp, server: Server) -> None:
        self._core = core
        self._server = server
        register_rca_factories(
            core.view_manager,
            server,
            slice_view_ui_f=_slice_overlay,
            three_d_view_ui_f=_threed_overlay,
            target_fps=_PICTURES_A_SECOND,
            blur_fps=_PICTURES_A_SECOND_ELSEWHERE,
        )
        self.layouts = LayoutManager(core.scene, core.view_manager, server)
        self.layouts.register_layout_dict(_layouts())
        for view in self.all:
            _fit_for_software_gl(view)

    @property
    def all(self) -> list[AbstractView]:
        """Every view, shown or not."""
        return self._core.view_manager.get_views()

    @property
    def slices(self) -> list[SliceView]:
        """The slice views."""
        return self._core.view_manager.get_slice_views()

    @property
    def threed(self) -> ThreeDView:
        """The 3D view."""
        return self._core.view_manager.get_threed_views()[0]

    def arrange(self, layout: str) -> None:
        """Show the views of a layout: "four", "axial", "coronal", "sagittal" or "3d"."""
        if self.layouts.has_layout(layout):
            self.layouts.set_layout(layout)

    def fit(self) -> None:
        """Fit every view to what is in it."""
        with self.drawn_once():
            for view in self.all:
                view.reset_view()

    def fit_3d(self) -> None:
        """Look at what is shown in 3D, from the front."""
        self.threed.reset_view()

    @contextmanager
    def drawn_once(self) -> Iterator[None]:
        """Draw nothing inside, and every shown view once at the end: each change of a node would draw all of them."""
        before = [(view, view.set_render_blocked(True)) for view in self.all]
        try:
            yield
        finally:
            for view, was_blocked in before:
                view.set_render_blocked(was_blocked)

    def pointer_left(self) -> None:
        """Tell every view that the mouse is elsewhere: a stroke ends, and the brush is drawn no more."""
        for view in self.all:
            view.interactor().LeaveEvent()
            view.schedule_render()

    def redraw(self) -> None:
        """Ask every shown view for a new picture."""
        for view in self.all:
            view.schedule_render()


def _fit_for_software_gl(view: AbstractView) -> None:
    # Software GL multiplies its work by the samples, and silently loses translucent surfaces under depth peeling.
    view.render_window().SetMultiSamples(0)
    for renderer in view.renderers():
        renderer.SetUseDepthPeeling(False)
        renderer.SetUseDepthPeelingForVolumes(False)


def _layouts() -> dict[str, Layout]:
    axial, coronal = ViewLayoutDefinition.axial_view(), ViewLayoutDefinition.coronal_view()
    sagittal = ViewLayoutDefinition.sagittal_view()
    threed = ViewLayoutDefinition.threed_view(background_color=("#05070a", "#1b2028"))
    columns = [
        Layout(LayoutDirection.Vertical, [axial, coronal]),
        Layout(LayoutDirection.Vertical, [threed, sagittal]),
    ]
    return {
        FOUR_VIEWS: Layout(LayoutDirection.Horizontal, columns),
        "axial": Layout(LayoutDirection.Vertical, [axial]),
        "coronal": Layout(LayoutDirection.Vertical, [coronal]),
        "sagittal": Layout(LayoutDirection.Vertical, [sagittal]),
        "3d": Layout(LayoutDirection.Vertical, [threed]),
    }


def _threed_overlay(server: Server, view_id: str, view: ThreeDView) -> None:
    _corner(view, "ThreeD", with_slice_button=False)


def _slice_overlay(server: Server, view_id: str, view: SliceView) -> None:
    orientation = view.get_orientation()
    _corner(view, orientation, with_slice_button=True)
    for side, place in zip(_SIDES[orientation], _PLACES):
        html.Span(side, classes="text-caption", style=f"position:absolute;{place};{_OVER_THE_PICTURE}")
    place = connect_slice_view_slider_to_state(server, view)
    with html.Div(style="position:absolute;bottom:0;left:0;width:100%;padding:0 12px"):
        vuetify.VSlider(
            v_model=(place.name.value,),
            min=(place.name.min_value,),
            max=(place.name.max_value,),
            step=(place.name.step,),
            hide_details=True,
            density="compact",
            color="grey",
            thumb_size=12,
            track_size=2,
            **marks(f"slice-{orientation.lower()}", "view_slice"),
        )


def _corner(view: AbstractView, orientation: str, *, with_slice_button: bool) -> None:
    name = orientation.lower()
    with html.Div(style="position:absolute;top:4px;left:4px;display:flex;align-items:center;gap:2px"):
        html.Span(
            f"{{{{ t.view_{orientation} }}}}",
            classes="text-caption mx-1",
            style=_OVER_THE_PICTURE,
        )
        _small_button("mdi-fit-to-page-outline", view.reset_view, f"view-reset-{name}", "view_reset")
        if with_slice_button:
            _small_button("mdi-video-3d", view.toggle_visible_in_3d, f"view-in-3d-{name}", "view_in_3d")


def _small_button(icon: str, click: object, testid: str, text: str) -> None:
    with vuetify.VBtn(icon=True, size="x-small", variant="text", click=click, **marks(testid, text)):
        vuetify.VIcon(icon, size="small", color="#9fb3c8")
        hint(text)
