/** Every way a request can fail. The wire formats are derived from this union by total tables. */
export type ErrorCode =
  | 'invalid_request'
  | 'unsupported_parameter'
  | 'unsupported_content'
  | 'context_length_exceeded'
  | 'model_not_found'
  | 'model_retired'
  | 'capability_missing'
  | 'content_is_private'
  | 'model_too_large'
  | 'model_load_failed'
  | 'gguf_invalid'
  | 'config_invalid'
  | 'conflict'
  | 'invalid_api_key'
  | 'host_not_allowed'
  | 'origin_not_allowed'
  | 'not_found'
  | 'method_not_allowed'
  | 'payload_too_large'
  | 'unsupported_media_type'
  | 'rate_limit_exceeded'
  | 'insufficient_quota'
  | 'no_candidate'
  | 'provider_auth'
  | 'provider_rate_limited'
  | 'provider_error'
  | 'provider_timeout'
  | 'queue_timeout'
  | 'insufficient_memory'
  | 'model_unloaded'
  | 'engine_failed'
  | 'shutting_down'
  | 'cancelled'
  | 'internal_error';

/**
 * HTTP status of each code. A failure that would repeat is a 4xx, because clients retry 429 and 5xx by themselves;
 * the port tells them not to where such a status would repeat all the same (`insufficient_quota`, `provider_auth`).
 */
export const HTTP_STATUS: Readonly<Record<ErrorCode, number>> = {
  invalid_request: 400,
  unsupported_parameter: 400,
  unsupported_content: 400,
  context_length_exceeded: 400,
  model_not_found: 404,
  model_retired: 404,
  capability_missing: 400,
  content_is_private: 403,
  model_too_large: 400,
  model_load_failed: 400,
  gguf_invalid: 400,
  config_invalid: 400,
  conflict: 409,
  invalid_api_key: 401,
  host_not_allowed: 403,
  origin_not_allowed: 403,
  not_found: 404,
  method_not_allowed: 405,
  payload_too_large: 413,
  unsupported_media_type: 415,
  rate_limit_exceeded: 429,
  insufficient_quota: 429,
  no_candidate: 503,
  provider_auth: 502,
  provider_rate_limited: 429,
  provider_error: 502,
  provider_timeout: 504,
  queue_timeout: 503,
  insufficient_memory: 503,
  model_unloaded: 503,
  engine_failed: 503,
  shutting_down: 503,
  cancelled: 499,
  internal_error: 500,
};

export interface ErrorDetails {
  /** The request's field that is at fault, as the wire names it: `messages[2].content`. */
  readonly param?: string;
  /** How long a client should wait before it tries again. */
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
}

/**
 * The app's one error class. The message is written for the person who will read it: what was wrong, the numbers,
 * and what to do next.
 */
export class RoundhouseError extends Error {
  override readonly name = 'RoundhouseError';
  readonly code: ErrorCode;
  readonly param: string | null;
  readonly retryAfterMs: number | null;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.param = details.param ?? null;
    this.retryAfterMs = details.retryAfterMs ?? null;
  }

  /** The plain form that crosses a process or a wire; `fromJSON` is its inverse. */
  toJSON(): ErrorJson {
    return {
      code: this.code,
      message: this.message,
      param: this.param,
      retryAfterMs: this.retryAfterMs,
    };
  }

  static fromJSON(json: ErrorJson): RoundhouseError {
    return new RoundhouseError(json.code, json.message, {
      ...(json.param === null ? {} : { param: json.param }),
      ...(json.retryAfterMs === null ? {} : { retryAfterMs: json.retryAfterMs }),
    });
  }

  /** Wraps whatever was thrown; an unknown error becomes `internal_error` and keeps its cause. */
  static from(error: unknown): RoundhouseError {
    if (error instanceof RoundhouseError) return error;
    const message = error instanceof Error ? error.message : String(error);
    return new RoundhouseError('internal_error', message, { cause: error });
  }
}

export interface ErrorJson {
  readonly code: ErrorCode;
  readonly message: string;
  readonly param: string | null;
  readonly retryAfterMs: number | null;
}
