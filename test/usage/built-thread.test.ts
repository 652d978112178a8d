import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { installationOf } from '../../src/main/launch.ts';
import { DataStore } from '../../src/main/usage/data-store.ts';
import { detailOf } from '../../src/main/usage/usage-row.ts';
import { fakeUsageRow } from '../fakes/usage-rows.ts';

const { storeModule } = installationOf(resolve('out/main'));

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'roundhouse-thread-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

test('the thread as it is built opens, writes and answers', async () => {
  const store = await DataStore.open({ file: join(dir, 'roundhouse.db'), threadModule: storeModule });
  try {
    const row = detailOf(fakeUsageRow(), 1);
    expect(await store.call('write', [row])).toEqual({ refused: 0 });
    expect(await store.call('request', 1)).toEqual(row);
  } finally {
    await store.close();
  }
});

test('a database that is merely open keeps no process alive, so that a start that fails can end', async () => {
  const options = JSON.stringify({ file: join(dir, 'roundhouse.db'), threadModule: storeModule });
  const program = `
    import { DataStore } from '${resolve('src/main/usage/data-store.ts')}';
    const store = await DataStore.open(${options});
    console.log(await store.call('requests', { before: null, limit: 1, filters: {} }));`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program]);
  let said = '';
  child.stdout.on('data', (text) => {
    said += text;
  });
  expect(await once(child, 'exit')).toEqual([0, null]);
  expect(said).toBe('[]\n');
});
