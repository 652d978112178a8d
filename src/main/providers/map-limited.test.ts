import { expect, test } from 'vitest';
import { mapLimited } from './map-limited.ts';

test('no more than allowed run at once, and all keep their places', async () => {
  let running = 0;
  let most = 0;
  const doubled = await mapLimited([5, 4, 3, 2, 1, 0], 2, async (turns) => {
    running++;
    most = Math.max(most, running);
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    running--;
    return turns * 2;
  });
  expect(doubled).toEqual([10, 8, 6, 4, 2, 0]);
  expect(most).toBe(2);
});

test('nothing to do is done', async () => {
  expect(await mapLimited([], 4, () => Promise.reject(new Error('never')))).toEqual([]);
});

test('a failure is thrown', async () => {
  await expect(mapLimited([1], 4, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
});
