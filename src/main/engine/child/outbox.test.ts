import { expect, test } from 'vitest';
import type { StreamPart } from '../../../shared/generation.ts';
import { Outbox } from './outbox.ts';

const text = (words: string): StreamPart => ({ type: 'text-delta', text: words });
const FINISH: StreamPart = { type: 'finish', reason: 'stop' };

/** An outbox whose turns of the event loop are taken by hand. */
function manualOutbox() {
  const sent: [number, StreamPart][][] = [];
  const flushes: (() => void)[] = [];
  const outbox = new Outbox(
    (parts) => sent.push(parts),
    (flush) => flushes.push(flush),
  );
  return { outbox, sent, flushes, turn: () => flushes.splice(0).forEach((flush) => void flush()) };
}

test('parts go out once a turn, in their order', () => {
  const { outbox, sent, flushes, turn } = manualOutbox();
  outbox.add(1, text('a'));
  outbox.add(2, text('x'));
  outbox.add(1, FINISH);
  expect(sent).toEqual([]);
  expect(flushes).toHaveLength(1);
  turn();
  expect(sent).toEqual([
    [
      [1, text('a')],
      [2, text('x')],
      [1, FINISH],
    ],
  ]);
  outbox.add(1, text('b'));
  turn();
  expect(sent[1]).toEqual([[1, text('b')]]);
});

test('texts of one generation are joined, across those of others', () => {
  const { outbox, sent, turn } = manualOutbox();
  for (const [id, words] of [
    [1, 'a'],
    [2, 'x'],
    [1, 'b'],
    [2, 'y'],
    [1, 'c'],
  ] as const) {
    outbox.add(id, text(words));
  }
  turn();
  expect(sent).toEqual([
    [
      [1, text('abc')],
      [2, text('xy')],
    ],
  ]);
});

test('a text never moves before a part that came first', () => {
  const { outbox, sent, turn } = manualOutbox();
  outbox.add(1, text('a'));
  outbox.add(1, FINISH);
  outbox.add(1, text('b'));
  turn();
  expect(sent[0]).toEqual([
    [1, text('a')],
    [1, FINISH],
    [1, text('b')],
  ]);
});

test('what was sent is not touched by what comes later', () => {
  const { outbox, sent, turn } = manualOutbox();
  outbox.add(1, text('a'));
  turn();
  outbox.add(1, text('b'));
  turn();
  expect(sent).toEqual([[[1, text('a')]], [[1, text('b')]]]);
});

test('text after text waits out the interval; the end of an answer does not', () => {
  let nowMs = 0;
  const delays: number[] = [];
  const flushes: (() => void)[] = [];
  const sent: [number, StreamPart][][] = [];
  const outbox = new Outbox(
    (parts) => sent.push(parts),
    (flush, delayMs) => {
      delays.push(delayMs);
      flushes.push(flush);
    },
    () => nowMs,
  );
  outbox.add(1, text('a'));
  flushes[0]?.();
  nowMs = 1;
  outbox.add(1, text('b'));
  outbox.add(1, text('c'));
  expect(delays).toEqual([0, 7]);
  outbox.add(1, FINISH);
  expect(delays).toEqual([0, 7, 0]);
  flushes[2]?.();
  flushes[1]?.();
  expect(sent).toEqual([
    [[1, text('a')]],
    [
      [1, text('bc')],
      [1, FINISH],
    ],
  ]);
});

test('the first text of a generation does not wait for the interval of another', () => {
  const delays: number[] = [];
  const flushes: (() => void)[] = [];
  const outbox = new Outbox(
    () => {},
    (flush, delayMs) => {
      delays.push(delayMs);
      flushes.push(flush);
    },
    () => 0,
  );
  outbox.add(1, text('a'));
  flushes[0]?.();
  outbox.add(2, text('x'));
  flushes[1]?.();
  outbox.add(2, text('y'));
  expect(delays).toEqual([0, 0, 8]);
});
