import { onTestFinished } from 'vitest';
import type { ProviderSettings } from '../../src/main/config/settings.ts';
import { createProvider, type ProviderPorts } from '../../src/main/providers/create-provider.ts';
import type { Provider } from '../../src/main/providers/provider.ts';
import type { DetectorName } from '../../src/shared/detector-names.ts';
import { RoundhouseError } from '../../src/shared/errors.ts';
import {
  type ChatMessage,
  type GenerationRequest,
  NO_SAMPLING,
  PLAIN,
  type StreamPart,
} from '../../src/shared/generation.ts';
import { KEY_VARIABLES } from '../../src/shared/provider-kinds.ts';
import { collect } from '../fakes/collect.ts';
import { ManualClock } from '../fakes/manual-clock.ts';
import { serveAnthropic } from '../fakes/wire/anthropic-wire.ts';
import { KNOWN_MODEL } from '../fakes/wire/brain.ts';
import { serveGoogle } from '../fakes/wire/google-wire.ts';
import type { Flavour } from '../fakes/wire/openai-flavours.ts';
import { OPENAI_PATHS, serveOpenAi } from '../fakes/wire/openai-wire.ts';
import type { WireServer } from '../fakes/wire/wire-server.ts';

export const KEY = 'sk-canary-0123456789abcdef';
export const TIMEOUT_MS = 30_000;

/** Every protocol, and every flavour of OpenAI's. */
export const WIRES = [
  'openai',
  'anthropic',
  'google',
  'openrouter',
  'groq',
  'vllm',
  'llama.cpp',
  'ollama',
  'lm-studio',
] as const satisfies readonly (Flavour | 'anthropic' | 'google')[];
export type Wire = (typeof WIRES)[number];

const KINDS: Readonly<Record<Wire, ProviderSettings['kind']>> = {
  openai: 'openai',
  anthropic: 'anthropic',
  google: 'google',
  openrouter: 'openrouter',
  groq: 'groq',
  vllm: 'openai-compatible',
  'llama.cpp': 'openai-compatible',
  ollama: 'openai-compatible',
  'lm-studio': 'openai-compatible',
};

export function settingsOf(settings: Partial<ProviderSettings> = {}): ProviderSettings {
  return {
    name: 'cloud',
    kind: 'openai-compatible',
    aliases: [],
    baseUrl: null,
    apiKey: null,
    apiKeyFrom: null,
    discover: false,
    timeoutMs: TIMEOUT_MS,
    limits: { requestsPerMinute: null, tokensPerMinute: null },
    mock: null,
    ...settings,
  };
}

export interface Fixture {
  readonly server: WireServer;
  readonly provider: Provider;
  /** Stands still: what waits for it, waits. */
  readonly clock: ManualClock;
}

/** A fake server and a provider that asks it over real HTTP; both end with the test. */
export async function wired(
  wire: Wire,
  settings: Partial<ProviderSettings> = {},
  ports: Partial<ProviderPorts> = {},
  detectors: readonly DetectorName[] | null = null,
): Promise<Fixture> {
  const server = await serve(wire);
  const clock = new ManualClock();
  const kind = KINDS[wire];
  const provider = createProvider(
    settingsOf({
      kind,
      baseUrl: `${server.url}${pathOf(wire)}`,
      apiKey: KEY,
      apiKeyFrom: KEY_VARIABLES[kind] ?? 'CLOUD_KEY',
      ...settings,
    }),
    { ...portsOf(clock), ...ports },
    detectors,
  );
  onTestFinished(async () => {
    provider[Symbol.dispose]();
    await server[Symbol.asyncDispose]();
  });
  return { server, provider, clock };
}

export function portsOf(clock: ManualClock): ProviderPorts {
  return { fetch, clock, own: () => null, maxOutputTokens: () => null, random: () => 0.5 };
}

function serve(wire: Wire): Promise<WireServer> {
  if (wire === 'anthropic') return serveAnthropic(KEY);
  if (wire === 'google') return serveGoogle(KEY);
  return serveOpenAi(wire, KEY);
}

function pathOf(wire: Wire): string {
  if (wire === 'anthropic') return '/v1';
  return wire === 'google' ? '/v1beta' : OPENAI_PATHS[wire];
}

/** One message of a user, or a conversation. */
export function chat(
  said: string | readonly ChatMessage[],
  more: Partial<GenerationRequest> = {},
): GenerationRequest {
  const messages: readonly ChatMessage[] =
    typeof said === 'string' ? [{ role: 'user', content: said }] : said;
  return {
    prompt: { kind: 'chat', messages },
    maxTokens: null,
    stop: [],
    sampling: NO_SAMPLING,
    ...PLAIN,
    ...more,
  };
}

export function ask(
  { provider }: Pick<Fixture, 'provider'>,
  request: GenerationRequest,
  model: string = KNOWN_MODEL,
): Promise<StreamPart[]> {
  return collect(provider.generate(model, request, new AbortController().signal).parts);
}

export function textOfParts(parts: readonly StreamPart[]): string {
  return parts.flatMap((part) => (part.type === 'text-delta' ? [part.text] : [])).join('');
}

/** The error that an answer ended with. */
export function errorIn(parts: readonly StreamPart[]): RoundhouseError {
  const last = parts.at(-1);
  if (last?.type !== 'error') throw new Error(`the answer ended with ${JSON.stringify(last)}`);
  return RoundhouseError.fromJSON(last.error);
}
