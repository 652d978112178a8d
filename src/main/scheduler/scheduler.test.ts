import { describe, expect, it } from 'vitest';
import { estimated, exited, model, SETTINGS, setUp } from '../../../test/fakes/scripted-scheduler.ts';
import { RoundhouseError } from '../../shared/errors.ts';
import type { Effect, SchedulerEvent } from './ports.ts';

const MIB = 1024 ** 2;

const ESTIMATED_TOO_LARGE = {
  type: 'estimated',
  modelId: 'a',
  bytes: 2000 * MIB,
  learned: false,
} as const satisfies SchedulerEvent;

describe('a request for a model that is not loaded', () => {
  it('is estimated, loaded and granted, in that order', () => {
    const { does, request } = setUp();
    expect(does(request('a'))).toEqual([{ type: 'estimate', modelId: 'a' }]);
    expect(does(estimated('a', 100 * MIB))).toEqual([{ type: 'load', modelId: 'a', useStandby: false }]);
    expect(does({ type: 'loaded', modelId: 'a' })).toEqual([{ type: 'grant', requestId: 1, modelId: 'a' }]);
  });

  it('joins a load that is under way', () => {
    const { does, request } = setUp({}, [model('a', { slots: 2 })]);
    does(request('a'));
    does(estimated('a', 100 * MIB));
    expect(does(request('a'))).toEqual([]);
    expect(does({ type: 'loaded', modelId: 'a' })).toEqual([
      { type: 'grant', requestId: 1, modelId: 'a' },
      { type: 'grant', requestId: 2, modelId: 'a' },
    ]);
  });

  it('is asked for once however many wait', () => {
    const { does, request } = setUp();
    does(request('a'));
    expect(does(request('a'))).toEqual([]);
  });

  it('is refused with the numbers when it can never fit', () => {
    const { does, request } = setUp();
    does(request('a'));
    const [effect] = does(estimated('a', 2000 * MIB));
    expect(effect).toMatchObject({ type: 'reject', requestId: 1 });
    const error = effect?.type === 'reject' ? effect.error : null;
    expect(error?.code).toBe('model_too_large');
    expect(error?.message).toBe(
      'a needs 2.1 GiB and the memory budget is 1000 MiB; no contextSize makes it fit: take a smaller file, or raise memory.budget',
    );
  });

  it('is told the settings with which it would fit, for as long as they would', () => {
    const lighter = { contextSize: 4096, batchSize: 256, bytes: 900 * MIB };
    const refusedWith = (budgetBytes: number, slots: number) => {
      const { does, request } = setUp({ budgetBytes }, [model('a', { slots })]);
      does(request('a'));
      const [effect] = does({ ...ESTIMATED_TOO_LARGE, lighter });
      return effect?.type === 'reject' ? effect.error.message : '';
    };
    expect(refusedWith(1000 * MIB, 2)).toBe(
      'a needs 2.1 GiB and the memory budget is 1000 MiB; it fits with contextSize 4096 and batchSize 256 (900 MiB): ' +
        'set that, give it fewer parallel slots, or raise memory.budget',
    );
    // Lowered since that was worked out.
    expect(refusedWith(800 * MIB, 2)).toBe(
      'a needs 2.1 GiB and the memory budget is 800 MiB; give it a smaller contextSize, give it fewer parallel slots, ' +
        'or raise memory.budget',
    );
  });

  it('is refused with the reason when the file cannot be read', () => {
    const { does, request } = setUp();
    does(request('a'));
    const error = new RoundhouseError('gguf_invalid', 'not a GGUF file');
    expect(does({ type: 'estimateFailed', modelId: 'a', error })).toEqual([
      { type: 'reject', requestId: 1, error },
    ]);
    // And is looked at again when it is asked for again.
    expect(does(request('a'))).toEqual([{ type: 'estimate', modelId: 'a' }]);
  });

  it('hears why the load failed, and may try again', () => {
    const { does, doesAgain, request, status, scheduler } = setUp();
    does(request('a'));
    does(estimated('a', 100 * MIB));
    const error = new RoundhouseError('model_load_failed', 'no');
    expect(does({ type: 'loadFailed', modelId: 'a', error })).toEqual([
      { type: 'reject', requestId: 1, error },
    ]);
    expect(status('a')).toBe('failed');
    expect(scheduler.ledger.reservedBytes).toBe(0);
    expect(doesAgain(request('a'))).toEqual([{ type: 'load', modelId: 'a', useStandby: false }]);
  });

  it('is loaded only after its file was looked at once more', () => {
    const { does, bring, request } = setUp();
    bring('a');
    does({ type: 'unloadAsked', requestId: 9, modelId: 'a' });
    does(exited('a'));
    expect(does(request('a'))).toEqual([{ type: 'estimate', modelId: 'a' }]);
    // It has grown beyond the budget meanwhile.
    expect(does(estimated('a', 2000 * MIB))).toMatchObject([
      { type: 'reject', error: { code: 'model_too_large' } },
    ]);
  });
});

describe('slots', () => {
  it('are granted in the order of arrival and never more than there are', () => {
    const { does, bring, request } = setUp();
    bring('a');
    expect(does(request('a'))).toMatchObject([{ type: 'grant' }]);
    const second = request('a');
    const third = request('a');
    expect(does(second)).toEqual([]);
    expect(does(third)).toEqual([]);
    const first = { type: 'released', requestId: 2 } as const;
    expect(does(first)).toEqual([{ type: 'grant', requestId: 3, modelId: 'a' }]);
    // A lease is given back once.
    expect(does(first)).toEqual([]);
  });

  it('granted to a client that has left are given back', () => {
    const { does, bring, request, scheduler } = setUp();
    bring('a');
    does(request('a'));
    does(request('a'));
    expect(does({ type: 'cancelled', requestId: 2 })).toEqual([
      { type: 'grant', requestId: 3, modelId: 'a' },
    ]);
    does({ type: 'cancelled', requestId: 3 });
    expect(scheduler.models.get('a')?.activeLeases).toBe(0);
  });

  it('are not waited for by a client that has left', () => {
    const { does, bring, request } = setUp();
    bring('a');
    does(request('a'));
    does(request('a'));
    does({ type: 'cancelled', requestId: 3 });
    expect(does({ type: 'released', requestId: 2 })).toEqual([]);
  });
});

describe('the queue', () => {
  it('turns one away that is too many, and says how many wait', () => {
    const { does, bring, request } = setUp({ maxQueue: 1 });
    bring('a');
    does(request('a'));
    does(request('a'));
    const [effect] = does(request('a'));
    expect(effect).toMatchObject({ type: 'reject', error: { code: 'rate_limit_exceeded' } });
    expect(effect?.type === 'reject' && effect.error.retryAfterMs).toBeGreaterThan(0);
  });

  it('gives up after the longest wait', () => {
    const { does, bring, request, later, scheduler } = setUp({ maxWaitMs: 5000 });
    bring('a');
    does(request('a'));
    does(request('a'));
    expect(scheduler.nextDeadlineMs()).toBe(5000);
    later(5000);
    expect(does({ type: 'tick' })).toMatchObject([
      { type: 'reject', requestId: 3, error: { code: 'queue_timeout' } },
    ]);
  });

  it('knows nobody by a name that is not configured', () => {
    const { does, request } = setUp();
    expect(does(request('x'))).toMatchObject([{ type: 'reject', error: { code: 'model_not_found' } }]);
  });
});

describe('making room', () => {
  it('unloads the least recently used idle model, and loads when its memory is back', () => {
    const { does, bring, request, later, status } = setUp();
    bring('a');
    later(10);
    bring('b');
    later(10);
    does(request('c'));
    expect(does(estimated('c', 350 * MIB))).toEqual([{ type: 'stop', modelId: 'a', keep: false }]);
    expect(status('a')).toBe('stopping');
    expect(does(exited('a'))).toEqual([{ type: 'load', modelId: 'c', useStandby: false }]);
    expect(status('b')).toBe('ready');
  });

  it('says what went, for what, and with which numbers', () => {
    const { says, bring, request, later } = setUp();
    bring('a');
    later(240_000);
    bring('b');
    says(request('c'));
    expect(says(estimated('c', 350 * MIB))).toEqual([
      'Unloaded a (400 MiB, idle 4 m, reload 0 ms) to load c: needs 385 MiB, 200 MiB free of 1000 MiB, at most 5 loaded.',
    ]);
  });

  it('does not wait for the victim where only a place was needed', () => {
    const { does, bring, request } = setUp({ maxLoadedModels: 1 });
    bring('a');
    does(request('b'));
    expect(does(estimated('b', 100 * MIB))).toEqual([
      { type: 'stop', modelId: 'a', keep: false },
      { type: 'load', modelId: 'b', useStandby: false },
    ]);
  });

  it('unloads no more than it must: one large model rather than two small ones first', () => {
    const { does, bring, request, later } = setUp({}, [model('small'), model('large'), model('c')]);
    bring('small', 100 * MIB);
    later(10);
    bring('large', 800 * MIB);
    later(10);
    does(request('c'));
    expect(does(estimated('c', 700 * MIB))).toEqual([{ type: 'stop', modelId: 'large', keep: false }]);
  });

  it('never takes a busy, a pinned, or a just-loaded model', () => {
    const { does, bring, request, later, status } = setUp({ minResidencyMs: 5000 }, [
      model('busy'),
      model('pinned', { pinned: true }),
      model('fresh'),
      model('wanted'),
    ]);
    bring('busy', 300 * MIB);
    does(request('busy'));
    bring('pinned', 300 * MIB);
    later(60_000);
    bring('fresh', 300 * MIB);
    does(request('wanted'));
    expect(does(estimated('wanted', 300 * MIB))).toEqual([]);
    later(4999);
    expect(does({ type: 'tick' })).toEqual([]);
    later(1);
    expect(does({ type: 'tick' })).toEqual([{ type: 'stop', modelId: 'fresh', keep: false }]);
    expect([status('busy'), status('pinned')]).toEqual(['ready', 'ready']);
  });

  it('does not take a second victim while the memory of the first is on its way', () => {
    const { does, bring, request, status } = setUp();
    bring('a');
    bring('b');
    does(request('c'));
    does(estimated('c', 350 * MIB));
    expect(does(request('c'))).toEqual([]);
    expect(status('b')).toBe('ready');
  });

  it('lets a smaller model in while a larger one waits for a busy one', () => {
    const { does, bring, request } = setUp({}, [model('busy'), model('large'), model('small')]);
    bring('busy', 700 * MIB);
    does(request('busy'));
    does(request('large'));
    expect(does(estimated('large', 600 * MIB))).toEqual([]);
    does(request('small'));
    expect(does(estimated('small', 200 * MIB))).toEqual([
      { type: 'load', modelId: 'small', useStandby: false },
    ]);
  });
});

describe('taking turns', () => {
  function contended() {
    const all = setUp({ maxLoadedModels: 1 }, [model('a', { slots: 2 }), model('b')]);
    all.bring('a');
    all.does(all.request('a'));
    all.does(all.request('b'));
    all.does(estimated('b', 100 * MIB));
    return all;
  }

  it('serves a resident model at once while another waits within the bound', () => {
    const { does, request, later } = contended();
    later(9999);
    expect(does(request('a'))).toMatchObject([{ type: 'grant', modelId: 'a' }]);
  });

  it('lets a busy model finish and go once another has waited 10 s', () => {
    const { does, request, later, status, scheduler } = contended();
    later(9999);
    expect(does({ type: 'tick' })).toEqual([]);
    expect(status('a')).toBe('ready');
    expect(scheduler.nextDeadlineMs()).toBe(10_000);
    later(1);
    expect(does({ type: 'tick' })).toEqual([]);
    expect(status('a')).toBe('draining');
    // Newcomers of the model whose turn is over wait.
    expect(does(request('a'))).toEqual([]);
    expect(does({ type: 'released', requestId: 2 })).toEqual([
      { type: 'stop', modelId: 'a', keep: false },
      { type: 'load', modelId: 'b', useStandby: false },
    ]);
    does(exited('a'));
    expect(does({ type: 'loaded', modelId: 'b' })).toMatchObject([{ type: 'grant', modelId: 'b' }]);
  });

  it('goes on as before when the one that waited has left', () => {
    const { does, later, status } = contended();
    later(10_000);
    does({ type: 'tick' });
    expect(status('a')).toBe('draining');
    does({ type: 'cancelled', requestId: 3 });
    expect(status('a')).toBe('ready');
  });

  it('goes on in the same step when the one that waited can never fit any more', () => {
    const { does, later, status } = contended();
    later(10_000);
    does({ type: 'tick' });
    expect(status('a')).toBe('draining');
    const settings = { ...SETTINGS, maxLoadedModels: 1, budgetBytes: 105 * MIB };
    const models = [model('a', { slots: 2 }), model('b')];
    expect(does({ type: 'configChanged', settings, models })).toMatchObject([
      { type: 'reject', error: { code: 'model_too_large' } },
    ]);
    expect(status('a')).toBe('ready');
  });

  it('goes on when it was taken out of the configuration and put back, though another waits', () => {
    const { does, request, status, bring } = setUp({ maxLoadedModels: 1 }, [model('a'), model('b')]);
    bring('a');
    does(request('a'));
    const settings = { ...SETTINGS, maxLoadedModels: 1 };
    does({ type: 'configChanged', settings, models: [model('b')] });
    does(request('b'));
    does(estimated('b', 100 * MIB));
    expect(status('a')).toBe('draining');
    does({ type: 'configChanged', settings, models: [model('a'), model('b')] });
    expect(status('a')).toBe('ready');
  });

  it('makes A B A B A B into A A A B B B', () => {
    const { does, bring, request } = setUp({ maxLoadedModels: 1 }, [
      model('a', { slots: 8 }),
      model('b', { slots: 8 }),
      model('x'),
    ]);
    bring('x');
    does(request('x'));
    does(estimated('a', 100 * MIB));
    does(estimated('b', 100 * MIB));
    const effects: Effect[] = [];
    for (const id of ['a', 'b', 'a', 'b', 'a', 'b']) effects.push(...does(request(id)));
    expect(effects).toEqual([]);
    effects.push(...does({ type: 'released', requestId: 2 }), ...does({ type: 'loaded', modelId: 'a' }));
    const granted = effects.flatMap((effect) => (effect.type === 'grant' ? [effect] : []));
    expect(granted.map((grant) => grant.modelId)).toEqual(['a', 'a', 'a']);
    const rest = granted.flatMap(({ requestId }) => does({ type: 'released', requestId }));
    expect(rest).toEqual([
      { type: 'stop', modelId: 'a', keep: false },
      { type: 'load', modelId: 'b', useStandby: false },
    ]);
    expect(does({ type: 'loaded', modelId: 'b' }).filter((effect) => effect.type === 'grant')).toHaveLength(
      3,
    );
  });
});

describe('unloading by hand', () => {
  it('waits for running requests, and answers when the memory is back', () => {
    const { does, bring, request } = setUp();
    bring('a');
    does(request('a'));
    expect(does({ type: 'unloadAsked', requestId: 9, modelId: 'a' })).toEqual([]);
    expect(does({ type: 'released', requestId: 2 })).toEqual([{ type: 'stop', modelId: 'a', keep: false }]);
    expect(does(exited('a'))).toEqual([{ type: 'done', requestId: 9 }]);
  });

  it('turns away those who wait, and serves those who come later', () => {
    const { does, doesAgain, bring, request } = setUp();
    bring('a');
    does(request('a'));
    does(request('a'));
    expect(does({ type: 'unloadAsked', requestId: 9, modelId: 'a' })).toMatchObject([
      { type: 'reject', requestId: 3, error: { code: 'model_unloaded' } },
    ]);
    does(request('a'));
    does({ type: 'released', requestId: 2 });
    expect(doesAgain(exited('a'))).toEqual([
      { type: 'done', requestId: 9 },
      { type: 'load', modelId: 'a', useStandby: false },
    ]);
  });

  it('stops a load', () => {
    const { does, request, status } = setUp();
    does(request('a'));
    does(estimated('a', 100 * MIB));
    expect(does({ type: 'unloadAsked', requestId: 9, modelId: 'a' })).toMatchObject([
      { type: 'reject', requestId: 1 },
      { type: 'stop', modelId: 'a' },
    ]);
    // The child may have finished loading before it heard of the stop.
    expect(does({ type: 'loaded', modelId: 'a' })).toEqual([]);
    expect(does(exited('a'))).toEqual([{ type: 'done', requestId: 9 }]);
    expect(status('a')).toBe('unloaded');
  });

  it('of a model that is not loaded is done already', () => {
    const { does } = setUp();
    expect(does({ type: 'unloadAsked', requestId: 9, modelId: 'a' })).toEqual([
      { type: 'done', requestId: 9 },
    ]);
  });
});

describe('idle models', () => {
  it('go after their time, counted from the last use', () => {
    const { does, bring, later, scheduler, request } = setUp({}, [model('a', { idleUnloadMs: 1000 })]);
    bring('a');
    later(900);
    does(request('a'));
    expect(scheduler.nextDeadlineMs()).toBe(null);
    later(900);
    does({ type: 'released', requestId: 2 });
    expect(scheduler.nextDeadlineMs()).toBe(2800);
    later(1000);
    expect(does({ type: 'tick' })).toEqual([{ type: 'stop', modelId: 'a', keep: false }]);
  });

  it('stay when they are pinned', () => {
    const { does, bring, later } = setUp({}, [model('a', { idleUnloadMs: 1000, pinned: true })]);
    bring('a');
    later(100_000);
    expect(does({ type: 'tick' })).toEqual([]);
  });
});

describe('an engine that dies', () => {
  it('fails its model, gives its memory back, and is loaded again for the next request', () => {
    const { does, doesAgain, bring, request, status, scheduler } = setUp();
    bring('a');
    does(request('a'));
    does({ type: 'exited', modelId: 'a', kept: false, reason: 'its process was ended by SIGKILL' });
    expect(status('a')).toBe('failed');
    expect(scheduler.ledger.reservedBytes).toBe(0);
    expect(doesAgain(request('a'))).toEqual([{ type: 'load', modelId: 'a', useStandby: false }]);
    // The lease of the request that died with it ends late, and means nothing any more.
    expect(does({ type: 'released', requestId: 2 })).toEqual([]);
  });

  it('waits longer after each death, and after three in a minute for somebody to ask', () => {
    const { doesAgain, bring, request, later, scheduler } = setUp();
    bring('a');
    const die = () => doesAgain({ type: 'exited', modelId: 'a', kept: false, reason: 'boom' });
    die();
    expect(doesAgain(request('a'))).toMatchObject([{ type: 'load' }]);
    expect(die()).toEqual([]);
    expect(scheduler.nextDeadlineMs()).toBe(1000);
    later(1000);
    expect(doesAgain({ type: 'tick' })).toMatchObject([{ type: 'load' }]);
    expect(die()).toMatchObject([{ type: 'reject', error: { code: 'engine_failed' } }]);
    expect(doesAgain(request('a'))).toMatchObject([{ type: 'reject', error: { code: 'engine_failed' } }]);
    expect(doesAgain({ type: 'loadAsked', requestId: 77, modelId: 'a' })).toMatchObject([{ type: 'load' }]);
  });
});

describe('standby engines', () => {
  it('are counted in the ledger and used by the next load, and the next one starts beside it', () => {
    const { does, request, scheduler } = setUp({ standbyEngines: 1 });
    expect(scheduler.standbyBytes).toBe(100 * MIB);
    does(request('a'));
    expect(does(estimated('a', 100 * MIB))).toEqual([
      { type: 'load', modelId: 'a', useStandby: true },
      { type: 'startStandby' },
    ]);
    expect(scheduler.standbyBytes).toBe(100 * MIB);
    expect(does({ type: 'loaded', modelId: 'a' })).toMatchObject([{ type: 'grant' }]);
  });

  it('are started when a model that stops has left none behind', () => {
    const { does, bring, request, scheduler } = setUp({ standbyEngines: 1, maxLoadedModels: 1 });
    bring('a', 200 * MIB);
    does(request('b'));
    does(estimated('b', 100 * MIB));
    expect(scheduler.standbyBytes).toBe(0);
    expect(does(exited('a'))).toEqual([{ type: 'startStandby' }]);
  });

  it('take the line that they were measured to need', () => {
    const { does, scheduler } = setUp({ standbyEngines: 1 });
    does({
      type: 'configChanged',
      settings: { ...SETTINGS, standbyEngines: 1, standbyBytes: 31 * MIB },
      models: [],
    });
    expect(scheduler.standbyBytes).toBe(31 * MIB);
    expect(scheduler.ledger.reservedBytes).toBe(31 * MIB);
  });

  it('are left behind by models that unload', () => {
    const { does, bring, request, scheduler } = setUp({ standbyEngines: 1, maxLoadedModels: 1 });
    bring('a', 200 * MIB);
    does(request('b'));
    expect(does(estimated('b', 100 * MIB))).toEqual([
      { type: 'stop', modelId: 'a', keep: true },
      { type: 'load', modelId: 'b', useStandby: true },
    ]);
    expect(does(exited('a', true))).toEqual([]);
    expect(scheduler.standbyBytes).toBe(100 * MIB);
    expect(does({ type: 'loaded', modelId: 'b' })).toMatchObject([{ type: 'grant' }]);
  });

  it('are not more than wanted', () => {
    const { does, bring } = setUp({ standbyEngines: 1 });
    bring('a');
    does({ type: 'unloadAsked', requestId: 9, modelId: 'a' });
    expect(does(exited('a', true))).toEqual([{ type: 'done', requestId: 9 }, { type: 'stopStandby' }]);
  });

  it('are started anew when one ends', () => {
    const { does } = setUp({ standbyEngines: 1 });
    expect(does({ type: 'standbyExited' })).toEqual([{ type: 'startStandby' }]);
  });
});

describe('a changed configuration', () => {
  it('lets a model that is gone finish, then unloads and forgets it', () => {
    const { does, bring, request, scheduler } = setUp();
    bring('a');
    does(request('a'));
    does(request('a'));
    const models = [model('b')];
    expect(does({ type: 'configChanged', settings: SETTINGS, models })).toMatchObject([
      { type: 'reject', requestId: 3, error: { code: 'model_not_found' } },
    ]);
    expect(does({ type: 'released', requestId: 2 })).toEqual([{ type: 'stop', modelId: 'a', keep: false }]);
    does(exited('a'));
    expect([...scheduler.models.keys()]).toEqual(['b']);
  });

  it('makes idle models go when the budget was lowered below what they hold', () => {
    const { does, bring, later } = setUp();
    bring('a');
    later(5);
    bring('b');
    const settings = { ...SETTINGS, budgetBytes: 500 * MIB };
    const models = ['a', 'b', 'c'].map((id) => model(id));
    expect(does({ type: 'configChanged', settings, models })).toEqual([
      { type: 'stop', modelId: 'a', keep: false },
    ]);
  });

  it('estimates anew what would now take other memory', () => {
    const { does, bring, request } = setUp();
    bring('a');
    does({ type: 'configChanged', settings: SETTINGS, models: [model('a', { memoryKey: 'a, larger' })] });
    does({ type: 'unloadAsked', requestId: 9, modelId: 'a' });
    does(exited('a'));
    expect(does(request('a'))).toEqual([{ type: 'estimate', modelId: 'a' }]);
  });
});
