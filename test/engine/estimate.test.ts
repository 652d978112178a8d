import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { constants, getPriority, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeModel } from '../../bench/make-model.ts';
import { systemClock } from '../../src/main/clock.ts';
import { createEstimator } from '../../src/main/engine/estimator.ts';
import type { LoadSettings } from '../../src/main/engine/protocol-estimate.ts';
import { spawnByFork } from '../../src/main/engine/spawn-fork.ts';

const MIB = 1024 ** 2;
const DEMO = resolve('resources/models/roundhouse-demo.gguf');
const SETTINGS: LoadSettings = {
  contextSize: 8192,
  parallel: 2,
  batchSize: 256,
  cacheType: 'f16',
  flashAttention: 'auto',
};

describe('the estimate child', () => {
  let dir: string;
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'roundhouse-estimate-'));
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  const spawn = spawnByFork(resolve('src/main/engine/child/estimate-main.ts'), (text) =>
    process.stderr.write(text),
  );
  const estimator = createEstimator({
    spawn,
    closing: new AbortController().signal,
    clock: systemClock,
    engine: () => ({ backend: 'cpu', repackedTypes: [], emptyBytes: 28 * MIB }),
  });

  it.each([
    [true, constants.priority.PRIORITY_BELOW_NORMAL],
    [false, getPriority()],
  ])('gives way to everything else where nobody waits for it (%s)', async (background, priority) => {
    const child = spawn();
    const replied = new Promise((done) => child.onMessage(done));
    const ended = new Promise((done) => child.onExit(done));
    child.send({ type: 'estimate', file: DEMO, contexts: [], background });
    expect(await replied).toMatchObject({ type: 'header' });
    expect(getPriority(child.pid)).toBe(priority);
    child.kill();
    await ended;
  });

  it('asks llama.cpp for the cache of an architecture that the header alone does not tell', async () => {
    const file = join(dir, 'window.gguf');
    makeModel({ shape: '15m', type: 'f16', vocab: '512', slidingWindow: 512 }, file);
    const { header, lines } = await estimator.estimate(file, SETTINGS, new AbortController().signal);
    expect(header).toMatchObject({ architecture: 'gemma2', slidingWindow: 512, plainAttention: false });
    // Three of six layers keep all 8,192 tokens, three keep window and batch: 768. 384 bytes a token, layer and slot.
    const expectedBytes = 2 * (3 * 8192 + 3 * 768) * 384;
    expect(lines.cacheBytes / expectedBytes).toBeGreaterThan(0.9);
    expect(lines.cacheBytes / expectedBytes).toBeLessThan(1.25);
  });

  it('writes the same model for the same recipe', () => {
    const digest = (name: string) => {
      const file = join(dir, name);
      makeModel({ shape: '15m', type: 'q8_0', vocab: '512', tokenizer: 'spm', seed: 7 }, file);
      return createHash('sha256').update(readFileSync(file)).digest('hex');
    };
    expect(digest('first.gguf')).toBe(digest('second.gguf'));
  });
});
