import { expect, test } from 'vitest';
import type { Correction } from './correction.ts';
import { MemoryLearning } from './learning.ts';

function setUp(saved: ReadonlyMap<string, Correction> = new Map()) {
  const kept: [string, Correction][] = [];
  const learning = new MemoryLearning(saved, (identity, correction) => kept.push([identity, correction]));
  return { learning, kept };
}

test('a load that has served teaches how far the prediction was off, at what it has used', () => {
  const { learning, kept } = setUp();
  learning.loaded('a', 'file-1', (tokens) => 1000 + tokens);
  learning.measured('a', 1200);
  expect(learning.correctionOf('file-1')).toBe(null);
  learning.served('a', 100);
  learning.measured('a', 1200);
  expect(learning.correctionOf('file-1')).toEqual({ offsetBytes: 100, samples: 1 });
  expect(kept).toEqual([['file-1', { offsetBytes: 100, samples: 1 }]]);
});

test('one load counts once, by its high-water mark', () => {
  const { learning } = setUp();
  learning.loaded('a', 'file-1', () => 1000);
  learning.served('a', 10);
  for (const bytes of [1100, 1300, 1250]) learning.measured('a', bytes);
  expect(learning.correctionOf('file-1')).toEqual({ offsetBytes: 300, samples: 1 });
  learning.gone('a');
  learning.loaded('a', 'file-1', () => 1000);
  learning.served('a', 10);
  learning.measured('a', 1100);
  expect(learning.correctionOf('file-1')).toEqual({ offsetBytes: 200, samples: 2 });
});

test('another file is another model', () => {
  const { learning } = setUp(new Map([['file-1', { offsetBytes: 5, samples: 3 }]]));
  expect(learning.correctionOf('file-1')).toEqual({ offsetBytes: 5, samples: 3 });
  expect(learning.correctionOf('file-2')).toBe(null);
});
