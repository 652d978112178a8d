import { describe, expect, it } from 'vitest';
import { type ModelSize, tooLargeFiles, tooLargeProblem } from './too-large.ts';

const GIB = 1024 ** 3;

const model = (id: string, fileGib: number | null): ModelSize => ({
  id,
  fileBytes: fileGib === null ? null : fileGib * GIB,
});

describe('a model', () => {
  it('whose file alone is larger than the budget has a problem with the numbers, before its header was read', () => {
    expect(tooLargeProblem(5 * GIB, 4 * GIB)).toBe(
      'Its file alone is 5.0 GiB, and the memory budget is 4.0 GiB. Raise memory.budget, or use a smaller quantization.',
    );
  });

  it('that fits, or of which nothing is known, has none', () => {
    expect(tooLargeProblem(4 * GIB, 4 * GIB)).toBeNull();
    expect(tooLargeProblem(null, 4 * GIB)).toBeNull();
  });
});

describe('what is said of all', () => {
  it('names the smallest when none fits', () => {
    expect(tooLargeFiles([model('large', 9), model('small', 5), model('gone', null)], 4 * GIB)).toBe(
      'No model fits the memory budget of 4.0 GiB: the smallest file is that of small (5.0 GiB). Raise memory.budget in models.yaml.',
    );
  });

  it('names the first of those that do not fit', () => {
    expect(tooLargeFiles([model('a', 9), model('b', 1)], 4 * GIB)).toMatch(
      /^a \(9\.0 GiB\) is larger than the memory budget of 4\.0 GiB/,
    );
    expect(tooLargeFiles([model('a', 9), model('b', 1), model('c', 5)], 4 * GIB)).toMatch(
      /^c \(5\.0 GiB\) and 1 more are larger/,
    );
  });

  it('is nothing when all fit, or there are none', () => {
    expect(tooLargeFiles([model('a', 4)], 4 * GIB)).toBeNull();
    expect(tooLargeFiles([], 4 * GIB)).toBeNull();
  });
});
