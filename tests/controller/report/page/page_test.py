#!/usr/bin/python3
"""The page of a sample run in Chromium (page_test.js); pictures stay in the build folder.

Shown as skipped where Chromium, Node.js or the modules of package.json are missing: tools/setup
installs them.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

SKIPPED = 77
MODULES = pathlib.Path("/var/cache/misrule/node/node_modules")
HERE = pathlib.Path(__file__).parent


def missing():
    if not pathlib.Path("/usr/bin/chromium").exists():
        return "/usr/bin/chromium"
    if shutil.which("node") is None:
        return "node"
    return next((str(MODULES / name) for name in ("playwright-core", "axe-core")
                 if not (MODULES / name / "package.json").exists()), "")


def main():
    if (lacking := missing()):
        print(f"skipped: {lacking} is missing; tools/setup installs it")
        return SKIPPED
    shots = pathlib.Path(os.environ.get("MISRULE_BINARY_DIR", tempfile.gettempdir())) / "page-test"
    shots.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="misrule-page-test-") as folder:
        subprocess.run([sys.argv[1], folder], check=True)
        return subprocess.run(
            ["node", HERE / "page_test.js", MODULES, pathlib.Path(folder) / "page.html", shots],
            check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
