import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ManualClock } from '../../../test/fakes/manual-clock.ts';
import { defaultDataFolder, ensureDataFolder, ensureModelsYaml } from './data-folder.ts';
import { NO_OVERRIDES } from './outside.ts';
import { type ConfigChange, ConfigStore } from './store.ts';
import { SETTLE_MS } from './watch.ts';

const GGUF = `GGUF${'\0'.repeat(60)}`;
const ONE = '# mine\nmodels:\n  demo: { file: "builtin:demo" }   # comes with it\n';

let dir: string;
let file: string;
let clock: ManualClock;
let warnings: string[];
const open: ConfigStore[] = [];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'roundhouse-config-'));
  file = join(dir, 'models.yaml');
  clock = new ManualClock();
  warnings = [];
});
afterEach(() => {
  for (const store of open.splice(0)) store[Symbol.dispose]();
  expect(clock.pendingTimers).toBe(0);
  rmSync(dir, { recursive: true });
});

async function openStore(text: string): Promise<ConfigStore> {
  writeFileSync(file, text);
  const store = await ConfigStore.open({
    file,
    env: {},
    overrides: NO_OVERRIDES,
    home: dir,
    resourcesDir: '/app/resources',
    clock,
    warn: (message) => warnings.push(message),
  });
  open.push(store);
  return store;
}

/** Does something to the files, lets the watcher see it and things settle, and gives what the store told. */
async function changeAfter(store: ConfigStore, act: () => void): Promise<ConfigChange> {
  const told = new Promise<ConfigChange>((resolve) => {
    const listening = store.subscribe((change) => {
      listening[Symbol.dispose]();
      resolve(change);
    });
  });
  act();
  await clock.untilTimers(1);
  clock.advance(SETTLE_MS);
  return told;
}

const idsOf = (store: ConfigStore): readonly string[] => store.settings.models.map((model) => model.id);

function gguf(name: string, content = GGUF): string {
  const path = join(dir, name);
  writeFileSync(path, content);
  return path;
}

test('a saved file comes into force, whether written in place or renamed over the old one', async () => {
  const store = await openStore(ONE);
  expect(idsOf(store)).toEqual(['demo']);

  const written = await changeAfter(store, () => writeFileSync(file, 'models: { a: { file: a } }'));
  expect(written.type).toBe('settings');
  expect(idsOf(store)).toEqual(['a']);

  await changeAfter(store, () => {
    writeFileSync(join(dir, 'models.yaml.tmp'), 'models: { b: { file: b } }');
    renameSync(join(dir, 'models.yaml.tmp'), file);
  });
  expect(idsOf(store)).toEqual(['b']);
});

test('while the file is broken the last good one holds, the problem is told with its line, nothing is written', async () => {
  const store = await openStore(ONE);
  const good = store.settings;
  const broken = 'models:\n  demo: { file: "builtin:demo" }\nserver:\n  port: many\n';
  const change = await changeAfter(store, () => writeFileSync(file, broken));
  expect(change).toEqual({
    type: 'problems',
    problems: [{ file, line: 4, message: expect.stringContaining('server.port: "many" is not') }],
  });
  expect(store.settings).toBe(good);
  expect(store.problems).toHaveLength(1);

  const adding = store.addModel({ path: gguf('x.gguf'), id: null, name: null });
  await expect(adding).rejects.toMatchObject({
    code: 'config_invalid',
    message: expect.stringContaining(`${file}:4: `),
  });
  expect(readFileSync(file, 'utf8')).toBe(broken);

  // Mended to exactly what was in force: told all the same, since the problem is gone.
  expect((await changeAfter(store, () => writeFileSync(file, ONE))).type).toBe('settings');
  expect(store.problems).toEqual([]);
});

test('a file that was taken away is a problem, not an empty configuration', async () => {
  const store = await openStore(ONE);
  const change = await changeAfter(store, () => rmSync(file));
  expect(change).toEqual({
    type: 'problems',
    problems: [{ file, line: null, message: 'there is no such file' }],
  });
  expect(idsOf(store)).toEqual(['demo']);
});

test.each(['', '\n  \n', '# to be written\n\t\r\n  # soon'])(
  'a file that has become empty (%j) is half written: the last good one holds, and nothing is added to it',
  async (text) => {
    const store = await openStore(ONE);
    const change = await changeAfter(store, () => writeFileSync(file, text));
    expect(change).toEqual({
      type: 'problems',
      problems: [{ file, line: null, message: expect.stringMatching(/^models\.yaml is empty; /) }],
    });
    expect(idsOf(store)).toEqual(['demo']);
    await expect(store.setPinned('demo', true)).rejects.toMatchObject({ code: 'config_invalid' });
    expect(readFileSync(file, 'utf8')).toBe(text);

    // To serve nothing can be said.
    await changeAfter(store, () => writeFileSync(file, 'models: {}\n'));
    expect([idsOf(store), store.problems]).toEqual([[], []]);
  },
);

test('an empty file is fine to start with, and as long as nothing was in it', async () => {
  const store = await openStore('');
  expect(idsOf(store)).toEqual([]);
  writeFileSync(file, '# nothing yet\n');
  await store.reload();
  expect(store.problems).toEqual([]);
  await store.addModel({ path: gguf('x.gguf'), id: null, name: null });
  expect(idsOf(store)).toEqual(['x']);
});

test('a file behind a link is watched where it lies', async () => {
  mkdirSync(join(dir, 'dotfiles'));
  const target = join(dir, 'dotfiles', 'mine.yaml');
  writeFileSync(target, ONE);
  symlinkSync(target, file);
  const store = await openStore(ONE);
  await changeAfter(store, () => writeFileSync(target, 'models: { a: { file: a } }'));
  expect(idsOf(store)).toEqual(['a']);
  await store.addModel({ path: gguf('b.gguf'), id: null, name: null });
  expect(readFileSync(target, 'utf8')).toContain('b.gguf');
  expect(idsOf(store)).toEqual(['a', 'b']);
});

test('there is nothing to start with when the first version is broken', async () => {
  await expect(openStore('server: 1\nmodels: 2\n')).rejects.toMatchObject({
    code: 'config_invalid',
    message: `${file}:1: server: 1 is not a section; write its keys below it, indented\n${file}:2: models: 2 is not a section; write one entry per name below it, indented`,
  });
});

test('an added model is written below the others, told to the listeners, and there after a reload', async () => {
  const store = await openStore(ONE);
  const path = gguf('My Model-Q4_K_M.gguf');
  const told: string[] = [];
  store.subscribe((change) => told.push(change.type));

  const added = await store.addModel({ path, id: null, name: null });
  expect(added).toMatchObject({ id: 'my-model-q4_k_m', source: { kind: 'file', path } });
  const second = await store.addModel({ path: gguf('two.gguf'), id: 'second one', name: 'Two' });
  expect(second).toMatchObject({ id: 'second one', name: 'Two' });

  expect(told).toEqual(['settings', 'settings']);
  expect(readFileSync(file, 'utf8')).toBe(
    `${ONE}  my-model-q4_k_m:\n    file: ${path}\n  second one:\n    name: Two\n    file: ${join(dir, 'two.gguf')}\n`,
  );
  await store.reload();
  expect(idsOf(store)).toEqual(['demo', 'my-model-q4_k_m', 'second one']);
  expect(told).toHaveLength(2);
});

test('two models added at once are both there', async () => {
  const store = await openStore(ONE);
  const paths = [gguf('same.gguf'), join(dir, 'sub')];
  mkdirSync(join(dir, 'sub'));
  paths[1] = gguf('sub/same.gguf');
  const added = await Promise.all(paths.map((path) => store.addModel({ path, id: null, name: null })));
  expect(added.map((model) => model.id)).toEqual(['same', 'same-2']);
  expect(idsOf(store)).toEqual(['demo', 'same', 'same-2']);
});

test('an added model keeps the settings it was given, and only those', async () => {
  const store = await openStore(`${ONE}defaults: { parallel: 3 }\n`);
  const settings = { contextSize: 1024, cacheType: 'q8_0' } as const;
  const added = await store.addModel({ path: gguf('x.gguf'), id: null, name: null, settings });
  expect(added.engine).toMatchObject({ ...settings, parallel: 3, batchSize: 512 });
  expect(readFileSync(file, 'utf8')).toContain('    contextSize: 1024\n    cacheType: q8_0\ndefaults:');
});

test('pinning is written into the entry, told to the listeners, and undone without a trace', async () => {
  const store = await openStore(ONE);
  const told: string[] = [];
  store.subscribe((change) => told.push(change.type));
  expect(await store.setPinned('demo', true)).toMatchObject({ id: 'demo', pinned: true });
  expect(readFileSync(file, 'utf8')).toContain('{ file: "builtin:demo", pinned: true }   # comes with it');
  expect(store.settings.models[0]).toMatchObject({ pinned: true });
  await store.setPinned('demo', true);
  await store.setPinned('demo', false);
  expect(readFileSync(file, 'utf8')).toBe(ONE);
  expect(told).toEqual(['settings', 'settings']);
  await expect(store.setPinned('dmo', true)).rejects.toMatchObject({ code: 'model_not_found' });
});

test('pinning a model of the models folders writes an entry for it, under its id and name', async () => {
  mkdirSync(join(dir, 'models'));
  const path = gguf('models/My Model.gguf');
  const store = await openStore(`${ONE}modelsFolders: [models]\n`);
  await store.setPinned('my-model', false);
  expect(readFileSync(file, 'utf8')).not.toContain('My Model');
  const pinned = await store.setPinned('my-model', true);
  expect(pinned).toMatchObject({ id: 'my-model', name: 'My Model', pinned: true, source: { path } });
  expect(readFileSync(file, 'utf8')).toContain(
    `  my-model:\n    name: My Model\n    file: ${path}\n    pinned: true\n`,
  );
  expect(idsOf(store)).toEqual(['demo', 'my-model']);
});

test('nothing is pinned while the file is broken, nor more than may be loaded', async () => {
  const store = await openStore(`${ONE}memory: { maxLoadedModels: 1 }\n`);
  await store.addModel({ path: gguf('x.gguf'), id: 'x', name: null });
  await store.setPinned('demo', true);
  const before = readFileSync(file, 'utf8');
  await expect(store.setPinned('x', true)).rejects.toMatchObject({
    code: 'config_invalid',
    message: expect.stringContaining('2 models are pinned (demo, x), but only 1 may be loaded'),
  });
  expect(readFileSync(file, 'utf8')).toBe(before);

  await changeAfter(store, () => writeFileSync(file, `${before}server: 1\n`));
  await expect(store.setPinned('demo', false)).rejects.toMatchObject({ code: 'config_invalid' });
  expect(readFileSync(file, 'utf8')).toBe(`${before}server: 1\n`);
});

test('a budget above the memory of the machine is refused at the start', async () => {
  writeFileSync(file, 'memory: { budget: 64GiB }\n');
  const opening = ConfigStore.open({
    file,
    env: {},
    overrides: NO_OVERRIDES,
    home: dir,
    resourcesDir: '/app/resources',
    machineBytes: 8 * 1024 ** 3,
    clock,
    warn: (message) => warnings.push(message),
  });
  await expect(opening).rejects.toMatchObject({
    code: 'config_invalid',
    message: expect.stringContaining('this machine has 8.0 GiB of memory'),
  });
});

test('what cannot be added is refused, and the file stays as it was', async () => {
  const store = await openStore(ONE);
  const path = gguf('one.gguf');
  await store.addModel({ path, id: null, name: null });
  const before = readFileSync(file, 'utf8');
  const refused = async (
    model: { path: string; id?: string },
    code: string,
    message: string,
  ): Promise<void> => {
    const adding = store.addModel({ id: null, name: null, ...model });
    await expect(adding).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
  };
  await refused({ path }, 'conflict', 'is registered already, as "one"');
  await refused({ path: gguf('two.gguf'), id: 'demo' }, 'conflict', 'a model is called "demo" already');
  await refused(
    { path: gguf('two.gguf'), id: 'a//b' },
    'invalid_request',
    '"a//b" cannot be the id of a model',
  );
  await refused({ path: gguf('m-00002-of-00003.gguf') }, 'gguf_invalid', 'add its first part');
  await refused(
    { path: gguf('page.gguf', '<html>a web page, and a long one</html>') },
    'gguf_invalid',
    'starts with "<html>',
  );
  expect(readFileSync(file, 'utf8')).toBe(before);
});

test('models folders: their files are served, new ones are seen, half ones and later parts are not taken', async () => {
  mkdirSync(join(dir, 'models', 'sub', 'deeper'), { recursive: true });
  gguf('models/a.gguf');
  gguf('models/sub/Big-00001-of-00002.gguf');
  gguf('models/sub/Big-00002-of-00002.gguf');
  gguf('models/sub/deeper/too-deep.gguf');
  gguf('models/notes.txt');
  gguf('models/half.gguf', 'GG');
  gguf('models/mmproj-a.gguf');
  const store = await openStore(`${ONE}modelsFolders: [models, gone]\n`);
  expect(idsOf(store)).toEqual(['demo', 'a', 'big']);
  expect(warnings).toEqual([expect.stringContaining(`${join(dir, 'gone')} cannot be read (ENOENT)`)]);

  await changeAfter(store, () => gguf('models/sub/new.gguf'));
  expect(idsOf(store)).toEqual(['demo', 'a', 'big', 'new']);
  await changeAfter(store, () => rmSync(join(dir, 'models', 'a.gguf')));
  expect(idsOf(store)).toEqual(['demo', 'big', 'new']);
  await changeAfter(store, () => {
    mkdirSync(join(dir, 'models', 'later'));
    gguf('models/later/z.gguf');
  });
  expect(idsOf(store)).toEqual(['demo', 'z', 'big', 'new']);

  // Written into models.yaml, a found model keeps its id and is not there twice.
  const added = await store.addModel({ path: join(dir, 'models', 'sub', 'new.gguf'), id: null, name: null });
  expect(added.id).toBe('new');
  expect(idsOf(store)).toEqual(['demo', 'new', 'z', 'big']);
  expect(warnings).toHaveLength(1);
});

test('the data folder is for its owner alone, and gets the shipped models.yaml once', async () => {
  const data = join(dir, 'share', 'roundhouse');
  const shipped = join(dir, 'shipped.yaml');
  writeFileSync(shipped, ONE);
  await ensureDataFolder(data);
  const copied = await ensureModelsYaml(data, shipped);
  expect(readFileSync(copied, 'utf8')).toBe(ONE);
  expect([data, copied].map((path) => (statSync(path).mode & 0o777).toString(8))).toEqual(['700', '600']);

  writeFileSync(copied, '# edited');
  await ensureDataFolder(data);
  expect(await ensureModelsYaml(data, shipped)).toBe(copied);
  expect(readFileSync(copied, 'utf8')).toBe('# edited');
});

test('a data folder that cannot be one is named, with what to do', async () => {
  const blocked = join(dir, 'a-file');
  writeFileSync(blocked, '');
  for (const data of [blocked, join(blocked, 'below')]) {
    await expect(ensureDataFolder(data)).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.stringMatching(/a-file.* cannot be used: .*there is a file.*--data-dir DIR$/),
    });
  }
  mkdirSync(join(dir, 'models.yaml'));
  await expect(ensureModelsYaml(dir, blocked)).rejects.toMatchObject({
    code: 'config_invalid',
    message: expect.stringMatching(/models\.yaml cannot be used: .*there is a folder/),
  });
});

test('where the data folder is', () => {
  expect(defaultDataFolder('darwin', {}, '/Users/ada')).toBe(
    '/Users/ada/Library/Application Support/Roundhouse',
  );
  expect(defaultDataFolder('linux', {}, '/home/ada')).toBe('/home/ada/.local/share/roundhouse');
  expect(defaultDataFolder('linux', { XDG_DATA_HOME: '/data' }, '/home/ada')).toBe('/data/roundhouse');
  expect(defaultDataFolder('linux', { XDG_DATA_HOME: 'data' }, '/home/ada')).toBe(
    '/home/ada/.local/share/roundhouse',
  );
});
