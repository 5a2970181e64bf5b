"""What is installed on the machine inside the sandbox."""

import os
import pathlib
import shutil

from harness.checks import ROOT

BINARIES = pathlib.Path(os.environ["SUCCESSION_BIN"])

PROGRAMS = pathlib.Path("/usr/local/lib/swift-succession")
LIBRARY = pathlib.Path("/usr/lib/systemd")


def install_unit(name, drop_in=None, scope="system"):
    """Installs a unit as the project delivers it, or one of the tests'; a drop-in changes it.

    The scope is "system" or "user", as in systemd's own directories.
    """
    delivered = ROOT / "units"
    sources = [
        (delivered / "user" if scope == "user" else delivered) / name,
        ROOT / "Tests/Systemd/units" / name]
    directory = pathlib.Path("/run/systemd", scope)
    directory.mkdir(parents=True, exist_ok=True)
    shutil.copy(next(path for path in sources if path.exists()), directory)
    if drop_in:
        (directory / f"{name}.d").mkdir(exist_ok=True)
        (directory / f"{name}.d" / "test.conf").write_text(drop_in)


def install_milestones():
    """Gives user managers the targets and slices of the machine, and no other unit."""
    directory = pathlib.Path("/run/systemd/user")
    directory.mkdir(parents=True, exist_ok=True)
    for pattern in ["*.target", "*.slice"]:
        for unit in LIBRARY.glob(f"user/{pattern}"):
            (directory / unit.name).symlink_to(unit)


def install_binary(name, directory):
    """Installs a release binary under its own name."""
    put(BINARIES / name, pathlib.Path(directory) / name)


def install_release(source, program="web"):
    """Puts a file in the place of a program, as a deployment does: one rename."""
    put(pathlib.Path(source), PROGRAMS / program)


def put(source, target):
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.new")
    shutil.copy(source, temporary)
    temporary.chmod(0o755)
    temporary.rename(target)
