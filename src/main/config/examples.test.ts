import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { settingsOf } from '../../../test/fakes/configs.ts';
import { type KeyTree, keysOf, treesAt } from '../yaml/schema-tree.ts';
import type { KeyPath } from '../yaml/yaml-source.ts';
import { NO_OVERRIDES } from './outside.ts';
import { localModels } from './settings.ts';
import { validateConfig } from './validate.ts';

/*
 * The configurations of examples/configs: each can be used as it stands.
 */

const DIR = 'examples/configs';
const NAMES = readdirSync(DIR).map((name) => name.replace(/\.yaml$/, ''));
const jsonSchema: unknown = JSON.parse(readFileSync('resources/models.schema.json', 'utf8'));
// What `npm run schema` wrote.
const schemaTree = jsonSchema as KeyTree;
const validateSchema = new Ajv2020({ allErrors: true }).compile(Object(jsonSchema));

/** Those that the examples cannot do without. */
const ENV = { OPERATOR_KEY: 'key-of-the-operator', WEBSITE_KEY: 'key-of-the-website' };

const textOf = (name: string) => readFileSync(join(DIR, `${name}.yaml`), 'utf8');

test('there is one for each kind of use', () => {
  expect(NAMES.toSorted()).toEqual([
    'complete',
    'five-models-m4-max',
    'local-only',
    'production',
    'researcher',
    'starter',
  ]);
});

describe.each(NAMES)('%s', (name) => {
  let home: string;
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'roundhouse-example-'));
    return () => rmSync(home, { recursive: true });
  });

  test('means what it meant', () => {
    expect(settingsOf(textOf(name), { env: ENV })).toMatchSnapshot();
  });

  test('holds against the JSON schema', () => {
    validateSchema(parse(textOf(name)));
    expect(validateSchema.errors ?? []).toEqual([]);
  });

  test('is found good by `roundhouse validate`, on a machine that has its files and keys', async () => {
    const place = {
      file: join(home, 'models.yaml'),
      env: ENV,
      overrides: NO_OVERRIDES,
      home,
      resourcesDir: join(process.cwd(), 'resources'),
    };
    writeFileSync(place.file, textOf(name));
    const settings = settingsOf(textOf(name), place);
    for (const { source, engine } of localModels(settings)) {
      if (source.kind === 'file') put(source.path, `GGUF${'\0'.repeat(40)}`);
      if (engine.chatTemplateFile !== null) put(engine.chatTemplateFile, '{{ messages }}');
    }
    mkdirSync(join(home, 'Models'), { recursive: true });
    const { findings } = await validateConfig({
      place,
      catalogFolders: { shippedDir: join(place.resourcesDir, 'catalog'), userDir: join(home, 'catalog') },
      hasKey: async () => true,
      nowMs: Date.UTC(2026, 10, 21),
    });
    expect(findings.filter(({ severity }) => severity === 'error')).toEqual([]);
  });
});

function put(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

test('the complete one shows every key there is', () => {
  const written: unknown = parse(textOf('complete'));
  const missing = missingKeys(written, []);
  expect(missing).toEqual([]);
});

/** Keys that the schema has below a path, and that no entry of `values` there uses. */
function missingKeys(value: unknown, path: KeyPath): readonly string[] {
  const trees = treesAt(schemaTree, path);
  const known = new Set(keysOf(trees).flat());
  const entries: readonly unknown[] = Array.isArray(value) ? value : [];
  if (Array.isArray(value)) return missingInAny(entries, [...path, 0]);
  if (known.size === 0) {
    // Entries under names of their own: one of them has to show each key.
    return typeof value === 'object' && value !== null
      ? missingInAny(Object.values(value), [...path, 'any'])
      : [];
  }
  return missingInAny([value], path);
}

function missingInAny(values: readonly unknown[], path: KeyPath): readonly string[] {
  const known = [...new Set(keysOf(treesAt(schemaTree, path)).flat())];
  return known.flatMap((key) => {
    const shown = values
      .filter((value) => typeof value === 'object' && value !== null && Object.hasOwn(value, key))
      .map((value): unknown => Reflect.get(Object(value), key));
    if (shown.length === 0) return [[...path, key].join('.')];
    const misses = shown.map((value) => missingKeys(value, [...path, key]));
    return misses.reduce((least, other) => least.filter((miss) => other.includes(miss)));
  });
}
