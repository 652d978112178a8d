import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CAPABILITIES, SUPPORT } from '../../shared/capabilities.ts';
import { loadCatalog } from './load.ts';
import { type DefinitionPatch, saveDefinition } from './save-definition.ts';

let userDir: string;

beforeEach(async () => {
  userDir = await mkdtemp(join(tmpdir(), 'catalog-save-'));
});
afterEach(() => rm(userDir, { recursive: true }));

const load = () => loadCatalog({ shippedDir: join(userDir, 'none'), userDir });

async function put(name: string, text: string): Promise<string> {
  const dir = join(userDir, 'models', 'acme');
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, name), text);
  return join(dir, name);
}

test('what was detected is written into a new file, whatever the model is called', async () => {
  const patch: DefinitionPatch = {
    id: '../../etc/passwd:free',
    context: { in: 8192 },
    capabilities: { streaming: 'yes' },
    lastVerified: '2026-11-21',
    sources: ['https://api.example.com/v1/models'],
  };
  // Parts of `..` are refused as names already; what is left can still hold slashes and colons.
  await expect(saveDefinition(userDir, 'acme', patch)).rejects.toMatchObject({ code: 'invalid_request' });
  const file = await saveDefinition(userDir, 'acme', { ...patch, id: 'Org/Model:free' });
  expect(file).toBe(join(userDir, 'models', 'acme', 'org-model-free.yaml'));
  const second = await saveDefinition(userDir, 'acme', { ...patch, id: 'org/model-free' });
  expect(second).toBe(join(userDir, 'models', 'acme', 'org-model-free-2.yaml'));
  const { catalog, problems } = await load();
  expect(problems).toEqual([]);
  expect(catalog.get('acme', 'Org/Model:free')).toMatchObject({
    contextTokens: 8192,
    capabilities: { streaming: 'yes', batch: 'unknown' },
    lastVerified: '2026-11-21',
  });
});

test('comments and everything else stay, in a file of any name', async () => {
  const file = await put(
    'hand-written.yml',
    [
      '# our own model',
      'id: m # as the server calls it',
      'context:',
      '  in: 8192 # asked them',
      'capabilities:',
      '  # measured in March',
      '  code: yes',
      '  batch: unknown # to be asked',
      'optimisation:',
      '  tips: [be brief] # they charge by the word',
      '',
    ].join('\n'),
  );
  const patch: DefinitionPatch = {
    id: 'm',
    context: { out: 1024 },
    capabilities: { batch: 'no', streaming: 'yes' },
    stage: 'staging',
    name: undefined,
  };
  expect(await saveDefinition(userDir, 'acme', patch)).toBe(file);
  expect(await readFile(file, 'utf8')).toBe(
    [
      '# our own model',
      'id: m # as the server calls it',
      'context:',
      '  in: 8192 # asked them',
      '  out: 1024',
      'capabilities:',
      '  # measured in March',
      '  code: yes',
      '  batch: no # to be asked',
      '  streaming: yes',
      'optimisation:',
      '  tips: [ be brief ] # they charge by the word',
      'stage: staging',
      '',
    ].join('\n'),
  );
  expect(await readdir(join(userDir, 'models', 'acme'))).toEqual(['hand-written.yml']);
});

test('a broken file is not written over', async () => {
  const text = 'id: m\ncontext: { in: many }\n';
  const file = await put('m.yaml', text);
  await expect(saveDefinition(userDir, 'acme', { id: 'm', stage: 'staging' })).rejects.toMatchObject({
    code: 'config_invalid',
    message: expect.stringContaining(`${file}:2: context.in: "many" is not a whole number`),
  });
  expect(await readFile(file, 'utf8')).toBe(text);
});

test('what no definition can have is refused', async () => {
  const refused: readonly (readonly [provider: string, patch: DefinitionPatch])[] = [
    ['../acme', { id: 'm' }],
    ['acme', { id: 'm', context: { in: -1 } }],
    ['acme', { id: 'm', documentation: 'javascript:alert(1)' }],
  ];
  for (const [provider, patch] of refused) {
    await expect(saveDefinition(userDir, provider, patch)).rejects.toMatchObject({ code: 'invalid_request' });
  }
  expect(await readdir(userDir)).toEqual([]);
});

test('a folder that cannot be written in is said', async () => {
  const file = join(userDir, 'models');
  await writeFile(file, '');
  await expect(saveDefinition(userDir, 'acme', { id: 'm' })).rejects.toMatchObject({
    code: 'config_invalid',
    message: expect.stringContaining('nothing was changed'),
  });
});

test('what is saved is what is loaded, in any order of saving', async () => {
  const text = fc.stringMatching(/^[ -~é☃]{1,40}$/u).filter((value) => value.trim() !== '');
  const patch = fc.record(
    {
      name: text,
      stage: fc.constantFrom('experimental' as const, 'staging' as const, 'production' as const),
      capabilities: fc.dictionary(fc.constantFrom(...CAPABILITIES), fc.constantFrom(...SUPPORT)),
      optimisation: fc.record(
        { tips: fc.array(text, { maxLength: 3 }), pitfalls: fc.array(text) },
        { requiredKeys: [] },
      ),
    },
    { requiredKeys: [] },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(patch, { minLength: 1, maxLength: 4 }), async (patches) => {
      await rm(join(userDir, 'models'), { recursive: true, force: true });
      await put('m.yaml', '# kept\nid: m\ncontext: { in: 5 }\n');
      for (const values of patches) await saveDefinition(userDir, 'acme', { id: 'm', ...values });
      const { catalog, problems } = await load();
      expect(problems).toEqual([]);
      const last = <Key extends keyof (typeof patches)[number]>(key: Key) =>
        patches.findLast((values) => values[key] !== undefined)?.[key];
      const model = catalog.get('acme', 'm');
      expect(model?.name).toBe(last('name') ?? 'm');
      expect(model?.stage).toBe(last('stage') ?? 'production');
      expect(model?.capabilities).toMatchObject(
        Object.assign({}, ...patches.map(({ capabilities }) => capabilities)),
      );
      expect(model?.optimisation).toMatchObject(
        Object.assign({}, ...patches.map(({ optimisation }) => optimisation)),
      );
      expect(await readFile(join(userDir, 'models', 'acme', 'm.yaml'), 'utf8')).toMatch(/^# kept\n/);
    }),
    { numRuns: 60 },
  );
});
