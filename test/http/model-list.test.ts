import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import type { ModelView } from '../../src/shared/contract.ts';
import { type ServedApp, serveApp } from '../harness/served-app.ts';

/*
 * What the running app says of its models. The demo model was trained for 2048 tokens.
 */

let app: ServedApp;
beforeAll(async () => {
  app = await serveApp(`version: 1
memory: { budget: 2GiB }
models:
  org/demo: { file: 'builtin:demo', aliases: [lab/team/demo] }
  odd: { file: 'builtin:demo', contextSize: 1000 }
tiers:
  default: { models: [org/demo] }
`);
});
afterAll(() => app[Symbol.asyncDispose]());

async function contextSizes(): Promise<number[]> {
  const list = z.object({
    data: z.array(z.object({ roundhouse: z.object({ context_size: z.int() }) })),
  });
  const { data } = list.parse(await (await fetch(`${app.url}/v1/models`)).json());
  return data.map((model) => model.roundhouse.context_size);
}

function chat(model: string, content: string): Promise<Response> {
  return fetch(`${app.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model, messages: [{ role: 'user', content }], temperature: 0 }),
  });
}

test('the context that is shown is the one that holds, not the one that was asked for', async () => {
  // Before a header was read, only what was asked for is known.
  expect(await contextSizes()).toEqual([8192, 1000]);
  const shown = async (id: string) => (await app.admin<ModelView>('models.load', { id })).contextSize;
  // llama.cpp rounds up.
  expect([await shown('org/demo'), await shown('odd')]).toEqual([2048, 1024]);
  expect(await contextSizes()).toEqual([2048, 1024]);
  await app.admin('models.unloadAll', {});
  await expect.poll(contextSizes).toEqual([2048, 1000]);
});

test('names that hold a slash are listed, found, and answer', async () => {
  const paths = ['org/demo', 'org%2Fdemo', 'lab/team/demo', 'lab%2Fteam%2Fdemo'];
  for (const path of paths) {
    const found = await fetch(`${app.url}/v1/models/${path}`);
    expect(await found.json()).toMatchObject({ id: 'org/demo' });
  }
  for (const name of ['org/demo', 'lab/team/demo', 'tier:default']) {
    const answer = await chat(name, 'What is the capital of France?');
    expect(await answer.text()).toContain('The capital of France is Paris.');
  }
});

test('a prompt that is too long is told to raise contextSize only where that can help', async () => {
  const tooLong = 'word '.repeat(3000);
  const most = await (await chat('org/demo', tooLong)).text();
  expect(most).toContain('maximum context length is 2048 tokens');
  expect(most).toContain('was not trained for more');
  expect(most).not.toContain('raise contextSize');
  const less = await (await chat('odd', tooLong)).text();
  expect(less).toContain('or raise contextSize for this model: it was trained for 2048');
});

test('a logit_bias for a token that the model does not have is refused', async () => {
  const response = await fetch(`${app.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'org/demo',
      messages: [{ role: 'user', content: 'Hi' }],
      logit_bias: { '999999': 5 },
    }),
  });
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ error: { code: 'invalid_request', param: 'logit_bias' } });
});
