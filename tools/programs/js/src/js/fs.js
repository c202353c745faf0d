// The module `fs`. Called when it is first asked for.
(function (host, path) {
  'use strict';
  const encodingOf = (options) => (typeof options === 'string' ? options : options?.encoding);
  const bytes = (data) => (typeof data === 'string' ? data : ArrayBuffer.isView(data) ? Buffer.from(data) : String(data));
  const name = (file) => (file instanceof Object && file.href ? decodeURIComponent(file.pathname) : file);
  const stats = (found) => Object.assign(found, { mtime: new Date(found.mtimeMs), isFile: () => found.kind === 'file',
    isDirectory: () => found.kind === 'directory', isSymbolicLink: () => found.kind === 'link' });
  const sync = {
    readFileSync(file, options) {
      const encoding = encodingOf(options);
      if (file === 0 || file === '/dev/stdin') { const text = host.readInput(); return encoding ? text : Buffer.from(text); }
      if (/^utf-?8$/i.test(encoding ?? '')) return host.readText(name(file));
      const read = Buffer.from(host.readBytes(name(file)));
      return encoding ? read.toString(encoding) : read;
    },
    writeFileSync: (file, data, options) => host.writeFile(name(file), bytes(data), options?.flag === 'a'),
    appendFileSync: (file, data) => host.writeFile(name(file), bytes(data), true),
    existsSync: (file) => host.exists(name(file)),
    accessSync: (file) => void host.stat(name(file), true),
    readdirSync(directory, options) {
      const found = host.readDirectory(name(directory));
      return options?.withFileTypes ? found.map((one) => stats({ name: one, parentPath: directory,
        ...host.stat(path().join(name(directory), one), false) })) : found;
    },
    mkdirSync: (directory, options) => host.makeDirectory(name(directory), !!options?.recursive),
    rmdirSync: (directory) => host.remove(name(directory), 'directory'),
    unlinkSync: (file) => host.remove(name(file), 'file'),
    rmSync(file, options) { if (!options?.force || host.exists(name(file))) host.remove(name(file), options?.recursive ? 'all' : 'file'); },
    renameSync: (from, to) => host.rename(name(from), name(to)),
    copyFileSync: (from, to) => host.writeFile(name(to), host.readBytes(name(from)), false),
    statSync(file, options) {
      if (options?.throwIfNoEntry === false && !host.exists(name(file))) return undefined;
      return stats(host.stat(name(file), true));
    },
    lstatSync: (file) => stats(host.stat(name(file), false)),
  };
  const promises = {};
  for (const [called, work] of Object.entries(sync)) {
    const plain = called.slice(0, -4);
    promises[plain] = async (...values) => work(...values);
    sync[plain] = (...values) => {
      const callback = values.pop();
      promises[plain](...values).then((result) => callback(null, result), (failure) => callback(failure));
    };
  }
  return { ...sync, promises, constants: {} };
})
