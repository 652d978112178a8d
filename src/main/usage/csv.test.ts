import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseCsv } from '../../../test/fixtures/parse-csv.ts';
import { csvLine } from './csv.ts';

test('any text comes back, and none of it is a formula', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 20 });
  const nasty = fc.stringMatching(/^[=+\-@\t\r'",\n a]{0,8}$/);
  const table = fc.array(
    fc.array(fc.oneof(text, nasty, fc.integer(), fc.constant(null)), { minLength: 2, maxLength: 5 }),
    { minLength: 1, maxLength: 5 },
  );
  fc.assert(
    fc.property(table, (rows) => {
      const parsed = parseCsv(rows.map(csvLine).join(''));
      for (const [index, row] of rows.entries()) {
        for (const [column, value] of row.entries()) {
          const read = parsed[index]?.[column];
          if (typeof value !== 'string') {
            expect(read).toEqual({ text: String(value ?? ''), quoted: false });
            continue;
          }
          expect(read?.text).not.toMatch(/^[=+\-@\t\r]/);
          expect(read?.text.replace(/^'/, '')).toBe(value);
        }
      }
    }),
  );
});

test('by hand', () => {
  expect(csvLine(['a', 1, null, '', true])).toBe('a,1,,"",true\r\n');
  expect(csvLine(['=1+1', '-5', -5, 'say "no"', "'quoted"])).toBe(`'=1+1,'-5,-5,"say ""no""",''quoted\r\n`);
  expect(csvLine(['two\nlines', '\tx'])).toBe('"two\nlines",\'\tx\r\n');
});
