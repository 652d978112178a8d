import { APICallError, UnsupportedFunctionalityError } from '@ai-sdk/provider';
import { RoundhouseError } from '../../shared/errors.ts';
import { codeOf, type Refusal, readRefusal } from './refusal.ts';
import { retryAfterMs } from './retry-after.ts';

/** Whom an error speaks of. */
export interface Subject {
  readonly provider: string;
  /** Scheme, host and port of its API. */
  readonly origin: string;
  readonly apiKey: string | null;
  /** Where the key comes from, for people: `OPENAI_API_KEY`. */
  readonly apiKeyFrom: string | null;
}

/** Characters of a provider's own words that are passed on. */
const SHOWN = 500;
/** A shorter "key" is a placeholder, and a part of ordinary words. */
const SHORTEST_KEY = 4;

/**
 * Anything that can go wrong while a provider is asked, as one of our errors. What was thrown is not kept as its cause:
 * it holds the request.
 * @param nowMs wall time, for dates in Retry-After
 */
export function toProviderError(thrown: unknown, subject: Subject, nowMs: number): RoundhouseError {
  for (const error of causesOf(thrown)) {
    if (error instanceof RoundhouseError) return error;
  }
  if (APICallError.isInstance(thrown)) {
    const { statusCode: status, responseHeaders = {}, responseBody = '' } = thrown;
    if (status !== undefined && status >= 400) {
      return refusalError(
        readRefusal(parsed(responseBody), status, retryAfterMs(responseHeaders, nowMs)),
        subject,
      );
    }
    return garbageError(subject);
  }
  if (UnsupportedFunctionalityError.isInstance(thrown)) {
    return new RoundhouseError(
      'unsupported_content',
      `${subject.provider} cannot be sent this: ${shown(thrown.message, subject)}`,
    );
  }
  // What its SDK could make nothing of: text that is no JSON, or JSON that is no answer.
  if (
    thrown instanceof Error &&
    /^ZodError|^AI_(JSONParse|TypeValidation|InvalidResponseData|EmptyResponseBody)/.test(thrown.name)
  ) {
    return garbageError(subject);
  }
  if (thrown instanceof Error && /^AI_Invalid(Prompt|Argument)/.test(thrown.name)) {
    return new RoundhouseError(
      'invalid_request',
      `${subject.provider} cannot be asked this: ${shown(thrown.message, subject)}`,
    );
  }
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new RoundhouseError(
    'internal_error',
    `asking ${subject.provider} failed: ${shown(message, subject)}`,
  );
}

/** An error that came as an event of a stream. */
export function streamError(event: unknown, subject: Subject, nowMs: number): RoundhouseError {
  if (event instanceof Error) return toProviderError(event, subject, nowMs);
  return refusalError(
    readRefusal({ error: typeof event === 'string' ? { message: event } : event }, null, null),
    subject,
  );
}

/** What a provider said in place of an answer. */
export function refusalError(refusal: Refusal, subject: Subject): RoundhouseError {
  const code = codeOf(refusal);
  const details = {
    ...(refusal.param === null ? {} : { param: shown(refusal.param, subject) }),
    ...(refusal.retryAfterMs === null ? {} : { retryAfterMs: refusal.retryAfterMs }),
  };
  return new RoundhouseError(code, wordsOf(code, refusal, subject), details);
}

/** The key that a provider needs is not there. */
export function missingKeyError({
  provider,
  apiKeyFrom,
}: Pick<Subject, 'provider' | 'apiKeyFrom'>): RoundhouseError {
  const variable = apiKeyFrom === null ? '' : `set ${apiKeyFrom}, or `;
  return new RoundhouseError(
    'provider_auth',
    `${provider} has no key: ${variable}give it one as providers.${provider}.apiKey in models.yaml.`,
  );
}

export function garbageError({ provider, origin }: Subject): RoundhouseError {
  return new RoundhouseError(
    'provider_error',
    `${provider} answered something that is no answer. Is ${origin} the API that it should be?`,
  );
}

/** The stream was over before the answer was. */
export function cutError({ provider }: Pick<Subject, 'provider'>): RoundhouseError {
  return new RoundhouseError(
    'provider_error',
    `${provider} broke off before its answer was complete. Try again.`,
  );
}

function wordsOf(code: RoundhouseError['code'], refusal: Refusal, subject: Subject): string {
  const { provider, apiKeyFrom, origin } = subject;
  const status = refusal.status === null ? '' : ` (${refusal.status})`;
  const said = refusal.message === '' ? '.' : `: ${shown(refusal.message, subject)}`;
  switch (code) {
    case 'provider_auth': {
      const key = apiKeyFrom ?? `providers.${provider}.apiKey in models.yaml`;
      // Vendors repeat parts of a wrong key: their words stay here.
      if (refusal.status !== 403) return `${provider} refused our key${status}: check ${key}.`;
      return `${provider} does not allow this with our key (${key})${said}`;
    }
    case 'insufficient_quota':
      return `The account with ${provider} has no credit left${status}${said}`;
    case 'provider_rate_limited':
      return `${provider} is asked too much at the moment${status}${said}`;
    case 'provider_timeout':
      return `${provider} took too long${status}${said}`;
    case 'provider_error':
      if (refusal.status === 404)
        return `${provider} has no such API at ${origin}: check its baseUrl in models.yaml.`;
      return `${provider} failed${status}${said}`;
    default:
      return `${provider} refused the request${status}${said}`;
  }
}

/** Words of someone else: of bounded length, on one line, and without the key. */
function shown(words: string, { apiKey }: Pick<Subject, 'apiKey'>): string {
  const open = apiKey !== null && apiKey.length >= SHORTEST_KEY ? words.replaceAll(apiKey, '[key]') : words;
  const line = open.replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim();
  return line.length > SHOWN ? `${line.slice(0, SHOWN)}…` : line;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** An error and what caused it, as often as anything did. */
function* causesOf(thrown: unknown): Generator<unknown> {
  const seen = new Set<unknown>();
  for (let error = thrown; error instanceof Error && !seen.has(error); error = error.cause) {
    seen.add(error);
    yield error;
  }
}
