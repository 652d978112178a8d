import fc from 'fast-check';
import { expect, test } from 'vitest';
import { measuredLines, totalBytes } from './lines.ts';

const MIB = 1024 ** 2;

test('what is measured is split without a rest, and no line is less than nothing', () => {
  const bytes = fc.integer({ min: 0, max: 2 ** 40 });
  const lines = fc.record({
    weightsBytes: bytes,
    cacheBytes: bytes,
    buffersBytes: bytes,
    overheadBytes: bytes,
  });
  const said = fc.record({ weightsBytes: bytes, contextBytes: bytes });
  fc.assert(
    fc.property(bytes, said, lines, (measured, saidBytes, predicted) => {
      const split = measuredLines(measured, saidBytes, predicted);
      expect(totalBytes(split)).toBeCloseTo(measured, -1);
      for (const line of Object.values(split)) expect(line).toBeGreaterThanOrEqual(-1);
    }),
  );
});

test('buffers that were set aside and never touched are not shown as held', () => {
  const predicted = {
    weightsBytes: 20 * MIB,
    cacheBytes: 24 * MIB,
    buffersBytes: 19 * MIB,
    overheadBytes: 29 * MIB,
  };
  const said = { weightsBytes: 20 * MIB, contextBytes: (24 + 62) * MIB };
  expect(measuredLines(92 * MIB, said, predicted)).toEqual(predicted);
});
