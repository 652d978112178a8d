import { expect, test } from 'vitest';
import { LookAhead } from './look-ahead.ts';

/** Looks that end when they are told to. */
function setUp() {
  const begun: string[] = [];
  let end = () => {};
  const ahead = new LookAhead((modelId) => {
    begun.push(modelId);
    return new Promise((resolve) => {
      end = resolve;
    });
  });
  return {
    ahead,
    begun,
    async finish() {
      end();
      // The next one begins after the promise of the last.
      await Promise.resolve();
      await Promise.resolve();
    },
  };
}

test('looks at one after the other, in their order', async () => {
  const { ahead, begun, finish } = setUp();
  ahead.begin(['a', 'b', 'c']);
  expect(begun).toEqual(['a']);
  await finish();
  expect(begun).toEqual(['a', 'b']);
  await finish();
  await finish();
  expect(begun).toEqual(['a', 'b', 'c']);
  ahead.begin(['a']);
  expect(begun).toEqual(['a', 'b', 'c', 'a']);
});

test('begins anew with others, and finishes what it is at before', async () => {
  const { ahead, begun, finish } = setUp();
  ahead.begin(['a', 'b']);
  ahead.begin(['b', 'a']);
  expect(begun).toEqual(['a']);
  await finish();
  await finish();
  await finish();
  expect(begun).toEqual(['a', 'b', 'a']);
});

test('looks at nothing more once it is disposed', async () => {
  const { ahead, begun, finish } = setUp();
  ahead.begin(['a', 'b']);
  ahead[Symbol.dispose]();
  await finish();
  ahead.begin(['c']);
  expect(begun).toEqual(['a']);
});
