"""A report is one page without anything from elsewhere, a table and a file for programs; whole or not at all."""

from __future__ import annotations

import json
import shutil
from datetime import datetime, timedelta, timezone
from html.parser import HTMLParser

import numpy as np
import pytest

from MedSegAI.Logic.agreement.bootstrap import Resampling
from MedSegAI.Logic.agreement.drift import ScoredCase, rater_drift
from MedSegAI.Logic.agreement.measure import measure_agreement
from MedSegAI.Logic.agreement.results import AgreementSettings
from MedSegAI.Logic.consensus.ratings import Rating, Ratings
from MedSegAI.Logic.errors import StorageError
from MedSegAI.Logic.report import agreement_report
from MedSegAI.Logic.report.agreement_page import agreement_page
from MedSegAI.Logic.report.agreement_report import write_agreement_report


class Page(HTMLParser):
    """Elements and texts of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        return "".join(self.texts)


@pytest.fixture
def page(agreement) -> Page:
    return Page(agreement_page(agreement, picture=b"not really a png"))


def test_the_sentences_come_before_every_figure(page, agreement):
    tags = [tag for tag, _ in page.tags]
    assert tags.index("li") < min(tags.index("table"), tags.index("svg"))
    assert all(sentence in page.text for sentence in agreement.sentences)


def test_the_page_needs_nothing_from_elsewhere_and_runs_nothing(page):
    tags = {tag for tag, _ in page.tags}
    assert not tags & {"script", "link", "iframe", "object", "embed", "a"}
    sources = [attrs["src"] for _, attrs in page.tags if "src" in attrs]
    assert sources
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    assert not any(name.startswith("on") for _, attrs in page.tags for name in attrs)


def test_a_hostile_name_is_only_text(page):
    assert '<script>alert("Cleo")</script>' in page.text


def test_every_pair_has_its_row_and_low_kappas_are_marked(page, agreement):
    rows = [attrs for tag, attrs in page.tags if tag == "tr" and "class" in attrs]
    pairs = [pair for label in agreement.labels for pair in (*label.pairs, *label.with_consensus)]
    low = sum(pair.kappa.value is not None and pair.kappa.value < 0.7 for pair in pairs)
    assert len(rows) == len(pairs)
    assert sum(row["class"] == "low" for row in rows) == low > 0


def test_the_method_says_margin_tolerance_and_what_was_drawn(page):
    for words in ("5 mm more on each side", "within 2 mm", "1000 bootstrap replicates (seed 0)", "blocks of the scan"):
        assert words in page.text


def test_without_intervals_the_method_says_so_and_long_lists_of_places_are_cut(ratings):
    speckled = ratings.ratings[0].labels.copy()
    speckled[::2, ::2, ::2] = 1 - (speckled[::2, ::2, ::2] > 0)
    noisy = Ratings(ratings.grid, ratings.table, (*ratings.ratings, Rating("Dot", speckled)))
    settings = AgreementSettings(resampling=Resampling(replicates=0))
    page = Page(agreement_page(measure_agreement(noisy, settings=settings)))
    assert "No intervals were drawn." in page.text
    assert "And 80 more, listed in agreement.json." in page.text
    assert "disagree in at least 100 places" in page.text


def test_all_three_files_say_the_same(tmp_path, agreement, ratings, consensus):
    files = write_agreement_report(tmp_path / "new" / "report", agreement, ratings=ratings, consensus=consensus)
    plain = json.loads(files.figures.read_text(encoding="utf-8"))
    dice = agreement.labels[0].pairs[0].dice.value
    assert plain["labels"][0]["pairs"][0]["dice"]["value"] == dice
    assert f"{dice:.6g}" in files.table.read_text(encoding="utf-8")
    assert f"{dice:.2f}" in Page(files.page.read_text(encoding="utf-8")).text
    assert plain["versions"]["numpy"] == np.__version__
    assert sorted(path.name for path in files.page.parent.iterdir()) == [
        "agreement.csv",
        "agreement.html",
        "agreement.json",
    ]


def test_without_ratings_there_is_no_picture(tmp_path, agreement):
    files = write_agreement_report(tmp_path, agreement)
    assert "<img" not in files.page.read_text(encoding="utf-8")


def test_a_case_of_one_rater_without_consensus_and_one_without_marks_have_pages(tmp_path, ratings):
    alone = Ratings(ratings.grid, ratings.table, ratings.ratings[:1])
    text = agreement_page(measure_agreement(alone))
    assert "There is one rater only" in text
    nothing = tuple(Rating(name, np.zeros(ratings.grid.shape, np.uint8)) for name in "AB")
    agreement = measure_agreement(Ratings(ratings.grid, ratings.table, nothing))
    files = write_agreement_report(tmp_path, agreement, ratings=ratings)
    assert "Nobody marked anything in this case." in files.page.read_text(encoding="utf-8")


def test_a_rater_s_drift_over_earlier_cases_is_told(tmp_path, agreement):
    start = datetime(2024, 3, 1, tzinfo=timezone.utc)
    drift = rater_drift("Ann", [ScoredCase(f"{n}", start + timedelta(days=n), 0.9 - n / 100) for n in range(9)])
    files = write_agreement_report(tmp_path, agreement, drifts=[drift])
    assert "Ann's Dice with the consensus fell by 0.100 per 10 cases" in Page(files.page.read_text()).text
    assert json.loads(files.figures.read_text())["drifts"][0]["cases"][0]["time"].startswith("2024-03-01")


def test_an_older_report_stays_whole_where_the_new_one_fails(tmp_path, agreement, monkeypatch):
    write_agreement_report(tmp_path, agreement)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    monkeypatch.setattr(agreement_report, "_as_json", lambda *_: "\udcff")
    with pytest.raises(UnicodeEncodeError):
        write_agreement_report(tmp_path, agreement, drifts=[])
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_folder_that_cannot_be_made_is_refused(tmp_path, agreement):
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(StorageError, match="is a file"):
        write_agreement_report(tmp_path / "taken", agreement)


def test_a_browser_shows_the_page_without_asking_for_anything(tmp_path, agreement, ratings, consensus):
    """The real thing: Chromium renders it, and nothing in it is wider than the window or the paper."""
    playwright = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("no chromium here")
    files = write_agreement_report(tmp_path, agreement, ratings=ratings, consensus=consensus)
    with playwright.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        view = browser.new_page(viewport={"width": 1100, "height": 900})
        asked: list[str] = []
        view.on("request", lambda request: asked.append(request.url))
        view.goto(files.page.as_uri())
        assert all(address.startswith(("file:", "data:")) for address in asked)
        assert view.evaluate("document.documentElement.scrollWidth") <= 1100
        view.emulate_media(media="print")
        view.set_viewport_size({"width": 718, "height": 900})
        assert view.evaluate("document.documentElement.scrollWidth") <= 718, "wider than an A4 page between its margins"
        assert view.locator("svg").first.bounding_box()["height"] > 40
        assert view.evaluate("document.images[0].naturalWidth") > 1000
        browser.close()
