import { copyFile, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ModelView, Snapshot } from '../../src/shared/contract.ts';
import { type GgufHeader, ggufHeader, tensorBytes } from '../fixtures/gguf-writer.ts';
import { type ServedApp, serveApp } from '../harness/served-app.ts';

/*
 * The whole product as a user meets it: the built app in a process of its own, real engines, the unchanged OpenAI client.
 */

const DEMO = 'resources/models/roundhouse-demo.gguf';
/** The least that a header has to say. */
const LLAMA: GgufHeader['metadata'] = [
  ['general.architecture', { type: 'text', value: 'llama' }],
  ['llama.block_count', { type: 'u32', value: 2 }],
  ['llama.embedding_length', { type: 'u32', value: 64 }],
  ['llama.attention.head_count', { type: 'u32', value: 4 }],
];

function clientOf(app: ServedApp, options: { maxRetries?: number } = {}): OpenAI {
  return new OpenAI({ baseURL: `${app.url}/v1`, apiKey: 'none', maxRetries: 0, ...options });
}

async function ask(client: OpenAI, model: string, content: string): Promise<string> {
  const answer = await client.chat.completions.create({
    model,
    messages: [{ role: 'user', content }],
    temperature: 0,
  });
  return answer.choices[0]?.message.content ?? '';
}

/** Process ids of the app's children. */
async function childrenOf(pid: number): Promise<number[]> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return children.trim().split(' ').filter(Boolean).map(Number);
}

describe('a first start, with nothing configured', () => {
  let app: ServedApp;
  beforeAll(async () => {
    app = await serveApp(null);
  });
  afterAll(() => app[Symbol.asyncDispose]());

  it('answers from the demo model', async () => {
    expect(await ask(clientOf(app), 'demo', 'What is Roundhouse?')).toBe(
      'Roundhouse is a desktop app that serves many language models from one Mac. ' +
        'It keeps them inside one memory budget and gives every program on the machine a single OpenAI-compatible address.',
    );
  });

  it('streams the same text, with usage', async () => {
    const stream = await clientOf(app).chat.completions.create({
      model: 'demo',
      messages: [{ role: 'user', content: 'What is the capital of France?' }],
      temperature: 0,
      stream: true,
      stream_options: { include_usage: true },
    });
    const deltas: string[] = [];
    let usage: OpenAI.CompletionUsage | null | undefined;
    for await (const chunk of stream) {
      deltas.push(chunk.choices[0]?.delta.content ?? '');
      usage = chunk.usage ?? usage;
    }
    expect(deltas.join('')).toBe('The capital of France is Paris.');
    expect(deltas.filter((delta) => delta !== '').length).toBeGreaterThan(1);
    expect(usage?.completion_tokens).toBeGreaterThan(3);
    expect(usage?.total_tokens).toBe((usage?.prompt_tokens ?? 0) + (usage?.completion_tokens ?? 0));
  });

  it.each(['nano', 'low', 'medium', 'high', 'reasoning', 'summary', 'default', 'fitness', 'fallback'])(
    'answers as tier:%s',
    async (tier) => {
      const { data, response } = await clientOf(app)
        .chat.completions.create({
          model: `tier:${tier}`,
          messages: [{ role: 'user', content: 'Hello' }],
          max_completion_tokens: 4,
        })
        .withResponse();
      expect(data.model).toBe('demo');
      expect(decodeURIComponent(response.headers.get('x-roundhouse-route') ?? '')).toContain(
        `tier:${tier} -> demo`,
      );
    },
  );

  it('completes plain text', async () => {
    const answer = await clientOf(app).completions.create({
      model: 'demo',
      prompt: '<|im_start|>user\nWhat is the capital of Italy?<|im_end|>\n<|im_start|>assistant\n',
      temperature: 0,
      max_tokens: 32,
    });
    expect(answer.choices[0]?.text).toBe('The capital of Italy is Rome.');
  });

  it('gives n different answers', async () => {
    const answer = await clientOf(app).chat.completions.create({
      model: 'demo',
      messages: [{ role: 'user', content: 'Tell me a short story about a dog' }],
      n: 2,
      seed: 5,
      temperature: 1.2,
    });
    const [first, second] = answer.choices.map((choice) => choice.message.content);
    expect(first).not.toBe(second);
    expect(answer.choices.map((choice) => choice.index)).toEqual([0, 1]);
  });

  it('refuses a prompt longer than the context before the first byte, streamed or not', async () => {
    const messages = [{ role: 'user' as const, content: 'word '.repeat(3000) }];
    for (const stream of [true, false]) {
      const error: unknown = await clientOf(app)
        .chat.completions.create({ model: 'demo', messages, stream })
        .catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(OpenAI.BadRequestError);
      expect(error).toMatchObject({ code: 'context_length_exceeded' });
      expect(String(error)).toContain('maximum context length is 2048 tokens');
    }
  });

  it('says what its engines cannot do, and takes what is only a hint', async () => {
    const client = clientOf(app);
    const body = { model: 'demo', messages: [{ role: 'user' as const, content: 'Hello' }], max_tokens: 5 };
    const tools = [{ type: 'function' as const, function: { name: 'f' } }];
    for (const asked of [
      () => client.chat.completions.create({ ...body, tools }),
      () => client.chat.completions.create({ ...body, tools, stream: true }),
      () => client.chat.completions.create({ ...body, response_format: { type: 'json_object' } }),
      () => client.embeddings.create({ model: 'demo', input: 'Hello' }),
    ]) {
      const error: unknown = await asked().catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(OpenAI.BadRequestError);
      expect(error).toMatchObject({ code: 'capability_missing' });
    }
    const { choices } = await client.chat.completions.create({
      ...body,
      tools,
      tool_choice: 'none',
      reasoning_effort: 'high',
    });
    expect(choices[0]?.message.content).not.toBe('');
  });

  it('stops generating when the client goes away', async () => {
    const controller = new AbortController();
    const stream = await clientOf(app).chat.completions.create(
      {
        model: 'demo',
        messages: [{ role: 'user', content: 'Tell me a short story' }],
        // Cannot end by itself: the end of a turn is banned.
        logit_bias: { '1787': -100, '1785': -100 },
        stream: true,
      },
      { signal: controller.signal },
    );
    for await (const chunk of stream) if (chunk.choices[0]?.delta.content) break;
    controller.abort();
    await expect
      .poll(async () => (await app.admin<ModelView[]>('models.list', {}))[0]?.activeRequests, {
        timeout: 5000,
      })
      .toBe(0);
    expect(await ask(clientOf(app), 'demo', 'Hello')).toContain('demo model');
  });

  it('lists the model with its state', async () => {
    const models = await clientOf(app).models.list();
    expect(models.data).toMatchObject([{ id: 'demo', object: 'model', owned_by: 'roundhouse' }]);
  });

  it('says what it holds against what it predicted', async () => {
    await expect
      .poll(async () => (await app.admin<Snapshot>('app.snapshot', {})).models[0]?.memory.measuredBytes)
      .toBeGreaterThan(20e6);
    const { models, memory } = await app.admin<Snapshot>('app.snapshot', {});
    const { predictedBytes, measuredBytes } = models[0]?.memory ?? {};
    expect(predictedBytes).toBeGreaterThan(20e6);
    expect(memory.reservedBytes).toBeGreaterThanOrEqual(measuredBytes ?? Number.POSITIVE_INFINITY);
    expect(memory.budgetBytes).toBeGreaterThan(memory.reservedBytes);
  });

  it('leaves its keys out of the engines', async () => {
    const [engine] = await childrenOf(app.pid);
    const environment = await readFile(`/proc/${engine}/environ`, 'utf8');
    expect(environment).not.toContain('ROUNDHOUSE_CANARY');
  });
});

describe('what is wrong with the configuration', () => {
  it('is said, and does not keep the app from starting where it need not', async () => {
    await using app = await serveApp(
      'version: 1\nmodelsFolders: [/no/such/folder]\nmodels: { demo: { file: builtin:demo } }\n',
    );
    expect(await ask(clientOf(app), 'demo', 'Hello')).not.toBe('');
    const texts = async () =>
      (await app.admin<{ text: string }[]>('decisions.list', {})).map(({ text }) => text);
    expect(await texts()).toContainEqual(expect.stringContaining('/no/such/folder'));
    await writeFile(join(app.dataDir, 'models.yaml'), 'version: 1\nmodelz: {}\n');
    await expect
      .poll(texts)
      .toContainEqual(expect.stringMatching(/models.yaml:2: unknown key .*did you mean/));
    await writeFile(
      join(app.dataDir, 'models.yaml'),
      'version: 1\nmodels: { demo: { file: builtin:demo } }\n',
    );
    await expect.poll(texts).toContain('models.yaml is good again and in force.');
  });

  it('is said of a model that is larger than the budget, which tiers then pass over', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'roundhouse-large-'));
    const file = join(dir, 'large.gguf');
    const tensor = { name: 'token_embd.weight', dimensions: [64, 2_500_000], type: 'F16' };
    const header = ggufHeader({ metadata: LLAMA, tensors: [tensor] });
    await writeFile(file, header);
    // As long as a large model, and as empty as a disk allows.
    await truncate(file, header.length + tensorBytes(tensor));
    const withBudget = (budget: string) =>
      `version: 1\nmemory: { budget: ${budget} }\nmodels: { large: { file: '${file}' }, demo: { file: builtin:demo } }\n` +
      'tiers: { low: { models: [large, demo] } }\n';
    await using app = await serveApp(withBudget('256MiB'));
    const problems = async () =>
      (await app.admin<ModelView[]>('models.list', {})).map(({ problem }) => problem);
    const texts = async () =>
      (await app.admin<{ text: string }[]>('decisions.list', {})).map(({ text }) => text);
    // By its file at first, and by its header when that was read.
    expect(await problems()).toEqual([expect.stringMatching(/and the memory budget is 256 MiB; /), null]);
    expect(await texts()).toContainEqual(expect.stringMatching(/^large \(.*\) is larger than/));
    const answer = await clientOf(app).chat.completions.create({
      model: 'tier:low',
      messages: [{ role: 'user', content: 'Hello' }],
    });
    expect(answer.model).toBe('demo');
    // Said again only when it is true again.
    await writeFile(join(app.dataDir, 'models.yaml'), withBudget('1GiB'));
    await expect.poll(problems).toEqual([null, null]);
    await writeFile(join(app.dataDir, 'models.yaml'), withBudget('256MiB'));
    await expect
      .poll(async () => (await texts()).filter((text) => /^large \(.*\) is larger/.test(text)))
      .toHaveLength(2);
    await rm(dir, { recursive: true });
  });

  it('is looked at again when a file is replaced by a hostile one', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'roundhouse-replaced-'));
    const file = join(dir, 'm.gguf');
    await copyFile(DEMO, file);
    await using app = await serveApp(`version: 1\nmodels: { m: { file: '${file}', contextSize: 512 } }\n`);
    expect(await ask(clientOf(app), 'm', 'Hello')).not.toBe('');
    await app.admin('models.unload', { id: 'm' });
    // 2^31 - 1 metadata keys in 24 bytes: llama.cpp's reader would be busy with it for ever.
    await writeFile(file, Buffer.from('R0dVRgMAAAABAAAAAAAAAP///38AAAAA', 'base64'));
    const refused: unknown = await ask(clientOf(app), 'm', 'Hello').catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(OpenAI.BadRequestError);
    expect(refused).toMatchObject({ code: 'gguf_invalid' });
    await rm(dir, { recursive: true });
  });
});

describe('two models and room for one', () => {
  let app: ServedApp;
  let dir: string;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'roundhouse-two-'));
    for (const name of ['a', 'b']) await copyFile(DEMO, join(dir, `${name}.gguf`));
    app = await serveApp(`version: 1
memory: { maxLoadedModels: 1, minResidency: 0s }
models:
  a: { file: '${dir}/a.gguf', contextSize: 2048 }
  b: { file: '${dir}/b.gguf', contextSize: 2048 }
`);
  });
  afterAll(async () => {
    await app[Symbol.asyncDispose]();
    await rm(dir, { recursive: true });
  });

  it('answers fifty requests at once, each rightly, with one swap', async () => {
    const client = clientOf(app);
    const sums = Array.from({ length: 50 }, (_, index) => ({
      model: index % 2 === 0 ? 'a' : 'b',
      x: index % 20,
      y: 3,
    }));
    const finished: { model: string; index: number }[] = [];
    const answers = await Promise.all(
      sums.map(async ({ model, x, y }, index) => {
        const answer = await ask(client, model, `What is ${x} plus ${y}?`);
        finished.push({ model, index });
        return answer;
      }),
    );
    for (const [index, { x, y }] of sums.entries()) expect(answers[index]).toContain(String(x + y));
    // First come, first served: of one model, no answer overtakes another by more than the slots that run at once.
    for (const model of ['a', 'b']) {
      const order = finished.filter((entry) => entry.model === model).map((entry) => entry.index / 2);
      for (const [place, index] of order.entries())
        expect(Math.abs(Math.floor(index) - place)).toBeLessThanOrEqual(2);
    }
    const loads = (await app.admin<{ text: string }[]>('decisions.list', {})).filter(({ text }) =>
      text.startsWith('Loading'),
    );
    expect(loads).toHaveLength(2);
  });

  it('never has more than one loaded', async () => {
    const client = clientOf(app);
    for (const model of ['a', 'b', 'a']) {
      await ask(client, model, 'Hello');
      const models = await app.admin<ModelView[]>('models.list', {});
      expect(models.filter(({ state }) => state.status === 'ready').map(({ id }) => id)).toEqual([model]);
    }
  });

  it('tells the stream of an engine that was killed, and serves the next request', async () => {
    const client = clientOf(app);
    const stream = await client.chat.completions.create({
      model: 'a',
      messages: [{ role: 'user', content: 'Tell me a short story' }],
      logit_bias: { '1787': -100, '1785': -100 },
      stream: true,
    });
    const read = async () => {
      let killed = false;
      for await (const chunk of stream) {
        if (killed || !chunk.choices[0]?.delta.content) continue;
        killed = true;
        for (const pid of await childrenOf(app.pid)) process.kill(pid, 'SIGKILL');
      }
    };
    await expect(read()).rejects.toThrow(/engine failed.*SIGKILL/);
    expect(await ask(client, 'a', 'What is the capital of Spain?')).toBe('The capital of Spain is Madrid.');
  });

  it('goes on while another client is served and a file is broken', async () => {
    const client = clientOf(app);
    await rm(join(dir, 'b.gguf'));
    await app.admin('models.unload', { id: 'b' });
    const [answer, refused] = await Promise.all([
      ask(client, 'a', 'What is the capital of Japan?'),
      ask(client, 'b', 'Hello').catch((error: unknown) => error),
    ]);
    expect(answer).toBe('The capital of Japan is Tokyo.');
    expect(refused).toBeInstanceOf(OpenAI.BadRequestError);
    expect(String(refused)).toContain('b.gguf');
  });

  it('leaves no engine behind when it stops', async () => {
    const engines = await childrenOf(app.pid);
    expect(engines.length).toBeGreaterThan(0);
    await app.stop();
    for (const pid of engines) expect(() => process.kill(pid, 0)).toThrow();
    expect(await readdir(app.dataDir)).not.toContain('runtime.json');
  });
});
