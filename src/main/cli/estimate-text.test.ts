import { expect, test } from 'vitest';
import type { EstimateView, PlanView } from '../../shared/contract.ts';
import { estimateText } from './estimate-text.ts';

const GIB = 1024 ** 3;

const PLAN: PlanView = {
  outcome: 'evicts',
  neededBytes: 7.2 * GIB,
  freeBytes: 5 * GIB,
  budgetBytes: 24 * GIB,
  victims: [{ id: 'phi', bytes: 2.1 * GIB, idleMs: 840_000, reloadMs: 1200 }],
  text: 'Fits after unloading phi (2.1 GiB).',
};

const ESTIMATE: EstimateView = {
  path: '/m/mistral.gguf',
  fileBytes: 4.1 * GIB,
  suggestedId: 'mistral-7b',
  registeredAs: null,
  name: 'Mistral 7B\u001b[31m',
  architecture: 'llama',
  quantization: 'Q4_K_M',
  parameters: 7_241_732_096,
  trainedContextSize: 32_768,
  settings: { contextSize: 8192, parallel: 2, batchSize: 512, cacheType: 'f16' },
  predicted: {
    weightsBytes: 4.1 * GIB,
    cacheBytes: 2 * GIB,
    buffersBytes: 0.3 * GIB,
    overheadBytes: 0.09 * GIB,
  },
  totalBytes: 6.5 * GIB,
  lines: {
    f16: { baseBytes: 0, bytesPerContextToken: 0 },
    q8_0: { baseBytes: 0, bytesPerContextToken: 0 },
    q4_0: { baseBytes: 0, bytesPerContextToken: 0 },
  },
  learned: false,
  fit: { contextSize: 4096, parallel: 1, batchSize: 512, cacheType: 'q8_0', totalBytes: 5 * GIB },
  plan: PLAN,
};

test('what a file would take', () => {
  expect(estimateText(ESTIMATE)).toMatchInlineSnapshot(`
    "Mistral 7B?[31m · Q4_K_M
    llama, 7.2B parameters, 4.1 GiB on disk, trained for 32768 tokens

    With 8192 tokens of context, 2 slots, batches of 512, cache in f16:
      weights      4.1 GiB
      cache        2.0 GiB
      buffers      307 MiB
      overhead      92 MiB
      total        6.5 GiB
      budget      24.0 GiB

    Fits after unloading phi (2.1 GiB).
    Until it was measured on this machine, 10 % more is reserved for it."
  `);
});

test('what was measured needs no margin, and what has no name goes by its id', () => {
  const text = estimateText({
    ...ESTIMATE,
    learned: true,
    name: null,
    registeredAs: 'm',
    trainedContextSize: null,
  });
  expect(text.split('\n').slice(0, 2)).toEqual([
    'mistral-7b · Q4_K_M',
    'llama, 7.2B parameters, 4.1 GiB on disk, registered as m',
  ]);
  expect(text.split('\n').at(-1)).toBe(PLAN.text);
});

test('what can never fit is told with what would', () => {
  const plan: PlanView = {
    ...PLAN,
    outcome: 'never',
    victims: [],
    text: 'It needs 7.2 GiB of a budget of 6.0 GiB.',
  };
  expect(
    estimateText({ ...ESTIMATE, learned: true, plan })
      .split('\n')
      .slice(-2),
  ).toEqual([
    plan.text,
    'The largest that fits: 4096 tokens of context, 1 slot, batches of 512, cache in q8_0; that takes 5.0 GiB.',
  ]);
  expect(estimateText({ ...ESTIMATE, learned: true, plan, fit: null })).toContain(
    `${plan.text}\nThere are no settings with which it would fit.`,
  );
});
