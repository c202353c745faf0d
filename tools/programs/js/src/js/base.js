// What every script finds. It is parsed at every start, so it holds little: the rest is loaded when it is first touched.
(function (host) {
  'use strict';
  const define = (target, name, value) =>
    Object.defineProperty(target, name, { value, writable: true, configurable: true, enumerable: false });
  // It stays an accessor: the engine remembers at a place that was run before how the property was read there.
  const lazy = (names, make, target = globalThis) => {
    for (const name of names) {
      let made;
      Object.defineProperty(target, name, { configurable: true, get: () => (made ??= make(name)), set(value) { made = value; } });
    }
  };
  const once = (make) => { let made; const get = () => (get.made = made ??= make()); return get; };

  const full = once(() => host.load('console')(host));
  const isPlain = (value, index) =>
    typeof value === 'string' ? index > 0 || !value.includes('%') : typeof value === 'number' || typeof value === 'boolean';
  const write = (stream, method) => (...values) =>
    !full.made && values.every(isPlain) ? host.write(stream, values.join(' ') + '\n') : full().methods[method](...values);
  const console = { log: write(1, 'log'), info: write(1, 'log'), debug: write(1, 'log'), error: write(2, 'error'), warn: write(2, 'error') };
  lazy(['trace', 'dir', 'assert', 'group', 'groupEnd', 'count', 'countReset', 'time', 'timeEnd', 'table'], (name) => full().methods[name], console);
  define(globalThis, 'console', console);
  define(globalThis, 'global', globalThis);
  define(globalThis, 'print', (...values) => host.write(1, values.map(String).join(' ') + '\n'));
  define(globalThis, 'queueMicrotask', (callback) => { Promise.resolve().then(callback); });

  // The engine gives the places only; scripts print a stack as it is, and expect the error's text before them.
  const places = Object.getOwnPropertyDescriptor(Error.prototype, 'stack');
  if (places?.get) Object.defineProperty(Error.prototype, 'stack', { ...places, get() {
    const found = places.get.call(this), title = String(this);
    return typeof found !== 'string' || found.startsWith(title) ? found : found ? `${title}\n${found}` : title;
  } });

  const own = once(() => host.load('process')(host, console.error));
  lazy(['process'], () => own().process);
  const timers = once(() => host.load('timers')(host));
  lazy(['setTimeout', 'setInterval', 'setImmediate', 'clearTimeout', 'clearInterval', 'clearImmediate'], (name) => timers()[name]);
  lazy(['performance'], () => ({ now: () => host.now(), timeOrigin: Date.now() }));
  host.asBytes = (data) =>
    data instanceof Uint8Array ? data
      : ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
      : data instanceof ArrayBuffer ? new Uint8Array(data) : host.encode(String(data));
  // What is parsed is waited for, so a script gets no more than it touches.
  const parts = {
    fetch: ['fetch', 'Headers', 'Request', 'Response'],
    url: ['URL', 'URLSearchParams'],
    text: ['TextEncoder', 'TextDecoder', 'Buffer', 'atob', 'btoa'],
    web: ['structuredClone', 'AbortController', 'AbortSignal', 'FormData', 'Blob', 'crypto'],
  };
  for (const part in parts) {
    const made = once(() => host.load(part)(host, (value) => full().inspect(value)));
    lazy(parts[part], (name) => made()[name]);
  }
  const path = once(() => host.load('path')(host));
  const fs = once(() => host.load('fs')(host, path));
  // The modules that scripts use most; undefined for others.
  const first = (name) => (name === 'fs' ? fs() : name === 'path' ? path() : name === 'fs/promises' ? fs().promises : undefined);
  const modules = once(() => host.load('modules')(host, full(), path(), first));
  lazy(['require'], () => modules().requireFrom(host.cwd() + '/[script]'));
  const chiton = once(() => host.load('tool')(host, full));
  // Where in the script of this name an error was thrown.
  const lineOf = (error, file) => String(error?.stack ?? '').split(file + ':')[1]?.match(/^\d+/)?.[0];

  return {
    inspect: (value) => full().inspect(value),
    errorText: (error) => full().errorText(error),
    // What `import` gives for a built-in name, else undefined.
    builtin: (name) => (name === 'chiton' ? chiton().module : first(name.replace(/^node:/, '')) ?? modules().builtin(name)),
    run: (file, source) => modules().run(file, source),
    tick: () => (timers.made ? timers.made.tick() : false),
    end: () => { if (own.made) own.made.end(); },
    listTools: () => (chiton.made ? chiton.made.list() : []),
    callTool: (name, given) => chiton().call(name, given),
    // The case of the contract that a thrown value is, and its sentence.
    failureOf(thrown, file) {
      if (Array.isArray(thrown?.failure)) return thrown.failure;
      const text = thrown instanceof Error ? (thrown.name === 'Error' ? thrown.message : `${thrown.name}: ${thrown.message}`) : full().inspect(thrown);
      const line = lineOf(thrown, file), place = line ? `${file}:${line}` : file;
      return ['failed', text.includes(file) ? text : `${text} (${place})`];
    },
    exitCode: () => (own.made ? Number(own.made.process.exitCode ?? 0) : 0),
  };
})
