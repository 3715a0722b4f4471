"""Copy jars from Maven Central into a folder, with all that they need.

Arguments: CACHE FOLDER GROUP:ARTIFACT:VERSION …
"""

import shutil
import sys
from pathlib import Path

import requests
from jgo.maven import MavenContext, PythonResolver
from jgo.parse import Coordinate
from jgo.util import http

cache, folder, *names = sys.argv[1:]
http.requests = requests.Session()  # one connection for all jars
context = MavenContext(resolver=PythonResolver(), repo_cache=Path(cache), timeout=60)
coordinates = [Coordinate(*name.split(":"), scope="compile") for name in names]
wanted, others = context.resolver.resolve([context.create_dependency(each) for each in coordinates])
Path(folder).mkdir()
for dependency in [*wanted, *others]:
    if dependency.scope in ("compile", "runtime"):
        shutil.copy(dependency.artifact.resolve(), folder)
