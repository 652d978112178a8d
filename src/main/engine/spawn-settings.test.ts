import { availableParallelism } from 'node:os';
import { expect, it } from 'vitest';
import { engineEnvironment, poolThreads } from './spawn-settings.ts';

it('gives the pool a thread for each slot that can really run, one for decoding and one for files', () => {
  expect([1, 2, 10, 16, 200].map(poolThreads)).toEqual([4, 4, 12, 18, 66]);
});

it('passes on where things are, and no key', () => {
  const environment = engineEnvironment({ HOME: '/home/ada', PATH: '/bin', OPENAI_API_KEY: 'secret' });
  expect(environment).toMatchObject({
    HOME: '/home/ada',
    PATH: '/bin',
    UV_THREADPOOL_SIZE: String(poolThreads(availableParallelism())),
  });
  expect(JSON.stringify(environment)).not.toContain('secret');
});
