// What a script can do with the contract, one tool for each; `contract.py` does the same.
import { readFileSync, writeFileSync } from "fs";
import { tool, progress, log, secret, InvalidArguments, Denied, NotFound, TimedOut, Failed } from "chiton";

const text = { type: "string" };
tool(
  {
    name: "add",
    description: "Adds two numbers.",
    parameters: { a: { type: "integer", description: "the first" }, b: { type: "integer", default: 1 } },
  },
  ({ a, b }) => `${a + b}`,
);
tool({ name: "data", description: "Gives JSON." }, async () => ({ list: [1, 2], nested: { nothing: null } }));
tool({ name: "picture", description: "Gives parts." }, () => ["see", { mime: "image/png", data: new Uint8Array([1, 2, 3]) }]);
tool({ name: "talk", description: "Says things." }, async () => {
  progress("half of it");
  log.warn("a line", 1);
  console.log("printed");
  await new Promise((done) => setTimeout(done, 1));
});

const KINDS = { InvalidArguments, Denied, NotFound, TimedOut, Failed, Error };
tool({ name: "fail", description: "Fails.", parameters: { kind: text }, effects: ["reads-files"] }, ({ kind }) => {
  throw new KINDS[kind]("files=/a:read");
});

tool({ name: "read", description: "Reads.", parameters: { path: text }, effects: ["reads-files"] }, ({ path }) => readFileSync(path, "utf8"));
tool({ name: "write", description: "Writes.", parameters: { path: text }, effects: ["writes-files"] }, ({ path }) => writeFileSync(path, "written"));
tool({ name: "write_undeclared", description: "Writes.", parameters: { path: text }, effects: ["reads-files"] }, ({ path }) => writeFileSync(path, "written"));

async function ask({ url }) {
  const answer = await fetch(url, { headers: { "X-Key": secret("KEY") } });
  return `${answer.status} ${await answer.text()}`;
}
tool({ name: "ask", description: "Asks.", parameters: { url: text }, effects: ["uses-network"] }, ask);
tool({ name: "ask_undeclared", description: "Asks.", parameters: { url: text } }, async ({ url }) => (await fetch(url)).status);
tool({ name: "key", description: "Gives a secret's placeholder.", parameters: { name: text }, effects: ["uses-network"] }, ({ name }) => secret(name));

tool({ name: "forever", description: "Never ends." }, () => {
  for (;;);
});
tool({ name: "hoard", description: "Wants all memory." }, () => {
  const all = [];
  for (;;) all.push(new Uint8Array(1 << 20));
});
let calls = 0;
tool({ name: "count", description: "Counts calls." }, () => `${++calls}`);
