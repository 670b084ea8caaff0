"""What a built distribution holds, with a C compiler and without."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from autopar._native_api import NATIVE

ROOT = Path(__file__).parents[1]
BUILT_FROM = ["pyproject.toml", "README.md", "LICENSE", "autopar", "native"]
IN_THE_SOURCES = sorted(
    [
        *(f"native/{path.name}" for path in (ROOT / "native").glob("*.[ch]")),
        "LICENSE",
        "README.md",
        "autopar/_native.pyi",
        "autopar/_native_twin.py",
        "autopar/py.typed",
        "pyproject.toml",
    ]
)

pytestmark = pytest.mark.slow


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """Copy what the distribution is built from, without what was built in place."""
    copy = tmp_path / "sources"
    copy.mkdir()
    for name in BUILT_FROM:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("*.so", "*.pyd", "__pycache__"))
        else:
            shutil.copy(ROOT / name, copy / name)
    return copy


def build(hook: str, sources: Path, out: Path, **environ: str) -> Path:
    """Build a distribution by the named hook of the build backend, without the network, and return its path."""
    out.mkdir()
    script = "import sys; from setuptools import build_meta; getattr(build_meta, sys.argv[1])(sys.argv[2])"
    command = [sys.executable, "-c", script, hook, str(out)]
    subprocess.run(command, cwd=sources, env={**os.environ, **environ}, capture_output=True, check=True)
    [built] = out.iterdir()
    return built


def test_the_source_distribution_holds_all_that_a_build_needs(sources: Path, tmp_path: Path) -> None:
    """The source distribution holds the C sources with their header, the stub, the twin and the type marker."""
    with tarfile.open(build("build_sdist", sources, tmp_path / "dist")) as archive:
        files = {name.partition("/")[2] for name in archive.getnames()}
    assert sorted(files.intersection(IN_THE_SOURCES)) == IN_THE_SOURCES


@pytest.fixture
def unpacked(sources: Path, tmp_path: Path) -> Path:
    """The source distribution, unpacked."""
    with tarfile.open(build("build_sdist", sources, tmp_path / "dist")) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    [folder] = (tmp_path / "unpacked").iterdir()
    return folder


def installed(wheel: Path, into: Path) -> dict[str, str]:
    """Unpack a wheel; return an environment in which its package is found, and the checkout's is not."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(into)
    environ = {name: value for name, value in os.environ.items() if name != "AUTOPAR_NATIVE"}
    return {**environ, "PYTHONPATH": str(into)}


def test_without_a_compiler_the_source_distribution_installs_and_works(unpacked: Path, tmp_path: Path) -> None:
    """With no C compiler to be found, the package installs, uses the pure-Python twin and says so."""
    hidden = {"CC": "", "CXX": "", "LDSHARED": "", "PATH": str(tmp_path / "nothing")}
    wheel = build("build_wheel", unpacked, tmp_path / "wheel", **hidden)
    environ = installed(wheel, tmp_path / "installed")
    script = "from autopar import _native_api as p; print(p.__file__, p.why_not_native, len(p.thread_probe()))"
    result = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=environ, capture_output=True, text=True, check=True
    )
    assert result.stdout.startswith(str(tmp_path / "installed"))
    assert "the extension autopar._native cannot be imported" in result.stdout
    assert result.stdout.rstrip().endswith(" 5")


@pytest.mark.skipif(not NATIVE, reason="the extension is not built here either")
def test_with_a_compiler_the_wheel_has_the_extension(unpacked: Path, tmp_path: Path) -> None:
    """Built where this extension was built, the wheel has one, for this interpreter, and it passes its bare checks."""
    wheel = build("build_wheel", unpacked, tmp_path / "wheel")
    assert "-none-any" not in wheel.name
    environ = installed(wheel, tmp_path / "installed")
    command = [sys.executable, "-W", "error", str(ROOT / "tests" / "hardened" / "bare.py")]
    said = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
    assert said.stdout.count(" ok\n") == 7, said.stdout + said.stderr
