import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fakeTry, fakeUsageRow } from '../../../test/fakes/usage-rows.ts';
import { RoundhouseError } from '../../shared/errors.ts';
import { DataStore } from './data-store.ts';
import { MIGRATIONS } from './migrations.ts';
import { detailOf } from './usage-row.ts';

const THREAD = join(import.meta.dirname, 'thread/main.ts');

let dir: string;
let file: string;
let opened: DataStore[];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'roundhouse-store-'));
  file = join(dir, 'roundhouse.db');
  opened = [];
});
afterEach(async () => {
  await Promise.all(opened.map((store) => store.close()));
  rmSync(dir, { recursive: true });
});

async function open(): Promise<DataStore> {
  const store = await DataStore.open({ file, threadModule: THREAD });
  opened.push(store);
  return store;
}

test('what was learned and recorded is there after a restart, as it was', async () => {
  const row = detailOf(
    fakeUsageRow({
      tries: [
        fakeTry({
          provider: 'openai',
          model: 'gpt',
          costNanoDollars: null,
          status: 'error',
          errorCode: 'provider_error',
          firstTokenMs: null,
        }),
        fakeTry({ loadMs: 812.125, costNanoDollars: 3_100_000, priceVersion: '2026-01' }),
      ],
      text: { prompt: 'Wer rüttelt?', answer: '🚂' },
    }),
    7,
  );
  const first = await open();
  first.saveCorrection('a', { offsetBytes: 12.5, samples: 1 });
  first.saveCorrection('a', { offsetBytes: -3e9, samples: 2 });
  expect(await first.call('write', [row])).toEqual({ refused: 0 });
  await first.call('saveAlert', { budget: 'b', periodStartMs: 5, share: 0.5, atMs: 6 });
  await first.close();

  const again = await open();
  expect(again.movedAsideTo).toBeNull();
  expect(again.corrections).toEqual(new Map([['a', { offsetBytes: -3e9, samples: 2 }]]));
  expect(again.alerts).toEqual([{ budget: 'b', periodStartMs: 5, share: 0.5, atMs: 6 }]);
  expect(again.lastRequestId).toBe(7);
  expect(await again.call('request', 7)).toEqual(row);
  expect(await again.call('request', 8)).toBeNull();
});

test('one row that no database can take costs nobody else theirs', async () => {
  const store = await open();
  const [good, bad, other] = [1, 2, 3].map((id) => detailOf(fakeUsageRow(), id));
  if (!good || !bad || !other) throw new Error('three rows');
  // What types forbid and a bug can still do: no status, and an id that is taken.
  const rows = [good, { ...bad, tries: [{ ...fakeTry(), status: null as never }] }, other, good];
  expect(await store.call('write', rows)).toEqual({ refused: 2 });
  const kept = await store.call('requests', { before: null, limit: 10, filters: {} });
  expect(kept.map(({ id }) => id)).toEqual([3, 1]);
});

test('a database of the version before is taken over', async () => {
  const old = new Database(file);
  old.exec(MIGRATIONS[0] ?? '');
  old.pragma('user_version = 1');
  old.exec("INSERT INTO memory_corrections VALUES ('a', 1.5, 3)");
  old.close();
  const store = await open();
  expect(store.movedAsideTo).toBeNull();
  expect(store.corrections).toEqual(new Map([['a', { offsetBytes: 1.5, samples: 3 }]]));
  expect(await store.call('write', [detailOf(fakeUsageRow(), 1)])).toEqual({ refused: 0 });
  await store.close();
  const now = new Database(file, { readonly: true });
  expect(now.pragma('auto_vacuum', { simple: true })).toBe(2);
  expect(now.pragma('journal_mode', { simple: true })).toBe('wal');
  expect(now.pragma('integrity_check', { simple: true })).toBe('ok');
  now.close();
});

test.each([
  ['text', Buffer.from('this is no database, and rather long for one. '.repeat(50))],
  ['a few bytes', Buffer.from('garbage')],
  ['a damaged database', Buffer.concat([Buffer.from('SQLite format 3\0'), Buffer.alloc(4080, 7)])],
])('%s in its place is moved aside, said, and kept; a new one is begun', async (_, content) => {
  for (const number of [1, 2]) {
    rmSync(file, { force: true });
    writeFileSync(file, content);
    writeFileSync(`${file}-journal`, 'left behind');
    const store = await open();
    expect(store.movedAsideTo).toBe(`${file}.damaged-${number}`);
    expect(store.corrections).toEqual(new Map());
    expect(readFileSync(`${file}.damaged-${number}`)).toEqual(content);
    store.saveCorrection('a', { offsetBytes: 1, samples: 1 });
    await store.close();
    const again = await open();
    expect(again.corrections.size).toBe(1);
    expect(again.movedAsideTo).toBeNull();
    await again.close();
  }
});

test('a database that cannot be opened is named, with what to do', async () => {
  mkdirSync(file);
  await expect(open()).rejects.toThrow(RoundhouseError);
  await expect(open()).rejects.toThrow(/roundhouse\.db cannot be used: .*; .*--data-dir/);
  file = join(dir, 'gone', 'roundhouse.db');
  await expect(open()).rejects.toThrow(/gone\/roundhouse\.db cannot be used: /);
});

test('a second one of the same folder is refused until the first is closed', async () => {
  const first = await open();
  await expect(open()).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringMatching(/already running/),
  });
  // The first goes on as if nothing had been.
  expect(await first.call('write', [detailOf(fakeUsageRow(), 1)])).toEqual({ refused: 0 });
  await first.close();
  const second = await open();
  expect(second.lastRequestId).toBe(1);
});

test('what was asked before the end is done, what comes after is refused, and no log of writes stays', async () => {
  const store = await open();
  const written = store.call('write', [detailOf(fakeUsageRow(), 1)]);
  await Promise.all([store.close(), expect(written).resolves.toEqual({ refused: 0 })]);
  await store.close();
  await expect(store.call('request', 1)).rejects.toMatchObject({ code: 'shutting_down' });
  expect(existsSync(`${file}-wal`)).toBe(false);
  expect((await open()).lastRequestId).toBe(1);
});
