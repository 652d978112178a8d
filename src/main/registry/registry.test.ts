import { expect, test } from 'vitest';
import { settingsOf } from '../../../test/fakes/configs.ts';
import { RoundhouseError } from '../../shared/errors.ts';
import type { ModelSettings, ProviderSettings } from '../config/settings.ts';
import { ProviderRegistry } from './provider-registry.ts';
import { Registry } from './registry.ts';

const CONFIG = settingsOf(`
providers: { openai: { type: openai, aliases: [gpt] }, mock: { type: mock } }
models: { llama: { file: /m/llama.gguf, aliases: [small] }, mini: { provider: gpt, remoteId: gpt-4.1-mini } }
tiers: { low: { models: [small, gpt/o3, llama] } }
`);

function codeAndMessage(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof RoundhouseError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'nothing was thrown';
}

function registered(id: string, aliases: readonly string[] = []): ModelSettings {
  const [model] = settingsOf(`models: { "${id}": { file: /late/${id}.gguf } }`).models;
  if (!model) throw new Error('no such model');
  return { ...model, aliases };
}

function createRegistry(): Registry {
  const providers = new ProviderRegistry(() => Promise.reject(new Error('nobody asks it')));
  providers.configure(CONFIG.providers);
  const registry = new Registry(providers);
  registry.configure(CONFIG);
  return registry;
}

/** A provider registry that counts what it makes and ends. */
function countingProviders() {
  const log: string[] = [];
  let fail = false;
  const providers = new ProviderRegistry(async ({ name, timeoutMs }: ProviderSettings) => {
    await Promise.resolve();
    const shown = `${name} (${timeoutMs})`;
    if (fail) throw new Error(`${shown} failed`);
    log.push(`made ${shown}`);
    return { shown, [Symbol.dispose]: () => log.push(`ended ${shown}`) };
  });
  providers.configure(CONFIG.providers);
  return { providers, log, fail: (now: boolean) => (fail = now) };
}

test('models registered at run time come after the configured ones, and go again', () => {
  const registry = createRegistry();
  registry.register(registered('new', ['n']));
  expect(registry.models.map(({ id }) => id)).toEqual(['llama', 'mini', 'new']);
  expect(registry.find('n')?.id).toBe('new');
  registry.replace(registered('new', ['m']));
  expect([registry.find('n'), registry.find('m')?.id]).toEqual([null, 'new']);
  registry.unregister('m');
  expect(registry.models.map(({ id }) => id)).toEqual(['llama', 'mini']);
});

test('two models of one name: the message says which, and where each comes from', () => {
  const registry = createRegistry();
  expect(codeAndMessage(() => registry.register(registered('llama')))).toBe(
    'conflict: "llama" is a model already (/m/llama.gguf); give /late/llama.gguf another name, or take the other out',
  );
  expect(codeAndMessage(() => registry.register(registered('new', ['small'])))).toBe(
    'conflict: "small" is an alias of the model "llama" already (/m/llama.gguf); give /late/new.gguf another name, or take the other out',
  );
  expect(codeAndMessage(() => registry.register(registered('mini')))).toContain(
    '(openai/gpt-4.1-mini under "mini")',
  );
  expect(registry.models).toHaveLength(2);
});

test('what stands in models.yaml is changed there', () => {
  const registry = createRegistry();
  const inFile = 'conflict: the model "llama" stands in models.yaml; change it there';
  expect(codeAndMessage(() => registry.unregister('small'))).toBe(inFile);
  expect(codeAndMessage(() => registry.replace(registered('llama')))).toBe(inFile);
  expect(codeAndMessage(() => registry.unregister('nobody'))).toBe(
    'not_found: no model is registered as "nobody"',
  );
});

test('a model that models.yaml names from now on takes the place of one registered at run time', () => {
  const registry = createRegistry();
  registry.register(registered('b', ['mine']));
  registry.register(registered('c'));
  const gone = registry.configure(settingsOf('models: { a: { file: x, aliases: [mine] } }'));
  expect(gone.map(({ id }) => id)).toEqual(['b']);
  expect(registry.models.map(({ id }) => id)).toEqual(['a', 'c']);
  expect(registry.find('mine')?.id).toBe('a');
});

test('a tier holds models of providers, and what its names mean now', () => {
  const registry = createRegistry();
  expect(registry.membersOf('low')).toEqual(['llama', 'openai/o3']);
  expect(registry.membersOf('none')).toBeNull();
});

test('a provider is made on first use, once for all who come meanwhile, and ended when the last has left', async () => {
  const { providers, log } = countingProviders();
  expect(log).toEqual([]);
  const [first, second] = await Promise.all([providers.use('openai'), providers.use('gpt')]);
  expect(log).toEqual(['made openai (120000)']);
  expect(first.instance).toBe(second.instance);
  expect(providers.users('openai')).toBe(2);

  const slower = CONFIG.providers.map((provider) => ({ ...provider, timeoutMs: 5 }));
  providers.configure(slower.filter(({ name }) => name === 'openai'));
  first[Symbol.dispose]();
  expect(log).toEqual(['made openai (120000)']);
  using third = await providers.use('openai');
  expect(third.instance.shown).toBe('openai (5)');
  second[Symbol.dispose]();
  expect(log).toEqual(['made openai (120000)', 'made openai (5)', 'ended openai (120000)']);
  await expect(providers.use('mock')).rejects.toThrow('no provider is called "mock"');
});

test('a configuration that says the same of a provider leaves it as it is', async () => {
  const { providers, log } = countingProviders();
  using _hold = await providers.use('mock');
  providers.configure(structuredClone(CONFIG.providers));
  using _again = await providers.use('mock');
  expect(log).toEqual(['made mock (120000)']);
});

test('a provider that could not be made is tried anew by who comes next', async () => {
  const { providers, log, fail } = countingProviders();
  fail(true);
  const both = await Promise.allSettled([providers.use('mock'), providers.use('mock')]);
  expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  fail(false);
  using _hold = await providers.use('mock');
  expect(log).toEqual(['made mock (120000)']);
  expect(providers.users('mock')).toBe(1);
});

test('one that was taken out before it was made ends as soon as it was', async () => {
  const { providers, log } = countingProviders();
  const using = providers.use('mock');
  providers.configure([]);
  (await using)[Symbol.dispose]();
  expect(log).toEqual(['made mock (120000)', 'ended mock (120000)']);
});
