// fetch and what belongs to it. Called when a script first touches one of the names.
(function (host) {
  'use strict';
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
  // The body's bytes, and its media type where nobody names one. Forms, blobs and search parameters say it themselves.
  function encodeBody(body) {
    if (body === undefined || body === null) return [new Uint8Array(0), null];
    if (typeof body === 'string') return [host.encode(body), 'text/plain;charset=UTF-8'];
    return typeof body.encoded === 'function' ? body.encoded() : [host.asBytes(body), null];
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
      this.url = before.url ?? host.href(String(given));
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
  return { fetch, Headers, Request, Response };
})
