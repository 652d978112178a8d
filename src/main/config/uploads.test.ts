import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Uploads } from './uploads.ts';

const GGUF = Buffer.from(`GGUF${'\0'.repeat(60)}`);
const NEVER = new AbortController().signal;

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'roundhouse-uploads-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

async function* chunks(...parts: readonly (string | Buffer | Error)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) {
    if (part instanceof Error) throw part;
    yield Buffer.from(part);
  }
}

const file = (name: string, ...parts: readonly (string | Buffer | Error)[]) => ({
  name,
  sizeBytes: null,
  body: chunks(...(parts.length === 0 ? [GGUF] : parts)),
});

test('a file is kept whole, for its owner alone, in whatever pieces it comes', async () => {
  const models = join(dir, 'models');
  const uploads = await Uploads.open(models);
  const { path } = await uploads.receive(file('My Model.GGUF', 'G', 'GU', GGUF.subarray(3), 'rest'), NEVER);
  expect(path).toBe(join(models, 'My Model.gguf'));
  expect(readFileSync(path)).toEqual(Buffer.concat([GGUF, Buffer.from('rest')]));
  expect([models, path].map((place) => (statSync(place).mode & 0o777).toString(8))).toEqual(['700', '600']);
});

test('a second file of a name gets a number, also when both come at once, and a part stays a part', async () => {
  const uploads = await Uploads.open(dir);
  const names = ['a.gguf', 'a.gguf', 'b-00001-of-00002.gguf', 'b-00001-of-00002.gguf', 'a.gguf'];
  await Promise.all(names.map((name) => uploads.receive(file(name), NEVER)));
  expect(readdirSync(dir).sort()).toEqual(
    ['a-2.gguf', 'a-3.gguf', 'a.gguf', 'b-00001-of-00002.gguf', 'b-2-00001-of-00002.gguf'].sort(),
  );
});

test('a file where the folder should be is named, with what to do about it', async () => {
  const models = join(dir, 'models');
  const uploads = await Uploads.open(models);
  writeFileSync(models, 'a file');
  const refused = {
    code: 'config_invalid',
    message: expect.stringMatching(/models cannot be used: where a folder is needed there is a file .*move/),
  };
  await expect(Uploads.open(models)).rejects.toMatchObject(refused);
  await expect(uploads.receive(file('a.gguf'), NEVER)).rejects.toMatchObject(refused);
});

test.each([
  ['../../etc/x.gguf', 'x.gguf'],
  ['/etc/x.gguf', 'x.gguf'],
  ['C:\\models\\x.gguf', 'x.gguf'],
  ['.hidden.gguf', 'hidden.gguf'],
  ['.gguf', 'model.gguf'],
  ['...gguf', 'model.gguf'],
  ['a\0b\nc\u202e.gguf', 'a-b-c-.gguf'],
  ['Größe 7B (Q4).gguf', 'Größe 7B (Q4).gguf'],
])('the name %j becomes %j', async (given, kept) => {
  const { path } = await (await Uploads.open(dir)).receive(file(given), NEVER);
  expect(path).toBe(join(dir, kept));
});

test('any name gives a file in the folder, or is refused', async () => {
  const uploads = await Uploads.open(dir);
  const text = fc.string({
    unit: fc.constantFrom('a', '.', '/', '\\', '\0', ' ', 'ß', '🏠', '-00001-of-00002'),
    maxLength: 300,
  });
  await fc.assert(
    fc.asyncProperty(text, async (name) => {
      const { path } = await uploads.receive(file(`${name}.gguf`), NEVER);
      expect(dirname(path)).toBe(dir);
      expect(basename(path)).toMatch(/^[^.].*\.gguf$/);
      rmSync(path);
    }),
    { numRuns: 50 },
  );
});

test.each([
  ['notes.txt', '"notes.txt" is not the name of a GGUF file, which ends in .gguf'],
  ['', '"" is not the name'],
  ['x.gguf/..', '".." is not the name'],
])('the name %j is refused before anything is written', async (name, message) => {
  const receiving = (await Uploads.open(join(dir, 'models'))).receive(file(name), NEVER);
  await expect(receiving).rejects.toMatchObject({
    code: 'gguf_invalid',
    param: 'name',
    message: expect.stringContaining(message),
  });
  expect(readdirSync(dir)).toEqual([]);
});

test('what is no GGUF file is refused at its start, and the rest is not asked for', async () => {
  const uploads = await Uploads.open(dir);
  let asked = 0;
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (;;) {
      asked += 1;
      yield Buffer.from('<html>a web page');
    }
  }
  await expect(
    uploads.receive({ name: 'x.gguf', sizeBytes: null, body: endless() }, NEVER),
  ).rejects.toMatchObject({
    code: 'gguf_invalid',
    message:
      'x.gguf starts with "<html>a web ", not with "GGUF"; a web page was saved instead of the model: download it again',
  });
  expect(asked).toBe(2);
  await expect(uploads.receive(file('x.gguf', 'GGUF'), NEVER)).rejects.toMatchObject({
    message: 'x.gguf is 4 bytes long, too short for a GGUF file; download it again',
  });
  expect(readdirSync(dir)).toEqual([]);
});

test('what breaks off leaves nothing behind, and says why it did', async () => {
  const uploads = await Uploads.open(dir);
  const broken = new Error('the line broke');
  await expect(uploads.receive(file('x.gguf', GGUF, broken), NEVER)).rejects.toBe(broken);

  const leaving = new AbortController();
  async function* body(): AsyncGenerator<Uint8Array> {
    yield GGUF;
    expect(readdirSync(dir)).toEqual(['.upload-2.part']);
    leaving.abort(new Error('the client went away'));
    yield GGUF;
  }
  const receiving = uploads.receive({ name: 'x.gguf', sizeBytes: null, body: body() }, leaving.signal);
  await expect(receiving).rejects.toThrow('the client went away');
  expect(readdirSync(dir)).toEqual([]);
});

test('a disk without room is told with the numbers: at once where the size is known, else when it is full', async () => {
  const gib = 1024 ** 3;
  const uploads = await Uploads.open(dir, async () => 3 * gib);
  const message = (size: string) =>
    `The file${size} does not fit: the disk of ${dir} has 3.0 GiB free, and 1.0 GiB of it stays free. Make room there, or put the file on another disk and add it where it lies.`;
  const large = { ...file('x.gguf', new Error('it was not asked for')), sizeBytes: 2 * gib + 1 };
  await expect(uploads.receive(large, NEVER)).rejects.toMatchObject({
    code: 'payload_too_large',
    message: message(' of 2.0 GiB'),
  });
  const full = Object.assign(new Error('write'), { code: 'ENOSPC' });
  await expect(uploads.receive(file('x.gguf', GGUF, full), NEVER)).rejects.toMatchObject({
    code: 'payload_too_large',
    message: message(''),
  });
  expect(readdirSync(dir)).toEqual([]);
  await uploads.receive({ ...file('x.gguf'), sizeBytes: 2 * gib }, NEVER);
  expect(readdirSync(dir)).toEqual(['x.gguf']);
});

test('what a crash left behind is removed at the start, and nothing else', async () => {
  for (const name of ['.upload-1.part', '.upload-27.part', 'kept.gguf', '.upload-x.part'])
    writeFileSync(join(dir, name), GGUF);
  await Uploads.open(dir);
  expect(readdirSync(dir).sort()).toEqual(['.upload-x.part', 'kept.gguf']);
});
