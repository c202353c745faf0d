// The console, and values as it shows them. Called when something else than plain text is shown first.
(function (host) {
  'use strict';
  const MOST_DEPTH = 2, MOST_ITEMS = 100, LONGEST_LINE = 72;
  const quoted = (text) => {
    const quote = !text.includes("'") ? "'" : !text.includes('"') ? '"' : !text.includes('`') ? '`' : "'";
    const plain = text.replace(/\\/g, '\\\\').replace(/\n/g, '\\n').replace(/\r/g, '\\r').replace(/\t/g, '\\t');
    return quote + (quote === "'" ? plain.replace(/'/g, "\\'") : plain) + quote;
  };
  const key = (name) =>
    typeof name === 'symbol' ? `[${String(name)}]` : /^[A-Za-z_$][\w$]*$/.test(name) ? name : quoted(name);
  const kindOf = (value) => {
    const prototype = Object.getPrototypeOf(value);
    return prototype === null ? '[Object: null prototype]' : (prototype.constructor && prototype.constructor.name) || 'Object';
  };
  function errorText(error) {
    const title = `${error.name ?? 'Error'}${error.message ? ': ' + error.message : ''}`;
    const stack = typeof error.stack === 'string' && error.stack ? error.stack : '';
    return stack.startsWith(title) ? stack : stack ? `${title}\n${stack}` : title;
  }
  function inspect(value, depth = 0, seen = []) {
    switch (typeof value) {
      case 'string': return quoted(value);
      case 'bigint': return `${value}n`;
      case 'number': return Object.is(value, -0) ? '-0' : String(value);
      case 'symbol': return String(value);
      case 'function': {
        const isClass = Object.getOwnPropertyDescriptor(value, 'prototype')?.writable === false;
        return isClass ? `[class ${value.name || '(anonymous)'}]` : value.name ? `[Function: ${value.name}]` : '[Function (anonymous)]';
      }
      case 'object': return value === null ? 'null' : inspectObject(value, depth, seen);
      default: return String(value);
    }
  }
  function inspectObject(value, depth, seen) {
    if (seen.includes(value)) return '[Circular *1]';
    const kind = kindOf(value);
    if (value instanceof Error) return depth === 0 ? errorText(value) : `[${errorText(value).split('\n')[0]}]`;
    if (value instanceof Date) return isNaN(value) ? 'Invalid Date' : value.toISOString();
    if (value instanceof RegExp) return String(value);
    if (value instanceof Promise) return 'Promise { <pending> }';
    if (kind === 'Buffer') return `<Buffer ${value.toString('hex').replace(/(..)(?=.)/g, '$1 ')}>`;
    const isList = Array.isArray(value) || ArrayBuffer.isView(value);
    if (depth > MOST_DEPTH) return isList ? '[Array]' : `[${kind}]`;
    const inner = (item) => inspect(item, depth + 1, [...seen, value]);
    const parts = [];
    let open = '{', close = '}', title = kind === 'Object' ? '' : kind + ' ';
    if (isList) {
      [open, close] = ['[', ']'];
      title = kind === 'Array' ? '' : `${kind}(${value.length}) `;
      for (let index = 0; index < Math.min(value.length, MOST_ITEMS); index++)
        parts.push(index in value ? inner(value[index]) : '<empty>');
      if (value.length > MOST_ITEMS) parts.push(`... ${value.length - MOST_ITEMS} more items`);
    } else if (value instanceof Map) {
      title = `Map(${value.size}) `;
      for (const [name, item] of value) parts.push(`${inner(name)} => ${inner(item)}`);
    } else if (value instanceof Set) {
      title = `Set(${value.size}) `;
      for (const item of value) parts.push(inner(item));
    } else if (value instanceof String || value instanceof Number || value instanceof Boolean) {
      return `[${kind}: ${inspect(value.valueOf())}]`;
    }
    for (const name of Reflect.ownKeys(value)) {
      const property = Object.getOwnPropertyDescriptor(value, name);
      if (!property.enumerable || (isList && /^\d+$/.test(String(name)))) continue;
      const shown = property.get ? (property.set ? '[Getter/Setter]' : '[Getter]') : property.set ? '[Setter]' : inner(property.value);
      parts.push(`${key(name)}: ${shown}`);
    }
    if (parts.length === 0) return `${title}${open}${close}`;
    const line = `${title}${open} ${parts.join(', ')} ${close}`;
    if (line.length + depth * 2 <= LONGEST_LINE && !line.includes('\n') && (isList ? parts.length <= 6 : true)) return line;
    const margin = '  '.repeat(depth + 1);
    if (isList && parts.length > 6 && parts.every((part) => part.length <= 6)) return columns(title, open, close, parts, margin);
    return `${title}${open}\n${margin}${parts.join(',\n' + margin)}\n${margin.slice(2)}${close}`;
  }
  // Long lists of short items, several to a line.
  function columns(title, open, close, parts, margin) {
    const width = Math.max(...parts.map((part) => part.length)) + 2;
    const each = Math.max(1, Math.min(16, Math.floor(Math.sqrt(2.5 * width * parts.length) / width), Math.floor((80 - margin.length) / width)));
    const lines = [];
    for (let start = 0; start < parts.length; start += each)
      lines.push(parts.slice(start, start + each)
        .map((part, index) => part + (start + index < parts.length - 1 ? ',' : ''))
        .map((part, index, row) => (/^-?\d/.test(part) ? part.padStart(width - 1) : index < row.length - 1 ? part.padEnd(width - 1) : part))
        .join(' ').replace(/\s+$/, ''));
    return `${title}${open}\n${lines.map((line) => margin + line).join('\n')}\n${margin.slice(2)}${close}`;
  }
  function format(values) {
    let [first, ...rest] = values;
    if (typeof first === 'string' && rest.length && first.includes('%')) {
      first = first.replace(/%([sdifjoOc%])/g, (whole, letter) => {
        if (letter === '%') return '%';
        if (!rest.length) return whole;
        const value = rest.shift();
        switch (letter) {
          case 's': return typeof value === 'object' ? inspect(value, 1) : String(value);
          case 'd': return String(Number(value));
          case 'i': return String(parseInt(value));
          case 'f': return String(parseFloat(value));
          case 'j': return JSON.stringify(value);
          case 'c': return '';
          default: return inspect(value);
        }
      });
      return [first, ...rest.map(shown)].join(' ');
    }
    return values.map(shown).join(' ');
  }
  const shown = (value) => (typeof value === 'string' ? value : inspect(value));

  let indent = '';
  const counts = {}, started = {};
  const line = (stream, values) => host.write(stream, (indent + format(values)).replace(/\n/g, '\n' + indent) + '\n');
  const out = (...values) => line(1, values), error = (...values) => line(2, values);
  const methods = {
    log: out, info: out, debug: out, error, warn: error,
    trace: (...values) => error('Trace:', ...values),
    dir: (value) => out(value),
    assert: (condition, ...values) => condition || error('Assertion failed' + (values.length ? ':' : ''), ...values),
    group: (...values) => { if (values.length) out(...values); indent += '  '; },
    groupEnd: () => { indent = indent.slice(2); },
    count: (label = 'default') => out(`${label}: ${(counts[label] = (counts[label] ?? 0) + 1)}`),
    countReset: (label = 'default') => { counts[label] = 0; },
    time: (label = 'default') => { started[label] = host.now(); },
    timeEnd: (label = 'default') => out(`${label}: ${(host.now() - started[label]).toFixed(3)}ms`),
    table: (rows) => out(rows),
  };
  return { inspect, format, errorText, methods };
})
