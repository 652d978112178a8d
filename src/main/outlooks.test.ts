import { expect, test } from 'vitest';
import { readModelHeader } from './engine/child/gguf-header.ts';
import type { LearnedEstimate } from './estimate-view.ts';
import { Outlooks } from './outlooks.ts';

const MIB = 1024 ** 2;
const DEMO = readModelHeader('resources/models/roundhouse-demo.gguf');

function estimate(identity: string, fileMib: number, totalMib: number): LearnedEstimate {
  const header = { ...DEMO, identity, fileBytes: fileMib * MIB };
  const lines = { weightsBytes: totalMib * MIB, cacheBytes: 0, buffersBytes: 0, overheadBytes: 0 };
  const line = { baseBytes: 0, bytesPerContextToken: 0 };
  return { estimate: { header, lines, line }, lines, correction: null };
}

test('says with its numbers what has changed of a file, once', () => {
  const outlooks = new Outlooks();
  expect(outlooks.estimated('m', '/m.gguf', estimate('1', 100, 200))).toBeNull();
  expect(outlooks.estimated('m', '/m.gguf', estimate('1', 100, 300))).toBeNull();
  expect(outlooks.estimated('m', '/m.gguf', estimate('2', 150, 400))).toBe(
    'The file of m was changed: 150 MiB on disk (was 100 MiB); it needs 440 MiB (was 330 MiB).',
  );
  expect(outlooks.estimated('m', '/m.gguf', estimate('2', 150, 400))).toBeNull();
  expect(outlooks.estimated('m', '/m.gguf', estimate('3', 150, 400))).toBe(
    'The file of m was changed: 150 MiB on disk (as before); it needs 440 MiB (as before).',
  );
});

test('another file under the same id is no changed file', () => {
  const outlooks = new Outlooks();
  outlooks.estimated('m', '/m.gguf', estimate('1', 100, 200));
  expect(outlooks.estimated('m', '/other.gguf', estimate('2', 150, 400))).toBeNull();
});

test('a problem stays until an estimate works, and takes nothing away that was known', () => {
  const outlooks = new Outlooks();
  outlooks.estimated('m', '/m.gguf', estimate('1', 100, 200));
  outlooks.failed('m', 'm.gguf cannot be used: it is cut off.');
  expect(outlooks.problemOf('m')).toBe('m.gguf cannot be used: it is cut off.');
  expect(outlooks.of('m')?.learned.estimate.header.identity).toBe('1');
  expect(outlooks.estimated('m', '/m.gguf', estimate('2', 101, 200))).toContain(
    '101 MiB on disk (was 100 MiB)',
  );
  expect(outlooks.problemOf('m')).toBeNull();
});

test('models that are gone are forgotten', () => {
  const outlooks = new Outlooks();
  outlooks.estimated('kept', '/k.gguf', estimate('1', 1, 1));
  outlooks.estimated('gone', '/g.gguf', estimate('1', 1, 1));
  outlooks.failed('gone', 'broken');
  outlooks.keepOnly(new Set(['kept']));
  expect(outlooks.of('kept')).not.toBeNull();
  expect([outlooks.of('gone'), outlooks.problemOf('gone')]).toEqual([null, null]);
});
