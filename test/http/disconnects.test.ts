import { Agent, request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { answering } from '../fakes/fake-gateway-ports.ts';
import { HELLO, listening, postJson } from './harness.ts';

test.each([true, false])(
  'a client that leaves while its request waits stops it (stream: %s)',
  async (stream) => {
    const { url, ports } = await listening();
    const leaving = new AbortController();
    const body = { ...HELLO, stream };
    const asked = expect(
      postJson(`${url}/v1/chat/completions`, body, { signal: leaving.signal }),
    ).rejects.toThrow();
    const generation = await ports.generation();
    leaving.abort();
    await generation.aborted;
    await asked;
  },
);

test('a client that leaves in the middle of its request is nothing to log', async () => {
  const errors: string[] = [];
  const seen = Promise.withResolvers<void>();
  const { port, logged, gateway } = await listening({
    newId() {
      seen.resolve();
      return 'id';
    },
  });
  const socket = connect(port, '127.0.0.1');
  socket.on('error', (error) => errors.push(error.message));
  socket.write(
    `POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: application/json\r\n` +
      'Content-Length: 100\r\n\r\n{"mod',
  );
  await seen.promise;
  const left = new Promise<void>((resolve) => socket.on('close', () => resolve()));
  socket.destroy();
  await left;
  // Ends when the server has noticed that the request is over.
  await gateway.close();
  expect([logged, errors]).toEqual([[], []]);
});

test('a client that leaves in mid-stream stops the generation', async () => {
  const { url, ports } = await listening();
  ports.engine = (generation) => void generation.text('Hi');
  const leaving = new AbortController();
  const response = await postJson(
    `${url}/v1/chat/completions`,
    { ...HELLO, stream: true },
    { signal: leaving.signal },
  );
  expect(response.status).toBe(200);
  const generation = await ports.generation();
  leaving.abort();
  await generation.aborted;
});

test('a client that leaves while a whole answer grows stops all its choices', async () => {
  const { url, ports } = await listening();
  ports.engine = (generation) => void generation.text('Hi');
  const leaving = new AbortController();
  const body = { prompt: ['a', 'b'], n: 2 };
  const asked = expect(postJson(`${url}/v1/completions`, body, { signal: leaving.signal })).rejects.toThrow();
  await ports.generation(3);
  leaving.abort();
  await Promise.all(ports.generations.map((generation) => generation.aborted));
  await asked;
});

test('a whole answer that was given does not fire the signal', async () => {
  const { url, ports, gateway } = await listening();
  ports.engine = answering('Hi');
  for (const stream of [true, false]) {
    await (await postJson(`${url}/v1/chat/completions`, { ...HELLO, stream })).text();
  }
  await gateway.close();
  expect(ports.generations.map((generation) => generation.signal.aborted)).toEqual([false, false]);
});

test('the connection can be used again after every normal end and every refusal', async () => {
  const { port, ports } = await listening();
  ports.engine = answering('Hi');
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const localPorts: (number | undefined)[] = [];
  const statuses: (number | undefined)[] = [];
  for (const body of [
    { ...HELLO, stream: true },
    HELLO,
    { ...HELLO, model: 'none' },
    { ...HELLO, stream: true },
  ]) {
    await new Promise<void>((resolve, reject) => {
      const request = httpRequest(
        {
          agent,
          port,
          host: '127.0.0.1',
          method: 'POST',
          path: '/v1/chat/completions',
          headers: { 'content-type': 'application/json' },
        },
        (response) => {
          localPorts.push(response.socket.localPort);
          statuses.push(response.statusCode);
          response.resume();
          response.on('end', resolve);
        },
      );
      request.on('error', reject);
      request.end(JSON.stringify(body));
    });
  }
  agent.destroy();
  expect(statuses).toEqual([200, 200, 404, 200]);
  expect(new Set(localPorts).size).toBe(1);
});

test('a client that takes nothing slows its generation down, and is given up after a minute', async () => {
  const { port, ports, clock } = await listening();
  const socket = connect(port, '127.0.0.1');
  socket.pause();
  const body = JSON.stringify({ ...HELLO, stream: true });
  socket.write(
    `POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  const generation = await ports.generation();
  const big = 'x'.repeat(1024 * 1024);
  const total = 200;
  for (let count = 0; count < total; count += 1) generation.text(big);
  // Two parts taken: the timer of the waiting comments is gone, so the next one is a stalled write's.
  await generation.untilPulled(2);
  await clock.untilTimers(1);
  expect(generation.pulled).toBeLessThan(total);
  clock.advance(60_000);
  await generation.aborted;
  socket.destroy();
});

test('closing ends streams with an error event, whole answers with a 503, and frees the port', async () => {
  const { url, port, ports, gateway } = await listening();
  const waiting = postJson(`${url}/v1/chat/completions`, HELLO);
  await ports.generation(0);
  ports.engine = (generation) => void generation.text('Hi');
  const streaming = await postJson(`${url}/v1/chat/completions`, { ...HELLO, stream: true });
  const reader = streaming.body?.pipeThrough(new TextDecoderStream()).getReader();
  const closed = gateway.close();

  let text = '';
  const broken: unknown = await (async () => {
    for (let next = await reader?.read(); next?.done === false; next = await reader?.read())
      text += next.value;
    return 'a clean end';
  })().catch((error: unknown) => error);
  expect(broken).toBeInstanceOf(Error);
  expect(text).toContain('"code":"shutting_down"');
  expect(text).not.toContain('[DONE]');
  const refused = await waiting;
  expect(refused.status).toBe(503);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
  expect(await refused.json()).toMatchObject({ error: { code: 'shutting_down' } });

  await closed;
  await gateway.close();
  await Promise.all(ports.generations.map((generation) => generation.aborted));
  await new Promise<void>((resolve) => {
    connect(port, '127.0.0.1').on('error', () => resolve());
  });
});

test('closing does not wait for long for a request that never ends', async () => {
  const { port, gateway, clock } = await listening();
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  const hungUp = new Promise<void>((resolve) => socket.on('close', () => resolve()));
  // Its body is announced and never comes.
  socket.write(
    `POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: application/json\r\n` +
      'Expect: 100-continue\r\nContent-Length: 100\r\n\r\n',
  );
  await new Promise((resolve) => socket.once('data', resolve));
  const closed = gateway.close();
  await clock.untilTimers(1);
  clock.advance(2000);
  await closed;
  await hungUp;
});
