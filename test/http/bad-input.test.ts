import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { copyFile, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import OpenAI from 'openai';
import { expect, onTestFinished, test } from 'vitest';
import { makeModel } from '../../bench/make-model.ts';
import type { EstimateView, ModelView, PlanView, Snapshot } from '../../src/shared/contract.ts';
import { type ServedApp, serveApp } from '../harness/served-app.ts';

/*
 * Models and sizes that cannot be, as users meet them: the built app, over HTTP and by the command line.
 */

const DEMO = resolve('resources/models/roundhouse-demo.gguf');
const CLI = resolve('src/main/cli/cli.ts');
const MIB = 1024 ** 2;

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

async function roundhouse(app: ServedApp, ...args: readonly string[]): Promise<Ended> {
  const child = spawn(process.execPath, [CLI, ...args, '--data-dir', app.dataDir]);
  let [out, err] = ['', ''];
  child.stdout.on('data', (text: Buffer) => {
    out += text;
  });
  child.stderr.on('data', (text: Buffer) => {
    err += text;
  });
  child.stdin.end();
  const [code] = await once(child, 'close');
  return { code, out, err };
}

/** For what happens in the background, on a machine that may be busy. */
const PATIENTLY = { timeout: 15_000, interval: 50 };

/** `it fits with a 1 and b 2 (…)` as models.yaml has it. */
function asSettings(text: string): string {
  const fits = /it fits with (.+?) \(/.exec(text)?.[1] ?? '';
  return fits.replaceAll(' and ', ', ').replaceAll(/(\w+) (\w+)/g, '$1: $2');
}

/** The answer's text, or the error. */
async function ask(
  app: ServedApp,
  model: string,
  apiKey = 'none',
): Promise<string | InstanceType<typeof OpenAI.APIError>> {
  const client = new OpenAI({ baseURL: `${app.url}/v1`, apiKey, maxRetries: 0 });
  try {
    const { choices } = await client.chat.completions.create({
      model,
      messages: [{ role: 'user', content: 'What is the capital of Italy?' }],
      temperature: 0,
      max_tokens: 20,
    });
    return choices[0]?.message.content ?? '';
  } catch (error) {
    if (error instanceof OpenAI.APIError) return error;
    throw error;
  }
}

const ROME = 'The capital of Italy is Rome.';

async function modelOf(app: ServedApp, id: string): Promise<ModelView | undefined> {
  return (await app.admin<ModelView[]>('models.list', {})).find((model) => model.id === id);
}

/** What an empty engine holds is guessed until the first load: until then, numbers are a little off. */
async function measureEmpty(app: ServedApp): Promise<void> {
  await app.admin('models.load', { id: 'small' });
  await app.admin('models.unload', { id: 'small' });
}

const SMALL = "small: { file: 'builtin:demo', contextSize: 256, parallel: 1 }";

async function decisionsOf(app: ServedApp): Promise<string[]> {
  return (await app.admin<{ text: string }[]>('decisions.list', {})).map(({ text }) => text);
}

async function folder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'roundhouse-bad-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

test('a model larger than the budget is refused with the numbers, and what it is told to be set to works', async () => {
  const yaml = (settings: string) => `version: 1
memory: { budget: 128MiB }
models:
  big: { file: 'builtin:demo', parallel: 64${settings} }
  ${SMALL}
tiers:
  both: { models: [big, small] }
`;
  await using app = await serveApp(yaml(''));
  await measureEmpty(app);
  const words =
    /big needs \d+ MiB and the memory budget is 128 MiB; it fits with (.+) \(\d+ MiB\): set that, give it fewer parallel slots, or raise memory\.budget/;

  // Known before anybody asks for it, and said wherever it is listed.
  await expect.poll(async () => (await modelOf(app, 'big'))?.problem ?? '', PATIENTLY).toMatch(words);
  expect((await roundhouse(app, 'list')).out).toMatch(words);

  const refused = await ask(app, 'big');
  expect(refused).toMatchObject({ status: 400, code: 'model_too_large', type: 'invalid_request_error' });
  expect(String(refused)).toMatch(words);
  expect(await decisionsOf(app)).toContainEqual(expect.stringMatching(words));
  for (const command of [
    ['run', 'big', 'Hello'],
    ['load', 'big'],
  ]) {
    const ended = await roundhouse(app, ...command);
    expect(ended).toMatchObject({ code: 1, out: '' });
    expect(ended.err).toMatch(words);
  }

  const plan = await app.admin<PlanView>('models.plan', { id: 'big' });
  expect(plan).toMatchObject({ outcome: 'never', text: expect.stringMatching(words) });
  expect(plan.neededBytes).toBeGreaterThan(plan.budgetBytes);
  expect((await roundhouse(app, 'plan', 'big')).out).toBe(`${plan.text}\n`);

  // A tier passes over it.
  expect(await ask(app, 'tier:both')).toBe(ROME);
  await app.admin('models.unloadAll', {});

  await writeFile(join(app.dataDir, 'models.yaml'), yaml(`, ${asSettings(plan.text)}`));
  await expect.poll(async () => (await modelOf(app, 'big'))?.problem, PATIENTLY).toBeNull();
  expect(await ask(app, 'big')).toBe(ROME);
});

test('a context that does not fit is refused with the largest that does', async () => {
  const file = join(await folder(), 'long.gguf');
  makeModel({ shape: '15m', type: 'f16', vocab: '512' }, file);
  const yaml = (contextSize: number) => `version: 1
memory: { budget: 200MiB }
models:
  long: { file: '${file}', parallel: 8, contextSize: ${contextSize} }
  ${SMALL}
`;
  await using app = await serveApp(yaml(8192));
  await measureEmpty(app);
  const setContext = async (contextSize: number) => {
    await writeFile(join(app.dataDir, 'models.yaml'), yaml(contextSize));
    await expect.poll(async () => (await modelOf(app, 'long'))?.contextSize, PATIENTLY).toBe(contextSize);
  };
  const refused = await ask(app, 'long');
  expect(refused).toMatchObject({ status: 400, code: 'model_too_large' });
  const offered = Number(/it fits with contextSize (\d+) \(\d+ MiB\): set that,/.exec(String(refused))?.[1]);
  expect(offered).toBeGreaterThanOrEqual(2048);
  const estimate = await roundhouse(app, 'estimate', file, '--parallel', '8');
  expect(estimate.out).toMatch(
    new RegExp(
      `Can never fit: .*\nThe largest that fits: ${offered} tokens of context, 8 slots, batches of 512, cache in f16;`,
    ),
  );
  // A little more would be refused again, and that much is not.
  await setContext(offered + 256);
  expect(await ask(app, 'long')).toMatchObject({ code: 'model_too_large' });
  await setContext(offered);
  expect(typeof (await ask(app, 'long'))).toBe('string');
});

test('a model of which not even the smallest context fits is said so', async () => {
  const dir = await folder();
  const file = join(dir, 'large.gguf');
  makeModel({ shape: '135m', type: 'f16', vocab: '32k' }, file);
  await using app = await serveApp(`version: 1
memory: { budget: 200MiB }
models:
  large: { file: '${file}', contextSize: 1048576, parallel: 64, batchSize: 16384 }
`);
  const refused = await ask(app, 'large');
  expect(refused).toMatchObject({ status: 400, code: 'model_too_large' });
  expect(String(refused)).toMatch(
    /large needs [\d.]+ GiB and the memory budget is 200 MiB; no contextSize makes it fit: /,
  );
  const estimate = await roundhouse(app, 'estimate', file);
  expect(estimate).toMatchObject({ code: 0, err: '' });
  expect(estimate.out).toMatch(
    /Can never fit: .* of a budget of 200 MiB\.\nThere are no settings with which it would fit\./,
  );
});

test('a file that was replaced is estimated anew, with the numbers in a decision, and then serves', async () => {
  const dir = await folder();
  const file = join(dir, 'm.gguf');
  await copyFile(DEMO, file);
  await using app = await serveApp(
    `version: 1\nmodels: { m: { file: '${file}', contextSize: 512, parallel: 1 } }\n`,
  );
  expect(await ask(app, 'm')).toBe(ROME);
  const before = await modelOf(app, 'm');
  await app.admin('models.unload', { id: 'm' });

  makeModel({ shape: '15m', type: 'f16', vocab: '512' }, file);
  expect(typeof (await ask(app, 'm'))).toBe('string');
  expect(await decisionsOf(app)).toContainEqual(
    expect.stringMatching(
      /^The file of m was changed: [\d.]+ MiB on disk \(was [\d.]+ MiB\); it needs \d+ MiB \(was \d+ MiB\)\.$/,
    ),
  );
  const after = await modelOf(app, 'm');
  expect(after?.memory.predictedBytes).toBeGreaterThan((before?.memory.predictedBytes ?? 0) + 10 * MIB);
  await app.admin('models.unload', { id: 'm' });

  // Seen without anybody asking for it: it shrinks, is cut off, and is whole again.
  const copies = async () =>
    (await decisionsOf(app)).filter((text) => text.startsWith('The file of m')).length;
  await copyFile(DEMO, file);
  await expect.poll(copies, PATIENTLY).toBe(2);
  await truncate(file, 1_000_000);
  await expect
    .poll(async () => (await modelOf(app, 'm'))?.problem ?? '', PATIENTLY)
    .toMatch(/m\.gguf.*1,000,000/);
  await copyFile(DEMO, file);
  await expect.poll(async () => (await modelOf(app, 'm'))?.problem, PATIENTLY).toBeNull();
  expect(await ask(app, 'm')).toBe(ROME);
});

test('headers are read before anybody asks: the context that holds, and what is wrong with a file', async () => {
  const dir = await folder();
  const [hostile, damaged] = ['hostile.gguf', 'damaged.gguf'].map((name) => join(dir, name));
  // 2^31 - 1 metadata keys in 24 bytes.
  await writeFile(hostile ?? '', Buffer.from('R0dVRgMAAAABAAAAAAAAAP///38AAAAA', 'base64'));
  await writeFile(damaged ?? '', (await readFile(DEMO)).subarray(0, 1_000_000));
  await using app = await serveApp(`version: 1
models:
  demo: { file: 'builtin:demo', contextSize: 100000 }
  hostile: { file: '${hostile}' }
  damaged: { file: '${damaged}' }
tiers:
  all: { models: [hostile, damaged, demo] }
`);
  await expect
    .poll(async () => (await modelOf(app, 'damaged'))?.problem ?? '', PATIENTLY)
    .toMatch(/damaged\.gguf/);
  const models = await app.admin<ModelView[]>('models.list', {});
  expect(models.map(({ id, contextSize, state }) => [id, contextSize, state.status])).toEqual([
    ['demo', 2048, 'unloaded'],
    ['hostile', 8192, 'unloaded'],
    ['damaged', 8192, 'unloaded'],
  ]);
  expect(models[0]?.memory.predictedBytes).toBeGreaterThan(20 * MIB);
  const [, wrong] = models;
  expect(wrong?.problem).toMatch(/hostile\.gguf/);
  expect((await roundhouse(app, 'list')).out).toContain(`hostile: ${wrong?.problem}`);
  expect(await ask(app, 'tier:all')).toBe(ROME);
  expect(await ask(app, 'hostile')).toMatchObject({ status: 400, code: 'gguf_invalid' });
});

test('absurd sizes are refused with their limits, and change nothing', async () => {
  const good = "version: 1\nmodels: { demo: { file: 'builtin:demo' } }\n";
  await using app = await serveApp(good);
  const file = join(app.dataDir, 'models.yaml');
  for (const [text, problem] of [
    [
      'contextSize: -5',
      'models.demo.contextSize: -5 is not a whole number from 64 to 1048576; write a number such as 8192',
    ],
    [
      'contextSize: 1e12',
      'models.demo.contextSize: 1000000000000 is not a whole number from 64 to 1048576; write a number such as 8192',
    ],
    [
      'parallel: 1e999',
      'models.demo.parallel: Infinity is not a whole number from 1 to 64; write a number such as 2',
    ],
    [
      'batchSize: .nan',
      'models.demo.batchSize: NaN is not a whole number from 1 to 16384; write a number such as 512',
    ],
    [
      'contextSize: 99999999999999999999999',
      'models.demo.contextSize: 1e+23 is not a whole number from 64 to 1048576; write a number such as 8192',
    ],
  ]) {
    await writeFile(file, `version: 1\nmodels: { demo: { file: 'builtin:demo', ${text} } }\n`);
    await expect
      .poll(async () => (await app.admin<Snapshot>('app.snapshot', {})).server.configProblems, PATIENTLY)
      .toEqual([{ file, line: 2, message: problem }]);
  }
  for (const [given, shown] of [
    ['-5', '-5'],
    ['1e12', '1e12'],
    ['9'.repeat(400), '9'.repeat(400)],
    ['8k', '8k'],
    ['', ''],
  ] as const) {
    const { code, out, err } = await roundhouse(app, 'estimate', DEMO, '--context', given);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(
      `--context: "${shown}" is not a whole number from 64 to 1048576; write one such as 8192`,
    );
  }
  for (const contextSize of [-5, 1e12, 2 ** 60]) {
    await expect(app.admin('models.estimate', { path: DEMO, settings: { contextSize } })).rejects.toThrow(
      /400 .*settings\.contextSize.* must be at (least 64|most 1048576), not/,
    );
  }
  // The largest that is allowed is no reason to hang either.
  const settings = { contextSize: 1_048_576, parallel: 64, batchSize: 16_384 };
  const estimate = await app.admin<EstimateView>('models.estimate', { path: DEMO, settings });
  expect(estimate.settings.contextSize).toBe(2048);
  expect(await ask(app, 'demo')).toBe(ROME);
});

test('keys hold from end to end: hashed in models.yaml, limited, and named in the refusal', async () => {
  const hash = createHash('sha256').update('sk-bot').digest('hex');
  await using app = await serveApp(`version: 1
server:
  apiKeys: [{ name: bot, keyHash: 'sha256:${hash}', requestsPerMinute: 1 }]
models: { demo: { file: 'builtin:demo' } }
`);
  expect(await ask(app, 'demo', 'wrong')).toMatchObject({ status: 401 });
  expect(await ask(app, 'demo', `sha256:${hash}`)).toMatchObject({ status: 401 });
  expect(await ask(app, 'demo', 'sk-bot')).toBe(ROME);
  const refused = await ask(app, 'demo', 'sk-bot');
  expect(refused).toMatchObject({ status: 429, code: 'rate_limit_exceeded' });
  expect(String(refused)).toContain('The API key "bot" has begun 1 request within a minute and may begin 1');
});
