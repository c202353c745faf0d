// Further modules of Node that scripts use, and CommonJS files. Called when the first of them is asked for.
(function (host, shown, path, first) {
  'use strict';
  const { inspect, format } = shown;

  const assert = Object.assign((condition, text) => { if (!condition) throw new Error(text ?? 'The expression evaluated to a falsy value'); }, {
    equal: (a, b, text) => assert(a == b, text ?? `${inspect(a)} == ${inspect(b)}`),
    strictEqual: (a, b, text) => assert(Object.is(a, b), text ?? `Expected values to be strictly equal:\n${inspect(a)} !== ${inspect(b)}`),
    deepStrictEqual: (a, b, text) => assert(inspect(a) === inspect(b), text ?? `Expected values to be deeply equal:\n${inspect(a)}\n${inspect(b)}`),
    throws: (work) => { try { work(); } catch { return; } assert(false, 'Missing expected exception.'); },
  });
  assert.ok = assert;
  assert.deepEqual = assert.deepStrictEqual;
  class EventEmitter {
    #all = {};
    on(event, callback) { (this.#all[event] ??= []).push(callback); return this; }
    once(event, callback) { const one = (...values) => { this.off(event, one); callback(...values); }; return this.on(event, one); }
    off(event, callback) { this.#all[event] = (this.#all[event] ?? []).filter((one) => one !== callback); return this; }
    emit(event, ...values) { const all = [...(this.#all[event] ?? [])]; all.forEach((one) => one.apply(this, values)); return all.length > 0; }
  }
  EventEmitter.EventEmitter = EventEmitter;
  const util = { inspect: (value) => inspect(value), format: (...values) => format(values),
    get TextEncoder() { return globalThis.TextEncoder; }, get TextDecoder() { return globalThis.TextDecoder; },
    get parseArgs() { return services('parseArgs'); },
    isDeepStrictEqual: (a, b) => inspect(a) === inspect(b),
    promisify: (work) => (...values) => new Promise((done, fail) => work(...values, (failure, result) => (failure ? fail(failure) : done(result)))) };
  const os = { EOL: '\n', platform: () => 'linux', tmpdir: () => process.env.TMPDIR ?? '/tmp', homedir: () => process.env.HOME ?? '/',
    hostname: () => 'sandbox', cpus: () => [{}], type: () => 'Linux' };
  const wait = (delay, value) => new Promise((done) => setTimeout(() => done(value), delay));
  const services = (name) => (services.made ??= host.load('services')(host, EventEmitter))[name];
  const built = { os, util, assert, get process() { return process; }, events: EventEmitter, 'timers/promises': { setTimeout: wait },
    url: { get URL() { return globalThis.URL; }, get URLSearchParams() { return globalThis.URLSearchParams; }, fileURLToPath: (url) => decodeURIComponent(new URL(url).pathname), pathToFileURL: (file) => new URL('file://' + path.resolve(file)) },
    get buffer() { return { Buffer }; }, get timers() { return { setTimeout, clearTimeout, setInterval, clearInterval }; },
    console: globalThis.console };
  const builtin = (name) => first(name.replace(/^node:/, '')) ?? built[name.replace(/^node:/, '')] ?? services(name.replace(/^node:/, ''));

  const loaded = {};
  const candidates = (whole) => [whole, whole + '.js', whole + '.cjs', whole + '.json', whole + '/index.js'];
  const isFile = (file) => host.exists(file) && host.stat(file, true).kind === 'file';
  function find(name, from) {
    if (/^\.{0,2}\//.test(name)) return candidates(path.resolve(path.dirname(from), name)).find(isFile);
    for (let directory = path.dirname(from); ; directory = path.dirname(directory)) {
      const whole = path.join(directory, 'node_modules', name);
      if (isFile(whole + '/package.json')) {
        const main = JSON.parse(host.readText(whole + '/package.json')).main ?? 'index.js';
        const found = candidates(path.join(whole, main)).find(isFile);
        if (found) return found;
      }
      const found = candidates(whole).find(isFile);
      // Above its own folder a script sees nothing: asking there would be a denial.
      if (found || directory === '/' || directory === '.' || !host.exists(path.dirname(directory))) return found;
    }
  }
  function requireFrom(from) {
    const require = (name) => {
      const own = builtin(name);
      if (own !== undefined) return own;
      const file = find(name, from);
      if (!file) throw Object.assign(new Error(`Cannot find module '${name}'`), { code: 'MODULE_NOT_FOUND' });
      return run(file, host.readText(file));
    };
    require.resolve = (name) => (builtin(name) ? name : find(name, from));
    return require;
  }
  function run(file, source) {
    if (loaded[file]) return loaded[file].exports;
    const module = (loaded[file] = { exports: {}, filename: file, id: file, loaded: false });
    if (file.endsWith('.json')) return (module.exports = JSON.parse(source));
    const wrapped = host.evaluate(`(function (exports, require, module, __filename, __dirname) {${source}\n})`, file);
    const require = requireFrom(file);
    require.main = loaded[Object.keys(loaded)[0]];
    wrapped.call(module.exports, module.exports, require, module, file, path.dirname(file));
    module.loaded = true;
    return module.exports;
  }
  return { requireFrom, builtin, run };
})
