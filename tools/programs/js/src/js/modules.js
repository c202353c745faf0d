// The modules of Node that scripts use most, and CommonJS files. Called when the first module is asked for.
(function (host, shown) {
  'use strict';
  const { inspect, format } = shown;
  const path = (() => {
    const normalize = (given) => {
      const absolute = given.startsWith('/'), parts = [];
      for (const part of given.split('/')) {
        if (part === '' || part === '.') continue;
        if (part !== '..') parts.push(part);
        else if (parts.length && parts.at(-1) !== '..') parts.pop();
        else if (!absolute) parts.push('..');
      }
      const end = given.endsWith('/') && parts.length ? '/' : '';
      return (absolute ? '/' : '') + parts.join('/') + end || (absolute ? '/' : '.');
    };
    const basename = (given, ending = '') => {
      const name = given.replace(/\/+$/, '').split('/').pop();
      return ending && name !== ending && name.endsWith(ending) ? name.slice(0, -ending.length) : name;
    };
    const extname = (given) => { const name = basename(given), dot = name.lastIndexOf('.'); return dot > 0 ? name.slice(dot) : ''; };
    const dirname = (given) => {
      const cut = given.replace(/\/+$/, '').lastIndexOf('/');
      return cut < 0 ? '.' : cut === 0 ? '/' : given.slice(0, cut);
    };
    const join = (...parts) => normalize(parts.filter((part) => part !== '').join('/') || '.');
    const resolve = (...parts) => {
      let whole = '';
      for (const part of [host.cwd(), ...parts]) whole = part.startsWith('/') ? part : `${whole}/${part}`;
      return normalize(whole).replace(/(.)\/$/, '$1');
    };
    const relative = (from, to) => {
      const [a, b] = [resolve(from), resolve(to)].map((whole) => whole.split('/').filter(Boolean));
      let same = 0;
      while (same < a.length && same < b.length && a[same] === b[same]) same++;
      return [...a.slice(same).map(() => '..'), ...b.slice(same)].join('/');
    };
    const parse = (given) => {
      const base = basename(given), ext = extname(given), dir = dirname(given);
      return { root: given.startsWith('/') ? '/' : '', dir: dir === '.' && !given.startsWith('./') ? '' : dir, base, ext,
        name: ext ? base.slice(0, -ext.length) : base };
    };
    const made = { normalize, basename, extname, dirname, join, resolve, relative, parse, sep: '/', delimiter: ':',
      isAbsolute: (given) => given.startsWith('/'), format: ({ dir, base, name, ext }) => (dir ? dir + '/' : '') + (base ?? name + (ext ?? '')) };
    made.posix = made;
    return made;
  })();

  const fs = (() => {
    const encodingOf = (options) => (typeof options === 'string' ? options : options?.encoding);
    const bytes = (data) => (typeof data === 'string' ? data : ArrayBuffer.isView(data) ? Buffer.from(data) : String(data));
    const name = (file) => (file instanceof Object && file.href ? decodeURIComponent(file.pathname) : file);
    const stats = (found) => Object.assign(found, { mtime: new Date(found.mtimeMs), isFile: () => found.kind === 'file',
      isDirectory: () => found.kind === 'directory', isSymbolicLink: () => found.kind === 'link' });
    const sync = {
      readFileSync(file, options) {
        const encoding = encodingOf(options);
        if (file === 0 || file === '/dev/stdin') { const text = host.readInput(); return encoding ? text : Buffer.from(text); }
        if (/^utf-?8$/i.test(encoding ?? '')) return host.readText(name(file));
        const read = Buffer.from(host.readBytes(name(file)));
        return encoding ? read.toString(encoding) : read;
      },
      writeFileSync: (file, data, options) => host.writeFile(name(file), bytes(data), options?.flag === 'a'),
      appendFileSync: (file, data) => host.writeFile(name(file), bytes(data), true),
      existsSync: (file) => host.exists(name(file)),
      accessSync: (file) => void host.stat(name(file), true),
      readdirSync(directory, options) {
        const found = host.readDirectory(name(directory));
        return options?.withFileTypes ? found.map((one) => stats({ name: one, parentPath: directory,
          ...host.stat(path.join(name(directory), one), false) })) : found;
      },
      mkdirSync: (directory, options) => host.makeDirectory(name(directory), !!options?.recursive),
      rmdirSync: (directory) => host.remove(name(directory), 'directory'),
      unlinkSync: (file) => host.remove(name(file), 'file'),
      rmSync(file, options) { if (!options?.force || host.exists(name(file))) host.remove(name(file), options?.recursive ? 'all' : 'file'); },
      renameSync: (from, to) => host.rename(name(from), name(to)),
      copyFileSync: (from, to) => host.writeFile(name(to), host.readBytes(name(from)), false),
      statSync(file, options) {
        if (options?.throwIfNoEntry === false && !host.exists(name(file))) return undefined;
        return stats(host.stat(name(file), true));
      },
      lstatSync: (file) => stats(host.stat(name(file), false)),
    };
    const promises = {};
    for (const [called, work] of Object.entries(sync)) {
      const plain = called.slice(0, -4);
      promises[plain] = async (...values) => work(...values);
      sync[plain] = (...values) => {
        const callback = values.pop();
        promises[plain](...values).then((result) => callback(null, result), (failure) => callback(failure));
      };
    }
    return { ...sync, promises, constants: {} };
  })();

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
    isDeepStrictEqual: (a, b) => inspect(a) === inspect(b),
    promisify: (work) => (...values) => new Promise((done, fail) => work(...values, (failure, result) => (failure ? fail(failure) : done(result)))) };
  const os = { EOL: '\n', platform: () => 'linux', tmpdir: () => process.env.TMPDIR ?? '/tmp', homedir: () => process.env.HOME ?? '/',
    hostname: () => 'sandbox', cpus: () => [{}], type: () => 'Linux' };
  const wait = (delay, value) => new Promise((done) => setTimeout(() => done(value), delay));
  const built = { fs, path, os, util, assert, get process() { return process; }, events: EventEmitter, 'fs/promises': fs.promises, 'timers/promises': { setTimeout: wait },
    url: { get URL() { return globalThis.URL; }, get URLSearchParams() { return globalThis.URLSearchParams; }, fileURLToPath: (url) => decodeURIComponent(new URL(url).pathname), pathToFileURL: (file) => new URL('file://' + path.resolve(file)) },
    get buffer() { return { Buffer }; }, get timers() { return { setTimeout, clearTimeout, setInterval, clearInterval }; },
    console: globalThis.console };
  const builtin = (name) => built[name.replace(/^node:/, '')];

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
      if (found || directory === '/' || directory === '.') return found;
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
