import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fakeProvider, fakeProviders } from '../../../test/fakes/fake-remote.ts';
import { PROVIDER_KINDS } from '../../shared/provider-kinds.ts';
import { checkDraft, describeHealth, describeKey, suggestName } from './describe-provider.ts';

describe('a provider in words', () => {
  it('says another thing in each condition', () => {
    const said = fakeProviders(0).map((provider) => [provider.name, describeHealth(provider).text]);
    expect(Object.fromEntries(said)).toEqual({
      openai: 'Answers',
      anthropic: 'At its limit',
      groq: 'Needs a key',
      openrouter: 'Key refused',
      'mac-studio': 'Does not answer',
      mock: 'Answers',
    });
    expect(describeHealth(fakeProvider('new')).text).toBe('Not asked yet');
  });

  it('says where a key is, never what it is', () => {
    expect(describeKey({ state: 'set', from: 'environment OPENAI_API_KEY' })).toBe(
      'set, from `OPENAI_API_KEY`',
    );
    expect(describeKey({ state: 'set', from: 'keychain' })).toBe('set, in the keychain');
    expect(describeKey({ state: 'set', from: 'secrets.json' })).toBe('set, in `secrets.json`');
  });
});

describe('a draft', () => {
  const kinds = fc.constantFrom(...PROVIDER_KINDS);

  it('with the suggested name and an address is always right', () => {
    fc.assert(
      fc.property(kinds, fc.uniqueArray(kinds, { maxLength: 7 }), (kind, taken) => {
        const draft = {
          kind,
          name: suggestName(kind, taken),
          baseUrl: 'http://127.0.0.1:8000/v1',
          apiKey: '',
        };
        expect(checkDraft(draft, taken)).toEqual({});
      }),
    );
  });

  it.each([
    ['', 'Letters'],
    ['my server', 'Letters'],
    ['-x', 'Letters'],
    ['openai', 'already'],
  ])('named %j is refused', (name, reason) => {
    const problems = checkDraft({ kind: 'openai', name, baseUrl: '', apiKey: '' }, ['openai']);
    expect(problems.name).toContain(reason);
  });

  it.each(['', 'attic:8000', 'ftp://attic', 'http://', 'file:///etc/passwd'])(
    'with the address %j is refused where one is needed, and only there',
    (baseUrl) => {
      const draft = { name: 'attic', baseUrl, apiKey: '' };
      expect(checkDraft({ ...draft, kind: 'openai-compatible' }, []).baseUrl).toContain('http://');
      expect(checkDraft({ ...draft, kind: 'openai' }, [])).toEqual({});
    },
  );
});
