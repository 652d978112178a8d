import { expect, it } from 'vitest';
import { sparkPoints } from './spark-line.ts';

it('ends at the right with the newest, and begins where it has seen nothing yet', () => {
  const box = { width: 100, height: 22 };
  expect(sparkPoints([0, 20], 11, box)).toBe('90.0,22.0 100.0,2.0');
  expect(sparkPoints(Array(11).fill(5), 11, box).split(' ')[0]).toBe('0.0,2.0');
});
