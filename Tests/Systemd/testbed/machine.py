"""What is installed on the machine inside the sandbox."""

import os
import pathlib
import shutil

ROOT = pathlib.Path(__file__).resolve().parents[3]
BINARIES = pathlib.Path(os.environ["SUCCESSION_BIN"])

UNITS = pathlib.Path("/run/systemd/system")
PROGRAMS = pathlib.Path("/usr/local/lib/swift-succession")


def install_unit(name, drop_in=None, template=None):
    """Installs a unit as the project delivers it, or one of the tests'; a drop-in changes it.

    `template` is the file that the unit is an instance or a copy of.
    """
    source = template or name
    found = [path for path in (ROOT / "units" / source, ROOT / "Tests/Systemd/units" / source)
             if path.exists()]
    UNITS.mkdir(parents=True, exist_ok=True)
    shutil.copy(found[0], UNITS / name)
    if drop_in:
        directory = UNITS / f"{name}.d"
        directory.mkdir(exist_ok=True)
        (directory / "test.conf").write_text(drop_in)


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
