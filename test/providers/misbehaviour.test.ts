import { describe, expect, test } from 'vitest';
import type { StreamPart } from '../../src/shared/generation.ts';
import { KNOWN_MODEL } from '../fakes/wire/brain.ts';
import type { Misbehaviour } from '../fakes/wire/wire-server.ts';
import { ask, chat, errorIn, type Fixture, TIMEOUT_MS, textOfParts, WIRES, wired } from './harness.ts';

/*
 * Every way in which a provider goes wrong, on every protocol: it ends with one error that says so, never with what looks
 * like the end of an answer.
 */

const WORDS = 'A few words to be streamed';
/** After this many events every protocol has sent some text, and none has sent all. */
const MIDDLE = 5;

async function askMisbehaving(fixture: Fixture, misbehaviour: Misbehaviour): Promise<StreamPart[]> {
  fixture.server.misbehaviour = misbehaviour;
  return ask(fixture, chat(WORDS));
}

function expectFailed(parts: readonly StreamPart[], code: string, began: boolean): void {
  expect(errorIn(parts).code).toBe(code);
  expect(textOfParts(parts) !== '').toBe(began);
  expect(parts.filter(({ type }) => type === 'finish' || type === 'usage')).toEqual([]);
  expect(parts.filter(({ type }) => type === 'error').length).toBe(1);
}

describe.each(WIRES)('%s', (wire) => {
  test('an answer that is late is an answer', async () => {
    const parts = await askMisbehaving(await wired(wire), { kind: 'latency', ms: 30 });
    expect(textOfParts(parts)).toBe('You said “A few words to be streamed” 🚂');
  });

  test('429 says when to come again, in seconds, milliseconds or as a date', async () => {
    const fixture = await wired(wire);
    const limited = (headers: Record<string, string>) =>
      askMisbehaving(fixture, { kind: 'status', status: 429, headers }).then(errorIn);
    expect(await limited({ 'retry-after': '7' })).toMatchObject({
      code: 'provider_rate_limited',
      retryAfterMs: 7000,
    });
    expect(await limited({ 'retry-after-ms': '350', 'retry-after': '1' })).toMatchObject({
      retryAfterMs: 350,
    });
    const date = new Date(fixture.clock.nowMs() + 9000).toUTCString();
    expect(await limited({ 'retry-after': date })).toMatchObject({ retryAfterMs: 9000 });
    expect(await limited({})).toMatchObject({ code: 'provider_rate_limited', retryAfterMs: null });
    // Asked once each: trying again is not the provider's.
    expect(fixture.server.requests.length).toBe(4);
  });

  test.each([
    [500, 'provider_error'],
    [502, 'provider_error'],
    [503, 'provider_error'],
    [504, 'provider_timeout'],
    [401, 'provider_auth'],
    [403, 'provider_auth'],
    [402, 'insufficient_quota'],
    [413, 'payload_too_large'],
  ])('%i → %s, asked once', async (status, code) => {
    const fixture = await wired(wire);
    expectFailed(await askMisbehaving(fixture, { kind: 'status', status }), code, false);
    expect(fixture.server.requests.length).toBe(1);
  });

  test('an error page of a proxy', async () => {
    const body = '<html><h1>502 Bad Gateway</h1></html>';
    const parts = await askMisbehaving(await wired(wire), { kind: 'status', status: 502, body });
    expectFailed(parts, 'provider_error', false);
    expect(errorIn(parts).message).toBe('cloud failed (502).');
  });

  test.each(['cut', 'short', 'garbage', 'error-event'] as const)(
    '%s, before the answer and in its middle',
    async (kind) => {
      expectFailed(
        await askMisbehaving(await wired(wire), { kind, afterEvents: 0 }),
        'provider_error',
        false,
      );
      expectFailed(
        await askMisbehaving(await wired(wire), { kind, afterEvents: MIDDLE }),
        'provider_error',
        true,
      );
    },
  );

  test('half-open: nothing for as long as the time-out, before the answer and in its middle', async () => {
    for (const afterEvents of [0, MIDDLE]) {
      const fixture = await wired(wire);
      fixture.server.misbehaviour = { kind: 'half-open', afterEvents };
      const signal = new AbortController().signal;
      const parts: StreamPart[] = [];
      const first = Promise.withResolvers<void>();
      const ended = (async () => {
        for await (const part of fixture.provider.generate(KNOWN_MODEL, chat(WORDS), signal).parts) {
          parts.push(part);
          first.resolve();
        }
      })();
      await (afterEvents === 0 ? fixture.server.begun : first.promise);
      await fixture.clock.untilTimers(1);
      fixture.clock.advance(TIMEOUT_MS);
      await ended;
      expectFailed(parts, 'provider_timeout', afterEvents > 0);
      await fixture.server.abandoned;
      expect(fixture.clock.pendingTimers).toBe(0);
    }
  });

  test('a redirect is not followed, and the key does not go there', async () => {
    const elsewhere = await wired(wire);
    const fixture = await wired(wire);
    const redirect = { kind: 'redirect', location: `${elsewhere.server.url}/v1/chat/completions` } as const;
    expectFailed(await askMisbehaving(fixture, redirect), 'provider_error', false);
    expect(elsewhere.server.requests).toEqual([]);
  });

  test('nobody there', async () => {
    const fixture = await wired(wire);
    await fixture.server[Symbol.asyncDispose]();
    expectFailed(await ask(fixture, chat('Hi')), 'provider_error', false);
  });

  test('whoever asked goes away: the provider is told by the closed connection', async () => {
    const fixture = await wired(wire);
    fixture.server.misbehaviour = { kind: 'half-open', afterEvents: MIDDLE };
    const gone = new AbortController();
    const parts: StreamPart[] = [];
    for await (const part of fixture.provider.generate(KNOWN_MODEL, chat(WORDS), gone.signal).parts) {
      parts.push(part);
      gone.abort();
    }
    expect(errorIn(parts).code).toBe('cancelled');
    await fixture.server.abandoned;
  });

  test('whoever reads stops reading: the same', async () => {
    const fixture = await wired(wire);
    fixture.server.misbehaviour = { kind: 'half-open', afterEvents: MIDDLE };
    const signal = new AbortController().signal;
    for await (const part of fixture.provider.generate(KNOWN_MODEL, chat(WORDS), signal).parts) {
      expect(part.type).toBe('text-delta');
      break;
    }
    await fixture.server.abandoned;
    expect(fixture.clock.pendingTimers).toBe(0);
  });

  test('the provider is disposed of: what it was asked ends with an error', async () => {
    const fixture = await wired(wire);
    fixture.server.misbehaviour = { kind: 'half-open', afterEvents: 0 };
    const asked = ask(fixture, chat('Hi'));
    await fixture.server.begun;
    fixture.provider[Symbol.dispose]();
    expect(errorIn(await asked).code).toBe('shutting_down');
    await fixture.server.abandoned;
  });
});
