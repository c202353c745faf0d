// The module `path`. Called when it is first asked for.
(function (host) {
  'use strict';
  const normalize = (given) => {
    const absolute = given.startsWith('/'), parts = [];
    for (const part of given.split('/')) {
      if (part === '' || part === '.') continue;
      if (part !== '..') parts.push(part);
      else if (parts.length && parts.at(-1) !== '..') parts.pop();
      else if (!absolute) parts.push('..');
    }
    const end = given.endsWith('/') && parts.length ? '/' : '';
    return (absolute ? '/' : '') + parts.join('/') + end || (absolute ? '/' : '.');
  };
  const basename = (given, ending = '') => {
    const name = given.replace(/\/+$/, '').split('/').pop();
    return ending && name !== ending && name.endsWith(ending) ? name.slice(0, -ending.length) : name;
  };
  const extname = (given) => { const name = basename(given), dot = name.lastIndexOf('.'); return dot > 0 ? name.slice(dot) : ''; };
  const dirname = (given) => {
    const cut = given.replace(/\/+$/, '').lastIndexOf('/');
    return cut < 0 ? '.' : cut === 0 ? '/' : given.slice(0, cut);
  };
  const join = (...parts) => normalize(parts.filter((part) => part !== '').join('/') || '.');
  const resolve = (...parts) => {
    let whole = '';
    for (const part of [host.cwd(), ...parts]) whole = part.startsWith('/') ? part : `${whole}/${part}`;
    return normalize(whole).replace(/(.)\/$/, '$1');
  };
  const relative = (from, to) => {
    const [a, b] = [resolve(from), resolve(to)].map((whole) => whole.split('/').filter(Boolean));
    let same = 0;
    while (same < a.length && same < b.length && a[same] === b[same]) same++;
    return [...a.slice(same).map(() => '..'), ...b.slice(same)].join('/');
  };
  const parse = (given) => {
    const base = basename(given), ext = extname(given), dir = dirname(given);
    return { root: given.startsWith('/') ? '/' : '', dir: dir === '.' && !given.startsWith('./') ? '' : dir, base, ext,
      name: ext ? base.slice(0, -ext.length) : base };
  };
  const made = { normalize, basename, extname, dirname, join, resolve, relative, parse, sep: '/', delimiter: ':',
    isAbsolute: (given) => given.startsWith('/'), format: ({ dir, base, name, ext }) => (dir ? dir + '/' : '') + (base ?? name + (ext ?? '')) };
  made.posix = made;
  return made;
})
