"""A skill of one tool. What it may touch is asked for in skill.toml; without that, every access is denied."""

from typing import Annotated

import requests
from chiton import Failed, InvalidArguments, NotFound, log, progress, secret, tool

SERVICE = "https://api.example.com/v1/weather"


@tool(effects=["reads-files", "uses-network"])
def my_skill(file: str = "cities.txt", days: Annotated[int, {"minimum": 1, "maximum": 7}] = 1) -> str:
    """Tells the weather of the cities in a list.

    file: path of a file with one city on each line
    days: how many days ahead
    """
    with open(file) as lines:
        cities = [line.strip() for line in lines if line.strip()]
    if not cities:
        raise InvalidArguments(f"'{file}' names no city")
    known = []
    for index, city in enumerate(cities, 1):
        progress(f"{index} of {len(cities)}: {city}")
        known.append(f"{city}: {weather(city, days)}")
    log.info(f"{len(cities)} cities")
    return "\n".join(known)


def weather(city, days):
    answer = requests.get(SERVICE, params={"city": city, "days": days}, headers={"X-Key": secret("WEATHER_KEY")})
    if answer.status_code == 404:
        raise NotFound(f"nobody knows the city '{city}'")
    if not answer.ok:
        raise Failed(f"the weather service answered {answer.status_code}")
    return answer.json()["text"]
