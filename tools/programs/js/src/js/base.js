// What every script finds. It is parsed at every start, so it holds little: the rest is loaded when it is first touched.
(function (host) {
  'use strict';
  const define = (target, name, value) =>
    Object.defineProperty(target, name, { value, writable: true, configurable: true, enumerable: false });
  const lazy = (names, make, target = globalThis) => {
    for (const name of names)
      Object.defineProperty(target, name, {
        configurable: true,
        get() { const value = make(name); define(target, name, value); return value; },
        set(value) { define(target, name, value); },
      });
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

  const own = once(() => host.load('process')(host, console.error));
  lazy(['process'], () => own().process);
  const timers = once(() => host.load('timers')(host));
  lazy(['setTimeout', 'setInterval', 'setImmediate', 'clearTimeout', 'clearInterval', 'clearImmediate'], (name) => timers()[name]);
  lazy(['performance'], () => ({ now: () => host.now(), timeOrigin: Date.now() }));
  const web = once(() => host.load('web')(host, (value) => full().inspect(value)));
  lazy(['fetch', 'Headers', 'Request', 'Response', 'URL', 'URLSearchParams', 'TextEncoder', 'TextDecoder', 'Buffer', 'atob', 'btoa',
    'structuredClone', 'AbortController', 'AbortSignal', 'FormData', 'Blob', 'crypto'], (name) => web()[name]);
  const modules = once(() => host.load('modules')(host, full()));
  lazy(['require'], () => modules().requireFrom(host.cwd() + '/[script]'));
  const chiton = once(() => host.load('tool')(host, full));
  // Where in the script of this name an error was thrown.
  const lineOf = (error, file) => String(error?.stack ?? '').split(file + ':')[1]?.match(/^\d+/)?.[0];

  return {
    inspect: (value) => full().inspect(value),
    errorText: (error) => full().errorText(error),
    // What `import` gives for a built-in name, else undefined.
    builtin: (name) => (name === 'chiton' ? chiton().module : modules().builtin(name)),
    run: (file, source) => modules().run(file, source),
    tick: () => (timers.made ? timers.made.tick() : false),
    end: () => { if (own.made) own.made.end(); },
    listTools: () => (chiton.made ? chiton.made.list() : []),
    callTool: (name, given) => chiton().call(name, given),
    // The case of the contract that a thrown value is, and its sentence.
    failureOf(thrown, file, native) {
      if (Array.isArray(thrown?.failure)) return thrown.failure;
      const text = thrown instanceof Error ? (thrown.name === 'Error' ? thrown.message : `${thrown.name}: ${thrown.message}`) : full().inspect(thrown);
      const line = lineOf(thrown, file);
      return ['failed', line ? `${text} (${file}:${line})` : text];
    },
    exitCode: () => (own.made ? Number(own.made.process.exitCode ?? 0) : 0),
  };
})
