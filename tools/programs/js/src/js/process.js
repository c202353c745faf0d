// `process`. Called when a script first touches it.
(function (host, error) {
  'use strict';
  // An unset variable that names a granted secret is the text that stands for it.
  const environment = new Proxy(Object.assign({}, host.environment), {
    get: (variables, name) => (name in variables || typeof name === 'symbol' ? variables[name] : host.secret(name)),
  });
  const stream = (number) => ({
    write: (data) => (host.write(number, typeof data === 'string' ? data : host.decode(data)), true),
    isTTY: false, fd: number, columns: 80, on() { return this; }, end() {},
  });
  const listeners = { exit: [] };
  const process = {
    argv: host.argv, argv0: 'js', env: environment, platform: 'linux', arch: 'wasm32', pid: 1, execArgv: [],
    version: 'v20.0.0', versions: { node: '20.0.0' }, exitCode: undefined,
    stdout: stream(1), stderr: stream(2),
    cwd: () => host.cwd(),
    exit: (code) => { end(); host.exit(Number(code ?? process.exitCode ?? 0)); },
    hrtime: Object.assign(() => [Math.floor(host.now() / 1000), Math.floor((host.now() % 1000) * 1e6)],
      { bigint: () => BigInt(Math.floor(host.now() * 1e6)) }),
    uptime: () => host.now() / 1000,
    memoryUsage: () => ({ rss: 0, heapTotal: 0, heapUsed: 0 }),
    nextTick: (callback, ...values) => queueMicrotask(() => callback(...values)),
    on: (event, callback) => { (listeners[event] ??= []).push(callback); return process; },
    once: (event, callback) => process.on(event, callback),
    emitWarning: (text) => error(`Warning: ${text}`),
  };
  process.stdin = {
    fd: 0, isTTY: false,
    setEncoding() { return this; }, resume() { return this; },
    on(event, callback) {
      if (event === 'data') setTimeout(() => callback(host.readInput()), 0);
      if (event === 'end') setTimeout(callback, 0);
      return this;
    },
    async *[Symbol.asyncIterator]() { yield host.readInput(); },
  };
  const end = () => { for (const callback of listeners.exit.splice(0)) callback(process.exitCode ?? 0); };
  return { process, end };
})
