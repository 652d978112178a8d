import { request as httpRequest } from 'node:http';
import OpenAI from 'openai';
import { expect, test } from 'vitest';
import { answering, apiKey, type FakeGatewayPorts } from '../fakes/fake-gateway-ports.ts';
import { HELLO, listening, postJson } from './harness.ts';

/* What an API key may ask at a time and in a minute, over real connections and a clock that the test moves. */

const CHAT = '/v1/chat/completions';
const ANN = { authorization: 'Bearer sk-ann' };
const BOB = { 'x-api-key': 'sk-bob' };

function ask(url: string, headers: Record<string, string>, body: object = HELLO, path = CHAT) {
  return postJson(`${url}${path}`, body, { headers });
}

async function limited(limits: { maxConcurrent?: number; requestsPerMinute?: number }) {
  const made = await listening();
  made.ports.apiKeys = [apiKey('sk-ann', { name: 'ann', ...limits }), apiKey('sk-bob')];
  return made;
}

async function messageOf(response: Response): Promise<string> {
  // What the port writes for every error; the first test holds it against its whole form.
  const { error } = (await response.json()) as { error: { message: string } };
  return error.message;
}

/** Ends what is being answered; the next one finds the place free. */
async function finish(ports: FakeGatewayPorts, index: number, response: Promise<Response>): Promise<void> {
  (await ports.generation(index)).text('Hi').finish();
  await (await response).text();
}

test('one more than maxConcurrent is told to come back, and the others are not touched', async () => {
  const { url, ports } = await limited({ maxConcurrent: 2 });
  const first = ask(url, ANN);
  const second = ask(url, ANN, { ...HELLO, stream: true });
  await ports.generation(1);
  const refused = await ask(url, ANN);
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1']);
  expect(await refused.json()).toEqual({
    error: {
      message:
        'The API key "ann" has 2 requests under way and may have 2 (its maxConcurrent under server.apiKeys in ' +
        'models.yaml); try again when one has ended.',
      type: 'rate_limit_error',
      param: null,
      code: 'rate_limit_exceeded',
    },
  });
  const other = ask(url, BOB);
  await finish(ports, 2, other);
  await finish(ports, 0, first);
  await finish(ports, 1, second);
  expect((await other).status).toBe(200);
});

test('a place is free again as soon as the answer was read to its end, streamed or not', async () => {
  const { url, ports } = await limited({ maxConcurrent: 1 });
  ports.engine = answering('a', 'b');
  for (const stream of [true, false, true, false]) {
    for (const path of [CHAT, '/completions']) {
      const response = await ask(url, ANN, { ...HELLO, prompt: 'Hello', stream }, path);
      expect(response.status).toBe(200);
      await response.text();
    }
  }
});

test('embeddings count too', async () => {
  const { url, ports } = await limited({ requestsPerMinute: 1 });
  ports.embedder = async () => ({ vectors: [[1]], promptTokens: 1 });
  const embed = () => ask(url, ANN, { model: 'demo', input: 'a' }, '/embeddings');
  expect((await embed()).status).toBe(200);
  expect((await embed()).status).toBe(429);
});

test('a stream holds its place until it ends', async () => {
  const { url, ports } = await limited({ maxConcurrent: 1 });
  const streaming = await Promise.all([
    ask(url, ANN, { ...HELLO, stream: true }),
    ports.generation().then((generation) => generation.text('Hi')),
  ]);
  expect((await ask(url, ANN)).status).toBe(429);
  (await ports.generation()).finish();
  await streaming[0].text();
  ports.engine = answering('again');
  expect((await ask(url, ANN)).status).toBe(200);
});

test.each(['while it waits', 'in mid-stream'])(
  'a client that leaves %s gives its place back',
  async (when) => {
    const { url, ports, port } = await limited({ maxConcurrent: 1 });
    if (when === 'in mid-stream') ports.engine = (generation) => void generation.text('Hi');
    const leaving = httpRequest({
      port,
      path: CHAT,
      method: 'POST',
      headers: { ...ANN, 'content-type': 'application/json' },
    });
    leaving.on('error', () => {});
    leaving.end(JSON.stringify({ ...HELLO, stream: true }));
    const generation = await ports.generation();
    if (when === 'in mid-stream') {
      await new Promise<void>((resolve) =>
        leaving.once('response', (response) => response.once('data', () => resolve())),
      );
    }
    leaving.destroy();
    await generation.aborted;
    ports.engine = answering('next');
    expect((await ask(url, ANN)).status).toBe(200);
  },
);

test('what fails gives its place back, and what is refused never had one', async () => {
  const { url, ports } = await limited({ maxConcurrent: 1 });
  for (const body of [{}, { ...HELLO, model: 'nobody' }, { ...HELLO, temperature: 'hot' }]) {
    expect((await ask(url, ANN, body)).status).toBeGreaterThanOrEqual(400);
    expect((await ask(url, ANN, body)).status).not.toBe(429);
  }
  ports.engine = answering('ok');
  expect((await ask(url, ANN)).status).toBe(200);
});

test('any 60 seconds hold no more than requestsPerMinute', async () => {
  const { url, ports, clock } = await limited({ requestsPerMinute: 3 });
  ports.engine = answering('ok');
  const status = async () => {
    const response = await ask(url, ANN);
    await response.text();
    return [response.status, response.headers.get('retry-after')];
  };
  expect(await status()).toEqual([200, null]);
  clock.advance(20_000);
  expect(await status()).toEqual([200, null]);
  expect(await status()).toEqual([200, null]);
  clock.advance(27_500);
  const refused = await ask(url, ANN);
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '13']);
  expect(await messageOf(refused)).toBe(
    'The API key "ann" has begun 3 requests within a minute and may begin 3 (its requestsPerMinute under ' +
      'server.apiKeys in models.yaml); try again in 13 s.',
  );
  // As long as it was told to wait; what was refused meanwhile does not count.
  clock.advance(13_000);
  expect(await status()).toEqual([200, null]);
  expect((await status())[0]).toBe(429);
  clock.advance(20_000);
  expect(await status()).toEqual([200, null]);
});

test('only what generates counts', async () => {
  const { url, ports } = await limited({ maxConcurrent: 1, requestsPerMinute: 1 });
  ports.engine = answering('ok');
  for (let round = 0; round < 3; round++) {
    expect((await fetch(`${url}/v1/models`, { headers: ANN })).status).toBe(200);
    expect((await fetch(`${url}${CHAT}`, { headers: ANN })).status).toBe(405);
  }
  await (await ask(url, ANN)).text();
  expect((await ask(url, ANN, HELLO, '/chat/completions')).status).toBe(429);
  expect((await fetch(`${url}/v1/models`, { headers: ANN })).status).toBe(200);
});

test('a key with admin rights is held to its limits in the playground too; the admin token has none', async () => {
  const { url, ports } = await listening();
  ports.apiKeys = [apiKey('sk-root', { name: 'root', admin: true, requestsPerMinute: 1 })];
  const chat = { model: 'demo', messages: HELLO.messages, maxTokens: null, sampling: {} };
  const play = async (secret: string) => {
    const response = await ask(url, { authorization: `Bearer ${secret}` }, chat, '/admin/chat/generate');
    await response.text();
    return response.status;
  };
  expect([await play('sk-root'), await play('sk-root')]).toEqual([200, 429]);
  expect([await play('the-admin-token'), await play('the-admin-token')]).toEqual([200, 200]);
});

test('limits that are edited hold for the next request, and count what is running', async () => {
  const { url, ports } = await limited({});
  const running = ask(url, ANN);
  await ports.generation();
  ports.apiKeys = [apiKey('sk-ann', { maxConcurrent: 1, requestsPerMinute: 2 })];
  const refused = await ask(url, ANN);
  expect(await messageOf(refused)).toContain('This API key has 1 request under way and may have 1');
  await finish(ports, 0, running);
  ports.engine = answering('ok');
  for (const status of [200, 200, 429]) {
    const response = await ask(url, ANN);
    await response.text();
    expect(response.status).toBe(status);
  }
  ports.apiKeys = [apiKey('sk-ann')];
  expect((await ask(url, ANN)).status).toBe(200);
});

test('the OpenAI client knows it as its rate limit error', async () => {
  const { url, ports } = await limited({ maxConcurrent: 1 });
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'sk-ann', maxRetries: 0 });
  const asked = () =>
    client.chat.completions.create({ model: 'demo', messages: [{ role: 'user', content: 'Hello' }] });
  const first = asked();
  const running = await ports.generation();
  await expect(asked()).rejects.toBeInstanceOf(OpenAI.RateLimitError);
  running.text('here').finish();
  expect((await first).choices[0]?.message.content).toBe('here');
});
