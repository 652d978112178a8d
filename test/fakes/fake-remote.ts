import { CAPABILITIES, type Capability, type CapabilityMatrix } from '../../src/shared/capabilities.ts';
import type { ModelView } from '../../src/shared/contract.ts';
import type { PriceView, ProviderView, RemoteModelView } from '../../src/shared/provider-contract.ts';

/*
 * Services elsewhere and what they run, as an app with keys for some of them would see them.
 */

/** What neither list names is unknown. */
export function capable(yes: readonly Capability[], no: readonly Capability[] = []): CapabilityMatrix {
  const supportOf = (name: Capability) => (yes.includes(name) ? 'yes' : no.includes(name) ? 'no' : 'unknown');
  // Each capability has its entry.
  return Object.fromEntries(CAPABILITIES.map((name) => [name, supportOf(name)])) as CapabilityMatrix;
}

/** What every model here has that reads and writes text. */
const TEXT: readonly Capability[] = ['text_input', 'text_output', 'streaming', 'system_messages'];
const TOOLS: readonly Capability[] = ['function_calling', 'structured_output', 'json_mode'];

/** Dollars for a million tokens. */
function price(input: number, output: number, effectiveDate: string): PriceView {
  const nanos = (dollars: number) => Math.round(dollars * 1e9);
  return {
    inputNanoDollars: nanos(input),
    outputNanoDollars: nanos(output),
    cachedInputNanoDollars: nanos(input / 10),
    cacheWriteNanoDollars: null,
    effectiveDate,
    source: '@pydantic/genai-prices@0.1.8',
  };
}

function remoteModel(
  provider: string,
  remoteId: string,
  name: string,
  changes: Partial<RemoteModelView> = {},
): RemoteModelView {
  return {
    provider,
    remoteId,
    name,
    contextSize: 200_000,
    maxOutputTokens: 64_000,
    capabilities: capable([...TEXT, ...TOOLS], ['audio_input', 'video_input', 'embeddings', 'rerank']),
    stage: 'production',
    replacement: null,
    price: null,
    registeredAs: null,
    ...changes,
  };
}

const SONNET = capable(
  [
    ...TEXT,
    ...TOOLS,
    'image_input',
    'document_input',
    'large_context',
    'prompt_caching',
    'extended_thinking',
  ],
  ['audio_input', 'video_input', 'image_output', 'embeddings'],
);

/** What the catalog and the providers' own lists have. */
export const FAKE_CATALOG: readonly RemoteModelView[] = [
  remoteModel('anthropic', 'claude-sonnet-5-5', 'Claude Sonnet 5.5', {
    capabilities: SONNET,
    price: price(3, 15, '2026-10-07'),
    registeredAs: 'sonnet',
  }),
  remoteModel('anthropic', 'claude-haiku-5-5', 'Claude Haiku 5.5', {
    capabilities: SONNET,
    price: price(0.5, 2.5, '2026-10-07'),
  }),
  remoteModel('anthropic', 'claude-sonnet-4-5-20250929', 'Claude Sonnet 4.5', {
    capabilities: SONNET,
    stage: 'deprecated',
    replacement: 'claude-sonnet-5-5',
    price: price(3, 15, '2025-09-29'),
    registeredAs: 'sonnet-4-5',
  }),
  remoteModel('openai', 'gpt-4.1', 'GPT-4.1', {
    contextSize: 1_047_576,
    maxOutputTokens: 32_768,
    capabilities: capable([...TEXT, ...TOOLS, 'image_input', 'extra_large_context'], ['extended_thinking']),
    price: price(2, 8, '2025-04-14'),
  }),
  remoteModel('openai', 'gpt-4.1-mini', 'GPT-4.1 mini', {
    contextSize: 1_047_576,
    maxOutputTokens: 32_768,
    capabilities: capable([...TEXT, ...TOOLS, 'image_input', 'extra_large_context'], ['extended_thinking']),
    price: price(0.4, 1.6, '2025-04-14'),
    registeredAs: 'gpt-mini',
  }),
  remoteModel('openai', 'gpt-4.1-nano', 'GPT-4.1 nano', {
    contextSize: 1_047_576,
    capabilities: capable([...TEXT, ...TOOLS, 'image_input', 'extra_large_context'], ['extended_thinking']),
    price: price(0.1, 0.4, '2025-04-14'),
  }),
  remoteModel('openai', 'gpt-3.5-turbo', 'GPT-3.5 Turbo', {
    contextSize: 16_385,
    maxOutputTokens: 4096,
    capabilities: capable(TEXT, ['image_input']),
    stage: 'retired',
    replacement: 'gpt-4.1-mini',
    price: price(0.5, 1.5, '2024-01-25'),
    registeredAs: 'gpt-old',
  }),
  remoteModel('openai', 'text-embedding-3-small', 'Text Embedding 3 small', {
    contextSize: 8191,
    maxOutputTokens: null,
    capabilities: capable(['text_input', 'embeddings'], ['text_output', 'function_calling']),
    price: { ...price(0.02, 0, '2024-01-25'), outputNanoDollars: null, cachedInputNanoDollars: null },
  }),
  remoteModel('google', 'gemini-3-flash', 'Gemini 3 Flash', {
    contextSize: 1_048_576,
    capabilities: capable([
      ...TEXT,
      ...TOOLS,
      'image_input',
      'audio_input',
      'video_input',
      'document_input',
      'extra_large_context',
      'extended_thinking',
    ]),
    price: price(0.3, 2.5, '2026-01-20'),
  }),
  remoteModel('mac-studio', 'Qwen/Qwen2.5-72B-Instruct', 'Qwen2.5 72B Instruct', {
    contextSize: null,
    maxOutputTokens: null,
    capabilities: capable(TEXT),
    registeredAs: 'qwen-72b',
  }),
  remoteModel('mock', 'echo', 'Echo', { contextSize: 8192, capabilities: capable(TEXT) }),
];

const NO_NOTES = { recommendedFor: [], bestPractices: [], tips: [], pitfalls: [] } as const;

/** What a view says of a model beyond its engine, when nothing is known. */
export const NOTHING_KNOWN = {
  kind: 'local',
  provider: null,
  remoteId: null,
  stage: 'production',
  replacement: null,
  capabilities: capable([]),
  notes: NO_NOTES,
  price: null,
  latencyTarget: { firstTokenMs: null, tokensPerSecond: null },
  documentation: null,
} as const satisfies Partial<ModelView>;

/** A model of the catalog, registered. */
export function fakeRemoteModel(
  id: string,
  of: RemoteModelView,
  changes: Partial<ModelView> = {},
): ModelView {
  return {
    ...NOTHING_KNOWN,
    id,
    name: of.name,
    aliases: [],
    tiers: [],
    kind: 'remote',
    provider: of.provider,
    remoteId: of.remoteId,
    source: null,
    fileBytes: null,
    contextSize: of.contextSize,
    slots: 0,
    pinned: false,
    state: { status: 'unloaded' },
    memory: { predictedBytes: null, measuredBytes: null, predicted: null, measured: null },
    activeRequests: 0,
    queuedRequests: 0,
    lastTokensPerSecond: null,
    lastFirstTokenMs: null,
    lastLoadMs: null,
    idleUnloadAtMs: null,
    problem: null,
    stage: of.stage,
    replacement: of.replacement,
    capabilities: of.capabilities,
    price: of.price,
    ...changes,
  };
}

/** Those that are registered: one in use, one cheap, one at its end, one past it, and one of which little is known. */
export function fakeRemoteModels(): readonly ModelView[] {
  const changes: Readonly<Record<string, Partial<ModelView>>> = {
    sonnet: {
      tiers: ['high', 'reasoning'],
      aliases: ['claude'],
      lastFirstTokenMs: 640,
      lastTokensPerSecond: 72,
      latencyTarget: { firstTokenMs: 800, tokensPerSecond: 40 },
      documentation: 'https://platform.claude.com/docs/en/about-claude/models/overview',
      notes: {
        recommendedFor: ['long documents', 'code review', 'planning with tools'],
        bestPractices: [
          'Put long material before the question.',
          'Mark what stays the same for the prompt cache: it is read for a tenth of the price.',
        ],
        tips: ['Say what form the answer should have; it keeps to it.'],
        pitfalls: ['Thinking counts as output: bound it with `max_tokens`.'],
      },
    },
    'gpt-mini': {
      tiers: ['low'],
      lastFirstTokenMs: 480,
      lastTokensPerSecond: 110,
      latencyTarget: { firstTokenMs: 600, tokensPerSecond: null },
      documentation: 'https://platform.openai.com/docs/models/gpt-4.1-mini',
    },
  };
  return FAKE_CATALOG.filter((model) => model.registeredAs !== null).map((model) => {
    const id = model.registeredAs ?? model.remoteId;
    return fakeRemoteModel(id, model, changes[id]);
  });
}

export function fakeProvider(name: string, changes: Partial<ProviderView> = {}): ProviderView {
  return {
    name,
    kind: 'openai-compatible',
    aliases: [],
    baseUrl: null,
    key: { state: 'not-needed' },
    health: { status: 'unknown', checkedAtMs: null, latencyMs: null, message: null },
    limits: { requestsPerMinute: null, tokensPerMinute: null },
    foundModels: null,
    foundAtMs: null,
    models: [],
    ...changes,
  };
}

/** One provider in each condition. `nowMs` is wall time. */
export function fakeProviders(nowMs: number): readonly ProviderView[] {
  return [
    fakeProvider('openai', {
      kind: 'openai',
      aliases: ['gpt'],
      key: { state: 'set', from: 'environment OPENAI_API_KEY' },
      health: { status: 'ok', checkedAtMs: nowMs - 41_000, latencyMs: 212, message: null },
      limits: {
        requestsPerMinute: { used: 12, limit: 500 },
        tokensPerMinute: { used: 18_400, limit: 200_000 },
      },
      foundModels: 87,
      foundAtMs: nowMs - 7_400_000,
      models: ['gpt-mini', 'gpt-old'],
    }),
    fakeProvider('anthropic', {
      kind: 'anthropic',
      aliases: ['claude'],
      key: { state: 'set', from: 'keychain' },
      health: {
        status: 'limited',
        checkedAtMs: nowMs - 9_000,
        latencyMs: 388,
        message: '50 of 50 requests a minute are used; the next can go in 12 s.',
      },
      limits: {
        requestsPerMinute: { used: 50, limit: 50 },
        tokensPerMinute: { used: 31_200, limit: 40_000 },
      },
      foundModels: 19,
      foundAtMs: nowMs - 3_600_000,
      models: ['sonnet', 'sonnet-4-5'],
    }),
    fakeProvider('groq', {
      kind: 'groq',
      key: { state: 'missing', wanted: 'Set `GROQ_API_KEY` in the environment, or a key here.' },
    }),
    fakeProvider('openrouter', {
      kind: 'openrouter',
      key: { state: 'set', from: 'secrets.json' },
      health: {
        status: 'auth',
        checkedAtMs: nowMs - 130_000,
        latencyMs: 154,
        message: 'OpenRouter refused the key (401). Replace it.',
      },
    }),
    fakeProvider('mac-studio', {
      baseUrl: 'http://mac-studio.local:8000/v1',
      health: {
        status: 'down',
        checkedAtMs: nowMs - 22_000,
        latencyMs: null,
        message: 'Nothing answers at mac-studio.local:8000 (connection refused). Start the server there.',
      },
      foundModels: 1,
      foundAtMs: nowMs - 90_000_000,
      models: ['qwen-72b'],
    }),
    fakeProvider('mock', {
      kind: 'mock',
      health: { status: 'ok', checkedAtMs: nowMs - 600_000, latencyMs: 20, message: null },
      limits: { requestsPerMinute: { used: 0, limit: 60 }, tokensPerMinute: null },
      foundModels: 1,
      foundAtMs: nowMs - 600_000,
    }),
  ];
}
