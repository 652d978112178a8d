// biome-ignore-all lint/suspicious/noTemplateCurlyInString: such text is to stay as it is
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadCatalog } from './load.ts';

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'catalog-'));
});
afterEach(() => rm(root, { recursive: true }));

/** Lays files into `shipped/` and `user/` and loads both; problems as `file:line message`, without the folder. */
async function load(files: Readonly<Record<string, string>>) {
  for (const [name, text] of Object.entries(files)) {
    const file = join(root, name);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }
  const { catalog, problems } = await loadCatalog({
    shippedDir: join(root, 'shipped'),
    userDir: join(root, 'user'),
  });
  return {
    catalog,
    problems: problems.map(({ file, line, message }) =>
      `${file}${line === null ? '' : `:${line}`} ${message}`.replaceAll(`${root}/`, ''),
    ),
  };
}

const GPT = `
id: gpt
name: GPT
aliases: [chat]
context: { in: 128000, out: 16384 }
capabilities: { code: yes, batch: no }
pricingRef: gpt
`;
const PRICES = `
models:
  gpt:
    - { effectiveDate: 2026-01-01, input: "2", output: "8", source: list }
`;
const SHIPPED = { 'shipped/models/openai/gpt.yaml': GPT, 'shipped/pricing/openai.yaml': PRICES };
const ASKED = {
  promptTokens: 1_000_000,
  cachedTokens: 0,
  cacheWriteTokens: 0,
  completionTokens: 0,
  reasoningTokens: 0,
};
const NOW_MS = Date.parse('2026-11-21');

test('one definition and one price make a model that is listed and priced', async () => {
  const { catalog, problems } = await load({
    'user/models/acme/m.yaml': 'id: m\ncontext: { in: 8192 }\n',
    'user/pricing/acme.yaml': 'models:\n  m:\n    - { effectiveDate: 2026-11-01, input: 0.5, output: 1 }\n',
  });
  expect(problems).toEqual([]);
  const model = catalog.get('acme', 'm');
  expect(model).toMatchObject({ name: 'm', stage: 'production', contextTokens: 8192, maxOutputTokens: null });
  if (!model) throw new Error('there is no model');
  expect(catalog.cost(model, ASKED, NOW_MS)).toEqual({
    nanoDollars: 500_000_000,
    priceVersionId: 'user:acme/m@2026-11-01',
  });
  expect(catalog.cost(model, ASKED, Date.parse('2026-10-31T23:59:59Z'))).toBeNull();
});

test('the user’s folder overlays the shipped one, key by key', async () => {
  const { catalog, problems } = await load({
    ...SHIPPED,
    'user/models/openai/mine.yml':
      'id: gpt\nname: My GPT\ncontext: { out: 1000 }\ncapabilities: { batch: yes }\n',
    'user/pricing/openai.yaml':
      'models:\n  gpt:\n    - { effectiveDate: 2026-06-01, input: "1", output: "4", notes: our contract }\n',
  });
  expect(problems).toEqual([]);
  const model = catalog.get('openai', 'chat');
  expect(model).toMatchObject({
    name: 'My GPT',
    contextTokens: 128_000,
    maxOutputTokens: 1000,
    capabilities: { code: 'yes', batch: 'yes', maths: 'unknown' },
  });
  expect(model?.files.map((file) => file.slice(root.length + 1))).toEqual([
    'shipped/models/openai/gpt.yaml',
    'user/models/openai/mine.yml',
  ]);
  expect(model?.prices.map(({ id, input }) => [id, input])).toEqual([
    ['openai/gpt@2026-01-01', 2e9],
    ['user:openai/gpt@2026-06-01', 1e9],
  ]);
});

test('folders that are not there, and files of other kinds, are no problem', async () => {
  expect((await load({})).problems).toEqual([]);
  const { catalog, problems } = await load({
    ...SHIPPED,
    'user/models/openai/notes.txt': 'x',
    'user/models/openai/.hidden.yaml': '[',
  });
  expect(problems).toEqual([]);
  expect(catalog.models).toHaveLength(1);
});

test('nothing is read from the environment', async () => {
  const { catalog, problems } = await load({
    'user/models/acme/m.yaml': 'id: m\nname: "${HOME} ${NOT_SET}"\ncontext: { in: 8192 }\n',
  });
  expect(problems).toEqual([]);
  expect(catalog.get('acme', 'm')?.name).toBe('${HOME} ${NOT_SET}');
});

describe('a file that is broken takes out only itself, and says the line', () => {
  const definitions: readonly (readonly [text: string, ...problems: string[]])[] = [
    [
      'id: [',
      ':1 this is not YAML: Flow sequence in block collection must be sufficiently indented and end with a ]; check indentation, colons and quotes here and on the line above',
    ],
    [
      'name: x\ncontext: { in: 1 }',
      ':1 id: is missing; write up to 128 printable characters, no space or "/" at either end, no part between "/" empty, "." or "..", not "auto", and not starting with "tier:", "user:" or "rollout:"',
    ],
    ['id: x\nname: X', ':1 context.in: is missing; write the tokens that its context holds, such as 200000'],
    [
      'id: x\ncontext:\n  in: -5',
      ':3 context.in: -5 is not a whole number from 1 to 1000000000; write a number such as 200000',
    ],
    [
      'id: x\ncontext: { in: 5 }\ncapabilities:\n  code: yes\n  function_caling: yes',
      ':5 capabilities: unknown key `function_caling`; did you mean `function_calling`?',
    ],
    [
      'id: x\ncontext: { in: 5 }\ncapabilities:\n  code: maybe',
      ':4 capabilities.code: "maybe" is not yes, no or unknown; write yes, no or unknown',
    ],
    [
      'id: x\ncontext: { in: 5 }\nstage: beta',
      ':3 stage: "beta" is not experimental, staging, production, deprecated or retired; write experimental, staging, production, deprecated or retired',
    ],
    [
      'id: x\ncontext: { in: 5 }\ndetector: ./mine.js',
      ':3 unknown key `detector`; take it out, or write one of id, name, aliases, version, family, context, knowledgeCutoff, stage, deprecation, capabilities, optimisation, pricingRef, documentation, sources, lastVerified',
    ],
    [
      'id: x\ncontext: { in: 5 }\ndocumentation: "javascript:alert(1)"',
      ':3 documentation: is not an address; write it as https://…',
    ],
    [
      'id: x\ncontext: { in: 5 }\nlastVerified: 2026-02-30',
      ':3 lastVerified: "2026-02-30" is not a day; write it as 2026-11-21',
    ],
  ];
  test.each(definitions)('definition %j', async (text, ...expected) => {
    const { catalog, problems } = await load({ ...SHIPPED, 'user/models/openai/x.yaml': text });
    expect(problems).toEqual(expected.map((problem) => `user/models/openai/x.yaml${problem}`));
    expect(catalog.models.map(({ id }) => id)).toEqual(['gpt']);
  });

  const prices: readonly (readonly [text: string, ...problems: string[]])[] = [
    [
      'models:\n  a:\n    - input: "1"\n      output: "2"',
      ':3 models.a[0].effectiveDate: is missing; write it as 2026-11-21',
    ],
    [
      'models:\n  a:\n    - effectiveDate: 2026-01-01\n      input: -1\n      output: "2"',
      ':4 models.a[0].input: -1 is not a price; write dollars for a million tokens, such as "2.50"',
    ],
    [
      'models:\n  a:\n    - effectiveDate: 2026-01-01\n      input: "1"\n      output: "-0.5"',
      ':5 models.a[0].output: "-0.5" is not a price; write dollars for a million tokens, such as "2.50"',
    ],
    [
      'models:\n  a:\n    - effectiveDate: 2026-01-01\n      input: "1"\n      output: "2"\n      currency: EUR',
      ':6 models.a[0].currency: "EUR" is not a currency that costs are counted in; write USD, and the price in dollars',
    ],
    [
      'models:\n  a:\n    - effectiveDate: 1 May\n      input: "1"',
      ':3 models.a[0].effectiveDate: "1 May" is not a day; write it as 2026-11-21',
      ':3 models.a[0].output: is missing; write dollars for a million tokens, such as "2.50"',
    ],
    ['models:\n  a: []', ':2 models.a: is empty; write at least one price'],
    [
      'models:\n  a:\n    - { effectiveDate: 2026-01-01, input: 1, output: 2, chached: 1 }',
      ':3 models.a[0]: unknown key `chached`; take it out, or write one of effectiveDate, input, output, cachedInput, cacheWrite, currency, when, notes, source',
    ],
    [
      'models:\n  a:\n    - effectiveDate: 2026-01-01\n      input: 1\n      output: 2\n      when: { time: { from: "25:00", to: "01:00" } }',
      ':6 models.a[0].when.time.from: "25:00" is not a time of the day; write hours and minutes in UTC, such as "16:30"',
    ],
    [
      'models:\n  a:\n    - effectiveDate: 2026-01-01\n      input: 1e400\n      output: .nan',
      ':4 models.a[0].input: Infinity is not a price; write dollars for a million tokens, such as "2.50"',
      ':5 models.a[0].output: NaN is not a price; write dollars for a million tokens, such as "2.50"',
    ],
  ];
  test.each(prices)('prices %j', async (text, ...expected) => {
    const { catalog, problems } = await load({ ...SHIPPED, 'user/pricing/openai.yaml': text });
    expect(problems).toEqual(expected.map((problem) => `user/pricing/openai.yaml${problem}`));
    expect(catalog.get('openai', 'gpt')?.prices).toHaveLength(1);
  });

  test('a broken pricing file is one problem, not one for each model', async () => {
    const { catalog, problems } = await load({ ...SHIPPED, 'shipped/pricing/openai.yaml': 'models: [1' });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(/^shipped\/pricing\/openai\.yaml:1 this is not YAML/);
    expect(catalog.get('openai', 'gpt')?.prices).toEqual([]);
  });
});

test('two models of one name say which files', async () => {
  const model = (id: string, aliases = '[]') => `id: ${id}\naliases: ${aliases}\ncontext: { in: 5 }\n`;
  const { catalog, problems } = await load({
    ...SHIPPED,
    'user/models/openai/a.yaml': model('same'),
    'user/models/openai/b.yaml': model('same'),
    'user/models/openai/c.yaml': model('c', '[x, chat]'),
    'user/models/openai/d.yaml': model('d', '[gpt]'),
    // Another provider may call its model the same.
    'user/models/groq/gpt.yaml': model('gpt'),
  });
  const tail = 'give one of the two models another name';
  expect(problems).toEqual([
    `user/models/openai/b.yaml:1 "same" is already the id of the model in user/models/openai/a.yaml; ${tail}`,
    `user/models/openai/c.yaml:2 "chat" is already an alias of \`gpt\` in shipped/models/openai/gpt.yaml; ${tail}`,
    `user/models/openai/d.yaml:2 "gpt" is already the id of the model in shipped/models/openai/gpt.yaml; ${tail}`,
  ]);
  expect(catalog.models.map(({ provider, id }) => `${provider}/${id}`)).toEqual([
    'groq/gpt',
    'openai/gpt',
    'openai/same',
  ]);
});

test('where an overlay cannot be laid on, the shipped model stands', async () => {
  const { catalog, problems } = await load({
    ...SHIPPED,
    'shipped/models/openai/other.yaml': 'id: other\ncontext: { in: 5 }\n',
    'user/models/openai/gpt.yaml': 'id: gpt\nname: Mine\naliases: [other]\n',
  });
  expect(problems).toEqual([
    'user/models/openai/gpt.yaml:3 "other" is already the id of the model in shipped/models/openai/other.yaml; give one of the two models another name',
  ]);
  expect(catalog.get('openai', 'chat')?.name).toBe('GPT');
});

test('what a definition points to has to be there, and the nearest is named', async () => {
  const { catalog, problems } = await load({
    ...SHIPPED,
    'user/models/openai/x.yaml':
      'id: x\ncontext: { in: 5 }\npricingRef: gpts\ndeprecation:\n  replacement: ghpt\n  retirementDate: 2027-01-01\n',
    'user/models/openai/constructor.yaml': 'id: constructor\ncontext: { in: 5 }\npricingRef: constructor\n',
    'user/models/Bad Name/x.yaml': 'id: x\ncontext: { in: 5 }\n',
  });
  expect(problems).toEqual([
    'user/models/Bad Name "Bad Name" cannot be the name of a provider; use small letters, digits and "-", as in openai',
    'user/models/openai/constructor.yaml:3 pricingRef: there are no prices of "constructor" in pricing/openai.yaml; add it there',
    'user/models/openai/x.yaml:3 pricingRef: there are no prices of "gpts" in pricing/openai.yaml; did you mean "gpt"?',
    'user/models/openai/x.yaml:5 deprecation.replacement: no model of openai is called "ghpt"; did you mean "gpt"?',
  ]);
  expect(catalog.get('openai', 'x')?.stage).toBe('deprecated');
  expect(catalog.get('openai', 'constructor')?.prices).toEqual([]);
});

test('two pricing files of one provider in a folder are said, and the first holds', async () => {
  const { catalog, problems } = await load({ ...SHIPPED, 'shipped/pricing/openai.yml': PRICES });
  expect(problems).toEqual([
    'shipped/pricing/openai.yml the prices of openai are already in shipped/pricing/openai.yaml; put them into one file',
  ]);
  expect(catalog.get('openai', 'gpt')?.prices).toHaveLength(1);
});
