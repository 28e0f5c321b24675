"""Where the drivers' sources come from: the ordinary clients of PyPI, Debian and Go's proxy."""

import glob
import json
import os
import shutil
import subprocess
import sys

WORK = os.environ.get("MISRULE_DRIVERS_DIR",
                      os.path.join(os.path.expanduser("~"), ".cache", "misrule", "drivers"))

# Of the time of the drivers that they test.
TOOLS = ("pytest==7.4.4", "pytest-asyncio==0.21.2", "pytest-timeout==2.3.1", "setuptools", "wheel",
         "packaging")


def tool_python():
    """Debian's Python with Debian's drivers, and pytest beside it."""
    return os.path.join(WORK, "venv", "bin", "python")


def ensure_venv():
    complete = os.path.join(WORK, "venv", " ".join(TOOLS[:3]))
    if os.path.exists(complete):
        return
    shutil.rmtree(os.path.join(WORK, "venv"), ignore_errors=True)
    subprocess.run(["/usr/bin/python3", "-m", "venv", "--system-site-packages",
                    os.path.join(WORK, "venv")], check=True)
    subprocess.run([tool_python(), "-m", "pip", "install", "-q", *TOOLS], check=True)
    open(complete, "w").close()


def python_source(package, folder):
    """The unpacked source archive of "name==version"."""
    ensure_venv()
    unpacked = os.path.join(folder, package.replace("==", "-"))
    if not os.path.isdir(unpacked):
        subprocess.run([tool_python(), "-m", "pip", "download", "-q", "--no-deps",
                        "--no-build-isolation", "--no-binary", ":all:", "-d", folder, package],
                       check=True)
        subprocess.run(["tar", "xzf", f"{unpacked}.tar.gz", "-C", folder], check=True)
    return unpacked


def debian_source(package, folder):
    """The unpacked source package, with lists of its own: the machine's stay as they are."""
    unpacked = os.path.join(folder, f"{package}-source")
    if os.path.isdir(unpacked):
        return unpacked
    state = os.path.join(folder, "apt")
    for path in ("lists/partial", "cache/archives/partial"):
        os.makedirs(os.path.join(state, path), exist_ok=True)
    with open(os.path.join(state, "sources.list"), "w") as file:
        file.write("deb-src http://deb.debian.org/debian bookworm main\n")
    apt = ["apt-get", "-qq", "-o", f"Dir::Etc::SourceList={state}/sources.list",
           "-o", "Dir::Etc::SourceParts=/nonexistent", "-o", f"Dir::State::Lists={state}/lists",
           "-o", f"Dir::Cache={state}/cache", "-o", "APT::Sandbox::User=root"]
    subprocess.run([*apt, "update"], check=True)
    for old in glob.glob(os.path.join(folder, f"{package}_*.dsc")):
        os.remove(old)
    subprocess.run([*apt, "source", "--download-only", package], check=True, cwd=folder)
    described = glob.glob(os.path.join(folder, f"{package}_*.dsc"))[0]
    subprocess.run(["dpkg-source", "-x", described, unpacked], check=True, stdout=sys.stderr)
    return unpacked


def go_module(module, folder):
    """A copy of "path@version" that can be written to: tests make files beside themselves."""
    if not os.path.isdir(folder):
        said = subprocess.run(["go", "mod", "download", "-json", module], check=True, cwd="/",
                              stdout=subprocess.PIPE, text=True).stdout
        shutil.copytree(json.loads(said)["Dir"], folder + ".new")
        subprocess.run(["chmod", "-R", "u+w", folder + ".new"], check=True)
        os.rename(folder + ".new", folder)
    return folder


def compiled_go_tests(folder, packages):
    """{package: its test program}"""
    programs = {}
    for package in packages:
        program = os.path.join(folder, package, "misrule-tests")
        if not os.path.exists(program):
            subprocess.run(["nice", "go", "test", "-c", "-o", program, f"./{package}"], check=True,
                           cwd=folder, env={**os.environ, "GOFLAGS": "-mod=mod"})
        if os.path.exists(program):  # A package without tests makes none.
            programs[package] = program
    return programs
