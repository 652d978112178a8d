import { APICallError } from '@ai-sdk/provider';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ErrorCode, RoundhouseError } from '../../shared/errors.ts';
import { streamError, toProviderError } from './upstream-errors.ts';

const KEY = 'sk-canary-1234567890';
const subject = { provider: 'cloud', origin: 'https://api.example', apiKey: KEY, apiKeyFrom: 'CLOUD_KEY' };
const nowMs = Date.UTC(2026, 10, 21);

function answered(status: number, body: unknown, headers: Record<string, string> = {}): RoundhouseError {
  const error = new APICallError({
    message: 'failed',
    url: 'https://api.example/v1/chat/completions',
    requestBodyValues: { messages: ['a secret question'] },
    statusCode: status,
    responseHeaders: headers,
    responseBody: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return toProviderError(error, subject, nowMs);
}

const openai = (message: string, type: string, code: string | number | null = null) => ({
  error: { message, type, param: null, code },
});
const anthropic = (type: string, message: string) => ({ type: 'error', error: { type, message } });
const google = (code: number, status: string, message: string, ...details: object[]) => ({
  error: { code, message, status, details },
});
const openrouter = (code: number, message: string) => ({ error: { code, message } });

/** As the vendors' documentation and sources have them. */
const REFUSALS: readonly (readonly [string, number, unknown, ErrorCode])[] = [
  ['OpenAI', 401, openai('Incorrect API key', 'invalid_request_error', 'invalid_api_key'), 'provider_auth'],
  ['OpenAI', 404, openai('The model `x` does not exist', '', 'model_not_found'), 'model_not_found'],
  ['OpenAI', 400, openai('…', 'invalid_request_error', 'context_length_exceeded'), 'context_length_exceeded'],
  ['OpenAI', 429, openai('Quota', 'insufficient_quota', 'insufficient_quota'), 'insufficient_quota'],
  ['OpenAI', 429, openai('Rate limit reached', 'tokens', 'rate_limit_exceeded'), 'provider_rate_limited'],
  ['OpenAI', 400, openai('Invalid value', 'invalid_request_error'), 'invalid_request'],
  ['Anthropic', 401, anthropic('authentication_error', 'invalid x-api-key'), 'provider_auth'],
  ['Anthropic', 404, anthropic('not_found_error', 'model: claude-9'), 'model_not_found'],
  ['Anthropic', 413, anthropic('request_too_large', 'Too large'), 'payload_too_large'],
  ['Anthropic', 529, anthropic('overloaded_error', 'Overloaded'), 'provider_error'],
  [
    'Anthropic',
    400,
    anthropic('invalid_request_error', 'prompt is too long: 210000 tokens > 200000 maximum'),
    'context_length_exceeded',
  ],
  [
    'Anthropic',
    400,
    anthropic('invalid_request_error', 'Your credit balance is too low to access the API.'),
    'insufficient_quota',
  ],
  [
    'Google',
    400,
    google(400, 'INVALID_ARGUMENT', 'API key not valid.', { reason: 'API_KEY_INVALID' }),
    'provider_auth',
  ],
  [
    'Google',
    400,
    google(
      400,
      'INVALID_ARGUMENT',
      'The input token count (12) exceeds the maximum number of tokens allowed (8).',
    ),
    'context_length_exceeded',
  ],
  [
    'Google',
    404,
    google(404, 'NOT_FOUND', 'models/gemini-9 is not found for API version v1beta'),
    'model_not_found',
  ],
  ['Google, in a list', 429, [google(429, 'RESOURCE_EXHAUSTED', 'Exhausted')], 'provider_rate_limited'],
  ['OpenRouter', 402, openrouter(402, 'Insufficient credits'), 'insufficient_quota'],
  ['OpenRouter', 403, openrouter(403, 'x requires moderation. Your input was flagged'), 'invalid_request'],
  ['OpenRouter', 400, openrouter(400, 'foo/bar is not a valid model ID'), 'model_not_found'],
  ['Groq', 400, openai('Please reduce the length of the messages.', ''), 'context_length_exceeded'],
  [
    'vLLM',
    400,
    openai("This model's maximum context length is 4096", 'BadRequestError', 400),
    'context_length_exceeded',
  ],
  [
    'older vLLM',
    404,
    { object: 'error', message: 'The model `x` does not exist.', code: 404 },
    'model_not_found',
  ],
  [
    'llama.cpp',
    400,
    openai('the request exceeds the available context size', 'exceed_context_size_error', 400),
    'context_length_exceeded',
  ],
  ['llama.cpp', 503, openai('Loading model', 'unavailable_error', 503), 'provider_error'],
  ['Ollama', 404, openai('model "x" not found, try pulling it first', 'api_error'), 'model_not_found'],
  ['Ollama', 404, { error: 'model "x" not found' }, 'model_not_found'],
  [
    'LM Studio',
    400,
    { error: 'tokens to keep is greater than the context length.' },
    'context_length_exceeded',
  ],
  ['FastAPI', 404, { detail: 'Not Found' }, 'provider_error'],
  ['another Roundhouse', 502, openai('x refused our key', 'server_error', 'provider_auth'), 'provider_error'],
  ['a web server', 404, '<html>not here</html>', 'provider_error'],
  ['a proxy', 502, '<html>Bad Gateway</html>', 'provider_error'],
  ['a proxy', 504, '', 'provider_timeout'],
];

describe('a refusal of', () => {
  test.each(REFUSALS)('%s, %i %j → %s', (_, status, body, code) => {
    const error = answered(status, body);
    expect(error.code).toBe(code);
    expect(error.message).toContain('cloud');
  });
});

test('how long to wait is passed on, however it is said', () => {
  expect(answered(429, {}, { 'retry-after': '7' }).retryAfterMs).toBe(7000);
  expect(answered(503, {}, { 'retry-after-ms': '300' }).retryAfterMs).toBe(300);
  expect(answered(429, {}, { 'retry-after': new Date(nowMs + 5000).toUTCString() }).retryAfterMs).toBe(5000);
  expect(answered(429, {}).retryAfterMs).toBeNull();
});

test('a wrong key names what to look at, and nothing of the key', () => {
  const error = answered(401, { error: { message: `Incorrect API key provided: ${KEY.slice(0, 8)}****` } });
  expect(error.message).toBe('cloud refused our key (401): check CLOUD_KEY.');
});

test('the parameter at fault is named', () => {
  expect(answered(400, { error: { message: 'no', param: 'top_p' } })).toMatchObject({
    code: 'invalid_request',
    param: 'top_p',
  });
});

test('neither the key nor the request is in anything that an error holds', () => {
  for (const status of [400, 401, 402, 403, 404, 413, 429, 500]) {
    const error = answered(status, { error: { message: `your key ${KEY} is known` } });
    const everything = `${error.message} ${error.stack} ${JSON.stringify(error)} ${JSON.stringify(error.cause ?? null)}`;
    expect(everything).not.toContain(KEY);
    expect(everything).not.toContain('a secret question');
  }
});

test('whatever a provider says becomes an error of ours, in one short line', () => {
  fc.assert(
    fc.property(fc.integer({ min: 400, max: 599 }), fc.oneof(fc.json(), fc.string()), (status, body) => {
      const error = answered(status, body);
      expect(error).toBeInstanceOf(RoundhouseError);
      expect(error.message.length).toBeLessThan(700);
      expect(error.message).not.toMatch(/[\n\r\t]/);
    }),
  );
});

describe('errors within a stream', () => {
  test.each([
    [{ message: 'Overloaded', type: 'overloaded_error' }, 'provider_error'],
    [
      { message: 'slow down', type: 'rate_limit_error', code: 'rate_limit_exceeded' },
      'provider_rate_limited',
    ],
    [{ message: 'Upstream', code: 502 }, 'provider_error'],
    [{ message: 'Rate limited', code: 429 }, 'provider_rate_limited'],
    [{ message: 'prompt is too long: 3 > 2', type: 'invalid_request_error' }, 'context_length_exceeded'],
    [{ message: 'boom', type: 'server_error', code: 'engine_failed' }, 'provider_error'],
    ['boom', 'provider_error'],
    [null, 'provider_error'],
  ])('%j → %s', (event, code) => {
    expect(streamError(event, subject, nowMs).code).toBe(code);
  });
});

test('an error of ours stays what it is, however deep it was wrapped', () => {
  const ours = new RoundhouseError('provider_timeout', 'too late');
  const wrapped = new APICallError({
    message: 'x',
    url: '',
    requestBodyValues: {},
    statusCode: 200,
    cause: new Error('y', { cause: ours }),
  });
  expect(toProviderError(wrapped, subject, nowMs)).toBe(ours);
});
