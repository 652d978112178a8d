import { expect, it } from 'vitest';
import { fakeRequest } from '../../../test/fakes/fake-requests.ts';
import { formatAnswerSpeed, formatCost, formatShortDollars, formatTokens } from './describe-request.ts';

it.each([
  ['$0.00', 0, 45],
  ['$0.0031', 3_100_000, 45],
  ['price not known', null, 45],
  ['–', null, null],
])('costs %s', (text, costNanoDollars, firstTokenMs) => {
  expect(formatCost(fakeRequest(1, { costNanoDollars, firstTokenMs }))).toBe(text);
});

it.each([
  ['–', null],
  ['$0.00', 0],
  ['<$0.0001', 99_999],
  ['$0.0001', 100_000],
  ['$0.0168', 16_800_000],
  ['$41.2000', 41_200_000_000],
  ['$412.00', 412_000_000_000],
])('%s in a column', (text, nanoDollars) => {
  expect(formatShortDollars(nanoDollars)).toBe(text);
});

it('counts tokens in and out, and what nobody counted', () => {
  expect(formatTokens(fakeRequest(1, { promptTokens: 1_204, completionTokens: 310 }))).toBe('1,204 → 310');
  expect(formatTokens(fakeRequest(1, { promptTokens: 12, completionTokens: null }))).toBe('12 → –');
  expect(formatTokens(fakeRequest(1, { promptTokens: null, completionTokens: null }))).toBe('–');
});

it('measures the speed from the first token on', () => {
  const figures = { firstTokenMs: 500, totalMs: 2_500, completionTokens: 101 };
  expect(formatAnswerSpeed(fakeRequest(1, figures))).toBe('50 tok/s');
  expect(formatAnswerSpeed(fakeRequest(1, { ...figures, completionTokens: 1 }))).toBe('–');
  expect(formatAnswerSpeed(fakeRequest(1, { ...figures, firstTokenMs: null }))).toBe('–');
});
