// biome-ignore-all lint/suspicious/noTemplateCurlyInString: models.yaml names variables this way
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isName } from '../../shared/config-fields.ts';
import { type ConfigInput, loadConfig, parseConfig, resolveSettings } from './load.ts';
import { NO_OVERRIDES } from './outside.ts';
import type { Settings } from './settings.ts';

const BASE: ConfigInput = {
  file: '/data/models.yaml',
  text: '',
  env: {},
  overrides: NO_OVERRIDES,
  home: '/home/ada',
  resourcesDir: '/app/resources',
};

function settingsOf(text: string, more: Partial<ConfigInput> = {}): Settings {
  const result = loadConfig({ ...BASE, ...more, text });
  if ('problems' in result) throw new Error(JSON.stringify(result.problems));
  return result.settings;
}

/** Each problem as `line message`; those that are not in the file have its place instead of a line. */
function problemsOf(text: string, more: Partial<ConfigInput> = {}): readonly string[] {
  const result = loadConfig({ ...BASE, ...more, text });
  if (!('problems' in result)) return [];
  return result.problems.map((problem) => {
    expect(problem.file === BASE.file || problem.line === null).toBe(true);
    return `${problem.line ?? (problem.file === BASE.file ? 'file' : problem.file)} ${problem.message}`;
  });
}

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
      memory: { budget: { kind: 'auto' }, maxLoadedModels: 5, minResidencyMs: 5000, standbyEngines: 1 },
      models: [],
      tiers: [],
      routing: { default: 'tier:default' },
      modelsFolders: [],
      logLevel: 'info',
    });
  });

  test('a section with nothing below it is as good as none', () => {
    const empty =
      'version: 1\nserver:\nmemory:\ndefaults:\nmodels:\ntiers:\nrouting:\nmodelsFolders:\nlogging:\n';
    expect(settingsOf(empty)).toEqual(settingsOf(''));
  });

  test('every key arrives, with its unit resolved', () => {
    const text = `
version: 1
server:
  host: localhost
  port: 0
  allowedHosts: [mac-studio.local, "10.0.0.5:4141"]
  apiKeys: [plain-key, { name: editor, key: "\${EDITOR_KEY}", admin: true }]
  allowedOrigins: [https://app.example.com]
  maxQueue: 8
  maxWait: 1.5s
memory: { budget: 1.5GiB, maxLoadedModels: 2, minResidency: 0s, standbyEngines: 0 }
defaults: { contextSize: 1024, parallel: 1, batchSize: 64, idleUnload: never, flashAttention: false, cacheType: q8_0, threads: 4, gpuLayers: 0 }
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
  demo: { file: "builtin:demo" }
tiers:
  low: { models: [demo, w] }
routing: { default: writer }
modelsFolders: [~/Models, /srv/models]
logging: { level: debug }
`;
    expect(settingsOf(text, { env: { EDITOR_KEY: 's3cret' } })).toMatchInlineSnapshot(`
      {
        "logLevel": "debug",
        "memory": {
          "budget": {
            "bytes": 1610612736,
            "kind": "bytes",
          },
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
            "name": "The Writer",
            "pinned": true,
            "preload": true,
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
            "systemPrompt": "Write well.",
          },
          {
            "aliases": [],
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
            "name": "demo",
            "pinned": false,
            "preload": false,
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
            "systemPrompt": null,
          },
        ],
        "modelsFolders": [
          "/home/ada/Models",
          "/srv/models",
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
              "key": "plain-key",
              "name": null,
            },
            {
              "admin": true,
              "key": "s3cret",
              "name": "editor",
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
            ],
            "name": "low",
          },
        ],
      }
    `);
  });

  test('models and tiers keep the order of the file, also when they are called 7 and 0', () => {
    const text = `
models: { 7: { file: a }, b: { file: b }, 0: { file: c } }
tiers: { 9: { models: [b] }, x: { models: [b] }, 1: { models: [7, b] } }`;
    expect(problemsOf(text)).toEqual([
      '3 tiers.1.models[0]: 7 is not a usable name; write '.concat(NAME_HINT),
    ]);
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
    expect(settingsOf('models: { gone: { file: /nowhere/gone.gguf } }').models[0]?.source).toEqual({
      kind: 'file',
      path: '/nowhere/gone.gguf',
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

const NAME_HINT =
  'up to 128 printable characters without "/", no space at either end, not "auto", and not starting with "tier:", "user:" or "rollout:"';

describe('what is wrong, where, and what to write instead', () => {
  const cases: readonly (readonly [text: string, ...problems: string[]])[] = [
    [
      'memory:\n  budget: 24 gigs',
      '2 memory.budget: "24 gigs" is not a size; write auto, a size such as 24GiB, or a share such as 60%',
    ],
    [
      'memory:\n  budget: 24',
      '2 memory.budget: 24 is not a size; write auto, a size such as 24GiB, or a share such as 60%',
    ],
    [
      'memory: { budget: 0% }',
      '1 memory.budget: "0%" is not a size; write auto, a size such as 24GiB, or a share such as 60%',
    ],
    [
      'server:\n\n  port: 70000',
      '3 server.port: 70000 is not a whole number from 0 to 65535; write a number such as 4141',
    ],
    [
      'server:\n  port:\n  maxWait: 5m',
      '2 server.port: has no value; write a number such as 4141, or take the key out',
    ],
    [
      'server: { maxWait: 120 }',
      '1 server.maxWait: 120 is not a duration from 1ms to 24h; write one such as 120s',
    ],
    [
      'server: { maxWait: 2d }',
      '1 server.maxWait: "2d" is not a duration from 1ms to 24h; write one such as 120s',
    ],
    ['server: here', '1 server: "here" is not a section; write its keys below it, indented'],
    [
      'server:\n  allowedOrigins: ["*"]',
      '2 server.allowedOrigins[0]: "*" is not an origin; write it as the browser sends it, such as https://app.example.com',
    ],
    [
      'server: { allowedHosts: mac.local }',
      '1 server.allowedHosts: "mac.local" is not a list; write host names between [ and ]',
    ],
    [
      'defaults:\n  contextSize: 63',
      '2 defaults.contextSize: 63 is not a whole number from 64 to 1048576; write a number such as 8192',
    ],
    [
      'defaults:\n  parallel: 2.5',
      '2 defaults.parallel: 2.5 is not a whole number from 1 to 64; write a number such as 2',
    ],
    [
      'defaults:\n  threads: many',
      '2 defaults.threads: "many" is not auto or a whole number from 1 to 256; write auto, or a number such as 8',
    ],
    [
      'defaults:\n  idleUnload: 0',
      '2 defaults.idleUnload: 0 is not never or a duration from 1ms to 7d; write never, or a duration such as 10m',
    ],
    [
      'defaults:\n  idleUnload: 30d',
      '2 defaults.idleUnload: "30d" is not never or a duration from 1ms to 7d; write never, or a duration such as 10m',
    ],
    [
      'defaults:\n  flashAttention: yes',
      '2 defaults.flashAttention: "yes" is not auto, true or false; write auto, true or false',
    ],
    [
      'defaults:\n  cacheType: q5',
      '2 defaults.cacheType: "q5" is not f16, q8_0 or q4_0; write f16, q8_0 or q4_0',
    ],
    ['version: 2', '1 version: 2 is not a version of models.yaml that this Roundhouse reads; write 1'],
    ['- a list', '1 a list is not a section; write its keys below it, indented'],
    [
      'models:\n  a:\n  b:\n    aliases: []',
      '2 models.a: has no value; write its keys below it, indented, or take the key out',
      '3 models.b.file: is missing; write the path of a file or folder',
    ],
    [
      'models:\n  ok: { file: a }\n  a/b: { file: a }',
      `3 models: "a/b" is not a usable name; write ${NAME_HINT}`,
    ],
    ['models:\n  auto: { file: a }', `2 models: "auto" is not a usable name; write ${NAME_HINT}`],
    ['models:\n  "tier:x": { file: a }', `2 models: "tier:x" is not a usable name; write ${NAME_HINT}`],
    [
      'models:\n  a:\n    file: a\n    contextsize: 10',
      '4 models.a: unknown key `contextsize`; did you mean `contextSize`?',
    ],
    [
      'models:\n  a b:\n    file: a\n    sampling: { temprature: 1, nonsense: 2 }',
      '4 models."a b".sampling: unknown key `temprature`; did you mean `temperature`?',
      '4 models."a b".sampling: unknown key `nonsense`; take it out, or write one of temperature, topP, topK, minP, repeatPenalty',
    ],
    [
      'tiers:\n  low:\n    strategy: race\n    models: [a]\n',
      '3 tiers.low: unknown key `strategy`; take it out, or write one of models',
    ],
    ['sever:\n  port: 1', '1 unknown key `sever`; did you mean `server`?'],
    ['tiers:\n  low: { models: [] }', '2 tiers.low.models: is empty; name at least one model'],
    ['a: 1\nserver: {}\na: 2', '3 the key `a` is given twice; keep one'],
    [
      'models: { a: { file: "builtin:big" } }',
      '1 models.a.file: there is no built-in model "big"; write builtin:demo, or the path of a GGUF file',
    ],
    [
      'models:\n  a: { file: a, aliases: [m] }\n  b:\n    file: b\n    aliases:\n      - x\n      - m',
      '7 models.b.aliases[1]: "m" is already an alias of `a`; give `b` another alias',
    ],
    [
      'models:\n  a: { file: a, aliases: [b] }\n  b: { file: b }',
      '2 models.a.aliases[0]: "b" is already the id of `b`; give `a` another alias',
    ],
    [
      'models:\n  llama: { file: a }\ntiers:\n  low:\n    models:\n      - lama',
      '6 tiers.low.models[0]: no model is called "lama"; did you mean "llama"?',
    ],
    [
      'models:\n  llama: { file: a }\ntiers:\n  low: { models: [qwen] }',
      '4 tiers.low.models[0]: no model is called "qwen"; add it under models',
    ],
    [
      'models: { a: { file: a } }\ntiers: { medium: { models: [a] } }\nrouting:\n  default: tier:mediun',
      '4 routing.default: no tier is called "mediun"; did you mean "medium"?',
    ],
    ['routing:\n  default: auto', '2 routing.default: no model is called "auto"; add it under models'],
    [
      'memory:\n  maxLoadedModels: 1\nmodels: { a: { file: a, pinned: true }, b: { file: b, pinned: true } }',
      '2 memory.maxLoadedModels: 2 models are pinned (a, b), but only 1 may be loaded at a time; unpin 1, or raise memory.maxLoadedModels to 2',
    ],
    [
      'server:\n  host: 0.0.0.0',
      '2 server.host: 0.0.0.0 can be reached from other machines, but server.apiKeys is empty; add a key, or write 127.0.0.1',
    ],
    [
      'server:\n  port: ${PORT}',
      '2 the environment variable PORT is not set; set it, write ${PORT:-default} to go on without it, or $${PORT} if the text itself is meant',
    ],
  ];
  test.each(cases)('%j', (text, ...problems) => {
    expect(problemsOf(text)).toEqual(problems);
  });

  test('all mistakes are reported at once, in the order of the file', () => {
    const problems = problemsOf('server:\n  prot: 1\n  host: ""\nmemory:\n  budget: x\n');
    expect(problems.map((problem) => problem.slice(0, 1))).toEqual(['2', '3', '5']);
  });

  test('a key never shows up in a problem', () => {
    const canary = 'canary key';
    for (const keys of [
      `["${canary}"]`,
      `[{ key: "${canary}" }]`,
      `[{ key: { a: "${canary}" } }]`,
      `"${canary}"`,
      `[["${canary}"]]`,
    ]) {
      const problems = problemsOf(`server:\n  apiKeys: ${keys}`);
      expect(problems).toHaveLength(1);
      expect(problems[0]).not.toContain('canary');
    }
    expect(problemsOf('server:\n  apiKeys: [{ key: a, admn: true }]')).toEqual([
      '2 server.apiKeys[0]: unknown key `admn`; did you mean `admin`?',
    ]);
  });

  test('a file above 1 MiB and an alias bomb are refused', () => {
    expect(problemsOf(`# ${'x'.repeat(1024 * 1024)}`)[0]).toContain('at most 1048576 are read');
    const bomb = Array.from({ length: 9 }, (_, level) =>
      level === 0
        ? 'a0: &a0 [x,x,x,x,x,x,x,x,x]'
        : `a${level}: &a${level} [${Array(9).fill(`*a${level - 1}`)}]`,
    ).join('\n');
    expect(problemsOf(bomb)[0]).toContain('more than 100 aliases');
  });

  test('a host other than this machine is allowed once there is a key', () => {
    expect(settingsOf('server: { host: 0.0.0.0, apiKeys: [k] }').server.host).toBe('0.0.0.0');
    for (const host of ['localhost', '127.0.0.1', '127.8.0.1', '"::1"']) {
      expect(problemsOf(`server: { host: ${host} }`)).toEqual([]);
    }
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
          const read = settingsOf(text.replaceAll('${', '$${')).models;
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
