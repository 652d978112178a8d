import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RateWindow, type Turn } from './rate-window.ts';

const MINUTE_MS = 60_000;

/** What several requests, each so long after the one before, were given. */
function run(
  limits: { requestsPerMinute: number | null; tokensPerMinute: number | null },
  requests: readonly { afterMs: number; tokens: number }[],
): Turn[] {
  const window = new RateWindow(limits);
  let nowMs = 0;
  return requests.map(({ afterMs, tokens }) => {
    nowMs += afterMs;
    return window.take(window.earliestMs(nowMs, tokens), tokens);
  });
}

/** The turns of the minute that ends with each turn. */
function minutes(turns: readonly Turn[]): Turn[][] {
  return turns.map(({ startMs }, index) =>
    turns.slice(0, index + 1).filter((turn) => turn.startMs > startMs - MINUTE_MS),
  );
}

const requests = fc.array(fc.record({ afterMs: fc.nat(20_000), tokens: fc.nat(400) }), { maxLength: 60 });

describe('of any minute', () => {
  test('no more requests begin than are allowed, in the order in which they came', () => {
    fc.assert(
      fc.property(requests, fc.integer({ min: 1, max: 10 }), (asked, requestsPerMinute) => {
        const turns = run({ requestsPerMinute, tokensPerMinute: null }, asked);
        for (const minute of minutes(turns)) expect(minute.length).toBeLessThanOrEqual(requestsPerMinute);
        expect(turns).toEqual(turns.toSorted((a, b) => a.startMs - b.startMs));
      }),
    );
  });

  test('no more tokens are asked for than are allowed, but for a request that is larger by itself', () => {
    fc.assert(
      fc.property(requests, fc.integer({ min: 1, max: 1000 }), (asked, tokensPerMinute) => {
        const turns = run({ requestsPerMinute: null, tokensPerMinute }, asked);
        for (const minute of minutes(turns)) {
          const sum = minute.reduce((total, turn) => total + turn.tokens, 0);
          const rest = minute.slice(0, -1).every((turn) => turn.tokens === 0);
          expect(sum <= tokensPerMinute || rest).toBe(true);
        }
      }),
    );
  });

  test('a request begins at once when it fits, and no later than it must', () => {
    fc.assert(
      fc.property(requests, fc.integer({ min: 1, max: 10 }), (asked, requestsPerMinute) => {
        const turns = run({ requestsPerMinute, tokensPerMinute: null }, asked);
        let nowMs = 0;
        for (const [index, { afterMs }] of asked.entries()) {
          nowMs += afterMs;
          const bound = turns[index - requestsPerMinute];
          const least = Math.max(nowMs, bound === undefined ? 0 : bound.startMs + MINUTE_MS);
          expect(turns[index]?.startMs).toBe(least);
        }
      }),
    );
  });
});

test('without limits nothing is counted and nobody waits', () => {
  const window = new RateWindow({ requestsPerMinute: null, tokensPerMinute: null });
  for (let index = 0; index < 100; index++) window.take(window.earliestMs(5, 1e9), 1e9);
  expect(window.earliestMs(5, 1e9)).toBe(5);
  expect(window.use(5)).toEqual({ requestsPerMinute: null, tokensPerMinute: null });
});

test('what a request really took counts once it is known, and what was given back does not', () => {
  const window = new RateWindow({ requestsPerMinute: 3, tokensPerMinute: 100 });
  const first = window.take(window.earliestMs(0, 60), 60);
  expect(window.earliestMs(0, 50)).toBe(MINUTE_MS);
  first.tokens = 10;
  expect(window.earliestMs(0, 50)).toBe(0);
  const second = window.take(0, 50);
  expect(window.use(0)).toEqual({
    requestsPerMinute: { used: 2, limit: 3 },
    tokensPerMinute: { used: 60, limit: 100 },
  });
  window.giveBack(second);
  expect(window.use(0).requestsPerMinute).toEqual({ used: 1, limit: 3 });
  expect(window.use(MINUTE_MS).requestsPerMinute).toEqual({ used: 0, limit: 3 });
});
