/** The services that Roundhouse can ask. `mock` is one of its own, so that everything runs without a key. */
export const PROVIDER_KINDS = [
  'openai',
  'anthropic',
  'google',
  'openrouter',
  'groq',
  'openai-compatible',
  'mock',
] as const;
export type ProviderKind = (typeof PROVIDER_KINDS)[number];

/** The variable that each kind's own programs read their key from; `null` where none is needed. */
export const KEY_VARIABLES: Readonly<Record<ProviderKind, string | null>> = {
  openai: 'OPENAI_API_KEY',
  anthropic: 'ANTHROPIC_API_KEY',
  google: 'GEMINI_API_KEY',
  openrouter: 'OPENROUTER_API_KEY',
  groq: 'GROQ_API_KEY',
  'openai-compatible': null,
  mock: null,
};

/** The ways in which a mock can be told to fail, as real providers do. */
export const MOCK_ERROR_KINDS = [
  'auth',
  'rate-limited',
  'server-error',
  'timeout',
  'garbage',
  'cut',
] as const;
export type MockErrorKind = (typeof MOCK_ERROR_KINDS)[number];
