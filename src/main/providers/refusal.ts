import { z } from 'zod';
import type { ErrorCode } from '../../shared/errors.ts';

/*
 * What a provider says when it does not answer. Every vendor has its own shape and words for it, and servers that claim
 * to be compatible have others still: what cannot be read is taken for what its status says.
 */

/** A refusal, whatever it looked like on the wire. */
export interface Refusal {
  /** `null` where it came within a stream and named none. */
  readonly status: number | null;
  /** What the vendor calls it: `code`, `type` and `status` of its error, in one text. */
  readonly kind: string;
  readonly message: string;
  readonly param: string | null;
  readonly retryAfterMs: number | null;
}

const text = z.union([z.string(), z.number()]).nullish().catch(null);
const errorFields = z.looseObject({
  message: text,
  /** OpenAI: a word. Google and OpenRouter: the HTTP status. */
  code: text,
  type: text,
  /** Google: `INVALID_ARGUMENT`. */
  status: text,
  param: text,
  /** Google: a list with a `reason`. */
  details: z.unknown().optional(),
});

/** `{error: {…}}` of most, `{error: "…"}` of Ollama, `{message}` of older vLLM, `{detail}` of FastAPI. */
const bodySchema = z.union([
  z.looseObject({ error: errorFields }).transform(({ error }) => error),
  z.looseObject({ error: z.string() }).transform(({ error }) => errorFields.parse({ message: error })),
  z.looseObject({ message: z.string() }).transform((body) => errorFields.parse(body)),
  z.looseObject({ detail: z.string() }).transform(({ detail }) => errorFields.parse({ message: detail })),
]);

/**
 * Reads what a provider answered in place of an answer.
 * @param body JSON as it was parsed, or text that is none
 * @param status of the answer; `null` when it was an event in a stream
 */
export function readRefusal(body: unknown, status: number | null, retryAfterMs: number | null): Refusal {
  // Google's streams answer with a list of one.
  const read = bodySchema.safeParse(Array.isArray(body) ? body[0] : body);
  const fields = read.success ? read.data : null;
  return {
    status: status ?? statusIn(fields?.code),
    kind: [fields?.code, fields?.type, fields?.status, reasonsIn(fields?.details)].filter(Boolean).join(' '),
    message: String(fields?.message ?? ''),
    param: typeof fields?.param === 'string' ? fields.param : null,
    retryAfterMs,
  };
}

function statusIn(code: string | number | null | undefined): number | null {
  const status = Number(code);
  return Number.isInteger(status) && status >= 400 && status <= 599 ? status : null;
}

function reasonsIn(details: unknown): string {
  if (!Array.isArray(details)) return '';
  return details
    .flatMap((detail) => z.looseObject({ reason: z.string() }).safeParse(detail).data?.reason ?? [])
    .join(' ');
}

/** The context is full, in the words of OpenAI, Anthropic, Google, vLLM, llama.cpp, Groq, OpenRouter, LM Studio. */
const TOO_LONG = [
  /context_length_exceeded|exceed_context_size/,
  /prompt is too long/,
  /maximum context length|max_model_len/,
  /exceeds? the (available|maximum|model'?s?) (context|number of tokens|input)/,
  /input token count .* exceeds/,
  /reduce the length of the (messages|input|prompt)/,
  /context (length|window|size)? ?(is )?(exceeded|overflows?|too small)|greater than the context length/,
  /too many (input )?tokens|input is too long/,
];
const NO_CREDIT =
  /insufficient_quota|insufficient credits|insufficient balance|credit balance is too low|billing_hard_limit/;
const BAD_KEY = /api_key_invalid|invalid_api_key|authentication|unauthenticated|api key not (valid|found)/;
const NO_MODEL =
  /model_not_found|model .*(not found|does ?n[o']t exist|not exist)|not a valid model|no such model|unknown model|\bmodel: |models\/\S+ is not found/;
const FLAGGED = /requires moderation|content_policy|content_filter|flagged|moderation/;

/** Which of our codes a refusal is. */
export function codeOf(refusal: Refusal): ErrorCode {
  const said = `${refusal.kind} ${refusal.message}`.toLowerCase();
  const status = refusal.status ?? statusOf(refusal.kind.toLowerCase());
  if (NO_CREDIT.test(said) || status === 402) return 'insufficient_quota';
  if (status === 429) return 'provider_rate_limited';
  if (status === 408 || status === 504) return 'provider_timeout';
  if (status >= 500) return 'provider_error';
  if (status === 404 || status === 400) {
    if (NO_MODEL.test(said)) return 'model_not_found';
    // The address has no such API: nothing that the caller could change.
    if (status === 404) return 'provider_error';
  }
  if (status === 401 || (BAD_KEY.test(said) && status < 404)) return 'provider_auth';
  if (status === 403) return FLAGGED.test(said) ? 'invalid_request' : 'provider_auth';
  if (TOO_LONG.some((words) => words.test(said))) return 'context_length_exceeded';
  if (status === 413) return 'payload_too_large';
  if (status === 400 || status === 422) return 'invalid_request';
  return 'provider_error';
}

/** The status that an error within a stream would have had, by what it is called. */
function statusOf(kind: string): number {
  if (/rate_limit|resource_exhausted|too_many/.test(kind)) return 429;
  if (/overloaded|unavailable|server_error|api_error|internal/.test(kind)) return 503;
  if (/timeout|deadline/.test(kind)) return 504;
  if (/authentication|unauthenticated|invalid_api_key/.test(kind)) return 401;
  if (/permission/.test(kind)) return 403;
  if (/not_found/.test(kind)) return 404;
  if (/invalid|bad_request|context_length|exceed_context/.test(kind)) return 400;
  return 500;
}
