import { expect, test } from 'vitest';
import { ManualClock } from '../../../test/fakes/manual-clock.ts';
import { RateLimiter } from './rate-limiter.ts';

const never = new AbortController().signal;

test('a request that would wait for two seconds at most waits, in its turn', async () => {
  const clock = new ManualClock();
  const limiter = new RateLimiter('openai', { requestsPerMinute: 2, tokensPerMinute: null }, clock);
  await limiter.enter(0, never);
  clock.advance(1000);
  await limiter.enter(0, never);
  clock.advance(57_000);
  const begun: string[] = [];
  const third = limiter.enter(0, never).then(() => begun.push('third'));
  const fourth = limiter.enter(0, never);
  await expect(fourth).rejects.toMatchObject({ code: 'provider_rate_limited', retryAfterMs: 3000 });
  clock.advance(1999);
  await Promise.resolve();
  expect(begun).toEqual([]);
  clock.advance(1);
  await third;
  expect(begun).toEqual(['third']);
  expect(clock.pendingTimers).toBe(0);
});

test('a longer wait is refused, with the numbers and when to come again', async () => {
  const clock = new ManualClock();
  const limiter = new RateLimiter('openai', { requestsPerMinute: 5, tokensPerMinute: 100 }, clock);
  await limiter.enter(90, never);
  await expect(limiter.enter(20, never)).rejects.toMatchObject({
    code: 'provider_rate_limited',
    retryAfterMs: 60_000,
    message:
      'Within a minute 1 of 5 requests and 90 of 100 tokens were sent to openai (providers.openai.limits in ' +
      'models.yaml); try again in 1 m.',
  });
  expect(limiter.use().requestsPerMinute).toEqual({ used: 1, limit: 5 });
});

test('whoever goes away while waiting leaves no trace', async () => {
  const clock = new ManualClock();
  const limiter = new RateLimiter('openai', { requestsPerMinute: 1, tokensPerMinute: null }, clock);
  await limiter.enter(0, never);
  clock.advance(59_000);
  const gone = new AbortController();
  const waiting = limiter.enter(0, gone.signal);
  gone.abort(new Error('gone'));
  await expect(waiting).rejects.toThrow('gone');
  expect(clock.pendingTimers).toBe(0);
  const next = limiter.enter(0, never);
  clock.advance(1000);
  await next;
});

test('what a request really took makes room', async () => {
  const clock = new ManualClock();
  const limiter = new RateLimiter('openai', { requestsPerMinute: null, tokensPerMinute: 100 }, clock);
  const ticket = await limiter.enter(90, never);
  ticket.took(10);
  await limiter.enter(90, never);
  expect(limiter.use()).toEqual({ requestsPerMinute: null, tokensPerMinute: { used: 100, limit: 100 } });
});
