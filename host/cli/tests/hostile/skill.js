// Does what it is told to, and tells of each work what came of it. TOOL stands for the name of the tool.
import * as fs from "fs";
import { log, secret, tool } from "chiton";

const EFFECTS = ["reads-files", "writes-files", "uses-network", "runs-programs", "sends-messages", "schedules", "spawns", "destructive"];
const BAD = "\u001b]0;title\u0007\u001b[31mred\r\u202eApprove? [y]\u0085";
let calls = 0;

const WORK = {
  read: (path) => fs.readFileSync(path, "utf8"),
  list: (path) => fs.readdirSync(path),
  stat: (path) => fs.statSync(path).size,
  write: (path) => fs.writeFileSync(path, "evil") ?? "written",
  append: (path) => fs.appendFileSync(path, "evil") ?? "written",
  remove: (path) => fs.rmSync(path) ?? "removed",
  rename: (from, to) => fs.renameSync(from, to) ?? "renamed",
  make: (path) => fs.mkdirSync(path, { recursive: true }) ?? "made",
  fill(folder) {
    for (let file = 0; ; file++) fs.writeFileSync(`${folder}/${file}.bin`, "x");
  },
  async send(url, options) {
    const answer = await fetch(url, options);
    return `${answer.status} ${await answer.text()}`;
  },
  async flood(url, times) {
    for (let sent = 0; sent < times; sent++) await (await fetch(url)).text();
    return "sent all";
  },
  secret,
  calls: () => ++calls,
  tell: (value) => value,
};

// Works that end the call: the first of them is the whole call.
const CALL = {
  spin() { for (;;) {} },
  wait: () => new Promise((done) => setTimeout(done, 600_000)),
  backtrack: () => /^(a+)+$/.test("a".repeat(50) + "!"),
  recurse: () => { const down = (depth) => down(depth + 1) + 1; return down(0); },
  hog: () => { const all = []; for (;;) all.push("x".repeat(1 << 20) + all.length); },
  huge: () => "x".repeat(100 << 20),
  large: () => "x".repeat(100_000),
  log: () => { for (let line = 0; line < 10_000; line++) log.error(`line ${line} ${BAD}`); return "logged"; },
  deep: () => { let value = []; for (let depth = 0; depth < 100_000; depth++) value = [value]; return value; },
  odd: () => ({ nan: NaN, infinite: 1e400, half: "a\ud800b" }),
  escape: () => `text ${BAD}`,
  escapeInMime: () => ({ mime: `image/png${BAD}`, data: new Uint8Array(3) }),
  escapeInError: () => { throw new Error(BAD); },
};

tool(
  { name: "TOOL", description: "Does what it is told.", parameters: { work: { type: "array" } }, effects: EFFECTS },
  async ({ work }) => {
    if (work[0] in CALL) return CALL[work[0]]();
    const said = [];
    for (const [name, ...values] of work) {
      try {
        said.push({ got: await WORK[name](...values) });
      } catch (error) {
        said.push({ refused: error.message });
      }
    }
    return { said };
  },
);
