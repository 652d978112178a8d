// biome-ignore-all lint/suspicious/noTemplateCurlyInString: models.yaml names variables this way
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BASE } from '../../../test/fakes/configs.ts';
import { RoundhouseError } from '../../shared/errors.ts';
import { explainText } from '../cli/explain-text.ts';
import { showPath } from '../yaml/issues.ts';
import { type ExplainInput, explainKey } from './explain.ts';
import { parseKeyPath } from './key-path.ts';
import { type ConfigInput, parseConfig, resolveSettings } from './load.ts';
import { NO_OVERRIDES } from './outside.ts';

const TEXT = `server:
  port: 5000
  apiKeys: [canary-a, { name: ada, key: canary-b, admin: true }]
defaults: { contextSize: 4096 }
providers:
  openai: { type: openai, apiKey: "\${OPENAI_API_KEY:-}" }
  work: { type: openai }
  mock: { type: mock }
models:
  demo: { file: "builtin:demo", contextSize: 2048, capabilities: [code] }
  gpt-4.1: { provider: openai, remoteId: gpt-4.1, stage: staging }
  "Big One": { file: "\${DIR:-/m}/big.gguf" }
tiers: { low: { models: [demo] } }
budgets: [{ scope: all, limit: 5, per: day }]
`;

const CATALOG_FILE = '/app/resources/catalog/models/openai/gpt-4.1.yaml';

function inputOf(more: Partial<ConfigInput> = {}, facts: Partial<ExplainInput> = {}): ExplainInput {
  const result = parseConfig({ ...BASE, ...more, text: more.text ?? TEXT });
  if ('problems' in result) throw new Error(JSON.stringify(result.problems));
  const resolved = resolveSettings(result.parsed, ['/m/found.gguf']);
  if ('problems' in resolved) throw new Error(JSON.stringify(resolved.problems));
  return {
    parsed: result.parsed,
    settings: resolved.settings,
    catalogModel: () => null,
    keyKeptIn: () => null,
    ...facts,
  };
}

function explained(key: string, more: Partial<ConfigInput> = {}, facts: Partial<ExplainInput> = {}): string {
  return explainText(explainKey(inputOf(more, facts), key));
}

function refusal(key: string): string {
  try {
    explainKey(inputOf(), key);
  } catch (error) {
    if (error instanceof RoundhouseError) return `${error.code}: ${error.message}`;
  }
  throw new Error(`${key} was explained`);
}

describe('where a value comes from, and what it wins over', () => {
  test('command line, environment, file, default', () => {
    const env = { ROUNDHOUSE_SERVER_PORT: '6000' };
    const overrides = { ...NO_OVERRIDES, port: 7000 };
    expect(explained('server.port', { env, overrides })).toBe(
      [
        'server.port: 7000',
        '  from command line --port',
        '  over 6000, environment ROUNDHOUSE_SERVER_PORT',
        '  over 5000, /data/models.yaml:2',
        '  over 4141, default',
      ].join('\n'),
    );
    expect(explained('server.host')).toBe('server.host: 127.0.0.1\n  from default');
    expect(explained('modelsFolders', { overrides: { ...NO_OVERRIDES, modelsFolders: ['/extra'] } })).toBe(
      'modelsFolders: ["/extra"]\n  from command line --models-dir, and the file',
    );
  });

  test('a model takes from defaults what it does not say', () => {
    expect(explained('models.demo.contextSize')).toBe(
      [
        'models.demo.contextSize: 2048',
        '  from /data/models.yaml:10',
        '  over 4096, defaults.contextSize: /data/models.yaml:4',
        '  over 8192, defaults.contextSize: default',
      ].join('\n'),
    );
    expect(explained('models.found.contextSize')).toContain('4096\n  from defaults.contextSize: /data');
    expect(explained('models.found.file')).toBe(
      'models.found.file: /m/found.gguf\n  from found in a models folder',
    );
    expect(explained('models."Big One".name')).toBe('models."Big One".name: Big One\n  from default: the id');
    expect(explained('models.demo.chatTemplate')).toBe('models.demo.chatTemplate is not set');
  });

  test('what a variable put into the file is named', () => {
    expect(explained('models."Big One".file', { env: { DIR: '/d' } })).toBe(
      'models."Big One".file: /d/big.gguf\n  from /data/models.yaml:12, reading ${DIR}',
    );
  });

  test('the catalog stands between the file and the defaults', () => {
    const catalogModel: ExplainInput['catalogModel'] = (model) =>
      model.id !== 'gpt-4.1'
        ? null
        : {
            provider: 'openai',
            id: 'gpt-4.1',
            name: 'GPT-4.1',
            aliases: [],
            version: null,
            family: null,
            contextTokens: 1_047_576,
            maxOutputTokens: null,
            knowledgeCutoff: null,
            stage: 'production',
            deprecation: null,
            // Only what is said is asked for here.
            capabilities: { image_input: 'yes', audio_input: 'no', rerank: 'unknown' } as never,
            optimisation: { recommendedFor: ['code'], bestPractices: [], tips: [], pitfalls: [] },
            pricingRef: null,
            prices: [],
            documentation: null,
            sources: [],
            lastVerified: null,
            files: [CATALOG_FILE],
          };
    expect(explained('models.gpt-4.1.stage', {}, { catalogModel })).toBe(
      `models."gpt-4.1".stage: staging\n  from /data/models.yaml:11\n  over production, catalog ${CATALOG_FILE}`,
    );
    expect(explained('models.gpt-4.1.contextSize', {}, { catalogModel })).toBe(
      `models."gpt-4.1".contextSize: 1047576\n  from catalog ${CATALOG_FILE}`,
    );
    expect(explained('models.gpt-4.1.optimization.recommendedFor', {}, { catalogModel })).toContain(
      `["code"]\n  from catalog ${CATALOG_FILE}`,
    );
    expect(explained('models.gpt-4.1.capabilities', {}, { catalogModel })).toMatch(
      /^models."gpt-4.1".capabilities.image_input: true\n {2}from catalog .*\nmodels."gpt-4.1".capabilities.audio_input: false\n/,
    );
    expect(explained('models.demo.capabilities')).toBe(
      'models.demo.capabilities: ["code"]\n  from /data/models.yaml:10',
    );
  });

  test('a section is explained key by key, with what something is said of, as its kind has it', () => {
    const keys = (section: string) => explainKey(inputOf(), section).map(({ key }) => key);
    expect(keys('logging')).toEqual(['logging.content', 'logging.level']);
    expect(keys('providers.mock')).toContain('providers.mock.tokensPerSecond');
    expect(keys('providers.openai')).not.toContain('providers.openai.tokensPerSecond');
    expect(keys('models.demo')).toContain('models.demo.pinned');
    expect(keys('models.gpt-4.1')).not.toContain('models.gpt-4.1.pinned');
    expect(keys('models')).toEqual(expect.arrayContaining(['models.demo.file', 'models.found.file']));
    expect(keys('tiers')).toEqual(['tiers.low.models']);
  });

  test('a list is one value, and its entries can be asked for', () => {
    expect(explained('budgets')).toBe(
      'budgets: [{"scope":"all","limit":5,"per":"day"}]\n  from /data/models.yaml:14',
    );
    expect(explained('budgets[0].limit')).toBe('budgets[0].limit: 5\n  from /data/models.yaml:14');
  });
});

describe('keys are not shown', () => {
  const env = { OPENAI_API_KEY: 'canary-c' };

  test('where a provider has its key from', () => {
    expect(explained('providers.openai.apiKey', { env })).toBe(
      'providers.openai.apiKey: (a key, not shown)\n  from /data/models.yaml:6, reading ${OPENAI_API_KEY}',
    );
    expect(explained('providers.openai.apiKey')).toBe(
      'providers.openai.apiKey: nothing\n  from /data/models.yaml:6, reading ${OPENAI_API_KEY}',
    );
    expect(explained('providers.openai.apiKey', {}, { keyKeptIn: () => 'the keychain' })).toBe(
      'providers.openai.apiKey: (a key, not shown)\n  from the keychain',
    );
    expect(explained('providers.work.apiKey', { env })).toBe(
      'providers.work.apiKey: (a key, not shown)\n  from environment OPENAI_API_KEY',
    );
  });

  test('whatever is asked for', () => {
    for (const key of [
      'server',
      'server.apiKeys',
      'server.apiKeys[0]',
      'server.apiKeys[1]',
      'server.apiKeys[1].key',
    ]) {
      expect(explained(key, { env })).not.toContain('canary');
    }
    for (const key of ['providers', 'providers.openai', 'models'])
      expect(explained(key, { env })).not.toContain('canary');
    expect(explained('server.apiKeys[1].name')).toContain('ada');
  });
});

test('what is no key is refused, with the nearest one', () => {
  expect(refusal('server.prot')).toBe(
    'not_found: server.prot is no key of this configuration; did you mean server.port?',
  );
  expect(refusal('sever.port')).toContain('did you mean server?');
  expect(refusal('models.dmo.contextSize')).toContain('did you mean models.demo?');
  expect(refusal('models.demo.contxtSize')).toContain('did you mean models.demo.contextSize?');
  expect(refusal('models.gpt-4.1.pinned')).toMatch(/is no key of this configuration$/);
  expect(refusal('budgets[1].limit')).toContain('is no key');
  expect(refusal('server..port')).toBe('not_found: "server..port" is not a key; write one as server.port');
  for (const key of [
    '',
    '.',
    'server.',
    '"',
    'a["',
    'constructor',
    '__proto__',
    'models.__proto__',
    'server.port.x',
  ]) {
    expect(refusal(key)).toMatch(/^not_found: /);
  }
});

test('a key is read back as problems write it, whatever names are in it', () => {
  const step = fc.oneof(fc.string({ unit: 'grapheme', minLength: 1 }), fc.nat(1e6));
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), fc.array(step), (first, others) => {
      const path = [first, ...others];
      // A number in quotes and one in brackets are different steps; so they are when they are written.
      expect(parseKeyPath(showPath(path), () => [])).toEqual(path);
    }),
  );
  expect(parseKeyPath('models.gpt-4.1.name', () => ['gpt-4', 'gpt-4.1'])).toEqual([
    'models',
    'gpt-4.1',
    'name',
  ]);
});
