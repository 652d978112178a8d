import { expect, test } from 'vitest';
import { Decisions } from './decisions.ts';

test('the last thousand are kept, the newest last', () => {
  const decisions = new Decisions();
  for (let number = 1; number <= 1500; number++) decisions.add(number, null, `decision ${number}`);
  const kept = decisions.latest();
  expect(kept).toHaveLength(1000);
  expect([kept[0]?.text, kept.at(-1)?.text]).toEqual(['decision 501', 'decision 1500']);
  expect(decisions.latest(2).map(({ id }) => id)).toEqual([1499, 1500]);
});
