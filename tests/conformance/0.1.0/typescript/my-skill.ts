// A skill of one tool. What it may touch is asked for in skill.toml; without that, every access is denied.
import { readFileSync } from "fs";
import { tool, progress, log, secret, Failed, InvalidArguments, NotFound } from "chiton";

interface Given {
  file: string;
  days: number;
}

const SERVICE = "https://api.example.com/v1/weather";

tool<Given>(
  {
    name: "my_skill",
    description: "Tells the weather of the cities in a list.",
    parameters: {
      file: { type: "string", description: "Path of a file with one city on each line", default: "cities.txt" },
      days: { type: "integer", description: "How many days ahead", minimum: 1, maximum: 7, default: 1 },
    },
    effects: ["reads-files", "uses-network"],
  },
  async ({ file, days }) => {
    const cities = readFileSync(file, "utf8").split("\n").map((line) => line.trim()).filter(Boolean);
    if (cities.length === 0) throw new InvalidArguments(`'${file}' names no city`);
    const lines: string[] = [];
    for (const [index, city] of cities.entries()) {
      progress(`${index + 1} of ${cities.length}: ${city}`);
      lines.push(`${city}: ${await weather(city, days)}`);
    }
    log.info(`${cities.length} cities`);
    return lines.join("\n");
  },
);

async function weather(city: string, days: number): Promise<string> {
  const answer = await fetch(`${SERVICE}?city=${encodeURIComponent(city)}&days=${days}`, {
    headers: { "X-Key": secret("WEATHER_KEY") },
  });
  if (answer.status === 404) throw new NotFound(`nobody knows the city '${city}'`);
  if (!answer.ok) throw new Failed(`the weather service answered ${answer.status}`);
  return ((await answer.json()) as { text: string }).text;
}
