import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import OpenAI from 'openai';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type ServedApp, serveApp } from '../harness/served-app.ts';

/*
 * Two keys of providers, one from the environment and one from the file of secrets. They are used, and after all that can
 * go right or wrong with them they are nowhere else: not in answers, not in files, not in other processes.
 */

const RIGHT = 'sk-canary-right-4711';
const WRONG = 'sk-canary-wrong-4712';

let far: ServedApp;
let near: ServedApp;
/** Everything that the app said to anybody. */
const said: string[] = [];

beforeAll(async () => {
  far = await serveApp(`
server: { apiKeys: ["${RIGHT}"] }
models: { demo: { file: "builtin:demo", contextSize: 2048 } }
`);
  near = await serveApp(
    `
providers:
  studio: { type: openai-compatible, baseUrl: "${far.url}/v1", apiKey: "\${STUDIO_KEY:-}" }
  other: { type: openai-compatible, baseUrl: "${far.url}/v1" }
models:
  demo: { file: "builtin:demo", contextSize: 2048 }
  there: { provider: studio, remoteId: demo }
logging: { content: true, level: debug }
`,
    {
      env: { STUDIO_KEY: RIGHT },
      files: { 'secrets.json': JSON.stringify({ [`other at ${far.url}`]: WRONG }) },
    },
  );
});
afterAll(async () => {
  await near[Symbol.asyncDispose]();
  await far[Symbol.asyncDispose]();
});

async function ask(model: string): Promise<number> {
  const response = await fetch(`${near.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model, messages: [{ role: 'user', content: 'Hello' }], max_tokens: 8 }),
  });
  said.push(JSON.stringify([...response.headers]), await response.text());
  return response.status;
}

async function call(name: string, input: object): Promise<void> {
  said.push(JSON.stringify(await near.admin(name, input)));
}

it('the right key opens, the wrong one is refused in our words', async () => {
  expect(await ask('there')).toBe(200);
  expect(await ask('studio/demo')).toBe(200);
  expect(await ask('other/demo')).toBe(502);
  expect(said.join()).toContain('provider_auth');
  expect(await ask('demo')).toBe(200);
  const client = new OpenAI({ baseURL: `${near.url}/v1`, apiKey: 'none', maxRetries: 0 });
  said.push(JSON.stringify(await client.models.list()));
});

it('everything that can be asked about providers, usage and the configuration is said without keys', async () => {
  await call('providers.test', { name: 'studio' });
  await call('providers.test', { name: 'other' });
  await call('providers.list', {});
  await call('app.snapshot', {});
  await call('usage.requests', {});
  await call('usage.request', { id: 1 });
  await call('decisions.list', {});
  for (const key of ['providers', 'providers.studio.apiKey', 'providers.other.apiKey', 'server']) {
    await call('config.explain', { key });
  }
  // The file is written anew while the app runs.
  await call('providers.setKey', { name: 'other', apiKey: `${WRONG}-2` });
  expect(said.join('\n')).not.toContain('canary');
  expect(said.join('\n')).toContain('(a key, not shown)');
});

it('no engine and no file but that of the secrets has them', async () => {
  // Rows are on the disk when they have been read back.
  await call('usage.requests', {});
  const tree = await childrenOf(near.pid);
  expect(tree.length).toBeGreaterThan(0);
  for (const pid of tree) {
    expect(await readFile(`/proc/${pid}/environ`, 'latin1')).not.toContain('canary');
    expect(await readFile(`/proc/${pid}/cmdline`, 'latin1')).not.toContain('canary');
  }
  const holding = async () => {
    const names = await readdir(near.dataDir, { recursive: true, withFileTypes: true });
    const files = names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    const texts = await Promise.all(
      files.map(async (file) => ({ file, text: await readFile(file, 'latin1') })),
    );
    expect(texts.length).toBeGreaterThan(3);
    return texts.filter(({ text }) => text.includes('canary')).map(({ file }) => file);
  };
  expect(await holding()).toEqual([join(near.dataDir, 'secrets.json')]);
  await vi.waitUntil(async () => (await readFile(join(near.dataDir, 'logs/roundhouse.log'), 'utf8')) !== '');
  await near.stop();
  expect(await holding()).toEqual([join(near.dataDir, 'secrets.json')]);
});

/** Ids of all processes below this one. */
async function childrenOf(pid: number): Promise<readonly number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  const children = text.trim().split(' ').filter(Boolean).map(Number);
  return [...children, ...(await Promise.all(children.map(childrenOf))).flat()];
}
