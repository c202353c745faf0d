// fetch and what belongs to it, URL, text and bytes. Called when a script first touches one of the names.
(function (host, inspect) {
  'use strict';
  class TextEncoder {
    get encoding() { return 'utf-8'; }
    encode(text = '') { return host.encode(String(text)); }
  }
  class TextDecoder {
    get encoding() { return 'utf-8'; }
    decode(data) { return data === undefined ? '' : host.decode(asBytes(data)).replace(/^\ufeff/, ''); }
  }
  const asBytes = (data) =>
    data instanceof Uint8Array ? data
      : ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
      : data instanceof ArrayBuffer ? new Uint8Array(data) : host.encode(String(data));

  const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  function toBase64(data) {
    let text = '';
    for (let index = 0; index < data.length; index += 3) {
      const three = (data[index] << 16) | ((data[index + 1] ?? 0) << 8) | (data[index + 2] ?? 0);
      for (let place = 0; place < 4; place++)
        text += index + place > data.length ? '=' : LETTERS[(three >> (18 - 6 * place)) & 63];
    }
    return text;
  }
  function fromBase64(text) {
    const clean = text.replace(/-/g, '+').replace(/_/g, '/').replace(/[^A-Za-z0-9+/]/g, ''), data = [];
    for (let index = 0; index < clean.length; index += 4) {
      const part = clean.slice(index, index + 4);
      const four = [...part.padEnd(4, 'A')].reduce((sum, letter) => sum * 64 + LETTERS.indexOf(letter), 0);
      for (let place = 0; place < part.length - 1; place++) data.push((four >> (16 - 8 * place)) & 255);
    }
    return Uint8Array.from(data);
  }
  const latin = (text) => Uint8Array.from(text, (letter) => letter.charCodeAt(0) & 255);
  const CODECS = {
    utf8: { from: (text) => host.encode(text), to: (data) => host.decode(data) },
    hex: { from: (text) => Uint8Array.from(text.match(/[0-9a-f]{2}/gi) ?? [], (pair) => parseInt(pair, 16)),
      to: (data) => Array.from(data, (byte) => byte.toString(16).padStart(2, '0')).join('') },
    base64: { from: fromBase64, to: toBase64 },
    base64url: { from: fromBase64, to: (data) => toBase64(data).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '') },
    latin1: { from: latin, to: (data) => Array.from(data, (byte) => String.fromCharCode(byte)).join('') },
  };
  const codec = (name = 'utf8') => CODECS[{ 'utf-8': 'utf8', binary: 'latin1', ascii: 'latin1' }[name.toLowerCase()] ?? name.toLowerCase()];
  class Buffer extends Uint8Array {
    static from(data, encoding) {
      const source = typeof data === 'string' ? codec(encoding).from(data) : data instanceof ArrayBuffer ? new Uint8Array(data) : data;
      const made = new Buffer(source.length);
      made.set(source);
      return made;
    }
    static alloc(size, fill = 0) { return new Buffer(size).fill(fill); }
    static isBuffer(value) { return value instanceof Buffer; }
    static byteLength(text) { return typeof text === 'string' ? host.encode(text).length : text.byteLength; }
    static concat(list) {
      const made = new Buffer(list.reduce((sum, one) => sum + one.length, 0));
      list.reduce((place, one) => (made.set(one, place), place + one.length), 0);
      return made;
    }
    toString(encoding, start = 0, end = this.length) { return codec(encoding).to(new Uint8Array(this.buffer, this.byteOffset + start, end - start)); }
    toJSON() { return { type: 'Buffer', data: Array.from(this) }; }
    equals(other) { return this.length === other.length && this.every((byte, index) => byte === other[index]); }
    slice(start, end) { return Buffer.from(super.slice(start, end)); }
  }

  class URLSearchParams {
    #pairs = [];
    constructor(given = '') {
      if (typeof given === 'string')
        this.#pairs = given.replace(/^\?/, '').split('&').filter(Boolean).map((part) => {
          const [name, ...value] = part.split('=');
          return [name, value.join('=')].map((text) => decodeURIComponent(text.replace(/\+/g, ' ')));
        });
      else this.#pairs = [...(given[Symbol.iterator] ? given : Object.entries(given))].map(([name, value]) => [String(name), String(value)]);
    }
    get(name) { return this.#pairs.find((pair) => pair[0] === name)?.[1] ?? null; }
    getAll(name) { return this.#pairs.filter((pair) => pair[0] === name).map((pair) => pair[1]); }
    has(name) { return this.get(name) !== null; }
    append(name, value) { this.#pairs.push([String(name), String(value)]); }
    delete(name) { this.#pairs = this.#pairs.filter((pair) => pair[0] !== name); }
    set(name, value) { this.delete(name); this.append(name, value); }
    sort() { this.#pairs.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0)); }
    forEach(callback) { this.#pairs.forEach(([name, value]) => callback(value, name, this)); }
    keys() { return this.#pairs.map((pair) => pair[0])[Symbol.iterator](); }
    values() { return this.#pairs.map((pair) => pair[1])[Symbol.iterator](); }
    entries() { return this.#pairs.map((pair) => [...pair])[Symbol.iterator](); }
    [Symbol.iterator]() { return this.entries(); }
    toString() {
      const coded = (text) => encodeURIComponent(text).replace(/%20/g, '+').replace(/[!'()~]/g, (c) => '%' + c.charCodeAt(0).toString(16).toUpperCase());
      return this.#pairs.map(([name, value]) => `${coded(name)}=${coded(value)}`).join('&');
    }
  }
  class URL {
    #query;
    constructor(given, base) {
      Object.assign(this, host.parseUrl(String(given), base === undefined ? undefined : String(base)));
      this.#query = new URLSearchParams(this.search);
      Object.defineProperty(this, 'searchParams', { value: this.#query });
    }
    static canParse(given, base) { try { new URL(given, base); return true; } catch { return false; } }
    get host() { return this.hostname + (this.port ? ':' + this.port : ''); }
    get origin() { return `${this.protocol}//${this.host}`; }
    get href() {
      const query = this.#query.toString(), login = this.username ? `${this.username}${this.password ? ':' + this.password : ''}@` : '';
      const search = query === new URLSearchParams(this.search).toString() ? this.search : query && '?' + query;
      return `${this.protocol}${this.hostname || this.protocol === 'file:' ? '//' : ''}${login}${this.host}${this.pathname}${search}${this.hash}`;
    }
    toString() { return this.href; }
    toJSON() { return this.href; }
  }

  class Headers {
    #all = new Map();
    constructor(given = []) {
      for (const [name, value] of given instanceof Headers || Array.isArray(given) ? given : Object.entries(given ?? {})) this.append(name, value);
    }
    append(name, value) { const had = this.get(name); this.set(name, had === null ? value : `${had}, ${value}`); }
    set(name, value) { this.#all.set(String(name).toLowerCase(), String(value).trim()); }
    get(name) { return this.#all.get(String(name).toLowerCase()) ?? null; }
    has(name) { return this.#all.has(String(name).toLowerCase()); }
    delete(name) { this.#all.delete(String(name).toLowerCase()); }
    forEach(callback) { for (const [name, value] of this) callback(value, name, this); }
    keys() { return [...this].map((pair) => pair[0])[Symbol.iterator](); }
    values() { return [...this].map((pair) => pair[1])[Symbol.iterator](); }
    entries() { return this[Symbol.iterator](); }
    [Symbol.iterator]() { return [...this.#all].sort((a, b) => (a[0] < b[0] ? -1 : 1))[Symbol.iterator](); }
  }
  class Blob {
    constructor(parts = [], options = {}) { this.data = Buffer.concat(parts.map((part) => part.data ?? asBytes(part))); this.type = options.type ?? ''; }
    get size() { return this.data.length; }
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
      return [Buffer.concat([...all, `--${boundary}--\r\n`].map(asBytes)), `multipart/form-data; boundary=${boundary}`];
    }
  }
  // The body's bytes, and its media type where nobody names one.
  function encodeBody(body) {
    if (body === undefined || body === null) return [new Uint8Array(0), null];
    if (body instanceof FormData) return body.encoded();
    if (body instanceof URLSearchParams) return [host.encode(body.toString()), 'application/x-www-form-urlencoded;charset=UTF-8'];
    if (body instanceof Blob) return [body.data, body.type || null];
    return typeof body === 'string' ? [host.encode(body), 'text/plain;charset=UTF-8'] : [asBytes(body), null];
  }
  class Body {
    #bytes; bodyUsed = false;
    constructor(data) { this.#bytes = data; }
    #take() {
      if (this.bodyUsed) throw new TypeError('Body is unusable: Body has already been read');
      this.bodyUsed = true;
      return this.#bytes;
    }
    async bytes() { return this.#take(); }
    async text() { return host.decode(this.#take()); }
    async json() { return JSON.parse(host.decode(this.#take())); }
    async arrayBuffer() { const data = this.#take(); return data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength); }
    async blob() { return new Blob([this.#take()], { type: this.headers.get('content-type') ?? '' }); }
    peek() { return this.#bytes; }
  }
  class Response extends Body {
    constructor(body, options = {}) {
      const [data, type] = encodeBody(body);
      super(data);
      this.status = options.status ?? 200;
      this.statusText = options.statusText ?? '';
      this.headers = new Headers(options.headers);
      if (type && !this.headers.has('content-type')) this.headers.set('content-type', type);
      this.url = options.url ?? '';
      this.redirected = options.redirected ?? false;
      this.type = 'basic';
    }
    get ok() { return this.status >= 200 && this.status < 300; }
    clone() { return new Response(this.peek(), { status: this.status, headers: this.headers, url: this.url }); }
    static json(value, options) { return new Response(JSON.stringify(value), { ...options, headers: { 'content-type': 'application/json' } }); }
  }
  class Request extends Body {
    constructor(given, options = {}) {
      const before = given instanceof Request ? given : { headers: [] };
      const [data, type] = options.body === undefined && before.peek ? [before.peek(), null] : encodeBody(options.body);
      super(data);
      this.url = before.url ?? new URL(given).href;
      this.method = (options.method ?? before.method ?? 'GET').toUpperCase();
      this.headers = new Headers(options.headers ?? before.headers);
      if (type && !this.headers.has('content-type')) this.headers.set('content-type', type);
      this.redirect = options.redirect ?? before.redirect ?? 'follow';
      this.signal = options.signal ?? before.signal;
    }
  }
  const MOST_REDIRECTS = 20;
  async function fetch(given, options) {
    const request = new Request(given, options);
    if (request.signal?.aborted) throw request.signal.reason;
    let answer;
    try {
      answer = host.fetch(request.method, request.url, [...request.headers], request.peek(), request.redirect === 'follow' ? MOST_REDIRECTS : 0);
    } catch (failure) {
      throw Object.assign(new TypeError(`fetch failed: ${failure.message}`), { cause: failure, failure: failure.failure });
    }
    if (request.redirect === 'error' && answer.status >= 300 && answer.status < 400) throw new TypeError('fetch failed: unexpected redirect');
    return new Response(answer.body, { ...answer, redirected: answer.url !== request.url });
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
      return CODECS.hex.to(data).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
    },
  };
  return { fetch, Headers, Request, Response, URL, URLSearchParams, TextEncoder, TextDecoder, Buffer, Blob, FormData,
    atob: (text) => CODECS.latin1.to(fromBase64(String(text))), btoa: (text) => toBase64(latin(String(text))),
    structuredClone: (value) => clone(value), AbortController, AbortSignal, crypto };
})
