import { z } from 'zod';
import { CAPABILITIES, type Capability, type Stage, type Support } from './capabilities.ts';
import { PROVIDER_KINDS, type ProviderKind } from './provider-kinds.ts';

/*
 * What the interface sees of providers and of the models that run elsewhere. Money is whole nano-dollars; `null` where it
 * is not known, never zero.
 */

/** Where a provider's key comes from. The key itself never gets here. */
export type KeyStateView =
  | { readonly state: 'not-needed' }
  /** `from`: `environment OPENAI_API_KEY`, `keychain`, `secrets.json`. */
  | { readonly state: 'set'; readonly from: string }
  /** `wanted`: which variable or setting would give it, in words. */
  | { readonly state: 'missing'; readonly wanted: string };

export interface ProviderHealthView {
  readonly status: 'unknown' | 'ok' | 'auth' | 'down' | 'limited';
  /** Wall time; `null` before the first look. */
  readonly checkedAtMs: number | null;
  readonly latencyMs: number | null;
  /** For people; `null` when there is nothing to say. */
  readonly message: string | null;
}

export interface RateView {
  readonly used: number;
  readonly limit: number;
}

export interface ProviderView {
  readonly name: string;
  readonly kind: ProviderKind;
  readonly aliases: readonly string[];
  readonly baseUrl: string | null;
  readonly key: KeyStateView;
  readonly health: ProviderHealthView;
  readonly limits: { readonly requestsPerMinute: RateView | null; readonly tokensPerMinute: RateView | null };
  /** Models it said it has, when it was last asked; `null` = never asked. */
  readonly foundModels: number | null;
  readonly foundAtMs: number | null;
  /** Ids of registered models that it runs. */
  readonly models: readonly string[];
}

/** A model that a provider has: said by itself, or known from the catalog. */
export interface RemoteModelView {
  readonly provider: string;
  readonly remoteId: string;
  readonly name: string;
  readonly contextSize: number | null;
  readonly maxOutputTokens: number | null;
  readonly capabilities: Readonly<Record<Capability, Support>>;
  readonly stage: Stage;
  readonly replacement: string | null;
  readonly price: PriceView | null;
  /** Under which id it is registered; `null` when it only can be asked as `provider/model`. */
  readonly registeredAs: string | null;
}

/** The price in force now, without conditions. Nano-dollars for a million tokens. */
export interface PriceView {
  readonly inputNanoDollars: number | null;
  readonly outputNanoDollars: number | null;
  readonly cachedInputNanoDollars: number | null;
  readonly cacheWriteNanoDollars: number | null;
  /** `2026-04-01`. */
  readonly effectiveDate: string;
  readonly source: string;
}

export interface OptimizationNotesView {
  readonly recommendedFor: readonly string[];
  readonly bestPractices: readonly string[];
  readonly tips: readonly string[];
  readonly pitfalls: readonly string[];
}

const providerName = z.string().regex(/^[a-zA-Z0-9][\w.-]{0,63}$/);
const providerRef = z.strictObject({ name: z.string().min(1).max(128) });
const capability = z.enum(CAPABILITIES);

interface ProviderCallSpec<Input extends z.ZodType, Output> {
  readonly input: Input;
  readonly reads: boolean;
  /** Never set: carries the output's type. */
  readonly output?: Output;
}

function call<Output>() {
  return <Input extends z.ZodType>(
    input: Input,
    options: { reads: boolean },
  ): ProviderCallSpec<Input, Output> => ({ input, reads: options.reads });
}

/** In the form of `contract.ts`, which takes them into its table. */
export const PROVIDER_CALLS = {
  'providers.list': call<readonly ProviderView[]>()(z.strictObject({}), { reads: true }),
  /** Written into models.yaml, comments kept; the key goes to the keychain or the secrets file. */
  'providers.add': call<ProviderView>()(
    z.strictObject({
      name: providerName,
      kind: z.enum(PROVIDER_KINDS),
      baseUrl: z.url().max(2048).optional(),
      apiKey: z.string().min(1).max(512).optional(),
    }),
    { reads: false },
  ),
  /** Refused while models.yaml has models of it, which the error names. */
  'providers.remove': call<readonly ProviderView[]>()(providerRef, { reads: false }),
  /** `null` forgets it. */
  'providers.setKey': call<ProviderView>()(
    providerRef.extend({ apiKey: z.string().min(1).max(512).nullable() }),
    { reads: false },
  ),
  /** Asks it whether it would answer. */
  'providers.test': call<ProviderView>()(providerRef, { reads: false }),
  /** Asks it for its models, where it can say; else the catalog's. */
  'providers.models': call<readonly RemoteModelView[]>()(providerRef, { reads: false }),
  /** Registers a provider's model under an id of its own and writes it into models.yaml. */
  'models.addRemote': call<{ readonly id: string }>()(
    z.strictObject({
      provider: z.string().min(1).max(128),
      remoteId: z.string().min(1).max(256),
      id: z.string().min(1).max(128).optional(),
    }),
    { reads: false },
  ),
  /** Models of the catalog and of providers that can do all of `required`, most of `preferred` first. */
  'models.search': call<readonly RemoteModelView[]>()(
    z.strictObject({
      text: z.string().max(200).optional(),
      required: z.array(capability).max(CAPABILITIES.length).optional(),
      preferred: z.array(capability).max(CAPABILITIES.length).optional(),
      limit: z.int().min(1).max(1000).optional(),
    }),
    { reads: true },
  ),
} as const;
