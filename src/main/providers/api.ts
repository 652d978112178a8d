import type { Clock } from '../../shared/clock.ts';
import type { Fetch } from './guarded-fetch.ts';
import { readRefusal } from './refusal.ts';
import { retryAfterMs } from './retry-after.ts';
import { garbageError, refusalError, type Subject } from './upstream-errors.ts';

export interface ApiOptions {
  /** Guarded: it asks this provider and nobody else. */
  readonly fetch: Fetch;
  readonly clock: Clock;
  readonly baseUrl: URL;
  /** With the key. */
  readonly headers: Readonly<Record<string, string>>;
  readonly subject: Subject;
}

/** The parts of a provider's API that no SDK of ours covers: lists of models and what tells of them. */
export class Api {
  readonly #options: ApiOptions;
  /** Where the API begins, without a slash at its end. */
  readonly #base: string;
  /** The same without its version: where servers keep what is not of the OpenAI API. */
  readonly #root: string;

  constructor(options: ApiOptions) {
    this.#options = options;
    this.#base = options.baseUrl.href.replace(/\/$/, '');
    this.#root = this.#base.replace(/\/v\d+$/, '');
  }

  /**
   * What `GET path` answers, as parsed JSON.
   * @param path below the API, as `/models?limit=10`
   * @throws RoundhouseError
   */
  get(path: string, signal: AbortSignal): Promise<unknown> {
    return this.#json(`${this.#base}${path}`, { signal });
  }

  /** The same for a path beside the API: `/props` of `http://host/v1` is `http://host/props`. */
  getBeside(path: string, signal: AbortSignal): Promise<unknown> {
    return this.#json(`${this.#root}${path}`, { signal });
  }

  postBeside(path: string, body: object, signal: AbortSignal): Promise<unknown> {
    return this.#json(`${this.#root}${path}`, {
      signal,
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    });
  }

  async #json(url: string, init: RequestInit): Promise<unknown> {
    const { fetch, clock, headers, subject } = this.#options;
    const response = await fetch(url, { ...init, headers: { ...headers, ...init.headers } });
    const text = await response.text();
    const body = parsed(text);
    if (!response.ok) {
      const retryMs = retryAfterMs(Object.fromEntries(response.headers), clock.nowMs());
      throw refusalError(readRefusal(body ?? text, response.status, retryMs), subject);
    }
    if (body === undefined) throw garbageError(subject);
    return body;
  }
}

/** `undefined` for what is no JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
