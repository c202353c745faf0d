// Text and bytes. Called when a script first touches one of the names.
(function (host) {
  'use strict';
  class TextEncoder {
    get encoding() { return 'utf-8'; }
    encode(text = '') { return host.encode(String(text)); }
  }
  class TextDecoder {
    get encoding() { return 'utf-8'; }
    decode(data) { return data === undefined ? '' : host.decode(host.asBytes(data)).replace(/^\ufeff/, ''); }
  }

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
  return { TextEncoder, TextDecoder, Buffer,
    atob: (text) => CODECS.latin1.to(fromBase64(String(text))), btoa: (text) => toBase64(latin(String(text))) };
})
