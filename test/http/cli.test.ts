import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { writeRuntimeFiles } from '../../src/main/config/runtime-files.ts';
import type {
  AppApi,
  CallInput,
  CallName,
  ConfigProblem,
  EstimateView,
  MemoryView,
  ModelView,
  PlanView,
} from '../../src/shared/contract.ts';
import { RoundhouseError } from '../../src/shared/errors.ts';
import type { StreamPart } from '../../src/shared/generation.ts';
import { type FakeInterfaceServer, startFakeInterfaceServer } from '../fakes/fake-interface-server.ts';
import { FAKE_SERVER, fakeModel, fakeSnapshot } from '../fakes/fake-models.ts';

/* The command line as people run it: a process of its own, against the admin side of the port. */

const CLI = resolve('src/main/cli/cli.ts');
const TOKEN = 'token-of-this-run';
const dir = mkdtempSync(join(tmpdir(), 'roundhouse-cli-'));
const asked: unknown[] = [];
let models: readonly ModelView[];
let memoryChanges: Partial<MemoryView> = {};
let configProblems: readonly ConfigProblem[] = [];
let answer: (signal: AbortSignal) => AsyncIterable<StreamPart>;
let server: FakeInterfaceServer;

const api: AppApi = {
  async call(name, input) {
    asked.push([name, input]);
    // The fake answers by the name it was called with, which the types do not follow.
    return (await respond(name, input)) as never;
  },
  async *stream(name, input, signal) {
    asked.push([name, input]);
    yield* answer(signal);
  },
  subscribe: () => ({ [Symbol.dispose]: () => undefined }),
};

async function respond(name: CallName, input: CallInput<CallName>): Promise<unknown> {
  const id = 'id' in input && typeof input.id === 'string' ? input.id : 'new';
  if (id === 'lama') {
    throw new RoundhouseError('model_not_found', 'no model or tier is called "lama"; nearest: llama');
  }
  if (name === 'models.estimate') return estimate;
  if (name === 'models.plan') return PLAN;
  if (name === 'config.explain') return [{ key: 'server.port', layers: [{ value: 4141, from: 'default' }] }];
  if (name === 'app.snapshot') {
    const { memory } = fakeSnapshot(models);
    const server = { ...FAKE_SERVER, configProblems };
    return fakeSnapshot(models, { server, memory: { ...memory, ...memoryChanges } });
  }
  return name === 'models.list' || name === 'models.unloadAll' ? models : fakeModel(id);
}

const PLAN: PlanView = {
  outcome: 'fits',
  neededBytes: 2000,
  freeBytes: 9000,
  budgetBytes: 10_000,
  victims: [],
  text: 'It fits: 2000 B of 9000 B.',
};

const line = { baseBytes: 1, bytesPerContextToken: 1 };
const estimate: EstimateView = {
  path: '/m/x.gguf',
  fileBytes: 1000,
  suggestedId: 'x',
  registeredAs: null,
  name: 'An X',
  architecture: 'llama',
  quantization: 'Q8_0',
  parameters: 1000,
  trainedContextSize: null,
  settings: { contextSize: 512, parallel: 2, batchSize: 64, cacheType: 'f16' },
  predicted: { weightsBytes: 1000, cacheBytes: 500, buffersBytes: 300, overheadBytes: 200 },
  totalBytes: 2000,
  lines: { f16: line, q8_0: line, q4_0: line },
  learned: false,
  fit: null,
  plan: PLAN,
};

beforeAll(async () => {
  server = await startFakeInterfaceServer({ api, token: TOKEN, interfaceDir: null });
  await writeRuntimeFiles(dir, { url: server.url, pid: process.pid, version: '0.1.0' }, TOKEN);
});
afterEach(() => {
  asked.length = 0;
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(dir, { recursive: true });
});

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function start(args: readonly string[], dataDir = dir) {
  const child = spawn(process.execPath, [CLI, ...args, ...(dataDir === '' ? [] : ['--data-dir', dataDir])]);
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  const ended = once(child, 'close').then(([code]): Ended => ({ code, out, err }));
  return { child, ended };
}

function roundhouse(...args: readonly string[]): Promise<Ended> {
  const { child, ended } = start(args);
  child.stdin.end();
  return ended;
}

test('list, ps, load, unload and add ask the app what their names say', async () => {
  models = [
    fakeModel('demo', { tiers: ['low'], state: { status: 'ready', sinceMs: 0 } }),
    fakeModel('gone', { problem: 'gone.gguf is not there' }),
  ];
  const list = await roundhouse('list');
  expect(list).toMatchObject({ code: 0, err: '' });
  expect(list.out).toMatch(
    /^ID {4}STATE .*\ndemo {2}ready .* low .*\ngone .*\n\ngone: gone\.gguf is not there\n$/,
  );
  expect(JSON.parse((await roundhouse('list', '--json')).out)).toEqual(models);

  expect((await roundhouse('ps')).out).toMatch(/^ID .*\ndemo .*0 of 4.*\n$/);
  expect(JSON.parse((await roundhouse('ps', '--json')).out)).toEqual(models.slice(0, 1));

  expect(await roundhouse('load', 'demo')).toEqual({
    code: 0,
    out: 'demo is ready (about 4.4 GiB).\n',
    err: '',
  });
  expect((await roundhouse('unload', 'demo')).out).toBe('demo is unloaded.\n');
  expect((await roundhouse('unload', '--all')).out).toBe('All models are unloaded.\n');

  const path = resolve('models', 'new.gguf');
  expect((await roundhouse('add', 'models/new.gguf')).out).toBe(
    `Added new (${path}, 4.0 GiB).\nAsk it: roundhouse run new "Hello"\n`,
  );
  await roundhouse('add', '/m/x.gguf', '--id', 'my x');
  expect(asked.slice(4)).toEqual([
    ['models.load', { id: 'demo' }],
    ['models.unload', { id: 'demo' }],
    ['models.unloadAll', {}],
    ['models.add', { path }],
    ['models.add', { path: '/m/x.gguf', id: 'my x' }],
  ]);
});

test('ps says when memory is short, apart from its table', async () => {
  models = [fakeModel('demo', { state: { status: 'ready', sinceMs: 0 } })];
  memoryChanges = { pressure: 'warn', availableBytes: 2 ** 30, overrunBytes: 2 ** 29 };
  try {
    expect(await roundhouse('ps')).toEqual({
      code: 0,
      out: expect.stringMatching(/^ID .*\ndemo .*\n$/),
      err:
        'Memory pressure. 1.0 GiB available. Idle models are unloaded one by one, and none is loaded before it is needed.\n' +
        'Over the budget. Engines hold 512 MiB more than 24.0 GiB. Nothing is loaded until idle models have gone and busy ones have finished.\n',
    });
    expect(JSON.parse((await roundhouse('ps', '--json')).out)).toEqual(models);
  } finally {
    memoryChanges = {};
  }
});

test('list says what is wrong with models.yaml, apart from its table', async () => {
  models = [fakeModel('demo')];
  configProblems = [
    { file: '/d/models.yaml', line: 4, message: 'server.port: "many" is not a port' },
    { file: '/d/models.yaml', line: null, message: 'odd\u001b[2J' },
  ];
  try {
    const { code, out, err } = await roundhouse('list');
    expect([code, out]).toEqual([0, expect.stringMatching(/^ID .*\ndemo /)]);
    expect(err).toMatch(
      /^\/d\/models\.yaml:4: server\.port: "many" is not a port\n\/d\/models\.yaml: odd.*\n$/,
    );
    expect(err).not.toContain('\u001b');
    const json = await roundhouse('list', '--json');
    expect([JSON.parse(json.out), json.err]).toEqual([models, err]);
  } finally {
    configProblems = [];
  }
});

test('estimate and plan ask what loading would take and do', async () => {
  const shown = await roundhouse('estimate', 'models/x.gguf', '--context', '512', '--parallel', '2');
  expect(shown).toMatchObject({ code: 0, err: '' });
  expect(shown.out).toMatch(/^An X · Q8_0\n(.*\n)+ {2}total +2 KiB\n(.*\n)+It fits: 2000 B of 9000 B\.\n/);
  expect(JSON.parse((await roundhouse('estimate', '/m/x.gguf', '--json')).out)).toEqual(estimate);
  expect(await roundhouse('plan', 'demo')).toEqual({ code: 0, out: 'It fits: 2000 B of 9000 B.\n', err: '' });
  expect(JSON.parse((await roundhouse('plan', 'demo', '--json')).out)).toEqual(PLAN);
  expect(asked).toEqual([
    ['models.estimate', { path: resolve('models', 'x.gguf'), settings: { contextSize: 512, parallel: 2 } }],
    ['models.estimate', { path: '/m/x.gguf', settings: {} }],
    ['models.plan', { id: 'demo' }],
    ['models.plan', { id: 'demo' }],
  ]);
});

test('a size that cannot be meant is refused with the numbers before the app is asked', async () => {
  expect(await roundhouse('estimate', 'x.gguf', '--context', '-8192')).toEqual({
    code: 2,
    out: '',
    err: 'roundhouse: --context: "-8192" is not a whole number from 64 to 1048576; write one such as 8192 (see `roundhouse estimate --help`)\n',
  });
  expect(asked).toEqual([]);
});

const FINISH: readonly StreamPart[] = [
  { type: 'finish', reason: 'stop' },
  {
    type: 'usage',
    promptTokens: 3,
    cachedTokens: 0,
    cacheWriteTokens: 0,
    completionTokens: 2,
    reasoningTokens: 0,
    prefillMs: 1,
    decodeMs: 1,
  },
];

function saying(...texts: readonly string[]): readonly StreamPart[] {
  return texts.map((text) => ({ type: 'text-delta', text }));
}

test('run prints the answer, and reads a prompt that is piped in', async () => {
  answer = async function* () {
    yield* [...saying('Grüße ', '🏠'), ...FINISH];
  };
  expect(
    await roundhouse('run', 'demo', 'Say', 'hello', '--system', 'Be kind.', '--max-tokens', '9'),
  ).toEqual({
    code: 0,
    out: 'Grüße 🏠\n',
    err: '',
  });
  const piped = start(['run', 'tier:low', '--json']);
  piped.child.stdin.end('What is\nthis?');
  const { code, out } = await piped.ended;
  expect([
    code,
    ...out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).type),
  ]).toEqual([0, 'text-delta', 'text-delta', 'finish', 'usage']);
  expect(asked).toEqual([
    [
      'chat.generate',
      {
        model: 'demo',
        messages: [
          { role: 'system', content: 'Be kind.' },
          { role: 'user', content: 'Say hello' },
        ],
        maxTokens: 9,
        sampling: {},
      },
    ],
    [
      'chat.generate',
      {
        model: 'tier:low',
        messages: [{ role: 'user', content: 'What is\nthis?' }],
        maxTokens: null,
        sampling: {},
      },
    ],
  ]);
});

test('Ctrl-C stops the answer on both sides', async () => {
  const aborted = Promise.withResolvers<void>();
  answer = async function* (signal) {
    yield* saying('On and');
    await once(signal, 'abort');
    aborted.resolve();
  };
  const { child, ended } = start(['run', 'demo', 'Talk']);
  child.stdin.end();
  await once(child.stdout, 'data');
  child.kill('SIGINT');
  expect(await ended).toEqual({ code: 130, out: 'On and\n', err: '' });
  await aborted.promise;
});

test('an answer that fails or breaks off is a failure, and what came of it stays', async () => {
  answer = async function* () {
    const error = new RoundhouseError('engine_failed', 'the engine of demo ended in mid-answer');
    yield* [...saying('Half an'), { type: 'error', error: error.toJSON() }];
  };
  expect(await roundhouse('run', 'demo', 'hi')).toEqual({
    code: 1,
    out: 'Half an\n',
    err: 'roundhouse: the engine of demo ended in mid-answer\n',
  });
  answer = async function* () {
    yield* saying('Half');
  };
  expect(await roundhouse('run', 'demo', 'hi')).toEqual({
    code: 1,
    out: 'Half\n',
    err: 'roundhouse: the answer broke off: Roundhouse ended it without saying why\n',
  });
});

test('a connection that breaks is a failure', async () => {
  const printed = Promise.withResolvers<void>();
  answer = async function* () {
    yield* saying('Half');
    await printed.promise;
    throw new Error('the fake cuts the connection');
  };
  const { child, ended } = start(['run', 'demo', 'hi']);
  child.stdin.end();
  child.stdout.once('data', () => printed.resolve());
  expect(await ended).toEqual({
    code: 1,
    out: 'Half\n',
    err: 'roundhouse: the connection to Roundhouse broke (ECONNRESET)\n',
  });
});

test('a reader that stops early is no failure', async () => {
  const closed = Promise.withResolvers<void>();
  answer = async function* (signal) {
    while (!signal.aborted) {
      yield* saying('again and again\n');
      // Lets the server notice that the other side has gone.
      await new Promise((next) => setImmediate(next));
    }
    closed.resolve();
  };
  const { child } = start(['run', 'demo', 'Talk']);
  child.stdin.end();
  await once(child.stdout, 'data');
  child.stdout.destroy();
  const [code] = await once(child, 'exit');
  expect(code).toBe(0);
  await closed.promise;
});

test('what the app refuses is said in its words, in one line', async () => {
  expect(await roundhouse('load', 'lama')).toEqual({
    code: 1,
    out: '',
    err: 'roundhouse: no model or tier is called "lama"; nearest: llama\n',
  });
});

test('wrong usage and an empty prompt end with 2', async () => {
  expect(await roundhouse('lst')).toEqual({
    code: 2,
    out: '',
    err: 'roundhouse: there is no command "lst"; did you mean list? (see `roundhouse --help`)\n',
  });
  expect(await roundhouse('run', 'demo')).toMatchObject({
    code: 2,
    err: expect.stringContaining('there is no prompt'),
  });
});

test('with nothing running it says so, where it looked and how to start, and ends with 3', async () => {
  const how = 'Start it with `npm start` or `roundhouse serve`.\n';
  const empty = mkdtempSync(join(dir, 'empty-'));
  const { child, ended } = start(['list'], empty);
  child.stdin.end();
  expect(await ended).toEqual({
    code: 3,
    out: '',
    err: `roundhouse: Roundhouse is not running (no runtime.json in ${empty}). ${how}`,
  });

  // A port that nothing listens on: one that was free a moment ago.
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  probe.close();
  await once(probe, 'close');
  const stale = mkdtempSync(join(dir, 'stale-'));
  await writeRuntimeFiles(stale, { url: `http://127.0.0.1:${port}`, pid: 1, version: '0.1.0' }, TOKEN);
  const left = start(['ps'], stale);
  left.child.stdin.end();
  const { code, err } = await left.ended;
  expect([code, err]).toEqual([
    3,
    `roundhouse: Roundhouse is not running (nothing answers at http://127.0.0.1:${port}, which ${join(stale, 'runtime.json')} names). ${how}`,
  ]);

  writeFileSync(join(stale, 'runtime.json'), '{"url":');
  const damaged = start(['ps'], stale);
  damaged.child.stdin.end();
  expect((await damaged.ended).err).toContain(`${join(stale, 'runtime.json')} is damaged`);
});

test('config explain asks the running app, and reads the files when none runs', async () => {
  const running = await roundhouse('config', 'explain', 'server.port');
  expect(running).toEqual({ code: 0, out: 'server.port: 4141\n  from default\n', err: '' });
  expect(asked).toContainEqual(['config.explain', { key: 'server.port' }]);

  const file = join(dir, 'other.yaml');
  writeFileSync(file, 'server: { port: 5000 }\n');
  const offline = await roundhouse('config', 'explain', 'server.port', '--config', file, '--json');
  expect(offline).toMatchObject({ code: 0, err: '' });
  expect(JSON.parse(offline.out)).toEqual([
    {
      key: 'server.port',
      layers: [
        { value: 5000, from: `${file}:1` },
        { value: 4141, from: 'default' },
      ],
    },
  ]);
  const wrong = await roundhouse('config', 'explain', 'server.prot', '--config', file);
  expect(wrong).toMatchObject({
    code: 1,
    out: '',
    err: expect.stringContaining('did you mean server.port?'),
  });
});

test('validate ends with 1 for errors, and with 0 for warnings', async () => {
  const file = join(dir, 'checked.yaml');
  writeFileSync(file, 'models: { demo: { file: "builtin:demo" }, gone: { file: /nowhere/x.gguf } }\n');
  const bad = await roundhouse('validate', file);
  expect(bad).toMatchObject({ code: 1, err: 'roundhouse: 1 error in the configuration\n' });
  expect(bad.out).toContain(
    `error: ${file}:1: models.gone.file: /nowhere/x.gguf is not there; check the path\n`,
  );

  writeFileSync(file, 'models: { demo: { file: "builtin:demo" } }\nproviders: { o: { type: openrouter } }\n');
  const doubtful = await roundhouse('validate', file);
  expect(doubtful).toMatchObject({ code: 0, err: '' });
  expect(doubtful.out).toBe(
    `warning: ${file}:2: providers.o: has no key; set the environment variable OPENROUTER_API_KEY, or the key in the interface\n` +
      `${file} is good: 1 model, 1 provider, 0 tiers, 0 budgets.\n`,
  );
});

test('--version and --help need no app', async () => {
  const version = start(['--version'], '');
  version.child.stdin.end();
  expect((await version.ended).out).toMatch(/^\d+\.\d+\.\d+\n$/);
  const help = start(['serve', '--help'], '');
  help.child.stdin.end();
  expect((await help.ended).out).toContain('--models-dir DIR');
});
