import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../../test/fakes/manual-clock.ts';
import type { EngineTraits } from '../memory/backend.ts';
import { predictLines } from '../memory/estimate.ts';
import { totalBytes } from '../memory/lines.ts';
import { readModelHeader } from './child/gguf-header.ts';
import { createEstimator } from './estimator.ts';
import type { LoadSettings } from './protocol-estimate.ts';
import type { ChildHandle } from './spawn.ts';
import { spawnByFork } from './spawn-fork.ts';

const DEMO = 'resources/models/roundhouse-demo.gguf';
const SETTINGS: LoadSettings = {
  contextSize: 2048,
  parallel: 2,
  batchSize: 256,
  cacheType: 'f16',
  flashAttention: 'auto',
};
const ENGINE: EngineTraits = { backend: 'cpu', repackedTypes: [], emptyBytes: 32 * 1024 ** 2 };
const FOREVER = new AbortController().signal;

/** Children that do nothing by themselves. */
class ScriptedSpawn {
  readonly children: ScriptedChild[] = [];
  readonly spawn = (): ChildHandle => {
    const child = new ScriptedChild();
    this.children.push(child);
    return child;
  };
  last(): ScriptedChild {
    const child = this.children.at(-1);
    if (!child) throw new Error('no child was started');
    return child;
  }
}

class ScriptedChild implements ChildHandle {
  readonly pid = 1;
  readonly sent: unknown[] = [];
  killed = false;
  say: (message: unknown) => void = () => {};
  exit: (exit: { code: number | null; signal: string | null }) => void = () => {};
  send(message: unknown): void {
    this.sent.push(message);
  }
  onMessage(listener: (message: unknown) => void): void {
    this.say = listener;
  }
  onExit(listener: (exit: { code: number | null; signal: string | null }) => void): void {
    this.exit = listener;
  }
  kill(): void {
    if (this.killed) return;
    this.killed = true;
    this.exit({ code: null, signal: 'SIGKILL' });
  }
}

describe('createEstimator', () => {
  let dir: string;
  let file: string;
  let script: ScriptedSpawn;
  let clock: ManualClock;
  const header = readModelHeader(DEMO);

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'roundhouse-estimate-'));
    file = join(dir, 'model.gguf');
    writeFileSync(file, 'first');
    script = new ScriptedSpawn();
    clock = new ManualClock();
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  const create = (closing = FOREVER) =>
    createEstimator({ spawn: script.spawn, clock, engine: () => ENGINE, closing });
  const started = async (count = 1) => {
    await clock.untilTimers(count);
    return script.last();
  };

  it('asks one child for all who ask at once, and nobody for what it knows', async () => {
    const estimator = create();
    const asked = [1, 2, 3].map(() => estimator.estimate(file, SETTINGS, FOREVER));
    const child = await started();
    expect(child.sent).toEqual([{ type: 'estimate', file, contexts: [], background: false }]);
    child.say({ type: 'header', header, contextBytes: null });
    const [first] = await Promise.all(asked);
    expect(first?.lines).toEqual(predictLines(header, SETTINGS, ENGINE));
    await estimator.estimate(file, { ...SETTINGS, contextSize: 512 }, FOREVER);
    expect(script.children).toHaveLength(1);
    expect(child.killed).toBe(true);
    expect(clock.pendingTimers).toBe(0);
  });

  it('reads a file that changed again', async () => {
    const estimator = create();
    const first = estimator.header(file, FOREVER);
    (await started()).say({ type: 'header', header, contextBytes: null });
    await first;
    writeFileSync(file, 'second, and longer');
    const second = estimator.header(file, FOREVER);
    (await started()).say({ type: 'header', header: { ...header, name: 'Second' }, contextBytes: null });
    expect((await second).name).toBe('Second');
    expect(script.children).toHaveLength(2);
  });

  it('lets one who leaves not spoil it for the others', async () => {
    const estimator = create();
    const leaving = new AbortController();
    const left = estimator.header(file, leaving.signal);
    const staying = estimator.header(file, FOREVER);
    const child = await started();
    leaving.abort(new Error('gone'));
    await expect(left).rejects.toThrow('gone');
    child.say({ type: 'header', header, contextBytes: null });
    expect(await staying).toEqual(header);
  });

  it.each([
    ['refused', (child: ScriptedChild) => child.say({ type: 'refused', message: 'too odd.' }), 'too odd.'],
    [
      'nonsense',
      (child: ScriptedChild) => child.say({ type: 'header', header: { architecture: 1 } }),
      'not understood',
    ],
    ['died', (child: ScriptedChild) => child.exit({ code: 134, signal: null }), 'ended (code 134)'],
    ['hung', () => clock.advance(15_000), 'took more than 15 s'],
  ])('says why when the child %s, and tries again when asked again', async (_what, act, message) => {
    const estimator = create();
    const asked = estimator.header(file, FOREVER);
    const outcome = expect(asked).rejects.toMatchObject({
      code: 'gguf_invalid',
      message: expect.stringContaining(message),
    });
    act(await started());
    await outcome;
    expect(clock.pendingTimers).toBe(0);
    const again = estimator.header(file, FOREVER);
    (await started()).say({ type: 'header', header, contextBytes: null });
    expect(await again).toEqual(header);
  });

  it('says that a file is not there', async () => {
    const missing = create().header(join(dir, 'none.gguf'), FOREVER);
    await expect(missing).rejects.toThrow(/none\.gguf cannot be read \(ENOENT/);
    expect(script.children).toHaveLength(0);
  });

  it('ends its children when the app stops, and starts none that lives after that', async () => {
    const closing = new AbortController();
    const estimator = create(closing.signal);
    const asked = expect(estimator.header(file, FOREVER)).rejects.toThrow('ended');
    const child = await started();
    closing.abort();
    expect(child.killed).toBe(true);
    await asked;
    await expect(estimator.header(file, FOREVER)).rejects.toThrow('ended');
    expect(script.children.map(({ killed }) => killed)).toEqual([true, true]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('tells the child when nobody waits, and answers those who come meanwhile from the same one', async () => {
    const estimator = create();
    const looked = estimator.estimate(file, SETTINGS, FOREVER, true);
    const child = await started();
    expect(child.sent).toEqual([{ type: 'estimate', file, contexts: [], background: true }]);
    const asked = estimator.estimate(file, SETTINGS, FOREVER);
    child.say({ type: 'header', header, contextBytes: null });
    expect(await asked).toEqual(await looked);
    expect(script.children).toHaveLength(1);
  });

  it('reads the demo model in a real child', async () => {
    const spawn = spawnByFork(join(import.meta.dirname, 'child/estimate-main.ts'), (text) => {
      throw new Error(text);
    });
    const estimator = createEstimator({ spawn, clock, engine: () => ENGINE, closing: FOREVER });
    const estimate = await estimator.estimate(DEMO, SETTINGS, FOREVER);
    expect(estimate.header).toEqual(header);
    const background = createEstimator({ spawn, clock, engine: () => ENGINE, closing: FOREVER });
    expect(await background.estimate(DEMO, SETTINGS, FOREVER, true)).toEqual(estimate);
    const { baseBytes, bytesPerContextToken } = estimate.line;
    expect(baseBytes + 2048 * bytesPerContextToken).toBeCloseTo(totalBytes(estimate.lines), -1);
    writeFileSync(file, 'not a model');
    await expect(estimator.header(file, FOREVER)).rejects.toThrow('not a GGUF file');
  });
});
