import { expect, it } from 'vitest';
import { engineRoomBytes, keptBytes } from './system-memory.ts';

const GIB = 1024 ** 3;

it('keeps a gibibyte to the system, and an eighth where there are less than eight', () => {
  expect([2, 8, 128].map((gib) => keptBytes(gib * GIB) / GIB)).toEqual([0.25, 1, 1]);
});

it('leaves engines the same room, however much of it they hold already', () => {
  const rooms = [0, 3, 7].map((heldGib) =>
    engineRoomBytes({
      availableBytes: (9 - heldGib) * GIB,
      enginesBytes: heldGib * GIB,
      keptBytes: GIB,
    }),
  );
  expect(rooms).toEqual([8 * GIB, 8 * GIB, 8 * GIB]);
});
