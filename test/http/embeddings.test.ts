import OpenAI from 'openai';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { RoundhouseError } from '../../src/shared/errors.ts';
import { type Harness, harness, listening, postJson } from './harness.ts';

/** Exact in 32 bits, so that both encodings give the same numbers. */
const vectorOf = (text: string, length: number) =>
  Array.from({ length }, (_, index) => (text.length + index) / 8);

async function served() {
  const it = await listening();
  it.ports.embedder = async ({ inputs, options }) => ({
    vectors: inputs.map((text) => vectorOf(text, options.dimensions ?? 4)),
    promptTokens: 5,
  });
  return { ...it, client: new OpenAI({ baseURL: `${it.url}/v1`, apiKey: 'any', maxRetries: 0 }) };
}

test('a vector for each text, in their order, as the client asks by default', async () => {
  const { client, ports } = await served();
  const answer = await client.embeddings.create({ model: 'demo', input: ['a', 'bcd', 'ef'], user: 'ann' });
  expect(answer).toEqual({
    object: 'list',
    data: ['a', 'bcd', 'ef'].map((text, index) => ({
      object: 'embedding',
      index,
      embedding: vectorOf(text, 4),
    })),
    model: 'demo',
    usage: { prompt_tokens: 5, total_tokens: 5 },
  });
  const [call] = ports.embedCalls;
  expect(call).toMatchObject({
    route: { asked: 'demo', modelId: 'demo' },
    inputs: ['a', 'bcd', 'ef'],
    options: { dimensions: null },
    caller: { user: 'ann', contentType: null },
  });
  expect(ports.required).toEqual([['embeddings']]);
});

test('what nobody counted is left out', async () => {
  const { client, ports } = await served();
  ports.embedder = async () => ({ vectors: [[1]], promptTokens: null });
  const answer = await client.embeddings.create({ model: 'demo', input: 'a' });
  expect(Object.keys(answer)).toEqual(['object', 'data', 'model']);
});

test('one text, as numbers or as base64 of little-endian floats, of the length asked for', async () => {
  const { url } = await served();
  const ask = async (body: object) => {
    const response = await postJson(`${url}/embeddings`, { model: 'demo', input: 'abc', ...body });
    const { data } = z
      .object({ data: z.array(z.object({ embedding: z.unknown() })) })
      .parse(await response.json());
    return data[0]?.embedding;
  };
  expect(await ask({})).toEqual(vectorOf('abc', 4));
  expect(await ask({ encoding_format: 'float', dimensions: 2 })).toEqual(vectorOf('abc', 2));
  const bytes = Buffer.from(String(await ask({ encoding_format: 'base64', dimensions: 2 })), 'base64');
  expect([bytes.length, bytes.readFloatLE(0), bytes.readFloatLE(4)]).toEqual([8, ...vectorOf('abc', 2)]);
});

test.each<[body: object, param: string, code?: string]>([
  [{ model: undefined }, 'model'],
  [{ model: '' }, 'model'],
  [{ input: undefined }, 'input'],
  [{ input: null }, 'input'],
  [{ input: {} }, 'input'],
  [{ input: [] }, 'input'],
  [{ input: '' }, 'input'],
  [{ input: ['a', ''] }, 'input[1]'],
  [{ input: ['a', 5] }, 'input[1]'],
  [{ input: Array(2049).fill('a') }, 'input'],
  [{ input: [1, 2] }, 'input', 'unsupported_parameter'],
  [{ input: [[1], [2]] }, 'input', 'unsupported_parameter'],
  [{ encoding_format: 'int8' }, 'encoding_format'],
  [{ dimensions: 0 }, 'dimensions'],
  [{ dimensions: 1.5 }, 'dimensions'],
  [{ dimensions: 1e9 }, 'dimensions'],
  [{ user: 5 }, 'user'],
])('%j is refused', async (body, param, code = 'invalid_request') => {
  const made = harness();
  const response = await post(made, { model: 'demo', input: 'a', ...body });
  expect(response.statusCode).toBe(400);
  expect(response.json()).toEqual({
    error: { message: expect.stringMatching(/^.{10,}\.$/), type: 'invalid_request_error', param, code },
  });
  expect(made.ports.embedCalls).toEqual([]);
});

test('a failure has its status, and too few vectors are one', async () => {
  const { client, ports } = await served();
  ports.embedder = () =>
    Promise.reject(new RoundhouseError('capability_missing', 'demo cannot.', { param: 'model' }));
  const refused: unknown = await client.embeddings.create({ model: 'demo', input: 'a' }).catch((e) => e);
  expect(refused).toBeInstanceOf(OpenAI.BadRequestError);
  expect(refused).toMatchObject({ code: 'capability_missing', param: 'model' });
  ports.embedder = async () => ({ vectors: [[1]], promptTokens: 1 });
  const short: unknown = await client.embeddings.create({ model: 'demo', input: ['a', 'b'] }).catch((e) => e);
  expect(short).toMatchObject({ status: 502, code: 'provider_error' });
  const unknown: unknown = await client.embeddings.create({ model: 'none', input: 'a' }).catch((e) => e);
  expect(unknown).toBeInstanceOf(OpenAI.NotFoundError);
});

test('the time that the provider takes is not overhead', async () => {
  const made = harness();
  const { ports, clock } = made;
  ports.embedder = async () => {
    clock.advance(400);
    return { vectors: [[1]], promptTokens: 1 };
  };
  const response = await post(made, { model: 'demo', input: 'a' });
  expect(response.headers).toMatchObject({
    'x-roundhouse-overhead-ms': '0.000',
    'x-roundhouse-route': 'demo -> demo; asked by its id',
  });
});

test('a client that goes away ends the call', async () => {
  const { client, ports } = await served();
  const aborted = Promise.withResolvers<void>();
  ports.embedder = ({ signal }) =>
    new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => {
        aborted.resolve();
        reject(signal.reason);
      });
    });
  const controller = new AbortController();
  const asked = client.embeddings.create({ model: 'demo', input: 'a' }, { signal: controller.signal });
  asked.catch(() => {});
  await ports.until(() => ports.embedCalls.length > 0);
  controller.abort();
  await aborted.promise;
  await expect(asked).rejects.toBeInstanceOf(OpenAI.APIUserAbortError);
});

function post({ gateway }: Harness, payload: object) {
  return gateway.inject({
    method: 'POST',
    url: '/v1/embeddings',
    headers: { 'content-type': 'application/json' },
    payload: JSON.stringify(payload),
  });
}
