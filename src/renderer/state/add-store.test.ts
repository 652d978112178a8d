import { describe, expect, it } from 'vitest';
import { fakeEstimate } from '../../../test/fakes/fake-memory.ts';
import { fakeModel, fakeSnapshot } from '../../../test/fakes/fake-models.ts';
import { ManualClock } from '../../../test/fakes/manual-clock.ts';
import type { CallInput } from '../../shared/contract.ts';
import { RoundhouseError } from '../../shared/errors.ts';
import type { LocateOptions, Transport } from '../transport/transport.ts';
import { type AddState, createAddStore } from './add-store.ts';

const QWEN = '/models/Qwen3-8B-Q4_K_M.gguf';
const ASK_MS = 1_000;

const gguf = (name: string) => new File(['GGUF\x03\0\0\0'], name);

/** A store over an app that answers from formulas; estimates can be held back. */
function setUp() {
  const clock = new ManualClock();
  const estimates: CallInput<'models.estimate'>[] = [];
  const adds: CallInput<'models.add'>[] = [];
  const located: { name: string; options: LocateOptions; resolve: (path: string) => void }[] = [];
  const checks = new Set<() => void>();
  const test = { hold: Promise.resolve(), refuseAdd: false };
  const { memory } = fakeSnapshot();
  const transport = {
    async call(name: string, input: never) {
      if (name === 'models.add') {
        if (test.refuseAdd) throw new RoundhouseError('config_invalid', 'models.yaml is read-only');
        adds.push(input);
        return fakeModel((input as CallInput<'models.add'>).id ?? '');
      }
      const { path, settings = {} } = input as CallInput<'models.estimate'>;
      estimates.push(input);
      await test.hold;
      return fakeEstimate(path, settings as object, memory, []);
    },
    locate: (file: File, options: LocateOptions) =>
      new Promise<string>((resolve, reject) => {
        located.push({ name: file.name, options, resolve });
        for (const check of checks) check();
        options.signal.addEventListener('abort', () =>
          reject(new RoundhouseError('cancelled', 'was cancelled')),
        );
      }),
    // Nothing else is asked of the app here.
  } as unknown as Transport;
  const store = createAddStore(transport, clock);
  const add = () => store.getState();
  /** Resolves as soon as `reached` holds. */
  const until = (reached: (state: AddState) => boolean) =>
    new Promise<AddState>((resolve) => {
      const check = () => {
        if (reached(add())) resolve(add());
      };
      checks.add(check);
      store.subscribe(check);
      check();
    });
  const untilStep = (kind: AddState['step']['kind']) => until((state) => state.step.kind === kind);
  const settingsNow = () => {
    const { step } = add();
    return step.kind === 'ready' ? step : null;
  };
  return { clock, estimates, adds, located, test, add, until, untilStep, ready: settingsNow };
}

describe('a path', () => {
  it('is read, and added with the settings that were chosen', async () => {
    const { add, adds, clock, estimates, until, untilStep } = setUp();
    add().open();
    add().addPath(`  ${QWEN} `);
    await untilStep('ready');
    add().change({ contextSize: 4096 });
    add().change({ parallel: 3 });
    clock.advance(ASK_MS);
    await until(({ step }) => step.kind === 'ready' && step.estimate.settings.parallel === 3);
    expect(estimates).toHaveLength(2);
    await add().confirm();
    expect(adds).toMatchObject([
      { path: QWEN, id: 'qwen3-8b', settings: { contextSize: 4096, parallel: 3 } },
    ]);
    expect(add()).toMatchObject({ step: { kind: 'closed' }, added: 'qwen3-8b', count: 0 });
  });

  it('that cannot be read is said so with the reason', async () => {
    const { add, untilStep } = setUp();
    add().addPath('/models/notes.txt');
    const { step } = await untilStep('failed');
    expect(step).toMatchObject({ name: '/models/notes.txt', error: { code: 'gguf_invalid' } });
  });

  it('that failed gives way to the next that is chosen', async () => {
    const { add, untilStep } = setUp();
    add().addPath('/models/notes.txt');
    await untilStep('failed');
    add().addPath(QWEN);
    await untilStep('ready');
    expect(add()).toMatchObject({ place: 1, count: 1 });
  });

  it('stays open when it is refused at the end', async () => {
    const { add, ready, test, untilStep } = setUp();
    add().addPath(QWEN);
    await untilStep('ready');
    test.refuseAdd = true;
    await add().confirm();
    expect(ready()).toMatchObject({ adding: false, refusal: { message: 'models.yaml is read-only' } });
  });
});

describe('sliders', () => {
  it('ask once when they rest, however far they moved', async () => {
    const { add, clock, estimates, untilStep } = setUp();
    add().addPath(QWEN);
    await untilStep('ready');
    for (let parallel = 1; parallel <= 16; parallel += 1) {
      add().change({ parallel });
      clock.advance(10);
    }
    clock.advance(ASK_MS);
    expect(estimates.map(({ settings }) => settings?.parallel)).toEqual([undefined, 16]);
  });

  it('race: an answer for settings that were left is dropped', async () => {
    const { add, clock, ready, test, untilStep } = setUp();
    add().addPath(QWEN);
    await untilStep('ready');
    const held = Promise.withResolvers<void>();
    test.hold = held.promise;
    add().change({ parallel: 5 });
    clock.advance(ASK_MS);
    add().change({ parallel: 6 });
    held.resolve();
    await new Promise<void>((resolve) => queueMicrotask(resolve));
    await held.promise;
    expect(ready()).toMatchObject({ settings: { parallel: 6 }, estimate: { settings: { parallel: 2 } } });
  });
});

describe('files', () => {
  it('are added one after the other', async () => {
    const { add, located, until, untilStep } = setUp();
    add().addFiles([gguf('a.gguf'), gguf('b.gguf')]);
    await until(() => located.length === 1);
    expect(add()).toMatchObject({ place: 1, count: 2 });
    located[0]?.options.onProgress(4);
    expect(add().step).toMatchObject({ kind: 'locating', name: 'a.gguf', sentBytes: 4, sizeBytes: 8 });
    located[0]?.resolve('/models/a.gguf');
    await untilStep('ready');
    add().addFiles([gguf('c.gguf')]);
    expect(add()).toMatchObject({ place: 1, count: 3 });
    await add().confirm();
    await until(() => located.length === 2);
    expect(add()).toMatchObject({ place: 2, count: 3 });
    add().skip();
    await until(() => located.length === 3);
    add().skip();
    expect(add()).toMatchObject({ step: { kind: 'closed' }, place: 0, count: 0 });
  });

  it('race: one that was cancelled while it was sent says nothing more', async () => {
    const { add, located, until } = setUp();
    add().addFiles([gguf('a.gguf')]);
    await until(() => located.length === 1);
    add().skip();
    expect(located[0]?.options.signal.aborted).toBe(true);
    located[0]?.options.onProgress(8);
    located[0]?.resolve('/models/a.gguf');
    await Promise.resolve();
    expect(add().step).toEqual({ kind: 'closed' });
  });

  it('of another kind are not sent', async () => {
    const { add, located, untilStep } = setUp();
    add().addFiles([new File(['hello'], 'notes.txt')]);
    const { step } = await untilStep('failed');
    expect(step).toMatchObject({ name: 'notes.txt', error: { code: 'gguf_invalid' } });
    expect(located).toEqual([]);
  });
});
