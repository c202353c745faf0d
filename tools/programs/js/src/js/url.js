// URL and what belongs to it. Called when a script first touches one of the names.
(function (host) {
  'use strict';
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
    encoded() { return [host.encode(this.toString()), 'application/x-www-form-urlencoded;charset=UTF-8']; }
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
  return { URL, URLSearchParams };
})
