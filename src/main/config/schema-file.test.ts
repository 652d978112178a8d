import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { modelsJsonSchema, modelsYamlSchema } from '../../shared/config-schema.ts';
import { loadConfig } from './load.ts';
import { NO_OVERRIDES } from './outside.ts';
import { localModels } from './settings.ts';

const shipped = readFileSync('models.yaml', 'utf8');
const schemaFile = readFileSync('resources/models.schema.json', 'utf8');
const validate = new Ajv2020({ allErrors: true }).compile(JSON.parse(schemaFile));

test('resources/models.schema.json is what the schema gives; `npm run schema` writes it', () => {
  expect(JSON.parse(schemaFile)).toEqual(modelsJsonSchema());
});

test('the shipped models.yaml holds against the JSON schema', () => {
  validate(parse(shipped));
  expect(validate.errors ?? []).toEqual([]);
});

test('the shipped models.yaml gives the demo model under every standard tier', () => {
  const result = loadConfig({
    file: '/data/models.yaml',
    text: shipped,
    env: {},
    overrides: NO_OVERRIDES,
    home: '/home/ada',
    resourcesDir: '/app/resources',
  });
  if ('problems' in result) throw new Error(JSON.stringify(result.problems));
  expect(localModels(result.settings).map((model) => [model.id, model.source])).toEqual([
    ['demo', { kind: 'builtin', path: '/app/resources/models/roundhouse-demo.gguf' }],
  ]);
  const standard = [
    'nano',
    'low',
    'medium',
    'high',
    'reasoning',
    'summary',
    'default',
    'fitness',
    'fallback',
  ];
  expect(result.settings.tiers).toEqual(standard.map((name) => ({ name, models: ['demo'] })));
  expect(result.settings.routing.default).toBe('tier:default');
});

test('every commented-out example in the shipped models.yaml can be taken as it stands', () => {
  // An example is a comment line that, without its sign, is a key with a value.
  const enabled = shipped.replace(
    /^( *)# ((?: {2})?[a-zA-Z]+:.*)$/gm,
    (line, indent: string, rest: string) =>
      /^(mistral|modelsFolders|name|file|aliases|contextSize|pinned)\b/.test(rest.trim())
        ? `${indent}${rest}`
        : line,
  );
  expect(parse(enabled)).toMatchObject({
    models: { mistral: { pinned: true } },
    modelsFolders: ['~/Models'],
  });
  expect(modelsYamlSchema.safeParse(parse(enabled)).error?.issues ?? []).toEqual([]);
  expect(validate(parse(enabled))).toBe(true);
});

test('the JSON schema refuses what the app refuses', () => {
  for (const text of [
    'models: { a: {} }',
    'models: { auto: { file: x } }',
    'server: { port: 70000 }',
    'memory: { budget: 24 }',
    'tiers: { low: { models: [] } }',
    'tiers: { low: { models: [a], strategy: race } }',
    'defaults: { idleUnload: soon }',
    'sever: {}',
    'server: { apiKeys: [{ keyHash: "md5:0" }] }',
    'server: { apiKeys: [{ key: b, maxConcurrent: 0 }] }',
  ]) {
    expect([text, validate(parse(text)), modelsYamlSchema.safeParse(parse(text)).success]).toEqual([
      text,
      false,
      false,
    ]);
  }
  for (const text of [
    '{}',
    'models:',
    'server: { apiKeys: [a, { key: b }] }',
    `server: { apiKeys: [{ keyHash: "sha256:${'0'.repeat(64)}", maxConcurrent: 2, requestsPerMinute: 60 }] }`,
    'models: { "Größe 7B": { file: x } }',
  ]) {
    expect([text, validate(parse(text)), modelsYamlSchema.safeParse(parse(text)).success]).toEqual([
      text,
      true,
      true,
    ]);
  }
});
