// biome-ignore-all lint/suspicious/noTemplateCurlyInString: models.yaml names variables this way
import { describe, expect, test } from 'vitest';
import { problemsOf, settingsOf } from '../../../test/fakes/configs.ts';
import { CAPABILITIES } from '../../shared/capabilities.ts';
import { NAME_RULE } from '../../shared/config-fields.ts';

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
      'memory:\n  budget: 64MiB',
      '2 memory.budget: "64MiB" is less than 128 MiB, which no model fits in; write auto, a size such as 24GiB, or a share such as 60%',
    ],
    [
      'memory: { budget: -4GiB }',
      '1 memory.budget: "-4GiB" is not a size; write auto, a size such as 24GiB, or a share such as 60%',
    ],
    [
      'memory: { budget: 99999999TiB }',
      '1 memory.budget: "99999999TiB" is not a size; write auto, a size such as 24GiB, or a share such as 60%',
    ],
    [
      'defaults: { batchSize: -512 }',
      '1 defaults.batchSize: -512 is not a whole number from 1 to 16384; write a number such as 512',
    ],
    [
      'models:\n  a:\n    file: a\n    contextSize: 1e12',
      '4 models.a.contextSize: 1000000000000 is not a whole number from 64 to 1048576; write a number such as 8192',
    ],
    [
      'models:\n  a:\n    file: a\n    parallel: 99999999999999999999999',
      '4 models.a.parallel: 1e+23 is not a whole number from 1 to 64; write a number such as 2',
    ],
    [
      'memory: { keepPrefixCache: 5 }',
      '1 memory.keepPrefixCache: 5 is not a size; write one such as 2GiB, or 0',
    ],
    [
      'memory: { keepPrefixCache: 60% }',
      '1 memory.keepPrefixCache: "60%" is not a size; write one such as 2GiB, or 0',
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
      'models:\n  ok: { file: a }\n  a//b: { file: a }',
      `3 models: "a//b" is not a usable name; write ${NAME_RULE}`,
    ],
    ['models:\n  auto: { file: a }', `2 models: "auto" is not a usable name; write ${NAME_RULE}`],
    ['models:\n  "tier:x": { file: a }', `2 models: "tier:x" is not a usable name; write ${NAME_RULE}`],
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
    ['a: 1\nserver: {}\na: 2', '3 the key `a` is given twice, in line 1 and here; keep one'],
    [
      'models: { a: { file: "builtin:big" } }',
      '1 models.a.file: there is no built-in model "big"; write builtin:demo, or the path of a GGUF file',
    ],
    [
      'models:\n  a: { file: a, aliases: [m] }\n  b:\n    file: b\n    aliases:\n      - x\n      - m',
      '7 models.b.aliases[1]: "m" is already an alias of `a` (line 2); give `b` another alias',
    ],
    [
      'models:\n  a: { file: a, aliases: [b] }\n  b: { file: b }',
      '2 models.a.aliases[0]: "b" is already the id of `b` (line 3); give `a` another alias',
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
      'providers:\n  openai:\n    type: opanai',
      '3 providers.openai.type: "opanai" is not a kind of provider; write one of openai, anthropic, google, openrouter, groq, openai-compatible, mock (did you mean openai?)',
    ],
    [
      'providers:\n  a: { aliases: [] }',
      '2 providers.a.type: is missing; write one of openai, anthropic, google, openrouter, groq, openai-compatible, mock',
    ],
    [
      'providers:\n  a: openai',
      '2 providers.a: "openai" is not a section; write its keys below it, indented',
    ],
    [
      'providers:\n  a/b: { type: openai }',
      '2 providers: "a/b" is not a usable name for a provider; write up to 64 letters, digits, ".", "_" and "-", beginning with a letter or digit',
    ],
    [
      'providers: { a: { type: openai-compatible } }',
      '1 providers.a.baseUrl: is missing; write one such as http://mac-studio.local:8000/v1, without a user or a password',
    ],
    [
      'providers:\n  a: { type: openai, apikey: x }',
      '2 providers.a: unknown key `apikey`; did you mean `apiKey`?',
    ],
    [
      'providers:\n  a: { type: openai, latency: 1s }',
      '2 providers.a: `latency` does not go with what else stands here; take it out, or write one of type, aliases, timeout, limits, apiKey, discover, baseUrl',
    ],
    [
      'providers:\n  a: { type: openai, aliases: [c] }\n  b: { type: groq, aliases: [a, c] }',
      '3 providers.b.aliases[0]: "a" is already the name of `a`; give `b` another alias',
      '3 providers.b.aliases[1]: "c" is already an alias of `a`; give `b` another alias',
    ],
    ...(
      [
        [
          'ftp://x/v1',
          'this is not the address of an API; write one such as http://mac-studio.local:8000/v1, without a user or a password',
        ],
        [
          'http://me:pass@x/v1',
          'this is not the address of an API; write one such as http://mac-studio.local:8000/v1, without a user or a password',
        ],
        ['http://x:99999/v1', 'this is not an address; write one such as http://mac-studio.local:8000/v1'],
        ['http://x/v1?key=1', 'an address ends with its path; take the part from ? or # out'],
        [
          'http://169.254.169.254/v1',
          '169.254.169.254 is a link-local address, which is never asked; write the name of the machine',
        ],
        [
          'http://2852039166/v1',
          '169.254.169.254 is a link-local address, which is never asked; write the name of the machine',
        ],
        [
          'http://[fe80::1]/v1',
          '[fe80::1] is a link-local address, which is never asked; write the name of the machine',
        ],
        [
          'http://localhost:4141/v1',
          'localhost:4141 is where this Roundhouse itself answers; write the address of another',
        ],
      ] as const
    ).map(([baseUrl, problem]): readonly [string, string] => [
      `providers:\n  a: { type: openai, baseUrl: "${baseUrl}" }`,
      `2 providers.a.baseUrl: ${problem}`,
    ]),
    [
      'providers: { openai: { type: openai } }\nmodels:\n  a: { provider: opnai, remoteId: gpt-4.1 }',
      '3 models.a.provider: no provider is called "opnai"; did you mean "openai"?',
    ],
    [
      'providers: { openai: { type: openai } }\nmodels:\n  a: { provider: openai, remoteid: gpt-4.1 }',
      '3 models.a.remoteId: is missing; write what the provider calls it',
      '3 models.a: unknown key `remoteid`; did you mean `remoteId`?',
    ],
    [
      'providers: { openai: { type: openai } }\nmodels:\n  a: { provider: openai, remoteId: x, pinned: true }',
      '3 models.a: `pinned` does not go with what else stands here; take it out, or write one of provider, remoteId, name, aliases, stage, replacement, latency, capabilities, optimization, systemPrompt, sampling, contextSize',
    ],
    [
      'models:\n  a: { file: a, capabilities: [image_inptu] }\n  b: { file: b, capabilities: { code: true, image_imput: false } }',
      `2 models.a.capabilities[0]: "image_inptu" is not a capability; write one of ${CAPABILITIES.join(', ')} (did you mean image_input?)`,
      '3 models.b.capabilities: unknown key `image_imput`; did you mean `image_input`?',
    ],
    [
      'models: { a: { file: a, stage: old } }',
      '1 models.a.stage: "old" is not experimental, staging, production, deprecated or retired; write experimental, staging, production, deprecated or retired',
    ],
    [
      'tiers: { low: { models: [openai/gpt-4.1] } }',
      '1 tiers.low.models[0]: no model is called "openai/gpt-4.1"; add it under models',
    ],
    [
      'budgets:\n  - { scope: { provider: openai }, limit: 5, per: month }\n  - { scope: { modle: a }, limit: 5, per: month }\n  - { scope: all, limit: -1, per: year, alertAt: [0.5] }',
      '3 budgets[1].scope.provider: is missing; write up to 64 letters, digits, ".", "_" and "-", beginning with a letter or digit',
      '3 budgets[1].scope: unknown key `modle`; did you mean `model`?',
      '4 budgets[2].limit: -1 is not a number from 0 to 1000000; write a number such as 50',
      '4 budgets[2].per: "year" is not day, week or month; write day, week or month',
      '4 budgets[2].alertAt[0]: 0.5 is not a share; write one such as 90%',
    ],
    [
      'budgets: [{ scope: { provider: openai }, limit: 5, per: month }]',
      '1 budgets[0].scope.provider: no provider is called "openai"; add it under providers',
    ],
    [
      'usage: { retention: 90 }',
      '1 usage.retention: 90 is not never or a duration from 1h to 3650d; write never, or a duration such as 90d',
    ],
    [
      'server:\n  port: ${PORT}',
      '2 the environment variable PORT is not set; set it, write ${PORT:-default} to go on without it, or $${PORT} if the text itself is meant',
    ],
  ];
  test.each(cases)('%j', (text, ...problems) => {
    expect(problemsOf(text)).toEqual(problems);
  });

  test('a budget is held against the machine, where that is known', () => {
    const machineBytes = 8 * 1024 ** 3;
    expect(problemsOf('memory:\n  budget: 64GiB', { machineBytes })).toEqual([
      '2 memory.budget: 64.0 GiB is too much: this machine has 8.0 GiB of memory; write auto, or a share such as 60%',
    ]);
    expect(problemsOf('', { machineBytes, env: { ROUNDHOUSE_MEMORY_BUDGET: '1.5%' } })).toEqual([
      'environment ROUNDHOUSE_MEMORY_BUDGET: 1.5% is 123 MiB, since this machine has 8.0 GiB of memory; a model needs 128 MiB: write at least 2%, or auto',
    ]);
    for (const budget of ['128MiB', '8GiB', '2%', '100%', 'auto'])
      expect(problemsOf(`memory: { budget: ${budget} }`, { machineBytes })).toEqual([]);
    expect(problemsOf('memory: { budget: 64GiB }')).toEqual([]);
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
      `[{ keyHash: "${canary}" }]`,
    ]) {
      const problems = problemsOf(`server:\n  apiKeys: ${keys}`);
      expect(problems).toHaveLength(1);
      expect(problems[0]).not.toContain('canary');
    }
    for (const provider of [
      `{ type: openai, apiKey: "${canary}" }`,
      `{ type: openai, apiKey: ["${canary}"] }`,
      '{ type: openai, baseUrl: "https://me:canary@example.com/v1" }',
      '{ type: openai, baseUrl: "https://example.com/v1?key=canary" }',
    ]) {
      const problems = problemsOf(`providers:\n  a: ${provider}`);
      expect(problems).toHaveLength(1);
      expect(problems[0]).not.toContain('canary');
    }
    expect(problemsOf('server:\n  apiKeys: [{ key: a, admn: true }]')).toEqual([
      '2 server.apiKeys[0]: unknown key `admn`; did you mean `admin`?',
    ]);
  });

  const hash = `sha256:${'0'.repeat(64)}`;
  test.each([
    ['{ name: a }', 'apiKeys[0].key: is missing; write the key, or its hash as keyHash'],
    [`{ key: k, keyHash: "${hash}" }`, 'apiKeys[0].keyHash: stands beside key; write one of the two'],
    [
      '{ keyHash: abc }',
      'apiKeys[0].keyHash: this is not the SHA-256 of a key; write "sha256:" and its 64 hexadecimal digits',
    ],
    [
      '{ key: k, maxConcurrent: 0 }',
      'apiKeys[0].maxConcurrent: 0 is not a whole number from 1 to 10000; write a number such as 4',
    ],
    [
      '{ key: k, requestsPerMinute: 1e12 }',
      'apiKeys[0].requestsPerMinute: 1000000000000 is not a whole number from 1 to 10000; write a number such as 60',
    ],
    [
      'k, { name: a, key: k }',
      'apiKeys[1]: is the same key as server.apiKeys[0]; give each entry a key of its own',
    ],
  ])('apiKeys: [%s]', (entries, problem) => {
    expect(problemsOf(`server:\n  apiKeys: [${entries}]`)).toEqual([`2 server.${problem}`]);
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
