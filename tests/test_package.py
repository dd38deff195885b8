"""The package: sdist and wheel are built from the sources, hold every file, and run where only they are installed."""

import os
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parent.parent
SOURCES = ("pyproject.toml", "README.md", "LICENSE", "src")
BUILD = "import sys; from setuptools import build_meta; getattr(build_meta, sys.argv[1])(sys.argv[2])"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The sdist and the wheel."""
    folder = tmp_path_factory.mktemp("package")
    for name in SOURCES:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    for kind in ("build_sdist", "build_wheel"):  # each in its own process, as build front ends do
        run([sys.executable, "-W", "ignore", "-c", BUILD, kind, str(folder / "dist")], folder)
    (sdist,) = (folder / "dist").glob("*.tar.gz")
    (wheel,) = (folder / "dist").glob("*.whl")
    return sdist, wheel


def run(command, folder, codes=(0,), **variables):
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **variables}, capture_output=True, text=True, timeout=280
    )
    assert done.returncode in codes, done.stdout + done.stderr
    return done.stdout


def package_files():
    """What belongs into the package."""
    found = (file for file in (ROOT / "src" / "convscope").rglob("*") if file.is_file())
    return {file.relative_to(ROOT / "src").as_posix() for file in found if "__pycache__" not in file.parts}


def test_sdist_and_wheel_hold_every_file_of_the_package_and_the_licence(built):
    sdist, wheel = built
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert package_files() <= names
    assert [name for name in names if name.endswith("licenses/LICENSE")]
    with tarfile.open(sdist) as archive:
        inside = {name.partition("/")[2] for name in archive.getnames()}
    assert {f"src/{name}" for name in package_files()} <= inside
    assert {"LICENSE", "README.md", "pyproject.toml"} <= inside


def test_the_version_is_the_same_everywhere(built):
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert f"version: {version}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\n## {version}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert [file.name.split("-")[1].removesuffix(".tar.gz") for file in built] == [version] * 2


def test_the_installed_wheel_shows_its_help_and_checks_the_installation(built, tmp_path):
    place = tmp_path / "installed"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(place)]
    run([*pip, str(built[1])], tmp_path)
    command = [sys.executable, str(place / "bin" / "convscope")]
    variables = {"PYTHONPATH": str(place), "CONVSCOPE_CACHE": str(tmp_path / "cache")}
    assert "Usage: convscope" in run([*command, "--help"], tmp_path, **variables)
    found = run([*command, "doctor"], tmp_path, codes=(0, 1), **variables)  # 1: it finds a problem
    assert "torch" in found
    problems = {line.split()[0] for line in found.splitlines() if " problem " in line}
    assert problems <= {"torchvision"}, found  # whose wheels do not import beside PyTorch's build for processors
    where = run([sys.executable, "-c", "import convscope; print(convscope.__file__)"], tmp_path, **variables)
    assert Path(where.strip()).is_relative_to(place)
