import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ManualClock } from '../../../test/fakes/manual-clock.ts';
import { PrefixCalls } from './prefix-calls.ts';
import { PrefixStore } from './prefix-store.ts';
import type { HeldPrefix, ToChildOfPrefixes } from './protocol-prefix.ts';
import { savePrefixes } from './save-prefixes.ts';

const held = (slot: number): HeldPrefix => ({
  slot,
  tokens: 1000,
  bytes: 1000,
  prefillMs: 1000 - slot,
  replaces: [],
});

/** An engine of which the test says what it answers, and a store over real files. */
async function setUp() {
  const root = mkdtempSync(join(tmpdir(), 'roundhouse-saving-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const clock = new ManualClock();
  const warnings: string[] = [];
  const store = new PrefixStore({
    dir: join(root, 'prefix-cache'),
    clock,
    settings: { limitBytes: 10_000, keepOnQuit: false },
    warn: (message) => warnings.push(message),
  });
  const model = {
    modelId: 'a',
    key: '0'.repeat(32),
    offer: { dir: '', states: [], restoreMsPerByte: 0, prefillMsPerToken: null },
  };
  const asked: ToChildOfPrefixes[] = [];
  let toldOf = Promise.withResolvers<void>();
  const engine = new PrefixCalls(
    (message) => {
      asked.push(message);
      toldOf.resolve();
    },
    () => {},
  );
  const told = async () => {
    await toldOf.promise;
    toldOf = Promise.withResolvers();
    return asked.at(-1);
  };
  const files = () => {
    const dir = join(root, 'prefix-cache', model.key);
    return existsSync(dir) ? readdirSync(dir) : [];
  };
  /** The engine lists two slots, and is told to save both. */
  const begun = async () => {
    const saving = savePrefixes(engine, store, model, clock);
    await told();
    engine.handle({ type: 'prefixes', held: [held(0), held(1)] });
    const message = await told();
    if (message?.type !== 'savePrefixes') throw new Error('it was to save');
    expect(message.saves.map(({ slot }) => slot)).toEqual([0, 1]);
    return { saving, dir: message.dir };
  };
  const writes = (dir: string, file: string) => {
    writeFileSync(join(dir, file), Buffer.alloc(1000));
    engine.handle({ type: 'prefixSaved', saved: { file, tokens: 1000, bytes: 1000, crc32: 1, saveMs: 1 } });
  };
  /** What was asked of the folder has been done. */
  const settled = () => store.plan(model, [], 1);
  return { engine, store, model, clock, warnings, told, files, begun, writes, settled };
}

test('all is saved, and the engine may go on', async () => {
  const { engine, store, clock, begun, writes, files, warnings } = await setUp();
  const { saving, dir } = await begun();
  writes(dir, '1.state');
  writes(dir, '2.state');
  engine.handle({ type: 'prefixesDone', failed: null });
  expect(await saving).toBe(true);
  expect([store.totalBytes, files(), warnings]).toEqual([2000, ['1.state', '2.state'], []]);
  expect(clock.pendingTimers).toBe(0);
});

test('what is saved when the time is over stays, what is being written goes, and the engine is to be ended', async () => {
  const { store, clock, begun, writes, files, settled } = await setUp();
  const { saving, dir } = await begun();
  writes(dir, '1.state');
  writeFileSync(join(dir, '2.state'), 'half of it');
  clock.advance(2000);
  expect(await saving).toBe(false);
  await settled();
  expect([store.totalBytes, files()]).toEqual([1000, ['1.state']]);
});

test('what a late engine says changes nothing any more', async () => {
  const { engine, store, clock, begun, writes, files, settled } = await setUp();
  const { saving, dir } = await begun();
  clock.advance(2000);
  expect(await saving).toBe(false);
  await settled();
  writes(dir, '1.state');
  engine.handle({ type: 'prefixesDone', failed: null });
  await settled();
  expect(store.totalBytes).toBe(0);
  // Left for the next start to remove: an engine that was ended writes no more.
  expect(files()).toEqual(['1.state']);
});

test('an engine that does not even list is waited for no longer than that, and its plan takes no room', async () => {
  const { engine, store, model, clock, told } = await setUp();
  const saving = savePrefixes(engine, store, model, clock);
  await told();
  clock.advance(2000);
  expect(await saving).toBe(false);
  engine.handle({ type: 'prefixes', held: [{ ...held(0), bytes: 10_000 }] });
  await expect
    .poll(async () => {
      const plan = await store.plan(model, [{ ...held(0), bytes: 10_000 }], 2000);
      store.commit(model, plan, [], null);
      return plan.saves.length;
    })
    .toBe(1);
});

test('an engine that ends meanwhile loses what it was writing, no more', async () => {
  const { engine, store, begun, writes, files, settled, clock } = await setUp();
  const { saving, dir } = await begun();
  writes(dir, '1.state');
  engine.end(new Error('it was killed'));
  expect(await saving).toBe(true);
  await settled();
  expect([store.totalBytes, files()]).toEqual([1000, ['1.state']]);
  expect(clock.pendingTimers).toBe(0);
  await expect(engine.list()).rejects.toThrow('it was killed');
  await expect(engine.save('', [], () => {})).rejects.toThrow('it was killed');
});

test('what an engine could not write is told of, and the rest stays', async () => {
  const { engine, store, begun, writes, warnings } = await setUp();
  const { saving, dir } = await begun();
  writes(dir, '2.state');
  engine.handle({ type: 'prefixesDone', failed: 'ENOSPC: no space left on device' });
  expect(await saving).toBe(true);
  expect(store.totalBytes).toBe(1000);
  expect(warnings).toEqual([expect.stringContaining('ENOSPC')]);
});

test('an engine with nothing that is worth it is asked to save nothing', async () => {
  const { engine, store, model, clock, told } = await setUp();
  const saving = savePrefixes(engine, store, model, clock);
  expect(await told()).toEqual({ type: 'listPrefixes' });
  engine.handle({ type: 'prefixes', held: [{ ...held(0), tokens: 10 }] });
  expect(await saving).toBe(true);
  expect(engine.pending).toBe(false);
});
