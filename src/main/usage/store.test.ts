import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openStore } from './store.ts';

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

test('a second one of the same folder is refused until the first is closed', () => {
  const first = openStore(file);
  expect(() => openStore(file)).toThrow(/already running/);
  first[Symbol.dispose]();
  openStore(file)[Symbol.dispose]();
});
