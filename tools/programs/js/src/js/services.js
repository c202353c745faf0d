// Modules of Node for requests, digests and lines of input. Called when the first of them is asked for.
(function (host, EventEmitter) {
  'use strict';
  const encoded = (data, encoding) => (encoding ? Buffer.from(data).toString(encoding) : Buffer.from(data));
  const joined = (parts) => Buffer.concat(parts.map(host.asBytes));
  const collecting = (finish) => {
    // A digest that is not offered is told at once.
    finish(new Uint8Array(0));
    const parts = [];
    const made = { update(data, encoding) { parts.push(typeof data === 'string' ? Buffer.from(data, encoding) : data); return made; },
      digest: (encoding) => encoded(finish(joined(parts)), encoding) };
    return made;
  };
  const crypto = {
    createHash: (name) => collecting((data) => host.digest(name, data)),
    createHmac: (name, key) => collecting((data) => host.digest(name, data, host.asBytes(key))),
    hash: (name, data, encoding = 'hex') => encoded(host.digest(name, host.asBytes(data)), encoding),
    randomBytes: (length) => Buffer.from(host.random(length)),
    randomUUID: () => globalThis.crypto.randomUUID(),
    randomInt: (low, high) => (high === undefined ? [low, high] = [0, low] : 0, low + Math.floor(Math.random() * (high - low))),
    getRandomValues: (array) => globalThis.crypto.getRandomValues(array),
    timingSafeEqual: (a, b) => a.length === b.length && a.reduce((unlike, byte, at) => unlike | (byte ^ b[at]), 0) === 0,
    getHashes: () => ['md5', 'sha1', 'sha256', 'sha384', 'sha512'],
    get webcrypto() { return globalThis.crypto; },
  };

  // What `http` gives for an answer of `fetch`: its body comes once somebody can listen.
  class IncomingMessage extends EventEmitter {
    #data; #encoding; #begun = false;
    constructor(answer) {
      super();
      this.#data = answer.peek();
      Object.assign(this, { statusCode: answer.status, statusMessage: answer.statusText, headers: Object.fromEntries(answer.headers), complete: true });
    }
    setEncoding(name) { this.#encoding = name; return this; }
    on(event, callback) { super.on(event, callback); if (event === 'data' || event === 'end') this.resume(); return this; }
    resume() {
      if (!this.#begun) setTimeout(() => { if (this.#data.length) this.emit('data', this.#encoding ? host.decode(this.#data) : Buffer.from(this.#data)); this.emit('end'); this.emit('close'); }, 0);
      this.#begun = true;
      return this;
    }
    pipe(target) { this.on('data', (data) => target.write(data)); this.on('end', () => target.end?.()); return target; }
    async *[Symbol.asyncIterator]() { this.#begun = true; yield this.#encoding ? host.decode(this.#data) : Buffer.from(this.#data); }
  }
  const http = (protocol) => {
    function request(target, options, callback) {
      if (typeof options === 'function') [options, callback] = [{}, options];
      if (typeof target === 'object' && !(target instanceof URL)) [target, options] = [undefined, target];
      options ??= {};
      const address = options.hostname ?? options.host ?? 'localhost';
      const url = String(target ?? `${options.protocol ?? protocol}//${address}${options.port ? ':' + options.port : ''}${options.path ?? '/'}`);
      const sent = new EventEmitter(), parts = [], headers = new Headers(options.headers);
      if (options.auth) headers.set('authorization', 'Basic ' + Buffer.from(options.auth).toString('base64'));
      if (callback) sent.on('response', callback);
      return Object.assign(sent, {
        setHeader: (name, value) => headers.set(name, value), getHeader: (name) => headers.get(name), removeHeader: (name) => headers.delete(name),
        write: (data) => (parts.push(data), true), setTimeout: () => sent, destroy: () => sent, abort() {},
        end(data) {
          if (data !== undefined) parts.push(data);
          const asked = { method: options.method ?? 'GET', headers, redirect: 'manual', body: parts.length ? joined(parts) : undefined };
          fetch(url, asked).then((answer) => sent.emit('response', new IncomingMessage(answer)), (error) => { if (!sent.emit('error', error)) throw error; });
          return sent;
        },
      });
    }
    class Agent {}
    return { request, get: (...given) => request(...given).end(), Agent, globalAgent: new Agent(), STATUS_CODES: {} };
  };

  const lines = (input) => new Promise((done) => {
    let text = '';
    input.on('data', (data) => { text += data; });
    input.on('end', () => done(text.replace(/\r?\n$/, '').split(/\r?\n/).filter((line, _, all) => all.length > 1 || line)));
  });
  const readline = (isAsync) => ({
    createInterface({ input }) {
      const all = lines(input), face = new EventEmitter();
      all.then((rest) => { if (face.isAsked) return; rest.forEach((line) => face.emit('line', line)); face.emit('close'); });
      const answer = async (prompt) => { face.isAsked = true; host.write(1, prompt); return (await all).shift() ?? ''; };
      return Object.assign(face, {
        question: isAsync ? answer : (prompt, options, callback) => { answer(prompt).then(callback ?? options); },
        close: () => face.emit('close'), setPrompt() {}, prompt() {},
        async *[Symbol.asyncIterator]() { face.isAsked = true; yield* await all; },
      });
    },
  });

  const refused = () => { throw Object.assign(new Error('a script starts no programs; let the model run them with `exec`, or write the skill as a shell script'), { code: 'ENOSYS' }); };
  const text = (value) => encodeURIComponent(value ?? '');
  const querystring = {
    stringify: (all, and = '&', is = '=') => Object.entries(all ?? {}).flatMap(([name, value]) => [].concat(value).map((one) => text(name) + is + text(one))).join(and),
    parse(given) {
      const all = {};
      for (const [name, value] of new URLSearchParams(given)) all[name] = name in all ? [].concat(all[name], value) : value;
      return all;
    },
    escape: text, unescape: decodeURIComponent,
  };
  // https://nodejs.org/api/util.html#utilparseargsconfig
  const parseArgs = ({ args = process.argv.slice(2), options = {}, strict = true, allowPositionals = !strict, allowNegative = false } = {}) => {
    const values = Object.create(null), positionals = [], rest = [...args];
    const fail = (code, said) => { throw Object.assign(new TypeError(said), { code: 'ERR_PARSE_ARGS_' + code }); };
    const named = (short) => Object.keys(options).find((name) => options[name].short === short);
    const put = (name, value) => {
      const isNot = allowNegative && !(name in options) && name.startsWith('no-');
      if (isNot) [name, value] = [name.slice(3), false];
      const option = options[name];
      if (strict && !option) fail('UNKNOWN_OPTION', `Unknown option '${name.length > 1 ? '--' : '-'}${name}'`);
      if (option?.type === 'string' && value === undefined) value = rest.shift() ?? (strict ? fail('INVALID_OPTION_VALUE', `Option '--${name} <value>' argument missing`) : true);
      else if (strict && option.type === 'boolean' && typeof value === 'string') fail('INVALID_OPTION_VALUE', `Option '--${name}' does not take an argument`);
      value ??= true;
      if (option?.multiple) (values[name] ??= []).push(value); else values[name] = value;
    };
    while (rest.length) {
      const one = rest.shift();
      if (one === '--') { positionals.push(...rest.splice(0)); break; }
      const [, long, , value] = /^--([^=]+)(=([^]*))?$/.exec(one) ?? [];
      if (long) put(long, value);
      else if (/^-[^-]/.test(one)) {
        for (let at = 1; at < one.length; at++) {
          const name = named(one[at]) ?? one[at];
          if (options[name]?.type === 'string') { put(name, one.slice(at + 1) || undefined); break; }
          put(name);
        }
      } else if (allowPositionals) positionals.push(one);
      else fail('UNEXPECTED_POSITIONAL', `Unexpected argument '${one}'. This command does not take positional arguments`);
    }
    for (const [name, option] of Object.entries(options)) if (option.default !== undefined) values[name] ??= option.default;
    return { values, positionals };
  };
  return { crypto, querystring, parseArgs, http: http('http:'), https: http('https:'), readline: readline(false), 'readline/promises': readline(true),
    child_process: Object.fromEntries(['exec', 'execSync', 'execFile', 'execFileSync', 'spawn', 'spawnSync', 'fork'].map((name) => [name, refused])) };
})
