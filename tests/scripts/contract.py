"""What a script can do with the contract, one tool for each; `contract.js` does the same."""

import asyncio

import requests
from chiton import Denied, Failed, Image, InvalidArguments, NotFound, TimedOut, log, progress, secret, tool


@tool
def add(a: int, b: int = 1):
    """Adds two numbers.

    a: the first
    """
    return f"{a + b}"


@tool(description="Gives JSON.")
def data():
    return {"list": [1, 2], "nested": {"nothing": None}}


@tool(description="Gives parts.")
def picture():
    return ["see", Image(b"\1\2\3")]


@tool(description="Says things.")
async def talk():
    progress("half of it")
    log.warn("a line %d", 1)
    print("printed")
    await asyncio.sleep(0.001)


KINDS = {one.__name__: one for one in (InvalidArguments, Denied, NotFound, TimedOut, Failed)}


@tool(description="Fails.", effects=["reads-files"])
def fail(kind: str):
    raise KINDS.get(kind, ValueError)("files=/a:read")


@tool(description="Reads.", effects=["reads-files"])
def read(path: str):
    with open(path) as file:
        return file.read()


def put(path: str):
    with open(path, "w") as file:
        file.write("written")


tool(put, name="write", description="Writes.", effects=["writes-files"])
tool(put, name="write_undeclared", description="Writes.", effects=["reads-files"])


@tool(description="Asks.", effects=["uses-network"])
def ask(url: str):
    answer = requests.get(url, headers={"X-Key": secret("KEY")})
    return f"{answer.status_code} {answer.text}"


@tool(description="Asks.")
def ask_undeclared(url: str):
    return requests.get(url).status_code


@tool(description="Gives a secret's placeholder.", effects=["uses-network"])
def key(name: str):
    return secret(name)


@tool(description="Never ends.")
def forever():
    while True:
        pass


@tool(description="Wants all memory.")
def hoard():
    everything = []
    while True:
        everything.append(bytearray(1 << 20))


calls = 0


@tool(description="Counts calls.")
def count():
    global calls
    calls += 1
    return str(calls)
