import fc from 'fast-check';
import { expect, test } from 'vitest';
import { headerText } from './headers.ts';

test('any text becomes plain ASCII that decodes to itself', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const header = headerText(text);
      expect(header).toMatch(/^[\x20-\x7e]*$/);
      expect(decodeURIComponent(header)).toBe(text.toWellFormed().replaceAll('→', '->'));
    }),
  );
});

test('what people read stays readable', () => {
  expect(headerText('tier:low → demo; first of 2 (it’s loaded)')).toBe(
    'tier:low -> demo; first of 2 (it%E2%80%99s loaded)',
  );
});
