"""A skill as a component of its own: for packages of PyPI, which are imported when it is built."""

import json

from componentize_py_types import Err
from wit_world import exports
from wit_world.imports import call_context, http, log, progress, secrets, tool_types

PARAMETERS = {
    "type": "object",
    "properties": {
        "file": {"type": "string", "description": "Path of a file with one city on each line", "default": "cities.txt"}
    },
    "additionalProperties": False,
}


class Tools(exports.Tools):
    def list_tools(self):
        effects = tool_types.Effects.READS_FILES | tool_types.Effects.USES_NETWORK
        about = "Tells the weather of the cities in a list."
        return [tool_types.Definition("my_skill", about, json.dumps(PARAMETERS), effects)]

    def call(self, name, arguments):
        file = json.loads(arguments).get("file", "cities.txt")
        try:
            # Paths are absolute here: the first directory granted is where relative ones start.
            with open(f"{call_context.mounts()[0].path}/{file}") as lines:
                cities = [line.strip() for line in lines if line.strip()]
        except (OSError, IndexError) as error:
            raise Err(tool_types.Failure_NotFound(f"'{file}' cannot be read: {error}")) from None
        return [tool_types.Part_Text("\n".join(f"{city}: {weather(city)}" for city in cities))]


def weather(city):
    progress.report(city)
    key = secrets.placeholder("WEATHER_KEY")
    if key is None:
        raise Err(tool_types.Failure_Denied("secrets=WEATHER_KEY"))
    # A failure of `fetch`, such as a missing grant, goes on to the caller as it is.
    url = f"https://api.example.com/v1/weather?city={city}"
    answer = http.fetch(http.Request("GET", url, [http.Header("X-Key", key)], b"", 0))
    log.write(log.Level.INFO, f"{city}: {answer.status}")
    if answer.status == 404:
        raise Err(tool_types.Failure_NotFound(f"nobody knows the city '{city}'"))
    return json.loads(answer.body)["text"]
