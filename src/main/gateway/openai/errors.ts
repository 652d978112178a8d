import { type ErrorCode, HTTP_STATUS, type RoundhouseError } from '../../../shared/errors.ts';

type OpenAiErrorType =
  | 'invalid_request_error'
  | 'permission_error'
  | 'rate_limit_error'
  | 'insufficient_quota'
  | 'server_error';

const ERROR_TYPE: Readonly<Record<ErrorCode, OpenAiErrorType>> = {
  invalid_request: 'invalid_request_error',
  unsupported_parameter: 'invalid_request_error',
  unsupported_content: 'invalid_request_error',
  context_length_exceeded: 'invalid_request_error',
  model_not_found: 'invalid_request_error',
  model_retired: 'invalid_request_error',
  capability_missing: 'invalid_request_error',
  content_is_private: 'permission_error',
  model_too_large: 'invalid_request_error',
  model_load_failed: 'invalid_request_error',
  gguf_invalid: 'invalid_request_error',
  config_invalid: 'invalid_request_error',
  conflict: 'invalid_request_error',
  invalid_api_key: 'invalid_request_error',
  host_not_allowed: 'permission_error',
  origin_not_allowed: 'permission_error',
  not_found: 'invalid_request_error',
  method_not_allowed: 'invalid_request_error',
  payload_too_large: 'invalid_request_error',
  unsupported_media_type: 'invalid_request_error',
  rate_limit_exceeded: 'rate_limit_error',
  insufficient_quota: 'insufficient_quota',
  no_candidate: 'server_error',
  provider_auth: 'server_error',
  provider_rate_limited: 'rate_limit_error',
  provider_error: 'server_error',
  provider_timeout: 'server_error',
  queue_timeout: 'server_error',
  insufficient_memory: 'server_error',
  model_unloaded: 'server_error',
  engine_failed: 'server_error',
  shutting_down: 'server_error',
  cancelled: 'invalid_request_error',
  internal_error: 'server_error',
};

export interface OpenAiErrorBody {
  readonly error: {
    readonly message: string;
    readonly type: OpenAiErrorType;
    readonly param: string | null;
    readonly code: string;
  };
}

/** The error as OpenAI's clients read it. An internal error tells nothing but where to look for it. */
export function errorBody(error: RoundhouseError, requestId: string): OpenAiErrorBody {
  const internal = error.code === 'internal_error';
  return {
    error: {
      message: internal
        ? `Something went wrong inside Roundhouse. Its log has the details, under request ${requestId}.`
        : error.message,
      type: ERROR_TYPE[error.code],
      param: error.param,
      code: error.code,
    },
  };
}

/** What would fail again for all that SDKs retry its status by themselves; so does every 409. */
const REPEATS: ReadonlySet<ErrorCode> = new Set(['insufficient_quota', 'provider_auth']);

/** When and whether to try again, as clients understand it. */
export function errorHeaders(error: RoundhouseError): Readonly<Record<string, string>> {
  const status = HTTP_STATUS[error.code];
  const headers: Record<string, string> = {};
  const repeats = status === 409 || REPEATS.has(error.code);
  if (error.retryAfterMs !== null || (!repeats && (status === 429 || status === 503))) {
    headers['retry-after'] = String(Math.max(1, Math.ceil((error.retryAfterMs ?? 0) / 1000)));
  }
  if (repeats) headers['x-should-retry'] = 'false';
  if (status === 401) headers['www-authenticate'] = 'Bearer';
  return headers;
}
