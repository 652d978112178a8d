import type { Clock } from '../../shared/clock.ts';
import { RoundhouseError } from '../../shared/errors.ts';
import type { EngineRequest, GenerationRequest, StreamPart, Usage } from '../../shared/generation.ts';
import type { LocalModelSettings } from '../config/settings.ts';
import {
  describeCapability,
  paramOfCapability,
  type RequiredCapability,
  requiredCapabilities,
} from '../routing/required-capabilities.ts';
import type { Backend, Generation, Timing } from './backend.ts';
import { completeRequest } from './complete-request.ts';

/** What the local backend needs of the scheduler and the engines. */
export interface LocalPorts {
  readonly clock: Clock;
  settingsOf(modelId: string): LocalModelSettings | null;
  /** Waits for a slot; the model is loaded if need be. */
  acquire(modelId: string, signal: AbortSignal): Promise<Disposable>;
  /** The engine that a lease was granted for. */
  engineOf(modelId: string): LocalEngine | undefined;
  /** 32 random bits. */
  randomSeed(): number;
  finished(modelId: string, outcome: LocalOutcome): void;
}

export interface LocalEngine {
  generate(request: EngineRequest, signal: AbortSignal): AsyncIterable<StreamPart>;
}

/** How one answer went. */
export interface LocalOutcome {
  readonly usage: Usage;
  /** From arrival to the first part, waiting and loading included. */
  readonly firstPartMs: number;
}

/** Models that run in engines of this machine. */
export function createLocalBackend(ports: LocalPorts): Backend {
  return {
    generate(modelId, request, signal) {
      const timing: { waitMs: number; backendMs: number } = { waitMs: 0, backendMs: 0 };
      return {
        parts: generate(ports, modelId, request, signal, timing),
        timing: () => ({ ...timing }),
      } satisfies Generation;
    },
    embed: (modelId) => Promise.reject(missing(modelId, 'embeddings')),
  };
}

async function* generate(
  ports: LocalPorts,
  modelId: string,
  request: GenerationRequest,
  signal: AbortSignal,
  timing: { -readonly [Key in keyof Timing]: Timing[Key] },
): AsyncGenerator<StreamPart> {
  const { clock } = ports;
  const arrivedMs = clock.monotonicMs();
  try {
    // Before a slot is asked for: nobody waits, and nothing is loaded, for what cannot be done.
    const [lacking] = requiredCapabilities(request);
    if (lacking !== undefined) throw missing(modelId, lacking);
    using _lease = await ports.acquire(modelId, signal);
    const grantedMs = clock.monotonicMs();
    timing.waitMs = grantedMs - arrivedMs;
    const settings = ports.settingsOf(modelId);
    const engine = ports.engineOf(modelId);
    // Both go away only after every lease was given back, or with the engine's death.
    if (!settings || !engine) throw gone(modelId);
    let firstPartMs: number | null = null;
    for await (const part of engine.generate(
      completeRequest(request, settings, ports.randomSeed()),
      signal,
    )) {
      firstPartMs ??= clock.monotonicMs();
      timing.backendMs = firstPartMs - grantedMs;
      if (part.type === 'usage')
        ports.finished(modelId, { usage: part, firstPartMs: firstPartMs - arrivedMs });
      yield part;
    }
  } catch (error) {
    yield { type: 'error', error: RoundhouseError.from(error).toJSON() };
  }
}

/** What engines of this machine cannot do yet. */
function missing(modelId: string, capability: RequiredCapability): RoundhouseError {
  const param = paramOfCapability(capability);
  const without = param === 'model' ? '' : ', or send the request without it';
  return new RoundhouseError(
    'capability_missing',
    `${modelId} runs on this machine, where models cannot ${describeCapability(capability)} yet (${capability}); ask for a ` +
      `model of a provider that can${without}`,
    { param },
  );
}

function gone(modelId: string): RoundhouseError {
  return new RoundhouseError(
    'engine_failed',
    `the engine of ${modelId} ended before it was asked; try again`,
    {
      retryAfterMs: 1000,
    },
  );
}
