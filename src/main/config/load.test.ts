// biome-ignore-all lint/suspicious/noTemplateCurlyInString: models.yaml names variables this way
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BASE, problemsOf, settingsOf } from '../../../test/fakes/configs.ts';
import { isName, NAME_RULE } from '../../shared/config-fields.ts';
import { loadConfig, parseConfig, resolveSettings } from './load.ts';
import { NO_OVERRIDES } from './outside.ts';
import { localModels } from './settings.ts';

describe('what a models.yaml means', () => {
  test('an empty file means the defaults', () => {
    expect(settingsOf('# nothing yet\n')).toEqual({
      server: {
        host: '127.0.0.1',
        port: 4141,
        allowedHosts: [],
        allowedOrigins: [],
        apiKeys: [],
        maxQueue: 256,
        maxWaitMs: 120_000,
      },
      memory: {
        budget: { kind: 'auto' },
        eviction: 'cost-aware',
        maxLoadedModels: 5,
        minResidencyMs: 5000,
        standbyEngines: 1,
        keepPrefixCacheBytes: 2 * 1024 ** 3,
        keepPrefixCacheOnQuit: false,
      },
      providers: [],
      models: [],
      tiers: [],
      defaults: {
        contextSize: 8192,
        parallel: 2,
        batchSize: 512,
        flashAttention: 'auto',
        cacheType: 'f16',
        threads: 'auto',
        gpuLayers: 'max',
        chatTemplateFile: null,
      },
      idleUnloadMs: 600_000,
      routing: { default: 'tier:default' },
      modelsFolders: [],
      budgets: [],
      usageRetentionMs: 90 * 86_400_000,
      logLevel: 'info',
      logContent: false,
    });
  });

  test('a section with nothing below it is as good as none', () => {
    const empty = [
      'version: 1\nserver',
      ...['memory', 'defaults', 'providers', 'models', 'tiers', 'routing'],
      ...['modelsFolders', 'budgets', 'usage', 'logging', ''],
    ].join(':\n');
    expect(settingsOf(empty)).toEqual(settingsOf(''));
  });

  test('every key arrives, with its unit resolved', () => {
    const text = `
version: 1
server:
  host: localhost
  port: 0
  allowedHosts: [mac-studio.local, "10.0.0.5:4141"]
  apiKeys: [plain-key, { name: editor, key: "\${EDITOR_KEY}", admin: true }, { name: bot, keyHash: "sha256:${'AB'.repeat(32)}", maxConcurrent: 2, requestsPerMinute: 30 }]
  allowedOrigins: [https://app.example.com]
  maxQueue: 8
  maxWait: 1.5s
memory: { budget: 1.5GiB, eviction: lru, maxLoadedModels: 2, minResidency: 0s, standbyEngines: 0, keepPrefixCache: 500MiB, keepPrefixCacheOnQuit: true }
defaults: { contextSize: 1024, parallel: 1, batchSize: 64, idleUnload: never, flashAttention: false, cacheType: q8_0, threads: 4, gpuLayers: 0 }
providers:
  openai: { type: openai, apiKey: "\${OPENAI_API_KEY:-}", aliases: [gpt], limits: { requestsPerMinute: 500, tokensPerMinute: 90000 } }
  anthropic: { type: anthropic, baseUrl: https://proxy.example/v1, timeout: 30s }
  studio: { type: openai-compatible, baseUrl: http://mac-studio.local:8000/v1, discover: true }
  mock: { type: mock, latency: 1s, tokensPerSecond: 50, errorRate: 0.5, errorKinds: [cut, timeout], script: [{ when: hello, answer: Hi }, Yes.], cutAfterTokens: 3 }
models:
  writer:
    name: The Writer
    file: models/writer.gguf
    aliases: [w, "Writer (large)"]
    pinned: true
    preload: true
    contextSize: 4096
    parallel: 3
    batchSize: 128
    idleUnload: 1h
    flashAttention: true
    cacheType: q4_0
    threads: auto
    gpuLayers: max
    systemPrompt: Write well.
    sampling: { temperature: 0.2, topP: 0.9, topK: 20, minP: 0.1, repeatPenalty: 1.1 }
    chatTemplate: ~/templates/writer.jinja
    stage: deprecated
    replacement: sonnet
    latency: { firstToken: 50ms, tokensPerSecond: 30 }
    capabilities: [function_calling]
    optimization: { recommendedFor: [short posts], pitfalls: [long documents] }
  sonnet:
    provider: anthropic
    remoteId: claude-sonnet-4-5-20250929
    contextSize: 200000
    capabilities: { image_input: true, audio_input: false }
    sampling: { temperature: 0.5 }
  gpt4: { provider: gpt, remoteId: gpt-4.1 }
  demo: { file: "builtin:demo" }
tiers:
  low: { models: [demo, w, gpt/gpt-4.1-mini] }
routing: { default: writer }
modelsFolders: [~/Models, /srv/models]
budgets:
  - { scope: all, limit: 50.00, per: month, alertAt: [90%, 50%, 90%], action: warn }
  - { scope: { provider: gpt }, limit: 0.1, per: day, action: block }
  - { scope: { model: w }, limit: 5, per: week }
  - { scope: { user: ada }, limit: 5, per: week }
usage: { retention: never }
logging: { content: true, level: debug }
`;
    expect(settingsOf(text, { env: { EDITOR_KEY: 's3cret' } })).toMatchInlineSnapshot(`
      {
        "budgets": [
          {
            "action": "warn",
            "alertAt": [
              0.5,
              0.9,
            ],
            "limitNanoDollars": 50000000000,
            "per": "month",
            "scope": "all",
          },
          {
            "action": "block",
            "alertAt": [],
            "limitNanoDollars": 100000000,
            "per": "day",
            "scope": {
              "provider": "openai",
            },
          },
          {
            "action": "warn",
            "alertAt": [],
            "limitNanoDollars": 5000000000,
            "per": "week",
            "scope": {
              "model": "writer",
            },
          },
          {
            "action": "warn",
            "alertAt": [],
            "limitNanoDollars": 5000000000,
            "per": "week",
            "scope": {
              "user": "ada",
            },
          },
        ],
        "defaults": {
          "batchSize": 64,
          "cacheType": "q8_0",
          "chatTemplateFile": null,
          "contextSize": 1024,
          "flashAttention": false,
          "gpuLayers": 0,
          "parallel": 1,
          "threads": 4,
        },
        "idleUnloadMs": null,
        "logContent": true,
        "logLevel": "debug",
        "memory": {
          "budget": {
            "bytes": 1610612736,
            "kind": "bytes",
          },
          "eviction": "lru",
          "keepPrefixCacheBytes": 524288000,
          "keepPrefixCacheOnQuit": true,
          "maxLoadedModels": 2,
          "minResidencyMs": 0,
          "standbyEngines": 0,
        },
        "models": [
          {
            "aliases": [
              "w",
              "Writer (large)",
            ],
            "capabilities": {
              "function_calling": "yes",
            },
            "engine": {
              "batchSize": 128,
              "cacheType": "q4_0",
              "chatTemplateFile": "/home/ada/templates/writer.jinja",
              "contextSize": 4096,
              "flashAttention": true,
              "gpuLayers": "max",
              "parallel": 3,
              "threads": "auto",
            },
            "id": "writer",
            "idleUnloadMs": 3600000,
            "kind": "local",
            "latency": {
              "firstTokenMs": 50,
              "tokensPerSecond": 30,
            },
            "name": "The Writer",
            "optimization": {
              "bestPractices": [],
              "pitfalls": [
                "long documents",
              ],
              "recommendedFor": [
                "short posts",
              ],
              "tips": [],
            },
            "pinned": true,
            "preload": true,
            "replacement": "sonnet",
            "sampling": {
              "minP": 0.1,
              "repeatPenalty": 1.1,
              "temperature": 0.2,
              "topK": 20,
              "topP": 0.9,
            },
            "source": {
              "kind": "file",
              "path": "/data/models/writer.gguf",
            },
            "stage": "deprecated",
            "systemPrompt": "Write well.",
          },
          {
            "aliases": [],
            "capabilities": {
              "audio_input": "no",
              "image_input": "yes",
            },
            "contextSize": 200000,
            "id": "sonnet",
            "kind": "remote",
            "latency": {
              "firstTokenMs": null,
              "tokensPerSecond": null,
            },
            "name": "sonnet",
            "optimization": {
              "bestPractices": [],
              "pitfalls": [],
              "recommendedFor": [],
              "tips": [],
            },
            "provider": "anthropic",
            "remoteId": "claude-sonnet-4-5-20250929",
            "replacement": null,
            "sampling": {
              "minP": null,
              "repeatPenalty": null,
              "temperature": 0.5,
              "topK": null,
              "topP": null,
            },
            "stage": null,
            "systemPrompt": null,
          },
          {
            "aliases": [],
            "capabilities": {},
            "contextSize": null,
            "id": "gpt4",
            "kind": "remote",
            "latency": {
              "firstTokenMs": null,
              "tokensPerSecond": null,
            },
            "name": "gpt4",
            "optimization": {
              "bestPractices": [],
              "pitfalls": [],
              "recommendedFor": [],
              "tips": [],
            },
            "provider": "openai",
            "remoteId": "gpt-4.1",
            "replacement": null,
            "sampling": {
              "minP": null,
              "repeatPenalty": null,
              "temperature": null,
              "topK": null,
              "topP": null,
            },
            "stage": null,
            "systemPrompt": null,
          },
          {
            "aliases": [],
            "capabilities": {},
            "engine": {
              "batchSize": 64,
              "cacheType": "q8_0",
              "chatTemplateFile": null,
              "contextSize": 1024,
              "flashAttention": false,
              "gpuLayers": 0,
              "parallel": 1,
              "threads": 4,
            },
            "id": "demo",
            "idleUnloadMs": null,
            "kind": "local",
            "latency": {
              "firstTokenMs": null,
              "tokensPerSecond": null,
            },
            "name": "demo",
            "optimization": {
              "bestPractices": [],
              "pitfalls": [],
              "recommendedFor": [],
              "tips": [],
            },
            "pinned": false,
            "preload": false,
            "replacement": null,
            "sampling": {
              "minP": null,
              "repeatPenalty": null,
              "temperature": null,
              "topK": null,
              "topP": null,
            },
            "source": {
              "kind": "builtin",
              "path": "/app/resources/models/roundhouse-demo.gguf",
            },
            "stage": null,
            "systemPrompt": null,
          },
        ],
        "modelsFolders": [
          "/home/ada/Models",
          "/srv/models",
        ],
        "providers": [
          {
            "aliases": [
              "gpt",
            ],
            "apiKey": null,
            "apiKeyFrom": "OPENAI_API_KEY",
            "baseUrl": null,
            "discover": false,
            "kind": "openai",
            "limits": {
              "requestsPerMinute": 500,
              "tokensPerMinute": 90000,
            },
            "mock": null,
            "name": "openai",
            "timeoutMs": 120000,
          },
          {
            "aliases": [],
            "apiKey": null,
            "apiKeyFrom": "ANTHROPIC_API_KEY",
            "baseUrl": "https://proxy.example/v1",
            "discover": false,
            "kind": "anthropic",
            "limits": {
              "requestsPerMinute": null,
              "tokensPerMinute": null,
            },
            "mock": null,
            "name": "anthropic",
            "timeoutMs": 30000,
          },
          {
            "aliases": [],
            "apiKey": null,
            "apiKeyFrom": null,
            "baseUrl": "http://mac-studio.local:8000/v1",
            "discover": true,
            "kind": "openai-compatible",
            "limits": {
              "requestsPerMinute": null,
              "tokensPerMinute": null,
            },
            "mock": null,
            "name": "studio",
            "timeoutMs": 120000,
          },
          {
            "aliases": [],
            "apiKey": null,
            "apiKeyFrom": null,
            "baseUrl": null,
            "discover": false,
            "kind": "mock",
            "limits": {
              "requestsPerMinute": null,
              "tokensPerMinute": null,
            },
            "mock": {
              "cutAfterTokens": 3,
              "errorKinds": [
                "cut",
                "timeout",
              ],
              "errorRate": 0.5,
              "latencyMs": 1000,
              "script": [
                {
                  "answer": "Hi",
                  "when": "hello",
                },
                {
                  "answer": "Yes.",
                  "when": null,
                },
              ],
              "tokensPerSecond": 50,
            },
            "name": "mock",
            "timeoutMs": 120000,
          },
        ],
        "routing": {
          "default": "writer",
        },
        "server": {
          "allowedHosts": [
            "mac-studio.local",
            "10.0.0.5:4141",
          ],
          "allowedOrigins": [
            "https://app.example.com",
          ],
          "apiKeys": [
            {
              "admin": false,
              "maxConcurrent": null,
              "name": null,
              "requestsPerMinute": null,
              "sha256": "2b5cde0108a957d90d131d664db092b0b604ee9741ef89e937ebc526be94cc57",
            },
            {
              "admin": true,
              "maxConcurrent": null,
              "name": "editor",
              "requestsPerMinute": null,
              "sha256": "1ec1c26b50d5d3c58d9583181af8076655fe00756bf7285940ba3670f99fcba0",
            },
            {
              "admin": false,
              "maxConcurrent": 2,
              "name": "bot",
              "requestsPerMinute": 30,
              "sha256": "abababababababababababababababababababababababababababababababab",
            },
          ],
          "host": "localhost",
          "maxQueue": 8,
          "maxWaitMs": 1500,
          "port": 0,
        },
        "tiers": [
          {
            "models": [
              "demo",
              "writer",
              "gpt/gpt-4.1-mini",
            ],
            "name": "low",
          },
        ],
        "usageRetentionMs": null,
      }
    `);
  });

  test('models and tiers keep the order of the file, also when they are called 7 and 0', () => {
    const text = `
models: { 7: { file: a }, b: { file: b }, 0: { file: c } }
tiers: { 9: { models: [b] }, x: { models: [b] }, 1: { models: [7, b] } }`;
    expect(problemsOf(text)).toEqual([`3 tiers.1.models[0]: 7 is not a usable name; write ${NAME_RULE}`]);
    const settings = settingsOf(text.replace('[7, b]', '["7", b]'));
    expect(settings.models.map((model) => model.id)).toEqual(['7', 'b', '0']);
    expect(settings.tiers.map((tier) => tier.name)).toEqual(['9', 'x', '1']);
  });

  test('"auto" stands for tier:default, or without such a tier for the first model', () => {
    const models = 'models: { a: { file: a }, b: { file: b } }\n';
    expect(settingsOf(models).routing.default).toBe('a');
    expect(settingsOf(`${models}tiers: { default: { models: [b] } }`).routing.default).toBe('tier:default');
  });

  test('a missing model file is not a mistake of the configuration', () => {
    expect(settingsOf('models: { gone: { file: /nowhere/gone.gguf } }').models[0]).toMatchObject({
      source: { kind: 'file', path: '/nowhere/gone.gguf' },
    });
  });

  test('files of the models folders follow, each under an id of its own, named ones left out', () => {
    const result = parseConfig({
      ...BASE,
      text: 'models: { tiny: { file: /m/Tiny.gguf }, big-q4: { file: /b.gguf } }\nmodelsFolders: [/m]\ntiers: { low: { models: [big-q4_k] } }',
    });
    if ('problems' in result) throw new Error(JSON.stringify(result.problems));
    const resolved = resolveSettings(result.parsed, [
      '/m/Big Q4.gguf',
      '/m/Big-Q4_K-00001-of-00002.gguf',
      '/m/Tiny.gguf',
      '/m/x/Big Q4.gguf',
    ]);
    if ('problems' in resolved) throw new Error(JSON.stringify(resolved.problems));
    expect(resolved.settings.models.map(({ id, name }) => [id, name])).toEqual([
      ['tiny', 'tiny'],
      ['big-q4', 'big-q4'],
      ['big-q4-2', 'Big Q4'],
      ['big-q4_k', 'Big-Q4_K'],
      ['big-q4-3', 'Big Q4'],
    ]);
  });
});

describe('what wins over what', () => {
  const file = 'server: { port: 1000, maxQueue: 7 }\nmemory: { budget: 1GiB }';

  test('the command line wins over the environment, the environment over the file, the file over the defaults', () => {
    const env = { ROUNDHOUSE_SERVER_PORT: '2000', ROUNDHOUSE_SERVER_HOST: 'localhost' };
    const overrides = { ...NO_OVERRIDES, port: 3000 };
    expect(settingsOf('').server.port).toBe(4141);
    expect(settingsOf(file).server.port).toBe(1000);
    expect(settingsOf(file, { env }).server).toMatchObject({ port: 2000, host: 'localhost', maxQueue: 7 });
    expect(settingsOf(file, { env, overrides }).server).toMatchObject({ port: 3000, host: 'localhost' });
  });

  test('variables reach every kind of single value; an empty one counts as unset', () => {
    const settings = settingsOf('models: { a: { file: a } }', {
      env: {
        ROUNDHOUSE_MEMORY_BUDGET: '60%',
        ROUNDHOUSE_MEMORY_MAX_LOADED_MODELS: '3',
        ROUNDHOUSE_DEFAULTS_FLASH_ATTENTION: 'true',
        ROUNDHOUSE_DEFAULTS_IDLE_UNLOAD: 'never',
        ROUNDHOUSE_LOGGING_LEVEL: 'warn',
        ROUNDHOUSE_SERVER_PORT: '',
        ROUNDHOUSE_UNRELATED: 'x',
      },
    });
    expect(settings.memory).toMatchObject({ budget: { kind: 'share', share: 0.6 }, maxLoadedModels: 3 });
    expect(settings.models[0]).toMatchObject({ idleUnloadMs: null, engine: { flashAttention: true } });
    expect(settings.logLevel).toBe('warn');
    expect(settings.server.port).toBe(4141);
  });

  test('a problem with a variable or an option names it', () => {
    const env = {
      ROUNDHOUSE_SERVER_MAX_QUEUE: 'lots',
      ROUNDHOUSE_SERVER_PROT: '1',
      ROUNDHOUSE_SERVER_API_KEYS: 'a,b',
    };
    expect(problemsOf('', { env, overrides: { ...NO_OVERRIDES, port: Number.NaN } })).toEqual([
      'environment ROUNDHOUSE_SERVER_MAX_QUEUE: "lots" is not a whole number from 0 to 100000; write a number such as 256',
      'environment ROUNDHOUSE_SERVER_PROT sets nothing that Roundhouse knows; did you mean ROUNDHOUSE_SERVER_PORT?',
      'environment ROUNDHOUSE_SERVER_API_KEYS: lists cannot be set this way; write server.apiKeys in models.yaml',
      'command line --port: NaN is not a whole number from 0 to 65535; write a number such as 4141',
    ]);
    expect(problemsOf('', { overrides: { ...NO_OVERRIDES, host: '0.0.0.0' } })).toEqual([
      'command line --host: 0.0.0.0 can be reached from other machines, but server.apiKeys is empty; add a key, or write 127.0.0.1',
    ]);
    expect(problemsOf('', { env: { ROUNDHOUSE_ROUTING_DEFAULT: 'tier:none' } })).toEqual([
      'environment ROUNDHOUSE_ROUTING_DEFAULT: no tier is called "none"; add it under tiers',
    ]);
  });

  test('the key of a provider: what models.yaml reads, else the usual variable, and that for the usual address only', () => {
    const text = `providers:
  a: { type: openai }
  b: { type: openai, apiKey: "\${B_KEY:-}" }
  c: { type: openai, apiKey: "" }
  d: { type: openai, baseUrl: https://proxy.example/v1 }
  e: { type: openai-compatible, baseUrl: http://mac-studio.local/v1 }`;
    const keys = (env: Record<string, string>) =>
      settingsOf(text, { env }).providers.map(({ apiKey, apiKeyFrom }) => [apiKey, apiKeyFrom]);
    expect(keys({ OPENAI_API_KEY: 'usual', B_KEY: 'own' })).toEqual([
      ['usual', 'OPENAI_API_KEY'],
      ['own', 'B_KEY'],
      [null, 'OPENAI_API_KEY'],
      [null, 'OPENAI_API_KEY'],
      [null, null],
    ]);
    expect(keys({}).map(([key]) => key)).toEqual([null, null, null, null, null]);
  });

  test('${NAME} reads a variable; unquoted it may be a number', () => {
    const text = 'server: { port: "${PORT:-5000}" }';
    expect(problemsOf(text)).toHaveLength(1);
    const plain = 'server:\n  port: ${PORT:-5000}\nmodels:\n  a: { file: "${DIR}/$${x}.gguf" }';
    expect(settingsOf(plain, { env: { DIR: '/m' } })).toMatchObject({
      server: { port: 5000 },
      models: [{ source: { path: '/m/${x}.gguf' } }],
    });
    expect(settingsOf(plain, { env: { DIR: '/m', PORT: '6000' } }).server.port).toBe(6000);
  });

  test('folders of the command line are served besides those of the file', () => {
    const overrides = { ...NO_OVERRIDES, modelsFolders: ['/extra', '/home/ada/Models'] };
    expect(settingsOf('modelsFolders: [~/Models, here]', { overrides }).modelsFolders).toEqual([
      '/home/ada/Models',
      '/data/here',
      '/extra',
    ]);
  });
});

describe('for any input', () => {
  const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }).filter(isName);

  test('a configuration written as YAML is read back as it was meant', () => {
    const model = fc.record({
      file: fc.constantFrom('/a.gguf', '/b c.gguf'),
      pinned: fc.boolean(),
      parallel: fc.integer({ min: 1, max: 64 }),
    });
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.tuple(name, model), { selector: ([id]) => id, maxLength: 5 }),
        (models) => {
          const text = JSON.stringify({
            memory: { maxLoadedModels: 64 },
            models: Object.fromEntries(models),
          });
          const read = localModels(settingsOf(text.replaceAll('${', '$${')));
          expect(
            new Map(
              read.map((entry) => [entry.id, [entry.source.path, entry.pinned, entry.engine.parallel]]),
            ),
          ).toEqual(
            new Map(models.map(([id, { file, pinned, parallel }]) => [id, [file, pinned, parallel]])),
          );
        },
      ),
    );
  });

  test('any text gives settings or problems, never an exception, and lines lie within the text', () => {
    const line = fc.oneof(
      fc.constantFrom(
        'models:',
        '  a:',
        '    file: x',
        'server:',
        '  port: 1',
        'tiers: *x',
        '&x a: 1',
        '  - ${Y}',
        '? [1]',
        '<<: {}',
        '__proto__: 1',
        '  __proto__: { file: x }',
        '  constructor: { file: x }',
        '---',
        '\tx',
      ),
      fc.string({ unit: 'grapheme' }),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
        const result = loadConfig({ ...BASE, text: lines.join('\n') });
        if (!('problems' in result)) return;
        expect(result.problems.length).toBeGreaterThan(0);
        for (const problem of result.problems) {
          expect(problem.message).not.toBe('');
          if (problem.line !== null) expect(problem.line).toBeGreaterThan(0);
        }
      }),
      { numRuns: 500 },
    );
  });
});
