// Forms, signals, clones and randomness. Called when a script first touches one of the names.
(function (host, inspect) {
  'use strict';
  class Blob {
    constructor(parts = [], options = {}) { this.data = Buffer.concat(parts.map((part) => part.data ?? host.asBytes(part))); this.type = options.type ?? ''; }
    get size() { return this.data.length; }
    encoded() { return [this.data, this.type || null]; }
    async text() { return host.decode(this.data); }
    async arrayBuffer() { return this.data.buffer; }
  }
  class FormData {
    #parts = [];
    append(name, value, file) { this.#parts.push([String(name), value, file]); }
    set(name, value, file) { this.#parts = this.#parts.filter((part) => part[0] !== name); this.append(name, value, file); }
    get(name) { return this.#parts.find((part) => part[0] === name)?.[1] ?? null; }
    encoded() {
      const boundary = '----form' + Math.random().toString(36).slice(2) + Math.random().toString(36).slice(2), all = [];
      for (const [name, value, file] of this.#parts) {
        const kind = value instanceof Blob ? `; filename="${file ?? 'blob'}"\r\nContent-Type: ${value.type || 'application/octet-stream'}` : '';
        all.push(`--${boundary}\r\nContent-Disposition: form-data; name="${name}"${kind}\r\n\r\n`, value instanceof Blob ? value.data : String(value), '\r\n');
      }
      return [Buffer.concat([...all, `--${boundary}--\r\n`].map(host.asBytes)), `multipart/form-data; boundary=${boundary}`];
    }
  }
  class AbortSignal {
    aborted = false; reason = undefined; #all = [];
    addEventListener(_, callback) { this.#all.push(callback); }
    removeEventListener(_, callback) { this.#all = this.#all.filter((one) => one !== callback); }
    throwIfAborted() { if (this.aborted) throw this.reason; }
    fire(reason) { if (!this.aborted) { this.aborted = true; this.reason = reason; this.#all.forEach((one) => one({ type: 'abort' })); } }
    // The host's deadline ends a request that takes too long.
    static timeout() { return new AbortSignal(); }
  }
  class AbortController {
    signal = new AbortSignal();
    abort(reason = Object.assign(new Error('This operation was aborted'), { name: 'AbortError' })) { this.signal.fire(reason); }
  }
  const clone = (value, seen = new Map()) => {
    if (typeof value !== 'object' || value === null) {
      if (typeof value === 'function') throw new Error(`${inspect(value)} could not be cloned.`);
      return value;
    }
    if (seen.has(value)) return seen.get(value);
    if (value instanceof Date) return new Date(value);
    if (value instanceof RegExp) return new RegExp(value);
    if (ArrayBuffer.isView(value)) return value.slice();
    const made = Array.isArray(value) ? [] : value instanceof Map ? new Map() : value instanceof Set ? new Set() : {};
    seen.set(value, made);
    if (value instanceof Map) value.forEach((item, name) => made.set(clone(name, seen), clone(item, seen)));
    else if (value instanceof Set) value.forEach((item) => made.add(clone(item, seen)));
    else for (const name of Object.keys(value)) made[name] = clone(value[name], seen);
    return made;
  };
  const crypto = {
    getRandomValues: (array) => { array.set(host.random(array.length)); return array; },
    randomUUID() {
      const data = host.random(16);
      data[6] = (data[6] & 15) | 64;
      data[8] = (data[8] & 63) | 128;
      return Buffer.from(data).toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
    },
  };
  return { Blob, FormData, structuredClone: (value) => clone(value), AbortController, AbortSignal, crypto };
})
