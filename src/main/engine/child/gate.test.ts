import { expect, test } from 'vitest';
import { Gate } from './gate.ts';

test('is open until somebody closes it, and again when the last has finished', async () => {
  const gate = new Gate();
  expect(gate.opened).toBeNull();
  const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const closing = [first, second].map(({ promise }) => gate.closedWhile(() => promise));
  let passed = false;
  const waiting = gate.opened?.then(() => {
    passed = true;
  });
  first.resolve();
  await closing[0];
  expect(passed).toBe(false);
  expect(gate.opened).not.toBeNull();
  second.resolve();
  await waiting;
  expect(gate.opened).toBeNull();
});

test('opens when what it was closed for fails', async () => {
  const gate = new Gate();
  await expect(gate.closedWhile(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(gate.opened).toBeNull();
});
