import { describe, expect, it } from 'vitest';
import { fakeProviderCalls } from '../../../test/fakes/fake-provider-calls.ts';
import { fakeProvider } from '../../../test/fakes/fake-remote.ts';
import { ManualClock } from '../../../test/fakes/manual-clock.ts';
import type { AppEvent } from '../../shared/contract.ts';
import type { ProviderView } from '../../shared/provider-contract.ts';
import type { Transport } from '../transport/transport.ts';
import { createProvidersStore } from './providers-store.ts';

const KEY = 'sk-canary-77';

/** A store over providers that fail as their conditions say; answers to a call can be held back. */
function setUp(initial: readonly ProviderView[] = [fakeProvider('openai', { kind: 'openai' })]) {
  const clock = new ManualClock();
  const asked: { readonly name: string; readonly input: unknown }[] = [];
  const held = new Map<string, Promise<void>>();
  let providers = initial;
  const handlers = fakeProviderCalls({
    clock,
    providers: () => providers,
    replace: (next) => {
      providers = next;
    },
    addModel: () => undefined,
    tell: (_event: AppEvent) => undefined,
  });
  const transport = {
    async call(name: keyof typeof handlers, input: never) {
      asked.push({ name, input });
      const answer = await handlers[name](input);
      await held.get(name);
      return answer;
    },
    // Nothing else is asked of the app here.
  } as unknown as Transport;
  const store = createProvidersStore(transport);
  const state = () => store.getState();
  /** Lets a test of a provider come to its end. */
  const answer = async () => {
    await clock.untilTimers(1);
    clock.advance(1_000);
  };
  return { state, asked, held, clock, answer, names: () => providers.map(({ name }) => name) };
}

const DRAFT = { kind: 'groq', name: ' groq ', baseUrl: 'http://unused', apiKey: ` ${KEY} ` } as const;

describe('adding a provider', () => {
  it('hands on what its kind takes, then tries it, and keeps no key', async () => {
    const { state, asked, answer } = setUp();
    state().openAdd();
    const added = state().add(DRAFT);
    await answer();
    await added;
    expect(asked).toEqual([
      { name: 'providers.add', input: { name: 'groq', kind: 'groq', apiKey: KEY } },
      { name: 'providers.test', input: { name: 'groq' } },
    ]);
    expect(state()).toMatchObject({ panel: { kind: 'closed' }, busy: {}, failures: {} });
    expect(JSON.stringify(state())).not.toContain(KEY);
  });

  it('stays open with the reason when it is refused', async () => {
    const { state } = setUp();
    state().openAdd();
    await state().add({ ...DRAFT, name: 'openai' });
    expect(state().panel).toMatchObject({
      kind: 'add',
      busy: false,
      refusal: { code: 'conflict', message: expect.stringContaining('Choose another name.') },
    });
  });

  it('race: a form that was closed meanwhile is not opened again by its refusal', async () => {
    const { state, held } = setUp();
    const gate = Promise.withResolvers<void>();
    held.set('providers.add', gate.promise);
    state().openAdd();
    const added = state().add(DRAFT);
    state().closePanel();
    gate.reject(new Error('gone'));
    await added;
    expect(state().panel).toEqual({ kind: 'closed' });
  });
});

describe('a key', () => {
  it('is tried at once, and its form closes', async () => {
    const { state, asked, answer } = setUp();
    state().open('openai', 'key');
    const saved = state().setKey('openai', KEY);
    await answer();
    await saved;
    expect(asked.map(({ name }) => name)).toEqual(['providers.setKey', 'providers.test']);
    expect(state().step).toBeNull();
    expect(JSON.stringify(state())).not.toContain(KEY);
  });

  it('that is forgotten is not tried', async () => {
    const { state, asked } = setUp();
    await state().setKey('openai', null);
    expect(asked).toEqual([{ name: 'providers.setKey', input: { name: 'openai', apiKey: null } }]);
  });
});

describe('removing', () => {
  it('closes what was open of it', async () => {
    const { state, names } = setUp();
    await state().openModels('openai');
    state().open('openai', 'remove');
    await state().remove('openai');
    expect(names()).toEqual([]);
    expect(state()).toMatchObject({ panel: { kind: 'closed' }, step: null });
  });

  it('says which models need it', async () => {
    const { state, names } = setUp([fakeProvider('openai', { models: ['gpt-mini'] })]);
    state().open('openai', 'remove');
    await state().remove('openai');
    expect(names()).toEqual(['openai']);
    expect(state().failures.openai?.message).toContain('gpt-mini');
    state().open('openai', 'key');
    expect(state().failures).toEqual({});
  });
});

describe('what is asked', () => {
  it('is asked once while it is under way', async () => {
    const { state, asked, answer } = setUp();
    const first = state().test('openai');
    await state().test('openai');
    expect(state().busy).toEqual({ openai: 'test' });
    await answer();
    await first;
    expect(asked).toHaveLength(1);
    expect(state().busy).toEqual({});
  });

  it('race: the models of a provider that was left do not appear under another', async () => {
    const { state, held } = setUp([fakeProvider('openai'), fakeProvider('anthropic')]);
    const gate = Promise.withResolvers<void>();
    held.set('providers.models', gate.promise);
    const first = state().openModels('openai');
    held.delete('providers.models');
    await state().openModels('anthropic');
    gate.resolve();
    await first;
    expect(state().panel).toMatchObject({ name: 'anthropic', list: { status: 'ready' } });
    const { panel } = state();
    const list = panel.kind === 'models' && panel.list.status === 'ready' ? panel.list.models : [];
    expect(new Set(list.map(({ provider }) => provider))).toEqual(new Set(['anthropic']));
  });
});
