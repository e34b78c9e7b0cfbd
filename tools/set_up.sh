#!/usr/bin/env bash
# Builds .venv with everything that `make demo`, `make app` and `make test` need, on a fresh Debian or Ubuntu machine.
# pip's own configuration (index, proxy, certificates) is used as it is; nothing is read from the terminal.
set -euo pipefail
cd "$(dirname "$0")/.."
exec </dev/null

venv=.venv
extras=scene,web,desktop-host,dicom,fast,batch,engines,training,dev

say() { echo "set-up: $*"; }

# Installs Debian packages where that is allowed without a password; otherwise says the line to type.
# $1: what is missing and what it is for; the rest: package names.
install_packages() {
    local need=$1 become_root=()
    shift
    local line="apt-get install -y --no-install-recommends $*"
    if [ "$(id -u)" != 0 ]; then become_root=(sudo -n); fi
    if command -v apt-get >/dev/null && { [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; }; then
        say "$need: installing $*"
        # A stale package list is the usual reason for a first failure.
        for attempt in listed updated; do
            if [ "$attempt" = updated ]; then "${become_root[@]}" apt-get update -qq || return 1; fi
            "${become_root[@]}" env DEBIAN_FRONTEND=noninteractive $line -qq >/dev/null 2>&1 && return 0
        done
    fi
    say "$need. Please run: sudo $line"
    return 1
}

python_fits() { "$1" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null; }

find_python() {
    local candidate
    if [ -n "${PYTHON:-}" ]; then
        python_fits "$PYTHON" && echo "$PYTHON"
        return
    fi
    for candidate in python3.11 python3.12 python3.10 python3; do
        if command -v "$candidate" >/dev/null && python_fits "$candidate"; then
            echo "$candidate"
            return 0
        fi
    done
    return 1
}

make_venv() {
    local python
    if python_fits $venv/bin/python && $venv/bin/python -m pip --version >/dev/null 2>&1; then return; fi
    if ! python=$(find_python); then
        say "Python 3.10, 3.11 or 3.12 is needed, and ${PYTHON:-what is installed} is not one of them. Install one (for example with" \
            "'sudo apt-get install python3 python3-venv', or uv, or pyenv) and run make again," \
            "or name it: make test PYTHON=/path/to/python3.11"
        exit 1
    fi
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        install_packages "Python's venv module is missing" \
            "$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')" || exit 1
    fi
    say "making $venv with $("$python" --version)"
    "$python" -m venv --clear $venv
}

install_python_packages() {
    say "installing the Python packages (the first time takes minutes; PyTorch and Slicer's core are large)"
    $venv/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[$extras]"
}

# VTK opens its OpenGL library only when a picture is drawn, so a machine without one imports and tests all the rest.
opengl_is_there() {
    local libraries
    libraries=$(PATH="$PATH:/sbin:/usr/sbin" ldconfig -p 2>/dev/null || true)
    grep -q 'libOSMesa\.so' <<<"$libraries" || grep -qE 'libEGL_(mesa|nvidia)\.so' <<<"$libraries"
}

install_opengl() {
    if opengl_is_there; then return; fi
    # Debian 13 and Ubuntu 25.04 no longer carry libosmesa6; Mesa's EGL draws without a screen as well.
    local package=libosmesa6
    if command -v apt-cache >/dev/null && ! apt-cache show libosmesa6 >/dev/null 2>&1 &&
        apt-cache show libegl-mesa0 >/dev/null 2>&1; then
        package="libegl1 libegl-mesa0 libgl1-mesa-dri"
    fi
    # shellcheck disable=SC2086
    install_packages "No OpenGL for off-screen 3D pictures" $package ||
        say "going on without it: 3D views are left out, slice figures are drawn all the same"
}

# Qt opens no window in the tests, but its libraries are linked with those of a desktop.
qt_is_usable() {
    QT_QPA_PLATFORM=offscreen $venv/bin/python -c 'from PySide6 import QtUiTools, QtWidgets; QtWidgets.QApplication([])' \
        >/dev/null 2>&1
}

install_qt_libraries() {
    if qt_is_usable; then return; fi
    install_packages "System libraries that Qt needs are missing" \
        libegl1 libgl1 libxkbcommon0 libdbus-1-3 libfontconfig1 libglib2.0-0 ||
        say "going on without them: the tests of the desktop module's widgets are left out"
}

# Not playwright's own browsers: they would be downloaded from elsewhere.
install_browser() {
    if [ -x /usr/bin/chromium ]; then return; fi
    install_packages "No chromium for the tests in a real browser" chromium ||
        say "going on without it: browser tests are left out"
}

chinese_font_is_there() {
    find /usr/share/fonts /usr/local/share/fonts -iname '*cjk*' -o -iname 'wqy-*' -o -iname '*droidsansfallback*' 2>/dev/null |
        grep -q .
}

install_chinese_font() {
    if chinese_font_is_there; then return; fi
    install_packages "No font with Chinese characters, for pictures of the Chinese pages" fonts-wqy-zenhei ||
        say "going on without it: Chinese text is drawn as boxes in the tests' pictures"
}

# Debian starts its Orthanc as a service on every interface; the tests start their own, so the service stays off.
install_orthanc() {
    if [ -x /usr/sbin/Orthanc ] && [ -e /usr/share/orthanc/plugins/libOrthancDicomWeb.so ]; then return; fi
    install_packages "No Orthanc for the tests with a DICOM archive" orthanc orthanc-dicomweb ||
        say "going on without it: tests that send to a DICOM archive are left out"
}

make_venv
install_python_packages
install_opengl
install_qt_libraries
install_browser
install_chinese_font
install_orthanc
touch $venv/.set-up-is-done
say "done"
