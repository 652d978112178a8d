import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { ModelView, Snapshot } from '../../src/shared/contract.ts';
import type { ProviderView } from '../../src/shared/provider-contract.ts';
import type { BudgetView, UsageDetailView, UsageRequestView } from '../../src/shared/usage-contract.ts';
import { type ServedApp, serveApp } from '../harness/served-app.ts';

/*
 * Models that run elsewhere, through the whole product: two Roundhouses of which one asks the other, a mock, and what is
 * written down of it.
 */

const QUESTION = { role: 'user', content: 'What is the capital of France?' } as const;
const ANSWER = 'The capital of France is Paris.';

const clientOf = (app: ServedApp) => new OpenAI({ baseURL: `${app.url}/v1`, apiKey: 'none', maxRetries: 0 });

/** The newest row of usage; what was recorded before the question is in the answer. */
async function newestRow(app: ServedApp): Promise<UsageRequestView> {
  const [row] = await app.admin<readonly UsageRequestView[]>('usage.requests', { limit: 1 });
  if (!row) throw new Error('no request was written down');
  return row;
}

describe('a Roundhouse that asks another', () => {
  let far: ServedApp;
  let near: ServedApp;
  beforeAll(async () => {
    far = await serveApp('models: { demo: { file: "builtin:demo", contextSize: 2048 } }\n');
    near = await serveApp(`
providers:
  studio: { type: openai-compatible, baseUrl: "${far.url}/v1", aliases: [mac], discover: true }
models:
  paris: { provider: studio, remoteId: demo, sampling: { temperature: 0 } }
tiers: { low: { models: [paris] } }
logging: { content: true }
`);
  });
  afterAll(async () => {
    await near[Symbol.asyncDispose]();
    await far[Symbol.asyncDispose]();
  });

  it.each(['paris', 'tier:low', 'auto'])(
    'answers as %s, whole, and writes it down on both sides',
    async (model) => {
      const { data, response } = await clientOf(near)
        .chat.completions.create({ model, messages: [QUESTION], user: 'ada' })
        .withResponse();
      expect(data.choices[0]?.message.content).toBe(ANSWER);
      expect(data.model).toBe('paris');
      const row = await newestRow(near);
      expect(row).toMatchObject({
        requestId: response.headers.get('x-request-id'),
        user: 'ada',
        asked: model,
        provider: 'studio',
        model: 'paris',
        streamed: false,
        status: 'ok',
        tryCount: 1,
        promptTokens: data.usage?.prompt_tokens,
        completionTokens: data.usage?.completion_tokens,
        // Nobody says what that machine costs: that is not nothing.
        costNanoDollars: null,
      });
      expect(row.firstTokenMs).toBeGreaterThan(0);
      expect(row.totalMs).toBeGreaterThanOrEqual(row.firstTokenMs ?? 0);
      const detail = await near.admin<UsageDetailView>('usage.request', { id: row.id });
      expect(detail.text).toEqual({ prompt: `user: ${QUESTION.content}`, answer: ANSWER });

      const there = await newestRow(far);
      expect(there).toMatchObject({ provider: 'local', model: 'demo', status: 'ok', costNanoDollars: 0 });
      // It keeps no texts.
      expect((await far.admin<UsageDetailView>('usage.request', { id: there.id })).text).toBeNull();
    },
  );

  it('streams as provider/model, by the provider’s alias, and says how it was resolved', async () => {
    const { data: stream, response } = await clientOf(near)
      .chat.completions.create({
        model: 'mac/demo',
        messages: [QUESTION],
        temperature: 0,
        stream: true,
        stream_options: { include_usage: true },
      })
      .withResponse();
    const deltas: string[] = [];
    let usage: OpenAI.CompletionUsage | null | undefined;
    for await (const chunk of stream) {
      deltas.push(chunk.choices[0]?.delta.content ?? '');
      usage = chunk.usage ?? usage;
    }
    expect(deltas.join('')).toBe(ANSWER);
    expect(deltas.filter((delta) => delta !== '').length).toBeGreaterThan(1);
    expect(usage?.completion_tokens).toBeGreaterThan(3);
    expect(response.headers.get('x-roundhouse-route')).toContain('mac/demo -> studio/demo (alias)');
    expect(await newestRow(near)).toMatchObject({ model: 'studio/demo', streamed: true, status: 'ok' });
  });

  it('shows what the other has, its health, and its model among the others', async () => {
    const found = await near.admin<readonly { remoteId: string; registeredAs: string | null }[]>(
      'providers.models',
      { name: 'mac' },
    );
    expect(found).toMatchObject([{ provider: 'studio', remoteId: 'demo', registeredAs: 'paris' }]);
    const tested = await near.admin<ProviderView>('providers.test', { name: 'studio' });
    expect(tested).toMatchObject({
      name: 'studio',
      key: { state: 'not-needed' },
      health: { status: 'ok' },
      foundModels: 1,
      models: ['paris'],
    });
    const { models, providers } = await near.admin<Snapshot>('app.snapshot', {});
    expect(models).toMatchObject([
      {
        id: 'paris',
        kind: 'remote',
        provider: 'studio',
        remoteId: 'demo',
        source: null,
        tiers: ['low'],
        price: null,
      },
    ]);
    expect(models[0]?.contextSize).toBe(2048);
    expect(providers.map(({ name }) => name)).toEqual(['studio']);
    const list = await clientOf(near).models.list();
    expect(list.data.map(({ id, owned_by }) => [id, owned_by])).toEqual([['paris', 'studio']]);
    expect((await clientOf(near).models.retrieve('studio/demo')).id).toBe('studio/demo');
  });

  it('a caller who leaves ends the request on both sides, as cancelled', async () => {
    const leaving = new AbortController();
    const stream = await clientOf(near).chat.completions.create(
      {
        model: 'paris',
        messages: [{ role: 'user', content: 'Tell me a story' }],
        stream: true,
        max_tokens: 1500,
      },
      { signal: leaving.signal },
    );
    for await (const _ of stream) break;
    leaving.abort();
    for (const app of [near, far]) {
      await vi.waitUntil(async () => (await newestRow(app)).status === 'cancelled', { timeout: 10_000 });
    }
  });

  it('an error of the other comes through in our words, and is written down', async () => {
    const asked = clientOf(near).chat.completions.create({ model: 'studio/nobody', messages: [QUESTION] });
    await expect(asked).rejects.toMatchObject({ status: 404, code: 'model_not_found' });
    expect(await newestRow(near)).toMatchObject({
      status: 'error',
      errorCode: 'model_not_found',
      provider: 'studio',
    });
  });

  it('nothing is loaded, unloaded or pinned that runs elsewhere', async () => {
    for (const call of ['models.load', 'models.unload', 'models.plan']) {
      await expect(near.admin(call, { id: 'paris' })).rejects.toThrow('runs at a provider');
    }
    await expect(near.admin('models.pin', { id: 'paris', pinned: true })).rejects.toThrow(
      'runs at a provider',
    );
  });

  it('the far side gone: a failure with its name, told in the provider’s health', async () => {
    await far.stop();
    const asked = clientOf(near).chat.completions.create({ model: 'paris', messages: [QUESTION] });
    await expect(asked).rejects.toMatchObject({ status: 502, code: 'provider_error' });
    const [studio] = await near.admin<readonly ProviderView[]>('providers.list', {});
    expect(studio?.health).toMatchObject({ status: 'down', message: expect.stringContaining('studio') });
  });
});

describe('a mock, budgets, and what is registered while the app runs', () => {
  let app: ServedApp;
  beforeAll(async () => {
    app = await serveApp(`# kept
providers:
  mock: { type: mock, latency: 0s, script: [{ when: ping, answer: pong }] } # mine
  paid: { type: openai-compatible, baseUrl: "http://127.0.0.1:9/v1" }
models:
  demo: { file: "builtin:demo", contextSize: 2048 }
  echo: { provider: mock, remoteId: any }
  dear: { provider: paid, remoteId: big }
  gone: { provider: mock, remoteId: old, stage: retired, replacement: echo }
  going: { provider: mock, remoteId: older, stage: deprecated, replacement: echo }
tiers: { eyes: { models: [demo, echo] } }
budgets:
  - { scope: { model: dear }, limit: 0.001, per: day, action: block }
`);
    // A price of the user's own: read while the app runs.
    await mkdir(join(app.dataDir, 'catalog/models/paid'), { recursive: true });
    await mkdir(join(app.dataDir, 'catalog/pricing'), { recursive: true });
    await writeFile(
      join(app.dataDir, 'catalog/pricing/paid.yaml'),
      'models: { big: [{ effectiveDate: 2026-01-01, input: "1000", output: "1000" }] }\n',
    );
    await writeFile(
      join(app.dataDir, 'catalog/models/paid/big.yaml'),
      'id: big\nname: The Big One\ncontext: { in: 9000, out: 1000 }\npricingRef: big\n',
    );
  });
  afterAll(() => app[Symbol.asyncDispose]());

  const model = async (id: string) =>
    (await app.admin<readonly ModelView[]>('models.list', {})).find((view) => view.id === id);

  it('the mock answers end to end, for nothing', async () => {
    const answer = await clientOf(app).chat.completions.create({
      model: 'echo',
      messages: [{ role: 'user', content: 'ping?' }],
    });
    expect(answer.choices[0]?.message.content).toBe('pong');
    expect(await newestRow(app)).toMatchObject({ provider: 'mock', model: 'echo', costNanoDollars: 0 });
    const { data } = await clientOf(app).embeddings.create({ model: 'mock/any', input: ['a', 'b'] });
    expect(data).toHaveLength(2);
    expect(await newestRow(app)).toMatchObject({ model: 'mock/any', status: 'ok', completionTokens: 0 });
  });

  it('a picture goes past models of this machine to one that may see it', async () => {
    const { data, response } = await clientOf(app)
      .chat.completions.create({
        model: 'tier:eyes',
        messages: [
          {
            role: 'user',
            content: [
              { type: 'text', text: 'ping' },
              { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } },
            ],
          },
        ],
      })
      .withResponse();
    expect(data.model).toBe('echo');
    expect(decodeURIComponent(response.headers.get('x-roundhouse-route') ?? '')).toContain(
      'demo without image_input',
    );
  });

  it('a retired model names its replacement, a deprecated one answers with a warning', async () => {
    const ask = (name: string) =>
      clientOf(app).chat.completions.create({ model: name, messages: [{ role: 'user', content: 'ping' }] });
    await expect(ask('gone')).rejects.toMatchObject({
      status: 404,
      code: 'model_retired',
      message: expect.stringContaining('use echo instead'),
    });
    const { response } = await ask('going').withResponse();
    expect(response.headers.get('x-roundhouse-warning')).toBe('going is deprecated; use echo instead.');
    expect(response.headers.get('x-roundhouse-route')).toContain('deprecated');
  });

  it('a definition and a price in the data folder hold at once, and a budget is kept before anybody is asked', async () => {
    await vi.waitUntil(async () => (await model('dear'))?.price !== null, { timeout: 10_000 });
    expect(await model('dear')).toMatchObject({
      contextSize: 9000,
      price: { inputNanoDollars: 1e12, outputNanoDollars: 1e12, effectiveDate: '2026-01-01' },
    });
    const asked = clientOf(app).chat.completions.create({
      model: 'dear',
      messages: [{ role: 'user', content: 'ping' }],
      max_tokens: 100,
    });
    await expect(asked).rejects.toMatchObject({ status: 429, code: 'insufficient_quota' });
    expect(await newestRow(app)).toMatchObject({
      status: 'error',
      errorCode: 'insufficient_quota',
      tryCount: 0,
    });
    const [budget] = await app.admin<readonly BudgetView[]>('usage.budgets', {});
    expect(budget).toMatchObject({ spentNanoDollars: 0, inFlightNanoDollars: 0 });
  });

  it('a broken definition is among the problems, and takes only itself out', async () => {
    const file = join(app.dataDir, 'catalog/models/paid/broken.yaml');
    await writeFile(file, 'id: broken\nfamly: x\n');
    const problems = async () => (await app.admin<Snapshot>('app.snapshot', {})).server.configProblems;
    await vi.waitUntil(async () => (await problems()).length > 0, { timeout: 10_000 });
    expect(await problems()).toContainEqual({
      file,
      line: 2,
      message: expect.stringContaining('did you mean `family`?'),
    });
    expect((await model('dear'))?.price).not.toBeNull();
  });

  it('providers and models are added to models.yaml and taken out again, with all else kept', async () => {
    const yaml = () => readFile(join(app.dataDir, 'models.yaml'), 'utf8');
    const before = await yaml();
    const added = await app.admin<ProviderView>('providers.add', {
      name: 'lab',
      kind: 'openai-compatible',
      baseUrl: 'http://lab.local:8000/v1',
      apiKey: 'canary-lab-key',
    });
    expect(added).toMatchObject({
      name: 'lab',
      key: { state: 'set', from: 'secrets.json of the data folder' },
    });
    const { id } = await app.admin<{ id: string }>('models.addRemote', {
      provider: 'lab',
      remoteId: 'org/Big-70B',
    });
    expect(id).toBe('big-70b');
    expect(await yaml()).toContain(`${'  mock: { type: mock, latency: 0s'}`);
    expect(await yaml()).not.toContain('canary');
    expect(await model('big-70b')).toMatchObject({ provider: 'lab', remoteId: 'org/Big-70B' });
    await expect(app.admin('providers.remove', { name: 'lab' })).rejects.toThrow(
      'these models run at lab: big-70b',
    );
    await writeFile(join(app.dataDir, 'models.yaml'), (await yaml()).replace(/ {2}big-70b:\n.*\n.*\n/, ''));
    await vi.waitUntil(async () => (await model('big-70b')) === undefined, { timeout: 10_000 });
    const left = await app.admin<readonly ProviderView[]>('providers.remove', { name: 'lab' });
    expect(left.map(({ name }) => name)).toEqual(['mock', 'paid']);
    expect(await yaml()).toBe(before);
    expect(await readdir(app.dataDir)).not.toContain('secrets.json');
  });

  it('what is registered by a call serves at once, is in no file, and goes again', async () => {
    const yaml = await readFile(join(app.dataDir, 'models.yaml'), 'utf8');
    await app.admin('registry.registerProvider', { name: 'late', kind: 'mock', aliases: ['l'] });
    await app.admin('registry.registerModel', { id: 'm', provider: 'l', remoteId: 'x', aliases: ['mm'] });
    await app.admin('registry.registerModel', {
      id: 'tiny',
      path: join(process.cwd(), 'resources/models/roundhouse-demo.gguf'),
    });
    const ask = (name: string, content: string) =>
      clientOf(app).chat.completions.create({
        model: name,
        messages: [{ role: 'user', content }],
        temperature: 0,
        max_tokens: 20,
      });
    expect((await ask('mm', 'hello')).choices[0]?.message.content).toBe('hello');
    expect((await ask('tiny', QUESTION.content)).choices[0]?.message.content).toBe(ANSWER);
    await expect(
      app.admin('registry.registerModel', { id: 'echo', provider: 'l', remoteId: 'x' }),
    ).rejects.toThrow('is a model already (mock/any under');
    await expect(app.admin('registry.unregisterModel', { id: 'echo' })).rejects.toThrow(
      'stands in models.yaml',
    );
    await app.admin('registry.unregisterModel', { id: 'mm' });
    await app.admin('registry.unregisterModel', { id: 'tiny' });
    await app.admin('registry.unregisterProvider', { name: 'late' });
    await expect(ask('m', 'hello')).rejects.toMatchObject({ status: 404 });
    await expect(ask('tiny', 'hello')).rejects.toMatchObject({ status: 404 });
    expect(await readFile(join(app.dataDir, 'models.yaml'), 'utf8')).toBe(yaml);
  });

  it('metrics and the export tell of it', async () => {
    const metrics = await (await fetch(`${app.url}/metrics`)).text();
    expect(metrics).toMatch(/roundhouse_requests_total\{model="echo",status="ok"\} [1-9]/);
    expect(metrics).toContain('roundhouse_model_loads_total 1\n');
    const token = (await readFile(join(app.dataDir, 'admin-token'), 'utf8')).trim();
    const headers = { authorization: `Bearer ${token}` };
    const csv = await (await fetch(`${app.url}/admin/usage/export?model=echo`, { headers })).text();
    expect(csv.split('\n')[0]).toMatch(/^id,request_id,/);
    expect(csv.trim().split('\n').length).toBeGreaterThan(1);
    expect((await fetch(`${app.url}/admin/usage/export`)).status).toBe(401);
    expect((await fetch(`${app.url}/admin/usage/export?format=xml`, { headers })).status).toBe(400);
  });
});
