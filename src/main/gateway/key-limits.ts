import type { Clock } from '../../shared/clock.ts';
import { RoundhouseError } from '../../shared/errors.ts';
import { formatDuration } from '../../shared/units.ts';
import type { ApiKey } from './ports.ts';

const MINUTE_MS = 60_000;
/** Nobody knows when one of the running requests will end. */
const PLACE_RETRY_MS = 1000;

interface KeyUse {
  running: number;
  /** When its requests of the last minute began, the oldest first; kept only for a key that is limited by it. */
  beganMs: number[];
}

/** Holds each API key to what models.yaml allows it. What is refused counts for nothing. */
export class KeyLimits {
  readonly #clock: Clock;
  /** By the key's hash. As many as models.yaml ever had. */
  readonly #uses = new Map<string, KeyUse>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Takes a place for one request, which is given back by disposing it; twice is the same as once.
   * @throws RoundhouseError `rate_limit_exceeded`, with how long to wait
   */
  enter(key: ApiKey): Disposable {
    const use = this.#uses.get(key.sha256) ?? { running: 0, beganMs: [] };
    this.#uses.set(key.sha256, use);
    const nowMs = this.#clock.monotonicMs();
    if (key.maxConcurrent !== null && use.running >= key.maxConcurrent) throw allRunning(key, use.running);
    if (key.requestsPerMinute === null) {
      use.beganMs = [];
    } else {
      const recent = use.beganMs.findIndex((ms) => ms > nowMs - MINUTE_MS);
      use.beganMs = recent === -1 ? [] : use.beganMs.slice(recent);
      // The limit may have been lowered since: then more than one has to become old.
      const oldestMs = use.beganMs.at(-key.requestsPerMinute);
      if (oldestMs !== undefined) throw tooMany(key, use.beganMs.length, oldestMs + MINUTE_MS - nowMs);
      use.beganMs.push(nowMs);
    }
    use.running++;
    let held = true;
    return {
      [Symbol.dispose]() {
        if (held) use.running--;
        held = false;
      },
    };
  }
}

function allRunning(key: ApiKey, running: number): RoundhouseError {
  return new RoundhouseError(
    'rate_limit_exceeded',
    `${nameOf(key)} has ${counted(running)} under way and may have ${key.maxConcurrent} (its maxConcurrent under ` +
      'server.apiKeys in models.yaml); try again when one has ended.',
    { retryAfterMs: PLACE_RETRY_MS },
  );
}

function tooMany(key: ApiKey, sent: number, retryAfterMs: number): RoundhouseError {
  return new RoundhouseError(
    'rate_limit_exceeded',
    `${nameOf(key)} has begun ${counted(sent)} within a minute and may begin ${key.requestsPerMinute} (its ` +
      `requestsPerMinute under server.apiKeys in models.yaml); try again in ${formatDuration(retryAfterMs)}.`,
    { retryAfterMs },
  );
}

function nameOf({ name }: ApiKey): string {
  return name === null ? 'This API key' : `The API key "${name}"`;
}

function counted(requests: number): string {
  return requests === 1 ? '1 request' : `${requests} requests`;
}
