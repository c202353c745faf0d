// A skill as a component of its own: fast to start, for code that is bundled with its packages.
import { write } from "chiton:tool/log@0.1.0";
import { report } from "chiton:tool/progress@0.1.0";
import { fetch } from "chiton:tool/http@0.1.0";
import { placeholder } from "chiton:tool/secrets@0.1.0";

const SERVICE = "https://api.example.com/v1/weather";
const PARAMETERS = {
  type: "object",
  properties: { cities: { type: "array", items: { type: "string" }, minItems: 1, description: "Names of cities" } },
  required: ["cities"],
  additionalProperties: false,
};

// A failure of the contract: one of invalid-arguments, denied, not-found, timed-out, failed.
const fail = (tag, val) => {
  throw { tag, val };
};

export const tools = {
  listTools: () => [
    {
      name: "my_skill",
      description: "Tells the weather of cities.",
      parameters: JSON.stringify(PARAMETERS),
      effects: { usesNetwork: true },
    },
  ],
  call(name, given) {
    const lines = JSON.parse(given).cities.map((city) => `${city}: ${weather(city)}`);
    return [{ tag: "text", val: lines.join("\n") }];
  },
};

function weather(city) {
  report(city);
  const key = placeholder("WEATHER_KEY") ?? fail("denied", "secrets=WEATHER_KEY");
  const url = `${SERVICE}?city=${encodeURIComponent(city)}`;
  const headers = [{ name: "X-Key", value: key }];
  const answer = fetch({ method: "GET", url, headers, body: new Uint8Array(), redirects: 0 });
  write("info", `${city}: ${answer.status}`);
  if (answer.status === 404) fail("not-found", `nobody knows the city '${city}'`);
  const text = decodeURIComponent(Array.from(answer.body, (byte) => `%${byte.toString(16).padStart(2, "0")}`).join(""));
  return JSON.parse(text).text;
}
