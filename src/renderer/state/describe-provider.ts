import { assertNever } from '../../shared/assert-never.ts';
import type { KeyStateView, ProviderView } from '../../shared/provider-contract.ts';
import { KEY_VARIABLES, type ProviderKind } from '../../shared/provider-kinds.ts';
import type { StateWords } from './describe-model.ts';

export const KIND_NAMES: Readonly<Record<ProviderKind, string>> = {
  openai: 'OpenAI',
  anthropic: 'Anthropic',
  google: 'Google',
  openrouter: 'OpenRouter',
  groq: 'Groq',
  'openai-compatible': 'OpenAI-compatible',
  mock: 'Mock',
};

/** How a provider is. `sign` is which picture repeats the words. */
export interface HealthWords extends StateWords {
  readonly sign: 'unknown' | 'ok' | 'key' | 'down' | 'limited';
}

export function describeHealth({ health, key }: ProviderView): HealthWords {
  if (key.state === 'missing') return { sign: 'key', text: 'Needs a key', tone: 'busy' };
  switch (health.status) {
    case 'unknown':
      return { sign: 'unknown', text: 'Not asked yet', tone: 'quiet' };
    case 'ok':
      return { sign: 'ok', text: 'Answers', tone: 'good' };
    case 'auth':
      return { sign: 'key', text: 'Key refused', tone: 'bad' };
    case 'down':
      return { sign: 'down', text: 'Does not answer', tone: 'bad' };
    case 'limited':
      return { sign: 'limited', text: 'At its limit', tone: 'busy' };
    default:
      return assertNever(health.status);
  }
}

const FROM_ENVIRONMENT = 'environment ';

/** Where a key is, in words in which `backticks` mark a name: ``set, from `OPENAI_API_KEY` ``. */
export function describeKey(key: KeyStateView): string {
  switch (key.state) {
    case 'not-needed':
      return 'not needed';
    case 'missing':
      return 'missing';
    case 'set':
      return key.from.startsWith(FROM_ENVIRONMENT)
        ? `set, from \`${key.from.slice(FROM_ENVIRONMENT.length)}\``
        : `set, in ${key.from === 'keychain' ? 'the keychain' : `\`${key.from}\``}`;
    default:
      return assertNever(key);
  }
}

/** What somebody types to add a provider. */
export interface ProviderDraft {
  readonly kind: ProviderKind;
  readonly name: string;
  readonly baseUrl: string;
  readonly apiKey: string;
}

/** What is wrong with each field; nothing where a field is as it should be. */
export type DraftProblems = Partial<Record<'name' | 'baseUrl', string>>;

const NAME = /^[a-zA-Z0-9][\w.-]{0,63}$/;

export function checkDraft(draft: ProviderDraft, taken: readonly string[]): DraftProblems {
  const name = draft.name.trim();
  const baseUrl = draft.baseUrl.trim();
  return {
    ...(NAME.test(name)
      ? taken.includes(name)
        ? { name: `There is a provider ${name} already. Choose another name.` }
        : {}
      : { name: 'Letters, digits, dots and dashes, at most 64, the first a letter or digit.' }),
    ...(!asksForUrl(draft.kind) || isWebAddress(baseUrl)
      ? {}
      : { baseUrl: 'An address that begins with http:// or https://, most often ending in /v1.' }),
  };
}

/** Whether somebody has to say where the provider is. */
export function asksForUrl(kind: ProviderKind): boolean {
  return kind === 'openai-compatible';
}

/** The kind's own name, or that with a number where it is taken: `openai-2`. */
export function suggestName(kind: ProviderKind, taken: readonly string[]): string {
  const base = kind === 'openai-compatible' ? 'my-server' : kind;
  let name = base;
  for (let count = 2; taken.includes(name); count += 1) name = `${base}-${count}`;
  return name;
}

/** What happens when no key is given. */
export function describeNoKey(kind: ProviderKind): string {
  const variable = KEY_VARIABLES[kind];
  if (variable !== null) return `Leave empty to take it from \`${variable}\`.`;
  return 'Leave empty where none is asked for.';
}

function isWebAddress(text: string): boolean {
  return /^https?:\/\/./.test(text) && URL.canParse(text);
}
