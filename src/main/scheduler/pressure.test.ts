import { describe, expect, it } from 'vitest';
import {
  estimated,
  exited,
  machine,
  model,
  reading,
  setUp,
  stopped,
  told,
} from '../../../test/fakes/scripted-scheduler.ts';

/*
 * What happens when the system is short of memory: who goes, who stays, what is not started.
 */

const MIB = 1024 ** 2;
const FOUR = ['a', 'b', 'c', 'd'].map((id) => model(id));
const DAY_MS = 86_400_000;

/** Four idle models; `a` was used longest ago. */
function withFour(models = FOUR) {
  const all = setUp({}, models);
  for (const { id } of models) {
    all.bring(id, 200 * MIB);
    all.later(60_000);
  }
  return all;
}

describe('at warn', () => {
  it('the longest idle goes, one at a time, and no sooner than the last one can have been felt', () => {
    const { send, feel, later } = withFour();
    expect(stopped(feel('warn'))).toEqual(['a']);
    const within: string[] = [];
    for (let reads = 0; reads < 4; reads++) {
      later(2000);
      within.push(...stopped(send(reading('warn'))));
    }
    expect(within).toEqual([]);
    later(2000);
    expect(stopped(send(reading('warn')))).toEqual(['b']);
  });

  it('nobody goes any more as soon as a reading is normal, though the level lasts', () => {
    const { send, feel, later, scheduler } = withFour();
    feel('warn');
    later(20_000);
    expect(stopped(send(reading('normal')))).toEqual([]);
    expect(scheduler.pressure).toBe('warn');
  });

  it('one odd reading unloads nobody', () => {
    const { send, later } = withFour();
    later(2000);
    expect(stopped(send(reading('critical')))).toEqual([]);
    later(2000);
    expect(stopped(send(reading('normal')))).toEqual([]);
  });

  it('says why, with the numbers, when it begins, for each model, and when it is over', () => {
    const { send, later } = withFour();
    send(machine(700, 800));
    send(reading('warn'));
    later(2000);
    expect(told(send(reading('warn')))).toEqual([
      'Memory pressure is warn (700 MiB available): idle models are unloaded one by one, and nothing is started ahead of need.',
      'Unloaded a (200 MiB, idle 4 m 2 s): memory pressure is warn (700 MiB available).',
    ]);
    const texts = told(send(machine(9000, 600)));
    for (let reads = 0; reads < 20; reads++) {
      later(2000);
      texts.push(...told(send(reading('normal'))));
    }
    expect(texts).toEqual([
      'Memory pressure is normal (8.8 GiB available): engines are started and models loaded ahead of need again.',
    ]);
  });

  it('drops the standby, starts none, and keeps no process that unloads', () => {
    const { does, feel, bring, later } = setUp({ standbyEngines: 1 });
    bring('a');
    expect(feel('warn')).toContainEqual({ type: 'stopStandby' });
    expect(does({ type: 'tick' })).toEqual([]);
    expect(does(exited('a'))).toEqual([]);
    bring('b');
    expect(does({ type: 'unloadAsked', requestId: 9, modelId: 'b' })).toEqual([
      { type: 'stop', modelId: 'b', keep: false },
    ]);
    does(exited('b'));
    const later30s = Array.from({ length: 16 }, () => {
      later(2000);
      return does(reading('normal'));
    });
    expect(later30s.flat()).toEqual([{ type: 'startStandby' }]);
  });

  it('loads nothing ahead of need, but what somebody asks for', () => {
    const { send, does, doesAgain, feel, request } = setUp();
    feel('warn');
    const ahead = { type: 'preloadAsked', requestId: 50, modelId: 'a' } as const;
    expect(told(send(ahead))).toEqual([
      'Not loading a ahead of need: memory pressure is warn. It is loaded when it is asked for.',
    ]);
    expect(does(request('b'))).toEqual([{ type: 'estimate', modelId: 'b' }]);
    expect(does(estimated('b', 100 * MIB))).toMatchObject([{ type: 'load', modelId: 'b' }]);
    // Asked for, it is loaded for both.
    expect(does(request('a'))).toEqual([{ type: 'estimate', modelId: 'a' }]);
    does(estimated('a', 100 * MIB));
    expect(doesAgain({ type: 'loaded', modelId: 'a' })).toEqual([
      { type: 'done', requestId: 50 },
      { type: 'grant', requestId: 2, modelId: 'a' },
    ]);
  });

  it('loads what was wanted ahead when the pressure has gone', () => {
    const { send, feel, later, does } = setUp();
    feel('warn');
    expect(does({ type: 'preloadAsked', requestId: 50, modelId: 'a' })).toEqual([]);
    for (let reads = 0; reads < 15; reads++) {
      later(2000);
      expect(send(reading('normal'))).toEqual([]);
    }
    later(2000);
    expect(send(reading('normal'))).toContainEqual({ type: 'estimate', modelId: 'a' });
  });
});

describe('at critical', () => {
  it('every idle model goes at once', () => {
    const { feel } = withFour();
    expect(stopped(feel('critical'))).toEqual(['a', 'b', 'c', 'd']);
  });

  it('what becomes idle later goes with the next reading', () => {
    const { feel, send, later, does, request } = withFour();
    does(request('a'));
    expect(stopped(feel('critical'))).toEqual(['b', 'c', 'd']);
    does({ type: 'released', requestId: 5 });
    later(2000);
    expect(stopped(send(reading('critical')))).toEqual(['a']);
  });
});

describe.each(['warn', 'critical'] as const)('at %s', (level) => {
  it('busy, pinned, waited-for, loading and just-loaded models live', () => {
    const models = [
      model('busy'),
      model('pinned', { pinned: true }),
      model('waited', { slots: 1 }),
      model('fresh'),
      model('loading'),
    ];
    const { bring, does, request, later, feel, status } = setUp({ minResidencyMs: 5000 }, models);
    for (const id of ['busy', 'pinned', 'waited']) bring(id, 100 * MIB);
    does(request('busy'));
    does(request('waited'));
    does(request('waited'));
    later(60_000);
    bring('fresh', 100 * MIB);
    does(request('loading'));
    does(estimated('loading', 100 * MIB));
    expect(stopped(feel(level))).toEqual([]);
    expect(models.map(({ id }) => status(id))).toEqual(['ready', 'ready', 'ready', 'ready', 'loading']);
  });
});

describe('a clock that jumps by a day, and a machine that slept', () => {
  it.each(['warn', 'critical'] as const)('the first reading after it (%s) unloads nobody', (level) => {
    const { send, later } = withFour();
    send(reading('normal'));
    later(DAY_MS);
    expect(stopped(send({ type: 'tick' }))).toEqual([]);
    expect(stopped(send(reading(level)))).toEqual([]);
  });

  it('a level that was reached before it unloads one more at most, as before', () => {
    const { send, feel, later } = withFour();
    expect(stopped(feel('warn'))).toEqual(['a']);
    later(DAY_MS);
    expect(stopped(send(reading('warn')))).toEqual(['b']);
  });
});
