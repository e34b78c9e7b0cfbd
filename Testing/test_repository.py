"""The files around the code say the same thing, and what the documents promise is there."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from importlib.metadata import packages_distributions

import pytest
from PIL import Image

from Testing.source_tree import PACKAGE, REPOSITORY_ROOT, imports_of, packages_located, python_files

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

MEGABYTE = 1_000_000
LARGEST_FILE = 20 * MEGABYTE
LONGEST_FILE_LINES = 300
VAGUE_NAMES = {"utils", "util", "helpers", "helper", "manager", "managers", "misc", "common"}
DOCUMENTS = (
    *("README.md", "README.zh-CN.md", "CONTRIBUTING.md"),
    *sorted(f"docs/{path.name}" for path in (REPOSITORY_ROOT / "docs").glob("*.md")),
)
IN_TWO_LANGUAGES = (("README.md", "README.zh-CN.md"), ("docs/tutorial.md", "docs/tutorial.zh-CN.md"))
# Slicer brings its own; pip must not overwrite them.
SLICERS_OWN = {"numpy", "scipy", "simpleitk", "torch", "pydicom"}


@pytest.fixture(scope="module")
def project() -> dict:
    return tomllib.loads((REPOSITORY_ROOT / "pyproject.toml").read_text())


@pytest.fixture(scope="module")
def tracked_files() -> list[str]:
    listed = subprocess.run(["git", "ls-files"], cwd=REPOSITORY_ROOT, capture_output=True, text=True)
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    return listed.stdout.splitlines()


def read(name: str) -> str:
    return (REPOSITORY_ROOT / name).read_text(encoding="utf-8")


def requirement_names(requirements: list[str]) -> set[str]:
    return {re.split(r"[\s\[<>=!~;]", requirement)[0].lower() for requirement in requirements}


def cmake_settings() -> dict[str, str]:
    return dict(re.findall(r'set\((EXTENSION_\w+) "([^"]*)"\)', read("CMakeLists.txt")))


def s4ext_settings() -> dict[str, str]:
    lines = (line for line in read("MedSegAI.s4ext").splitlines() if line and not line.startswith("#"))
    return dict(line.split(" ", 1) for line in lines)


# What Slicer's build and index read


def test_the_module_installs_every_python_file_and_resource_of_the_tree():
    """A file that CMake does not list is missing from the installed extension."""
    sys.path.insert(0, str(REPOSITORY_ROOT / "tools"))
    try:
        import update_cmake_lists
    finally:
        sys.path.pop(0)
    text = read("MedSegAI/CMakeLists.txt")
    mend = "run: python tools/update_cmake_lists.py"
    assert update_cmake_lists.listed("MODULE_PYTHON_SCRIPTS", text) == update_cmake_lists.scripts_of_the_tree(), mend
    assert update_cmake_lists.listed("MODULE_PYTHON_RESOURCES", text) == update_cmake_lists.resources_of_the_tree(), (
        mend
    )


def test_cmake_s4ext_and_json_describe_the_same_extension():
    cmake, s4ext, entry = cmake_settings(), s4ext_settings(), json.loads(read("MedSegAI.json"))
    assert cmake["EXTENSION_DEPENDS"] == s4ext["depends"] == " ".join(entry["build_dependencies"])
    assert cmake["EXTENSION_CATEGORY"] == s4ext["category"] == entry["category"]
    assert s4ext["scm"] == "git"
    assert s4ext["scmurl"] == entry["scm_url"]
    assert s4ext["scmrevision"] == entry["scm_revision"]
    assert s4ext["build_subdirectory"] == entry["build_subdirectory"]
    for key in ("homepage", "contributors", "iconurl", "description", "screenshoturls"):
        assert cmake[f"EXTENSION_{key.upper()}"] == s4ext[key], key


def test_the_index_entry_has_the_fields_of_slicers_schema():
    """Slicer's schema (slicer-extension-catalog-entry-schema-v1.0.1) allows these fields and no other."""
    entry = json.loads(read("MedSegAI.json"))
    allowed = {
        "$schema",
        "category",
        "scm_url",
        "scm_revision",
        "scm_type",
        "build_dependencies",
        "build_subdirectory",
        "enabled",
        "tier",
    }
    assert {"$schema", "category", "scm_url"} <= set(entry) <= allowed
    assert entry["tier"] in (1, 3, 5)


def test_the_icon_is_128_by_128_and_the_one_the_index_shows():
    icon = PACKAGE / "Resources" / "Icons" / "MedSegAI.png"
    with Image.open(icon) as image:
        assert image.size == (128, 128)
    assert cmake_settings()["EXTENSION_ICONURL"].endswith(icon.relative_to(REPOSITORY_ROOT).as_posix())


def test_the_screenshot_the_index_shows_is_in_the_repository():
    shown = cmake_settings()["EXTENSION_SCREENSHOTURLS"].split()
    for address in shown:
        assert (REPOSITORY_ROOT / "Screenshots" / address.rpartition("/")[2]).is_file(), address


def test_the_licence_is_apache_2_everywhere(project):
    assert "Apache License" in read("LICENSE.txt")
    assert "END OF TERMS AND CONDITIONS" in read("LICENSE.txt")
    assert project["project"]["license"]["text"] == "Apache-2.0"


# Packages


def test_what_the_code_imports_is_declared_and_what_is_declared_is_imported(project):
    runtime = requirement_names(project["project"]["dependencies"])
    optional = requirement_names([r for rs in project["project"]["optional-dependencies"].values() for r in rs])
    distribution_of = packages_distributions()
    imported = set()
    for path in python_files():
        for top in {item.top for item in imports_of(path)} | packages_located(path):
            imported |= {name.lower() for name in distribution_of.get(top, []) if top != "MedSegAI"}
    undeclared = imported - runtime - optional
    assert undeclared == set(), "imported but in neither dependencies nor an extra"
    assert runtime - imported == set(), "declared as needed at run time but never imported"


def test_every_declared_package_has_a_pinned_version(project):
    pinned = requirement_names([line for line in read("constraints.txt").splitlines() if not line.startswith("#")])
    extras = project["project"]["optional-dependencies"]
    wanted = project["project"]["dependencies"] + [r for name, rs in extras.items() if name != "gpu" for r in rs]
    assert requirement_names(wanted) - pinned == set()


def test_the_constraints_hold_versions_and_nothing_of_one_machine():
    for line in read("constraints.txt").splitlines():
        assert re.fullmatch(r"|#.*|[a-z0-9-]+==[0-9.]+(; python_version (<|>=) \"3\.11\")?", line), line


def test_slicer_is_asked_for_no_package_it_brings_itself(project):
    lines = read("MedSegAI/Resources/requirements.txt").splitlines()
    asked = requirement_names([line for line in lines if line and not line.startswith("#")])
    assert asked & SLICERS_OWN == set()
    # The undo stack belongs to what drives a scene; a Python without Slicer gets it with the extra for scenes.
    needed = project["project"]["dependencies"] + project["project"]["optional-dependencies"]["scene"]
    assert asked <= requirement_names(needed)


def test_the_style_rules_for_docstrings_and_prints_hold_for_the_whole_library(project):
    lint = project["tool"]["ruff"]["lint"]
    assert {"D1", "T20", "ANN", "F"} <= set(lint["select"])
    assert not any(rule.startswith(("D10", "T20")) for rule in lint["ignore"] if rule not in ("D105", "D107"))
    outside_tests = {p: rules for p, rules in lint["per-file-ignores"].items() if not p.startswith("Testing/")}
    assert outside_tests == {"MedSegAI/MedSegAI.py": ["N802", "N815"]}


# The tree


def test_no_file_of_the_library_is_too_long_to_read():
    lengths = {
        path.relative_to(REPOSITORY_ROOT).as_posix(): len(path.read_text().splitlines()) for path in python_files()
    }
    assert {name: lines for name, lines in lengths.items() if lines >= LONGEST_FILE_LINES} == {}


def test_every_name_says_what_is_inside():
    names = {part for path in python_files() for part in path.relative_to(PACKAGE).with_suffix("").parts}
    assert names & VAGUE_NAMES == set()


def test_the_package_is_a_namespace_that_slicers_module_file_can_join():
    """One import name everywhere: an __init__.py would hide MedSegAI.py's own ``__path__`` from Slicer's loader."""
    assert [path for path in python_files() if path.name == "__init__.py"] == []


def test_no_tracked_file_is_larger_than_20_megabytes(tracked_files):
    sizes = {
        name: (REPOSITORY_ROOT / name).stat().st_size for name in tracked_files if (REPOSITORY_ROOT / name).is_file()
    }
    assert {name: size for name, size in sizes.items() if size > LARGEST_FILE} == {}


def test_no_generated_file_is_tracked(tracked_files):
    generated = re.compile(r"(^|/)(__pycache__|\.venv|demo|runs|build|dist|[^/]*\.egg-info)/")
    assert [name for name in tracked_files if generated.search(name)] == []


# The documents


def command_lines(document: str) -> list[str]:
    """The lines of all code blocks of a document, with their continuation lines, without comments."""
    blocks = re.findall(r"^```[a-z]*\n(.*?)^```", read(document), flags=re.MULTILINE | re.DOTALL)
    lines = (line.split("  #")[0].strip() for block in blocks for line in block.replace("\\\n", " ").splitlines())
    return [line for line in lines if line]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_make_command_of_a_document_exists(document):
    targets = set(re.findall(r"^([a-z]+):", read("Makefile"), flags=re.MULTILINE))
    for line in command_lines(document):
        if line.startswith("make "):
            words = [word for word in shlex.split(line)[1:] if "=" not in word]
            assert set(words) <= targets, line


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_medsegai_command_of_a_document_is_understood(document):
    from MedSegAI.CommandLine.main import command_line_parser

    for line in command_lines(document):
        if line.startswith("medsegai "):
            command_line_parser().parse_args(shlex.split(line)[1:])


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_file_a_document_points_to_exists(document):
    folder = (REPOSITORY_ROOT / document).parent
    for target in re.findall(r"\]\(([^)#\s]+)\)", read(document)):
        if not target.startswith(("http://", "https://")):
            assert (folder / target).exists(), target


def headings_of(document: str) -> set[str]:
    """The names by which links reach the headings of a document."""
    headings = re.findall(r"^#+ (.+)$", read(document), flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_heading_a_document_points_to_exists(document):
    folder = (REPOSITORY_ROOT / document).parent
    for target, heading in re.findall(r"\]\(([^)#\s:]*)#([^)\s]+)\)", read(document)):
        name = (folder / target).resolve().relative_to(REPOSITORY_ROOT).as_posix() if target else document
        assert heading in headings_of(name), f"{target}#{heading}"


@pytest.mark.parametrize("documents", IN_TWO_LANGUAGES, ids=lambda pair: pair[0])
def test_a_document_and_its_translation_lead_to_each_other_and_show_the_same_pictures(documents):
    original, translation = documents
    for here, there in ((original, translation), (translation, original)):
        assert f"]({there.rpartition('/')[2]})" in read(here)
    pictures = [re.findall(r"/((?:browser|desktop)-[\w-]+)\.png\)", read(name)) for name in documents]
    if original.startswith("docs/"):
        assert [f"{name}-zh" for name in pictures[0]] == pictures[1]
    assert all(name.endswith("-zh") for name in pictures[1])


def test_every_picture_is_shown_somewhere_and_small_enough_to_load_quickly():
    shown = "".join(map(read, DOCUMENTS)) + cmake_settings()["EXTENSION_SCREENSHOTURLS"]
    for picture in (REPOSITORY_ROOT / "Screenshots").glob("*.png"):
        assert picture.name in shown, picture.name
        assert picture.stat().st_size < 500_000, picture.name


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_path_a_document_names_exists(document):
    for name in re.findall(r"`((?:MedSegAI|Testing|tools|docs|Screenshots)/[\w./-]+)`", read(document)):
        assert (REPOSITORY_ROOT / name).exists(), name
