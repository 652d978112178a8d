import { expect, test } from 'vitest';
import type { StreamPart } from '../../shared/generation.ts';
import { PartQueue } from './part-queue.ts';

const text = (words: string): StreamPart => ({ type: 'text-delta', text: words });

test('parts come out in the order they went in, whether waited for or not', async () => {
  const queue = new PartQueue();
  queue.push(text('a'));
  queue.push(text('b'));
  expect(await queue.next()).toEqual(text('a'));
  expect(await queue.next()).toEqual(text('b'));
  const waiting = queue.next();
  queue.push(text('c'));
  queue.push(text('d'));
  expect(await waiting).toEqual(text('c'));
  expect(await queue.next()).toEqual(text('d'));
});
