import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ManualClock } from '../../../test/fakes/manual-clock.ts';
import type { EngineSettings } from '../config/settings.ts';
import { prefixKey } from './prefix-key.ts';
import { type ModelPrefixes, PrefixStore, type PrefixStoreSettings, type SavePlan } from './prefix-store.ts';
import type { HeldPrefix } from './protocol-prefix.ts';

const HOUR_MS = 3600_000;
const LIMIT_MS = 2000;
const SETTINGS: EngineSettings = {
  contextSize: 2048,
  parallel: 2,
  batchSize: 256,
  flashAttention: 'auto',
  cacheType: 'f16',
  threads: 'auto',
  gpuLayers: 0,
  chatTemplateFile: null,
};
const BUILD = 'llama.cpp v1 cpu';

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'roundhouse-prefixes-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** A store over real files, and an engine that writes files of as many bytes as it said. */
function setUp(settings: Partial<PrefixStoreSettings> = {}, root = folder(), clock = new ManualClock()) {
  const dir = join(root, 'prefix-cache');
  const warnings: string[] = [];
  const store = new PrefixStore({
    dir,
    clock,
    settings: { limitBytes: 10_000, keepOnQuit: false, ...settings },
    warn: (message) => warnings.push(message),
  });
  const modelFile = (id: string) => {
    const path = join(root, `${id}.gguf`);
    if (!existsSync(path)) writeFileSync(path, 'model');
    return path;
  };
  const offer = async (
    id = 'a',
    changed: Partial<EngineSettings> = {},
    build = BUILD,
  ): Promise<ModelPrefixes> => {
    const model = await store.offer(
      id,
      { path: modelFile(id), settings: { ...SETTINGS, ...changed } },
      build,
    );
    if (!model) throw new Error('prefixes are not kept');
    return model;
  };
  /** Saves what was planned, `bytes` each in truth. */
  const write = (model: ModelPrefixes, plan: SavePlan, bytes?: number) => {
    const saved = plan.saves.map(({ file, held }) => {
      const size = bytes ?? held.bytes;
      writeFileSync(join(plan.dir, file), Buffer.alloc(size));
      return { file, tokens: held.tokens, bytes: size, crc32: 7, saveMs: 1 };
    });
    store.commit(model, plan, saved, null);
  };
  const save = async (model: ModelPrefixes, ...held: HeldPrefix[]) => {
    const plan = await store.plan(model, held, LIMIT_MS);
    write(model, plan);
    return plan.saves.map(({ file }) => file);
  };
  return { dir, root, store, clock, warnings, offer, write, save, modelFile };
}

const held = (bytes: number, prefillMs = 1000, slot = 0): HeldPrefix => ({
  slot,
  tokens: 1000,
  bytes,
  prefillMs,
  replaces: [],
});

function files(dir: string): string[] {
  if (!existsSync(dir)) return [];
  return readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.state'))
    .map((name) => name.slice(name.indexOf('/') + 1))
    .toSorted();
}

/** Waits until what was asked of the folder is done. */
async function settled({ store, offer }: ReturnType<typeof setUp>): Promise<void> {
  await store.plan(await offer('z'), [], LIMIT_MS);
}

describe('what losing what slots hold would cost', () => {
  const slots = (tokens: number, prefillMs: number, deepestTokens = tokens) => ({
    tokens,
    prefillMs,
    deepestTokens,
  });

  test('is restoring it where it would be saved, and reading it again where not', () => {
    const { store } = setUp();
    // 5,000 bytes: two milliseconds for a file, and 20 for each 10 MB.
    expect(store.lossMs(slots(1000, 900), 5)).toBeCloseTo(2.01);
    store.restored('none', 5000, 400);
    expect(store.lossMs(slots(1000, 900), 5)).toBeGreaterThan(2.01);
    for (const notSaved of [
      store.lossMs(slots(1000, 900), 11), // more than is kept of all models together
      store.lossMs(slots(1000, 900, 256), 5), // no slot is long enough, or can be saved
      store.lossMs(slots(1000, 900), null), // nobody knows how large it would be
    ])
      expect(notSaved).toBe(900);
    store.configure({ limitBytes: 0, keepOnQuit: false });
    expect([store.lossMs(slots(1000, 900), 5), store.use]).toEqual([900, null]);
    expect(store.lossMs(slots(0, 0), 5)).toBe(0);
  });

  test('is never more than reading it again', () => {
    const { store } = setUp();
    fc.assert(
      fc.property(
        fc.nat(10_000),
        fc.double({ min: 0, max: 1e6, noNaN: true }),
        fc.nat(100),
        (tokens, ms, bytes) => {
          const lossMs = store.lossMs(slots(tokens, ms), bytes);
          expect(lossMs).toBeGreaterThanOrEqual(0);
          expect(lossMs).toBeLessThanOrEqual(ms);
        },
      ),
    );
  });
});

describe('what is saved', () => {
  test('is offered to the next load of the same model with the same settings', async () => {
    const { offer, save, store } = setUp();
    const model = await offer();
    expect(model.offer).toMatchObject({ states: [], prefillMsPerToken: null });
    await save(model, held(3000), held(2000, 500, 1));
    expect(store.use).toEqual({ bytes: 5000, limitBytes: 10_000 });
    const again = await offer();
    expect(again.offer).toMatchObject({
      dir: model.offer.dir,
      states: [
        { file: '1.state', tokens: 1000, bytes: 3000, crc32: 7 },
        { file: '2.state', tokens: 1000, bytes: 2000, crc32: 7 },
      ],
      prefillMsPerToken: 0.75,
    });
    expect([store.totalBytes, store.prefixBytes('a'), store.prefixBytes('b')]).toEqual([5000, 5000, 0]);
  });

  test('goes when the model is loaded with other settings, and only its own does', async () => {
    const it = setUp();
    await it.save(await it.offer('a'), held(3000));
    await it.save(await it.offer('b'), held(2000));
    expect((await it.offer('a', { contextSize: 4096 })).offer.states).toEqual([]);
    await settled(it);
    expect(files(it.dir)).toEqual(['2.state']);
    expect((await it.offer('b')).offer.states).toHaveLength(1);
  });

  test('is long, and quicker to restore than to read', async () => {
    const { offer, store } = setUp();
    const model = await offer();
    const plan = await store.plan(
      model,
      [{ ...held(100), tokens: 256 }, held(101, 2), held(102, 10)],
      LIMIT_MS,
    );
    expect(plan.saves.map(({ held: { bytes } }) => bytes)).toEqual([102]);
  });

  test('replaces what it goes on from once it is written, and not before', async () => {
    const it = setUp();
    const model = await it.offer();
    await it.save(model, held(3000));
    const longer = { ...held(4000), replaces: ['1.state'] };
    it.store.commit(model, await it.store.plan(model, [longer], LIMIT_MS), [], 'no luck');
    await settled(it);
    expect(files(it.dir)).toEqual(['1.state']);
    await it.save(model, longer);
    await settled(it);
    expect(files(it.dir)).toEqual(['3.state']);
  });

  test('is left out when it cannot be written in the time there is, and tried again some stops later', async () => {
    const { offer, store } = setUp({ limitBytes: 1e12 });
    const model = await offer();
    const plan = () => store.plan(model, [held(1e9, 1e6)], LIMIT_MS);
    store.commit(model, await plan(), [], null);
    store.tookTooLong(1e9, 4 * LIMIT_MS);
    expect((await plan()).saves).toEqual([]);
    let tries = 1;
    while ((await plan()).saves.length === 0) tries++;
    expect(tries).toBeLessThan(12);
  });
});

describe('the bound', () => {
  test('holds before anything is written: the least valuable goes first', async () => {
    const it = setUp({ limitBytes: 10_000 });
    const model = await it.offer();
    await it.save(model, held(4000, 3000));
    await it.save(model, held(4000, 1000));
    // Used last, so worth more than the first by now.
    it.clock.advance(12 * HOUR_MS);
    it.store.restored('2.state', 4000, 1);
    const plan = await it.store.plan(model, [held(5000, 2000)], LIMIT_MS);
    expect(files(it.dir)).toEqual(['2.state']);
    it.write(model, plan);
    await settled(it);
    expect(files(it.dir)).toEqual(['2.state', '3.state']);
  });

  test('is not made room in for what is worth less than what is there, nor for what is larger than it', async () => {
    const it = setUp({ limitBytes: 10_000 });
    const model = await it.offer();
    await it.save(model, held(9000, 3000));
    expect(await it.save(model, held(2000, 100))).toEqual([]);
    expect(await it.save(model, held(10_001, 1e9))).toEqual([]);
    expect(files(it.dir)).toEqual(['1.state']);
  });

  test('counts what is being written', async () => {
    const it = setUp({ limitBytes: 10_000 });
    const [a, b] = [await it.offer('a'), await it.offer('b')];
    const writing = await it.store.plan(a, [held(6000)], LIMIT_MS);
    expect((await it.store.plan(b, [held(6000)], LIMIT_MS)).saves).toEqual([]);
    it.store.commit(a, writing, [], 'failed');
    expect((await it.store.plan(b, [held(6000)], LIMIT_MS)).saves).toHaveLength(1);
  });

  test('holds when a file becomes larger than was thought', async () => {
    const it = setUp({ limitBytes: 10_000 });
    const model = await it.offer();
    it.write(model, await it.store.plan(model, [held(6000)], LIMIT_MS), 12_000);
    await settled(it);
    expect([files(it.dir), it.store.totalBytes]).toEqual([[], 0]);
  });

  test('holds at once when it is lowered; at 0 nothing is kept', async () => {
    const it = setUp({ limitBytes: 10_000 });
    const model = await it.offer();
    await it.save(model, held(4000, 500), held(4000, 1000, 1));
    it.store.configure({ limitBytes: 5000, keepOnQuit: false });
    await settled(it);
    expect(files(it.dir)).toEqual(['1.state']);
    it.store.configure({ limitBytes: 0, keepOnQuit: false });
    expect(await it.store.offer('a', { path: it.modelFile('a'), settings: SETTINGS }, BUILD)).toBeNull();
    expect(it.store.totalBytes).toBe(0);
    await it.store.close();
    expect(existsSync(it.dir)).toBe(false);
  });

  test('is never passed, whatever is saved, used, broken or fails', async () => {
    const step = fc.oneof(
      fc.record({
        kind: fc.constant('save' as const),
        model: fc.constantFrom('a', 'b'),
        sizes: fc.array(fc.integer({ min: 1, max: 6000 }), { minLength: 1, maxLength: 3 }),
        prefillMs: fc.integer({ min: 3, max: 5000 }),
        works: fc.boolean(),
      }),
      fc.record({
        kind: fc.constantFrom('restored' as const, 'broken' as const),
        number: fc.integer({ min: 1, max: 9 }),
      }),
      fc.record({ kind: fc.constant('wait' as const), hours: fc.nat(48) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        const it = setUp({ limitBytes: 10_000 });
        for (const next of steps) {
          if (next.kind === 'save') {
            const model = await it.offer(next.model);
            const slots = next.sizes.map((bytes, slot) => held(bytes, next.prefillMs, slot));
            const plan = await it.store.plan(model, slots, LIMIT_MS);
            const planned = plan.saves.reduce((sum, { held: { bytes } }) => sum + bytes, 0);
            expect(it.store.totalBytes + planned).toBeLessThanOrEqual(10_000);
            if (next.works) it.write(model, plan);
            else it.store.commit(model, plan, [], 'a test');
          } else if (next.kind === 'wait') it.clock.advance(next.hours * HOUR_MS);
          else if (next.kind === 'restored') it.store.restored(`${next.number}.state`, 1000, 1);
          else it.store.broken(`${next.number}.state`, 'a test');
          expect(it.store.totalBytes).toBeLessThanOrEqual(10_000);
        }
        await settled(it);
        const onDisk = files(it.dir);
        const index = existsSync(join(it.dir, 'index.json'))
          ? JSON.parse(readFileSync(join(it.dir, 'index.json'), 'utf8')).entries
          : [];
        expect(index.map(({ file }: { file: string }) => file).toSorted()).toEqual(onDisk);
        expect(it.store.prefixBytes('a') + it.store.prefixBytes('b')).toBe(it.store.totalBytes);
      }),
      { numRuns: 60 },
    );
  });
});

describe('a restart', () => {
  /** A folder with two states of one model, kept at quit. */
  async function quitWithTwo() {
    const it = setUp({ keepOnQuit: true });
    await it.save(await it.offer(), held(3000), held(2000, 500, 1));
    await it.store.close();
    const key = readdirSync(it.dir).find((name) => name.length === 32);
    if (!key) throw new Error('no folder of a model');
    return { ...it, keyDir: join(it.dir, key), restart: () => setUp({ keepOnQuit: true }, it.root) };
  }

  test('finds what was kept, and goes on counting', async () => {
    const { restart } = await quitWithTwo();
    const it = restart();
    const model = await it.offer();
    expect(model.offer.states.map(({ file }) => file)).toEqual(['1.state', '2.state']);
    expect(await it.save(model, held(1000))).toEqual(['3.state']);
  });

  test('removes what the index does not name', async () => {
    const { restart, keyDir, dir } = await quitWithTwo();
    writeFileSync(join(keyDir, '9.state'), 'half of a st');
    mkdirSync(join(dir, 'f'.repeat(32)));
    writeFileSync(join(dir, 'f'.repeat(32), '5.state'), 'nobody knows it');
    writeFileSync(join(dir, 'index.json.123'), '{');
    const it = restart();
    await it.offer();
    expect(files(dir)).toEqual(['1.state', '2.state']);
    expect(readdirSync(dir).toSorted()).toEqual([keyDir.slice(-32), 'index.json'].toSorted());
  });

  test('forgets what is no longer there, or has another size', async () => {
    const { restart, keyDir, dir } = await quitWithTwo();
    rmSync(join(keyDir, '1.state'));
    writeFileSync(join(keyDir, '2.state'), 'short');
    const it = restart();
    expect((await it.offer()).offer.states).toEqual([]);
    expect(files(dir)).toEqual([]);
    expect(it.store.totalBytes).toBe(0);
  });

  test.each([
    ['is half written', (text: string) => text.slice(0, text.length / 2)],
    ['is empty', () => ''],
    ['is of another version', (text: string) => text.replace('"version":1', '"version":2')],
    ['names files elsewhere', (text: string) => text.replace('1.state', '../../1.state')],
    [
      'has a key that is a path',
      (text: string) => text.replace(/[0-9a-f]{32}/, '../../../../../../../../etc/ab'),
    ],
  ])('starts from nothing when the index %s', async (_, damaged) => {
    const { restart, dir } = await quitWithTwo();
    const index = join(dir, 'index.json');
    const text = readFileSync(index, 'utf8');
    expect(damaged(text)).not.toBe(text);
    writeFileSync(index, damaged(text));
    const it = restart();
    expect((await it.offer()).offer.states).toEqual([]);
    expect(files(dir)).toEqual([]);
    expect(it.warnings).toEqual([]);
  });

  test('after a clock that was ahead keeps nothing for ever', async () => {
    const root = folder();
    const ahead = new ManualClock(Date.UTC(2036, 0, 1));
    const before = setUp({ keepOnQuit: true }, root, ahead);
    await before.save(await before.offer(), held(6000, 1000));
    await before.store.close();
    const it = setUp({ keepOnQuit: true }, root);
    const model = await it.offer();
    it.clock.advance(HOUR_MS);
    expect(await it.save(model, held(6000, 1000))).toEqual(['2.state']);
  });

  test('with another bound keeps within it', async () => {
    const { root, dir } = await quitWithTwo();
    const it = setUp({ keepOnQuit: true, limitBytes: 4000 }, root);
    await settled(it);
    expect(files(dir)).toEqual(['1.state']);
  });

  test('removes everything where nothing was to stay', async () => {
    const { root, dir } = await quitWithTwo();
    const it = setUp({}, root);
    expect((await it.offer()).offer.states).toEqual([]);
    expect(readdirSync(dir)).toEqual([]);
  });
});

describe('a disk that fails', () => {
  test('is told of once, and nothing else stops', async () => {
    const root = folder();
    writeFileSync(join(root, 'prefix-cache'), 'a file in its place');
    const it = setUp({}, root);
    const model = await it.offer();
    for (let round = 0; round < 3; round++) expect(await it.save(model, held(3000))).toEqual([]);
    expect(it.store.totalBytes).toBe(0);
    expect(new Set(it.warnings).size).toBe(it.warnings.length);
    await it.store.close();
  });

  test('in an engine is told of once though each file has another number', async () => {
    const it = setUp();
    const model = await it.offer();
    for (let number = 1; number <= 3; number++) {
      const plan = await it.store.plan(model, [held(3000)], LIMIT_MS);
      it.store.commit(model, plan, [], `ENOSPC: no space left on device, open '${number}.state'`);
    }
    expect(it.warnings).toEqual([expect.stringContaining('no space left on device')]);
  });
});

test('what is broken is told of, deleted and not offered again', async () => {
  const it = setUp();
  await it.save(await it.offer(), held(3000));
  it.store.broken('1.state', 'its checksum is wrong');
  it.store.broken('1.state', 'its checksum is wrong');
  it.store.broken('77.state', 'never heard of');
  expect(it.warnings).toEqual([
    'A saved prefix of a (1000 tokens) could not be used and was deleted: its checksum is wrong.',
  ]);
  await settled(it);
  expect(files(it.dir)).toEqual([]);
  expect((await it.offer()).offer.states).toEqual([]);
});

test('its folders and index are for their owner alone', async () => {
  const it = setUp();
  const model = await it.offer();
  await it.save(model, held(3000));
  await settled(it);
  const modes = [it.dir, model.offer.dir, join(it.dir, 'index.json')].map((path) =>
    (statSync(path).mode & 0o777).toString(8),
  );
  expect(modes).toEqual(['700', '700', '600']);
});

describe('the key', () => {
  test.each<[string, Partial<EngineSettings>]>([
    ['contextSize', { contextSize: 1024 }],
    ['parallel', { parallel: 1 }],
    ['batchSize', { batchSize: 64 }],
    ['flashAttention', { flashAttention: false }],
    ['cacheType', { cacheType: 'q8_0' }],
    ['gpuLayers', { gpuLayers: 'max' }],
  ])('changes with %s', async (_, changed) => {
    const { offer } = setUp();
    expect((await offer('a', changed)).key).not.toBe((await offer('a')).key);
  });

  test('changes with the file and the build, not with threads or the template', async () => {
    const it = setUp();
    const path = it.modelFile('a');
    const key = await prefixKey(path, SETTINGS, BUILD);
    expect(await prefixKey(path, { ...SETTINGS, threads: 3, chatTemplateFile: '/t.jinja' }, BUILD)).toBe(key);
    expect(await prefixKey(path, SETTINGS, 'llama.cpp v2 cpu')).not.toBe(key);
    expect(await prefixKey(it.modelFile('b'), SETTINGS, BUILD)).not.toBe(key);
    writeFileSync(path, 'another model');
    expect(await prefixKey(path, SETTINGS, BUILD)).not.toBe(key);
  });

  test('a model whose file is gone is offered nothing', async () => {
    const { store } = setUp();
    expect(await store.offer('a', { path: '/nowhere.gguf', settings: SETTINGS }, BUILD)).toBeNull();
  });
});
