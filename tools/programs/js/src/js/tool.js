// The module `chiton`: what makes a script a tool. Called when a script imports it.
(function (host, shown) {
  'use strict';
  // In the order of the contract's flags.
  const EFFECTS = ['reads-files', 'writes-files', 'uses-network', 'runs-programs', 'sends-messages', 'schedules', 'spawns', 'destructive'];
  const LEVELS = ['debug', 'info', 'warn', 'error'];
  // A script may redefine what it likes for itself; this goes on working.
  const { parse, stringify } = JSON;
  const tools = new Map();
  let isOpen = true;

  // `failure` is what the host is told: a case of the contract and its sentence.
  class Failure extends Error {
    get name() { return this.constructor.name; }
    get failure() { return [this.constructor.kind, this.message]; }
  }
  class InvalidArguments extends Failure { static kind = 'invalid-arguments'; }
  class Denied extends Failure { static kind = 'denied'; }
  class NotFound extends Failure { static kind = 'not-found'; }
  class TimedOut extends Failure { static kind = 'timed-out'; }
  class Failed extends Failure { static kind = 'failed'; }

  const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
  // The properties alone, where everything without a default is required, or a whole JSON Schema.
  function schemaOf(parameters, name) {
    if (!isObject(parameters)) throw new TypeError(`the parameters of tool '${name}' must be an object`);
    if (typeof parameters.type === 'string') return parameters;
    const properties = {}, required = [];
    for (const [parameter, given] of Object.entries(parameters)) {
      if (!isObject(given)) throw new TypeError(`the parameter '${parameter}' of tool '${name}' must be a JSON Schema, such as { type: "string" }`);
      const { optional, ...property } = given;
      properties[parameter] = property;
      if (!optional && property.default === undefined) required.push(parameter);
    }
    return { type: 'object', properties, required, additionalProperties: false };
  }
  function effectsOf(effects, name) {
    return effects.reduce((bits, effect) => {
      const place = EFFECTS.indexOf(effect);
      if (place < 0) throw new TypeError(`tool '${name}' has the unknown effect '${effect}'; there are ${EFFECTS.join(', ')}`);
      return bits | (1 << place);
    }, 0);
  }
  function tool(about, handler) {
    const { name, description, parameters = {}, effects = [], ...unknown } = about ?? {};
    if (!isOpen) throw new TypeError('tool() is for the top of the script: tools cannot be added later');
    if (typeof name !== 'string') throw new TypeError('a tool needs a name: tool({ name: "...", description: "..." }, handler)');
    if (typeof description !== 'string' || !description.trim()) throw new TypeError(`tool '${name}' needs a description`);
    if (typeof handler !== 'function') throw new TypeError(`tool '${name}' needs a function as the second argument of tool()`);
    for (const key of Object.keys(unknown)) throw new TypeError(`tool '${name}' has the unknown key '${key}'`);
    if (tools.has(name)) throw new TypeError(`there is already a tool '${name}' in this script`);
    const schema = schemaOf(parameters, name);
    tools.set(name, { description: description.trim(), schema, effects: effectsOf(effects, name), handler });
  }
  const log = {};
  LEVELS.forEach((level, place) => { log[level] = (...values) => host.log(place, shown().format(values)); });
  function secret(name) {
    const placeholder = host.secret(String(name));
    if (placeholder === undefined) throw new Denied(`secrets=${name}`);
    return placeholder;
  }

  const isBlob = (value) => isObject(value) && typeof value.mime === 'string' && ArrayBuffer.isView(value.data);
  function part(value) {
    if (typeof value === 'string') return ['text', value];
    if (isBlob(value)) return [value.mime.startsWith('image/') ? 'image' : 'file', new Uint8Array(value.data.buffer, value.data.byteOffset, value.data.byteLength), value.mime];
    if (ArrayBuffer.isView(value)) throw new TypeError('bytes need a media type: return { mime: "image/png", data: bytes }');
    const text = stringify(value);
    if (text === undefined) throw new TypeError(`a ${typeof value} is no result of a tool`);
    return ['json', text];
  }
  function parts(value) {
    if (value === undefined) return [];
    return Array.isArray(value) && value.some(isBlob) ? value.map(part) : [part(value)];
  }
  async function call(name, text) {
    isOpen = false;
    const found = tools.get(name);
    if (!found) throw new NotFound(`this script has no tool '${name}'`);
    const given = parse(text);
    for (const [parameter, property] of Object.entries(found.schema.properties ?? {}))
      if (!Object.hasOwn(given, parameter) && property?.default !== undefined) given[parameter] = property.default;
    return parts(await found.handler(given));
  }
  const list = () => [...tools].map(([name, { description, schema, effects }]) => [name, description, stringify(schema), effects]);

  return { list, call, module: { tool, progress: (text) => host.progress(String(text)), log, secret, InvalidArguments, Denied, NotFound, TimedOut, Failed } };
})
