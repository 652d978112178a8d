import type { LanguageModelV4StreamPart, LanguageModelV4Usage } from '@ai-sdk/provider';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RoundhouseError } from '../../shared/errors.ts';
import type { StreamPart } from '../../shared/generation.ts';
import { SdkParts } from './sdk-parts.ts';

const cut = () => new RoundhouseError('provider_error', 'cut');
const event = () => new RoundhouseError('provider_error', 'event');

function usage(inputTokens: Partial<LanguageModelV4Usage['inputTokens']> = {}): LanguageModelV4Usage {
  return {
    inputTokens: { total: 10, noCache: 6, cacheRead: 4, cacheWrite: undefined, ...inputTokens },
    outputTokens: { total: 5, text: 3, reasoning: 2 },
  };
}

function finish(
  unified: 'stop' | 'other' | 'error' | 'interrupted',
  raw: string | undefined,
): LanguageModelV4StreamPart {
  return { type: 'finish', finishReason: { unified, raw }, usage: usage() };
}

function taken(parts: readonly LanguageModelV4StreamPart[]): StreamPart[] {
  const sdk = new SdkParts({ cut, event });
  const all = parts.flatMap((part) => sdk.take(part));
  sdk.end();
  return all;
}

test('calls come one after the other, with their arguments once, however the vendor mixes them', () => {
  const parts = taken([
    { type: 'tool-input-start', id: 'a', toolName: 'one' },
    { type: 'tool-input-start', id: 'b', toolName: 'two' },
    { type: 'tool-input-delta', id: 'b', delta: '{"x"' },
    { type: 'tool-input-delta', id: 'a', delta: '{}' },
    { type: 'tool-input-delta', id: 'b', delta: ':1}' },
    { type: 'tool-call', toolCallId: 'a', toolName: 'one', input: '{}' },
    { type: 'tool-call', toolCallId: 'b', toolName: 'two', input: '{"x":1}' },
    { type: 'tool-call', toolCallId: 'c', toolName: 'three', input: '{"y":2}' },
    finish('stop', 'stop'),
  ]);
  expect(parts.slice(0, -2)).toEqual([
    { type: 'tool-call-start', index: 0, id: 'a', name: 'one' },
    { type: 'tool-call-delta', index: 0, argumentsText: '{}' },
    { type: 'tool-call-start', index: 1, id: 'b', name: 'two' },
    { type: 'tool-call-delta', index: 1, argumentsText: '{"x"' },
    { type: 'tool-call-delta', index: 1, argumentsText: ':1}' },
    { type: 'tool-call-start', index: 2, id: 'c', name: 'three' },
    { type: 'tool-call-delta', index: 2, argumentsText: '{"y":2}' },
  ]);
});

test('whatever comes, joined texts are what was sent, and indexes count from 0 up', () => {
  const part = fc.oneof(
    fc.record({ type: fc.constant('text-delta' as const), id: fc.constant('t'), delta: fc.string() }),
    fc.record({ type: fc.constant('reasoning-delta' as const), id: fc.constant('r'), delta: fc.string() }),
    fc.record({
      type: fc.constant('tool-input-start' as const),
      id: fc.constantFrom('a', 'b', 'c'),
      toolName: fc.string(),
    }),
    fc.record({
      type: fc.constant('tool-input-delta' as const),
      id: fc.constantFrom('a', 'b', 'c'),
      delta: fc.string(),
    }),
  );
  fc.assert(
    fc.property(fc.array(part), (sent) => {
      const parts = taken([...sent, finish('stop', 'stop')]);
      const joined = (type: 'text-delta' | 'reasoning-delta', of: readonly { type: string }[]) =>
        of
          .flatMap((one) =>
            one.type === type ? [Reflect.get(one, 'text') ?? Reflect.get(one, 'delta')] : [],
          )
          .join('');
      expect(joined('text-delta', parts)).toBe(joined('text-delta', sent));
      expect(joined('reasoning-delta', parts)).toBe(joined('reasoning-delta', sent));
      const starts = parts.filter((one) => one.type === 'tool-call-start');
      expect(starts.map(({ index }) => index)).toEqual(starts.map((_, index) => index));
      expect(new Set(starts.map(({ id }) => id)).size).toBe(starts.length);
      // The arguments of a call come after its start, and before the next one's.
      let open = -1;
      for (const one of parts) {
        if (one.type === 'tool-call-start') open = one.index;
        if (one.type === 'tool-call-delta') expect(one.index).toBe(open);
      }
      const sentArguments = sent.flatMap((one) =>
        one.type === 'tool-input-delta' && starts.some(({ id }) => id === one.id) ? [one.delta.length] : [],
      );
      const got = parts.flatMap((one) => (one.type === 'tool-call-delta' ? [one.argumentsText.length] : []));
      const sum = (lengths: readonly number[]) => lengths.reduce((total, length) => total + length, 0);
      // Some were sent before the call began, which belong to nothing.
      expect(sum(got)).toBeLessThanOrEqual(sum(sentArguments));
    }),
  );
});

describe('an end', () => {
  test('that nobody knows is one, but no reason at all is a stream that broke off', () => {
    expect(taken([finish('other', 'eos_token')])[0]).toEqual({ type: 'finish', reason: 'stop' });
    for (const part of [finish('other', undefined), finish('interrupted', undefined), finish('error', 'x')]) {
      expect(() => taken([part])).toThrow('cut');
    }
    expect(() => taken([])).toThrow('cut');
  });

  test('by an error event is that error', () => {
    expect(() => taken([{ type: 'error', error: { message: 'x' } }, finish('stop', 'stop')])).toThrow(
      'event',
    );
  });
});

describe('usage', () => {
  test('parts of a count are no larger than the whole', () => {
    const part = fc.option(fc.nat(100), { nil: undefined });
    fc.assert(
      fc.property(part, part, part, part, part, (total, cacheRead, cacheWrite, completion, reasoning) => {
        const counted: LanguageModelV4Usage = {
          inputTokens: { total, noCache: undefined, cacheRead, cacheWrite },
          outputTokens: { total: completion, text: undefined, reasoning },
        };
        const last = taken([
          { type: 'finish', finishReason: { unified: 'stop', raw: 'stop' }, usage: counted },
        ]).at(-1);
        if (last?.type !== 'usage') {
          expect([total, completion]).toEqual([undefined, undefined]);
          return;
        }
        expect(last.cachedTokens + last.cacheWriteTokens).toBeLessThanOrEqual(last.promptTokens);
        expect(last.reasoningTokens).toBeLessThanOrEqual(last.completionTokens);
      }),
    );
  });
});
