import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { StreamPart } from '../../shared/generation.ts';
import { mergeParts } from './merge-parts.ts';

const never = new AbortController().signal;

test('every part comes once, each stream’s in their order, with no more streams at once than allowed', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat(6), { maxLength: 12 }),
      fc.integer({ min: 1, max: 5 }),
      fc.scheduler(),
      async (lengths, parallel, scheduler) => {
        let running = 0;
        let most = 0;
        const start = async function* (index: number): AsyncGenerator<StreamPart> {
          running += 1;
          most = Math.max(most, running);
          for (let count = 0; count < (lengths[index] ?? 0); count += 1) {
            await scheduler.schedule(Promise.resolve());
            yield { type: 'text-delta', text: `${index}.${count}` };
          }
          running -= 1;
        };
        const seen: string[][] = lengths.map(() => []);
        const run = (async () => {
          for await (const { index, part } of mergeParts(lengths.length, parallel, start, never)) {
            if (part.type === 'text-delta') seen[index]?.push(part.text);
          }
        })();
        await scheduler.waitFor(run);
        expect(seen).toEqual(
          lengths.map((length, index) => Array.from({ length }, (_, count) => `${index}.${count}`)),
        );
        expect(most).toBeLessThanOrEqual(parallel);
        expect(running).toBe(0);
      },
    ),
  );
});

async function* oneThenNothing(): AsyncGenerator<StreamPart> {
  yield { type: 'text-delta', text: 'x' };
  await new Promise<never>(() => {});
}

test('a signal ends it while every stream is silent', async () => {
  const controller = new AbortController();
  let parts = 0;
  for await (const _part of mergeParts(2, 2, oneThenNothing, controller.signal)) {
    parts += 1;
    if (parts === 2) queueMicrotask(() => controller.abort());
  }
  expect(parts).toBe(2);
});

test('leaving it ends the streams, and a stream that throws ends it', async () => {
  let ended = 0;
  const start = async function* (index: number): AsyncGenerator<StreamPart> {
    try {
      yield { type: 'text-delta', text: 'x' };
      if (index === 1) throw new Error('broken');
      yield { type: 'text-delta', text: 'y' };
      yield { type: 'text-delta', text: 'z' };
    } finally {
      ended += 1;
    }
  };
  for await (const _part of mergeParts(1, 1, start, never)) break;
  expect(ended).toBe(1);
  await expect(async () => {
    for await (const _part of mergeParts(2, 2, start, never));
  }).rejects.toThrow('broken');
  expect(ended).toBe(3);
});
