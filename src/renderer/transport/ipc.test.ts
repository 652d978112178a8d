import { describe, expect, it } from 'vitest';
import { collect } from '../../../test/fakes/collect.ts';
import { fakeSnapshot } from '../../../test/fakes/fake-models.ts';
import type { BridgeEnd, RoundhouseBridge } from '../../shared/bridge.ts';
import type { AppEvent } from '../../shared/contract.ts';
import { type ErrorJson, RoundhouseError } from '../../shared/errors.ts';
import type { StreamPart } from '../../shared/generation.ts';
import { createIpcTransport } from './ipc.ts';

const NEVER = new AbortController().signal;
const INPUT = {
  model: 'demo',
  messages: [{ role: 'user' as const, content: 'hi' }],
  maxTokens: null,
  sampling: {},
};
const TOO_LARGE: ErrorJson = {
  code: 'model_too_large',
  message: 'needs 20 GiB of 12 GiB',
  param: null,
  retryAfterMs: null,
};

/** A bridge whose stream the test pushes into. */
function fakeBridge() {
  const end = Promise.withResolvers<BridgeEnd>();
  const test = { push: (_part: StreamPart): void => undefined, end: end.resolve, cancels: 0 };
  const bridge: RoundhouseBridge = {
    call: async () => ({ ok: false, error: TOO_LARGE }),
    stream(_name, _input, onPart) {
      test.push = onPart;
      const cancel = () => {
        test.cancels += 1;
      };
      return { cancel, done: end.promise };
    },
    subscribe: () => () => undefined,
    pathForFile: () => '',
  };
  return { bridge, test };
}

const text = (word: string): StreamPart => ({ type: 'text-delta', text: word });

describe('the IPC transport', () => {
  it('turns a refusal back into the error that the app threw', async () => {
    const { bridge } = fakeBridge();
    const refused = createIpcTransport(bridge).call('models.load', { id: 'big' });
    await expect(refused).rejects.toBeInstanceOf(RoundhouseError);
    await expect(refused).rejects.toMatchObject({
      code: 'model_too_large',
      message: 'needs 20 GiB of 12 GiB',
    });
  });

  it('gives parts that came early and parts that came late, in order, until the end', async () => {
    const { bridge, test } = fakeBridge();
    const parts = createIpcTransport(bridge).stream('chat.generate', INPUT, NEVER);
    const seen: StreamPart[] = [];
    queueMicrotask(() => {
      test.push(text('a'));
      test.push(text('b'));
    });
    for await (const part of parts) {
      seen.push(part);
      if (seen.length === 2) test.push(text('c'));
      if (seen.length === 3) test.end({ ok: true });
    }
    expect(seen.map((part) => part.type === 'text-delta' && part.text)).toEqual(['a', 'b', 'c']);
  });

  it('ends a stream that the app refused with its error', async () => {
    const { bridge, test } = fakeBridge();
    test.end({ ok: false, error: TOO_LARGE });
    const parts = await collect(createIpcTransport(bridge).stream('chat.generate', INPUT, NEVER));
    expect(parts).toEqual([{ type: 'error', error: TOO_LARGE }]);
  });

  it('cancels the stream and ends when aborted, also while nothing comes', async () => {
    const { bridge, test } = fakeBridge();
    const abort = new AbortController();
    const reading = collect(createIpcTransport(bridge).stream('chat.generate', INPUT, abort.signal));
    abort.abort();
    expect(await reading).toEqual([]);
    expect(test.cancels).toBeGreaterThan(0);
  });

  it('is connected once the snapshot is there', () => {
    const { bridge } = fakeBridge();
    const seen: string[] = [];
    let tell: (event: AppEvent) => void = () => undefined;
    const subscribing: RoundhouseBridge = {
      ...bridge,
      subscribe(onEvent) {
        tell = onEvent;
        return () => seen.push('unsubscribed');
      },
    };
    const subscription = createIpcTransport(subscribing).subscribe(
      (event) => seen.push(event.type),
      (connection) => seen.push(connection.status),
    );
    tell({ type: 'snapshot', snapshot: fakeSnapshot() });
    subscription[Symbol.dispose]();
    expect(seen).toEqual(['connecting', 'connected', 'snapshot', 'unsubscribed']);
  });
});
