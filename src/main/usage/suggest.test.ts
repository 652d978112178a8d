import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type LocalModel, type ModelFacts, suggest } from './suggest.ts';

const LLAMA: LocalModel = { model: 'llama', targetFirstTokenMs: 200 };

function facts(model: string, facts: Partial<ModelFacts> = {}): ModelFacts {
  return { model, requests: 0, small: 0, smallCostNanoDollars: 0, smallUnpriced: 0, smallMet: 0, ...facts };
}

/** 310 small requests for 4.10 dollars in 30 days: 13,225,806 nano-dollars each. */
const SONNET = facts('sonnet', { requests: 400, small: 310, smallCostNanoDollars: 4_100_000_000 });
const MET = facts('llama', { requests: 60, small: 50, smallMet: 48 });

test('thirty days by hand: what was spent in a month is what is saved in one', () => {
  expect(suggest({ smallTokens: 200, observedDays: 30, models: [SONNET, MET] }, [LLAMA])).toEqual([
    {
      fromModel: 'sonnet',
      toModel: 'llama',
      text:
        '310 of 400 requests to sonnet had under 200 tokens in and out, and cost $4.10 in 30 days; llama met its ' +
        'target (first token within 200 ms) on 48 of 50 such requests: −$4.10 a month',
      savedNanoDollarsPerMonth: 4_100_000_000,
      observedDays: 30,
      requests: 400,
      smallRequests: 310,
      smallTokens: 200,
      smallCostNanoDollars: 4_100_000_000,
      localRequests: 50,
      localMet: 48,
      targetFirstTokenMs: 200,
    },
  ]);
});

test('ten days by hand: a third of a month counts three times', () => {
  const [only] = suggest({ smallTokens: 200, observedDays: 10, models: [SONNET, MET] }, [LLAMA]);
  expect(only?.savedNanoDollarsPerMonth).toBe(12_300_000_000);
  expect(only?.text).toContain('cost $4.10 in 10 days');
  expect(only?.text).toMatch(/: −\$12\.30 a month$/);
});

test('the dearest comes first, and the local model that is surest is named', () => {
  const opus = facts('opus', { requests: 60, small: 60, smallCostNanoDollars: 9_000_000_000 });
  const qwen = facts('qwen', { requests: 100, small: 100, smallMet: 100 });
  const suggestions = suggest({ smallTokens: 200, observedDays: 30, models: [SONNET, MET, opus, qwen] }, [
    LLAMA,
    { model: 'qwen', targetFirstTokenMs: 1500 },
  ]);
  expect(suggestions.map(({ fromModel, toModel }) => [fromModel, toModel])).toEqual([
    ['opus', 'qwen'],
    ['sonnet', 'qwen'],
  ]);
});

test.each([
  ['too short a time', { observedDays: 6.9 }, {}, {}],
  ['too few small requests', {}, { requests: 49, small: 49 }, {}],
  ['mostly large requests', {}, { requests: 621 }, {}],
  ['too little money', {}, { smallCostNanoDollars: 499_999_999 }, {}],
  ['a local model that was hardly tried', {}, {}, { small: 19, smallMet: 19 }],
  ['a target missed more than one time in twenty', {}, {}, { small: 100, smallMet: 94 }],
])('nothing is said with %s', (_, of, sonnet, llama) => {
  const models = [facts('sonnet', { ...SONNET, ...sonnet }), facts('llama', { ...MET, ...llama })];
  expect(suggest({ smallTokens: 200, observedDays: 30, models, ...of }, [LLAMA])).toEqual([]);
});

test('nothing is said without a local model, and never about one', () => {
  const dear = facts('llama', { ...MET, smallCostNanoDollars: 9e9 });
  expect(suggest({ smallTokens: 200, observedDays: 30, models: [SONNET, dear] }, [])).toEqual([]);
  expect(suggest({ smallTokens: 200, observedDays: 30, models: [dear] }, [LLAMA])).toEqual([]);
});

test('no more is promised than was spent, in proportion to the days', () => {
  const count = fc.nat(1000);
  const model = fc.record({
    model: fc.constantFrom('a', 'b', 'c', 'llama'),
    requests: count,
    small: count,
    smallCostNanoDollars: fc.nat(10 ** 12),
    smallUnpriced: count,
    smallMet: count,
  });
  fc.assert(
    fc.property(
      fc.uniqueArray(model, { selector: ({ model }) => model }),
      fc.double({ min: 0.01, max: 90, noNaN: true }),
      (models, observedDays) => {
        for (const suggestion of suggest({ smallTokens: 200, observedDays, models }, [LLAMA])) {
          const spent = models.find(({ model }) => model === suggestion.fromModel)?.smallCostNanoDollars ?? 0;
          expect((suggestion.savedNanoDollarsPerMonth * observedDays) / 30).toBeLessThanOrEqual(
            spent + observedDays,
          );
          expect(suggestion.observedDays).toBeGreaterThanOrEqual(7);
        }
      },
    ),
  );
});
