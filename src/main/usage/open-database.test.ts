import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { RoundhouseError } from '../../shared/errors.ts';
import { openDatabase } from './open-database.ts';
import { createSaveCorrection, readCorrections } from './thread/corrections.ts';

/** The database as the thread has it, with one of its tables. */
function openStore(path: string, onMovedAside: (path: string) => void = () => undefined) {
  const database = openDatabase(path, onMovedAside);
  return {
    corrections: () => readCorrections(database),
    saveCorrection: createSaveCorrection(database),
    [Symbol.dispose]: () => void database.close(),
  };
}

let dir: string;
let file: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'roundhouse-store-'));
  file = join(dir, 'roundhouse.db');
});
afterEach(() => rmSync(dir, { recursive: true }));

test('what was learned is there after a restart', () => {
  {
    using store = openStore(file);
    store.saveCorrection('a', { offsetBytes: 12.5, samples: 1 });
    store.saveCorrection('a', { offsetBytes: -3e9, samples: 2 });
    store.saveCorrection('b', { offsetBytes: 0, samples: 7 });
  }
  using again = openStore(file);
  expect(again.corrections()).toEqual(
    new Map([
      ['a', { offsetBytes: -3e9, samples: 2 }],
      ['b', { offsetBytes: 0, samples: 7 }],
    ]),
  );
});

test.each([
  ['text', Buffer.from('this is no database, and rather long for one. '.repeat(50))],
  ['a few bytes', Buffer.from('garbage')],
  ['a damaged database', Buffer.concat([Buffer.from('SQLite format 3\0'), Buffer.alloc(4080, 7)])],
])('%s in its place is moved aside, said, and kept; a new one is begun', (_, content) => {
  for (const number of [1, 2]) {
    rmSync(file, { force: true });
    writeFileSync(file, content);
    writeFileSync(`${file}-journal`, 'left behind');
    const said: string[] = [];
    {
      using store = openStore(file, (path) => said.push(path));
      expect(store.corrections()).toEqual(new Map());
      store.saveCorrection('a', { offsetBytes: 1, samples: 1 });
    }
    expect(said).toEqual([`${file}.damaged-${number}`]);
    expect(readFileSync(`${file}.damaged-${number}`)).toEqual(content);
    using again = openStore(file, (path) => said.push(path));
    expect(again.corrections().size).toBe(1);
    expect(said).toHaveLength(1);
  }
});

test('a database that cannot be opened is named, with what to do', () => {
  mkdirSync(file);
  const opening = () => openStore(file);
  expect(opening).toThrow(RoundhouseError);
  expect(opening).toThrow(/roundhouse\.db cannot be used: .*; .*--data-dir/);
  expect(() => openStore(join(dir, 'gone', 'roundhouse.db'))).toThrow(
    /gone\/roundhouse\.db cannot be used: /,
  );
});

test('a second one of the same folder is refused until the first is closed', () => {
  const first = openStore(file);
  expect(() => openStore(file)).toThrow(/already running/);
  first[Symbol.dispose]();
  openStore(file)[Symbol.dispose]();
});
