import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { createHttpTransport } from '../../src/renderer/transport/http.ts';
import type { Connection, Transport } from '../../src/renderer/transport/transport.ts';
import type { AppEvent } from '../../src/shared/contract.ts';
import type { StreamPart } from '../../src/shared/generation.ts';
import { collect } from '../fakes/collect.ts';
import { CANNED_ANSWER, FakeApp } from '../fakes/fake-app.ts';
import { startFakeInterfaceServer } from '../fakes/fake-interface-server.ts';
import { fakeModel } from '../fakes/fake-models.ts';
import { ManualClock } from '../fakes/manual-clock.ts';

/** Only a browser uploads; the end-to-end tests do. */
const noUpload = () => Promise.reject(new Error('not uploaded here'));

const NEVER = new AbortController().signal;
const INPUT = {
  model: 'demo',
  messages: [{ role: 'user' as const, content: 'hi' }],
  maxTokens: null,
  sampling: {},
};

async function start(options: { readonly token?: string } = {}) {
  const appClock = new ManualClock();
  const retryClock = new ManualClock();
  const ready = { status: 'ready', sinceMs: 0 } as const;
  const api = new FakeApp({
    clock: appClock,
    models: [fakeModel('phi'), fakeModel('demo', { state: ready })],
  });
  const server = await startFakeInterfaceServer({ api, token: 'secret', interfaceDir: null });
  const token = options.token ?? 'secret';
  const transport = createHttpTransport({
    baseUrl: server.url,
    token,
    fetch,
    clock: retryClock,
    upload: noUpload,
  });
  return { api, appClock, retryClock, server, transport };
}

/** Collects what a subscription says; `until` resolves when `reached` holds. */
function watch(transport: Transport) {
  const events: AppEvent[] = [];
  const connections: Connection[] = [];
  const waiting = new Set<() => void>();
  const tell = () => {
    for (const check of waiting) check();
  };
  const subscription = transport.subscribe(
    (event) => {
      events.push(event);
      tell();
    },
    (connection) => {
      connections.push(connection);
      tell();
    },
  );
  const until = (reached: () => boolean) =>
    new Promise<void>((resolve) => {
      const check = () => {
        if (reached()) resolve();
      };
      waiting.add(check);
      check();
    });
  const snapshots = () => events.filter((event) => event.type === 'snapshot').length;
  return { events, connections, snapshots, until, [Symbol.dispose]: () => subscription[Symbol.dispose]() };
}

/** Lets a fake app run until `done`: each of its pauses is passed as soon as it begins. */
async function runApp<Value>(clock: ManualClock, done: Promise<Value>): Promise<Value> {
  let over = false;
  const settled = done.finally(() => {
    over = true;
  });
  while (!over) {
    await Promise.race([clock.untilTimers(1), settled]);
    clock.advance(1_000);
  }
  return settled;
}

describe('the HTTP transport', () => {
  it('calls the app and gives its answer', async () => {
    const { transport, server, appClock } = await start();
    await using _ = server;
    const loaded = await runApp(appClock, transport.call('models.load', { id: 'phi' }));
    expect(loaded.state.status).toBe('ready');
  });

  it('throws the error that the app answered with', async () => {
    const { transport, server } = await start();
    await using _ = server;
    await expect(transport.call('models.load', { id: 'nobody' })).rejects.toMatchObject({
      name: 'RoundhouseError',
      code: 'model_not_found',
      message: expect.stringContaining('There is no model nobody'),
    });
  });

  it('says so when the app cannot be reached', async () => {
    const { transport, server } = await start();
    await server[Symbol.asyncDispose]();
    await expect(transport.call('app.snapshot', {})).rejects.toMatchObject({
      code: 'shutting_down',
      message: expect.stringContaining('does not answer'),
    });
  });

  it('streams the parts of an answer', async () => {
    const { transport, server, appClock } = await start();
    await using _ = server;
    const stream = transport.stream('chat.generate', INPUT, NEVER);
    const parts = await runApp(appClock, collect(stream));
    expect(parts.map((part) => (part.type === 'text-delta' ? part.text : '')).join('')).toBe(CANNED_ANSWER);
    expect(parts.slice(-2).map((part) => part.type)).toEqual(['finish', 'usage']);
  });

  it('tells the app when an answer is not wanted any more', async () => {
    const { transport, server, appClock, api } = await start();
    await using _ = server;
    using watched = watch(transport);
    const activeIs = (count: number) => () => {
      const last = watched.events.findLast((event) => event.type === 'model');
      return last?.type === 'model' && last.model.activeRequests === count;
    };
    const abort = new AbortController();
    const reading = collect(transport.stream('chat.generate', INPUT, abort.signal));
    await watched.until(activeIs(1));
    abort.abort();
    expect(await reading).toEqual([]);
    await runApp(appClock, watched.until(activeIs(0)));
    expect(api.snapshot.models.find((model) => model.id === 'demo')?.activeRequests).toBe(0);
  });

  it('ends an answer whose connection broke with an error part', async () => {
    const broken = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: {"type":"text-delta","text":"Hel"}\n\n', () => response.destroy());
    });
    await new Promise<void>((resolve) => broken.listen(0, '127.0.0.1', resolve));
    // A TCP server's address is an object.
    const { port } = broken.address() as AddressInfo;
    const baseUrl = `http://127.0.0.1:${port}`;
    const transport = createHttpTransport({
      baseUrl,
      token: '',
      fetch,
      clock: new ManualClock(),
      upload: noUpload,
    });
    const parts: StreamPart[] = await collect(transport.stream('chat.generate', INPUT, NEVER));
    broken.close();
    expect(parts.at(-1)).toMatchObject({ type: 'error', error: { code: 'engine_failed' } });
  });

  it('gives a snapshot first, then changes', async () => {
    const { transport, server, appClock } = await start();
    await using _ = server;
    using watched = watch(transport);
    await watched.until(() => watched.snapshots() === 1);
    await runApp(appClock, transport.call('models.load', { id: 'phi' }));
    await watched.until(() => watched.events.some((event) => event.type === 'decision'));
    expect(watched.connections).toEqual([{ status: 'connecting' }, { status: 'connected' }]);
    expect(watched.events[0]?.type).toBe('snapshot');
  });

  it('waits longer after each failure, up to 5 s, and begins again with a snapshot', async () => {
    const { transport, server, retryClock } = await start();
    await using _ = server;
    using watched = watch(transport);
    await watched.until(() => watched.snapshots() === 1);

    server.acceptEvents(false);
    server.dropEventStreams();
    for (const waitMs of [500, 1_000, 2_000, 4_000, 5_000, 5_000]) {
      await retryClock.untilTimers(1);
      expect(watched.connections.at(-1)?.status).toBe('reconnecting');
      retryClock.advance(waitMs - 1);
      expect(retryClock.pendingTimers).toBe(1);
      retryClock.advance(1);
      expect(retryClock.pendingTimers).toBe(0);
    }

    // Only once the last attempt has failed: it must not meet a server that accepts again.
    await retryClock.untilTimers(1);
    server.acceptEvents(true);
    retryClock.advance(5_000);
    await watched.until(() => watched.snapshots() === 2);
    expect(watched.connections.at(-1)).toEqual({ status: 'connected' });
  });

  it('does not try again when the app refuses the page', async () => {
    const { transport, server, retryClock } = await start({ token: 'old' });
    await using _ = server;
    using watched = watch(transport);
    await watched.until(() => watched.connections.length === 2);
    expect(watched.connections.at(-1)).toMatchObject({ status: 'refused' });
    expect(retryClock.pendingTimers).toBe(0);
  });

  it('stops trying once nobody listens', async () => {
    const { transport, server, retryClock } = await start();
    await server[Symbol.asyncDispose]();
    const watched = watch(transport);
    await retryClock.untilTimers(1);
    watched[Symbol.dispose]();
    expect(retryClock.pendingTimers).toBe(0);
  });
});
