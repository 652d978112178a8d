// biome-ignore-all lint/suspicious/noTemplateCurlyInString: models.yaml names variables this way
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { NO_OVERRIDES } from './outside.ts';
import { validateConfig } from './validate.ts';

let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'roundhouse-validate-'));
  return () => rmSync(dir, { recursive: true });
});

function write(name: string, text: string): string {
  const file = join(dir, name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

function gguf(name: string): void {
  write(name, `GGUF${'\0'.repeat(40)}`);
}

interface Around {
  readonly env?: Readonly<Record<string, string>>;
  readonly kept?: readonly string[];
}

/** What is found, a line each, with paths below the test's folder. */
async function found(text: string, { env = {}, kept = [] }: Around = {}): Promise<readonly string[]> {
  const { findings } = await validateConfig({
    place: {
      file: write('models.yaml', text),
      env,
      overrides: NO_OVERRIDES,
      home: dir,
      resourcesDir: 'resources',
    },
    catalogFolders: { shippedDir: join(dir, 'shipped'), userDir: join(dir, 'user') },
    hasKey: async ({ name }) => kept.includes(name),
    nowMs: Date.UTC(2026, 10, 21),
  });
  return findings.map(({ severity, file, line, message }) =>
    `${severity} ${file}${line === null ? '' : `:${line}`} ${message}`.replaceAll(`${dir}/`, ''),
  );
}

/** A catalog with a model of each kind that validating has something to say of. */
function writeCatalog(): void {
  const definition = (id: string, more: string) =>
    write(`shipped/models/openai/${id}.yaml`, `id: ${id}\ncontext: { in: 1000 }\n${more}\n`);
  definition('gpt-good', 'pricingRef: good');
  definition('gpt-unpriced', '');
  definition(
    'gpt-old',
    'pricingRef: good\nstage: deprecated\ndeprecation: { replacement: gpt-good, retirementDate: 2027-01-31 }',
  );
  definition(
    'gpt-gone',
    'pricingRef: good\nstage: deprecated\ndeprecation: { replacement: gpt-good, retirementDate: 2026-01-31 }',
  );
  write(
    'shipped/pricing/openai.yaml',
    'models:\n  good:\n    - { effectiveDate: 2026-01-01, input: "1", output: "2", currency: USD, source: https://example.com }\n',
  );
}

test('a configuration that nothing is wrong with', async () => {
  writeCatalog();
  gguf('m/a.gguf');
  write('template.jinja', '{{ messages }}');
  const text = `
providers: { openai: { type: openai, apiKey: "\${KEY:-}" }, mock: { type: mock }, mac: { type: openai-compatible, baseUrl: "http://mac/v1" } }
models:
  a: { file: m/a.gguf, chatTemplate: template.jinja }
  demo: { file: "builtin:demo" }
tiers: { low: { models: [a, demo] }, high: { models: [openai/gpt-good, mock/anything, mac/whatever, a] } }
`;
  expect(await found(text, { env: { KEY: 'k' } })).toEqual([]);
  expect(await found(text, { kept: ['openai'] })).toEqual([]);
});

test('what the app would refuse is an error, with its line', async () => {
  expect(await found('sever: {}\nmodels:\n  a: { file: a }\n  a: { file: b }')).toEqual([
    'error models.yaml:4 the key `a` is given twice, in line 3 and here; keep one',
  ]);
  expect(
    await found('models:\n  a: { file: a }\ntiers: { low: { models: [] }, high: { models: [b] } }'),
  ).toEqual(['error models.yaml:3 tiers.low.models: is empty; name at least one model']);
  expect(await found('sever: {}')).toEqual([
    'error models.yaml:1 unknown key `sever`; did you mean `server`?',
  ]);
  expect(await found('', { env: { ROUNDHOUSE_SERVER_PROT: '1' } })).toEqual([
    'error environment ROUNDHOUSE_SERVER_PROT sets nothing that Roundhouse knows; did you mean ROUNDHOUSE_SERVER_PORT?',
  ]);
});

test('missing and unusable files', async () => {
  write('m/page.gguf', '<html>a page that was saved instead</html>');
  gguf('m/good.gguf');
  const text = `
models:
  gone: { file: m/gone.gguf }
  page: { file: m/page.gguf }
  good: { file: m/good.gguf, chatTemplate: none.jinja }
modelsFolders: [nowhere]
`;
  expect(await found(text)).toEqual([
    expect.stringContaining('warning models.yaml the models folder nowhere cannot be read (ENOENT)'),
    'error models.yaml:3 models.gone.file: m/gone.gguf is not there; check the path',
    expect.stringMatching(
      /^error models.yaml:4 models.page.file: m\/page.gguf starts with .* a web page was saved/,
    ),
    'error models.yaml:5 models.good.chatTemplate: none.jinja cannot be read; check the path',
  ]);
});

test('models that no tier names, unless there are no tiers or "auto" stands for them', async () => {
  for (const name of ['a', 'b', 'c']) gguf(`${name}.gguf`);
  const models =
    'models:\n  a: { file: a.gguf }\n  b: { file: b.gguf }\n  c: { file: c.gguf, aliases: [see] }\n';
  expect(await found(models)).toEqual([]);
  expect(await found(`${models}tiers: { low: { models: [see] } }\nrouting: { default: a }`)).toEqual([
    'warning models.yaml:3 models.b: no tier names it; programs get it only by asking for "b"',
  ]);
});

test('providers without keys', async () => {
  const text =
    'providers:\n  openai: { type: openai }\n  work: { type: groq, apiKey: "${WORK_KEY:-}" }\n  google: { type: google }\n';
  expect(await found(text, { env: { GEMINI_API_KEY: 'k' } })).toEqual([
    'warning models.yaml:2 providers.openai: has no key; set the environment variable OPENAI_API_KEY, or the key in the interface',
    'warning models.yaml:3 providers.work: has no key; set the environment variable WORK_KEY, or the key in the interface',
  ]);
});

test('models of providers: unknown ones, those without a price, those on their way out', async () => {
  writeCatalog();
  const text = `
providers: { openai: { type: openai, apiKey: k } }
models:
  typo: { provider: openai, remoteId: gpt-goood }
  unpriced: { provider: openai, remoteId: gpt-unpriced }
  old: { provider: openai, remoteId: gpt-old }
  mine: { provider: openai, remoteId: gpt-old, stage: production }
tiers:
  all: { models: [typo, unpriced, old, mine, openai/gpt-gone, openai/gpt-gone] }
`;
  expect(await found(text)).toEqual([
    'warning models.yaml:4 models.typo.remoteId: the catalog has no openai/gpt-goood, so its cost is not known; check the name, or add it to the catalog',
    'warning models.yaml:5 models.unpriced.remoteId: no price of openai/gpt-unpriced is known, so its cost is not counted',
    'warning models.yaml:6 models.old.remoteId: openai/gpt-old is deprecated and retires on 2027-01-31; use gpt-good instead',
    'error models.yaml:9 tiers.all.models[4]: openai/gpt-gone is retired since 2026-01-31; use gpt-good instead',
  ]);
});

test('what is wrong with the catalog, by file and line, also when models.yaml is broken', async () => {
  writeCatalog();
  write('user/models/openai/mine.yaml', 'id: mine\ncontext: { in: 1000 }\nfamly: gpt\n');
  const problem = expect.stringMatching(
    /^error user\/models\/openai\/mine\.yaml:3 unknown key `famly`; did you mean/,
  );
  expect(await found('')).toContainEqual(problem);
  expect(await found('sever: {}')).toContainEqual(problem);
});
