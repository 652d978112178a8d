import { describe, expect, it } from 'vitest';
import {
  estimated,
  exited,
  machine,
  model,
  setUp,
  stopped,
  told,
} from '../../../test/fakes/scripted-scheduler.ts';
import type { SchedulerEvent } from './ports.ts';

/*
 * Loading needs two things: room in the budget, and memory that the system really has. One GiB of it stays free.
 */

const MIB = 1024 ** 2;

/** An estimate that is reserved as it is. */
const learned = (modelId: string, bytes: number): SchedulerEvent => ({
  type: 'estimated',
  modelId,
  bytes,
  learned: true,
});

describe('what the system has available', () => {
  it('is enough when it is the new line and 1 GiB', () => {
    const { does, request } = setUp();
    does(machine(1024 + 110, 0));
    does(request('a'));
    expect(does(learned('a', 110 * MIB))).toMatchObject([{ type: 'load', modelId: 'a' }]);
  });

  it('is too little with a byte less: it is waited for, and said who holds it', () => {
    const { send, does, request } = setUp();
    does(machine(1024 + 110 - 1 / MIB, 0));
    does(request('a'));
    const effects = send(learned('a', 110 * MIB));
    expect(effects).toEqual([
      {
        type: 'explain',
        modelId: 'a',
        text: 'Waiting to load a until other programs give memory back: needs 110 MiB, 110 MiB free of the 110 MiB that other programs leave of 1000 MiB, at most 5 loaded.',
      },
    ]);
    // Told once, however often the system is read.
    expect(send(machine(1100, 0))).toEqual([]);
    expect(send(machine(2000, 0))).toContainEqual({
      type: 'load',
      modelId: 'a',
      useStandby: false,
    });
  });

  it('is waited for at most maxWait, and the refusal has the numbers', () => {
    const { does, request, later, scheduler } = setUp({ maxWaitMs: 5000 });
    does(machine(1074, 0));
    does(request('a'));
    does(estimated('a', 100 * MIB));
    expect(scheduler.nextDeadlineMs()).toBe(5000);
    later(5000);
    const [effect] = does({ type: 'tick' });
    const error = effect?.type === 'reject' ? effect.error : null;
    expect(error?.code).toBe('queue_timeout');
    expect(error?.message).toBe(
      'waited 5.0 s for a (server.maxWait), which is not loaded and needs 110 MiB, 50 MiB free of the 50 MiB that other programs leave of 1000 MiB, at most 5 loaded; close other programs, or try again later',
    );
  });

  it('does not hold up a smaller model', () => {
    const { does, request, later } = setUp({}, [model('large'), model('small')]);
    does(machine(1324, 0));
    does(request('large'));
    expect(does(estimated('large', 500 * MIB))).toEqual([]);
    later(60_000);
    does(request('small'));
    expect(does(estimated('small', 200 * MIB))).toMatchObject([{ type: 'load', modelId: 'small' }]);
  });

  it('is not asked where the system cannot say', () => {
    const { does, request } = setUp();
    does(machine(10, 0));
    does({ type: 'machine', system: null });
    does(request('a'));
    expect(does(estimated('a', 100 * MIB))).toMatchObject([{ type: 'load', modelId: 'a' }]);
  });

  it('is what a plan goes by', () => {
    const { scheduler, send } = setUp();
    send(machine(1324, 0));
    const entry = scheduler.models.get('a');
    if (!entry) throw new Error('a is configured');
    const plan = scheduler.plan(entry, 500 * MIB, 0, () => null);
    expect(plan.outcome).toBe('waits');
    expect(plan.text).toBe(
      'Would have to wait until other programs give memory back: needs 500 MiB, 300 MiB free of the 300 MiB that other programs leave of 1000 MiB.',
    );
  });
});

describe('memory of our own engines', () => {
  it('counts as coming back: a full machine with an idle engine can swap', () => {
    const { does, bring, request } = setUp();
    bring('a');
    // Other programs leave 450 MiB to engines, of which one holds 400.
    does(machine(1074, 400));
    does(request('b'));
    expect(does(learned('b', 330 * MIB))).toEqual([{ type: 'stop', modelId: 'a', keep: false }]);
    // Half of it is back; a reading in between changes nothing.
    expect(does(machine(1274, 200))).toEqual([]);
    expect(does(exited('a'))).toMatchObject([{ type: 'load', modelId: 'b' }]);
  });

  it('that goes for nothing is not taken: where all of it would not do, nobody is unloaded', () => {
    const { does, bring, request, status } = setUp();
    bring('a', 200 * MIB);
    does(machine(1074, 200));
    does(request('b'));
    expect(does(estimated('b', 300 * MIB))).toEqual([]);
    expect(status('a')).toBe('ready');
  });

  it('that is busy is waited for, and makes way when its turn is over', () => {
    const { does, bring, request, later, status } = setUp();
    bring('a');
    does(request('a'));
    does(machine(1074, 400));
    does(request('b'));
    expect(does(estimated('b', 300 * MIB))).toEqual([]);
    later(60_000);
    does({ type: 'tick' });
    expect(status('a')).toBe('draining');
  });

  it.each([0, 150, 300])(
    'that is being loaded counts once, %s MiB of it taken when the system was read',
    (takenMib) => {
      const { does, request } = setUp();
      // 700 MiB for engines: room for one of 300 and one of 400, and for nothing more.
      does(machine(1724, 0));
      does(request('a'));
      expect(does(learned('a', 300 * MIB))).toMatchObject([{ type: 'load', modelId: 'a' }]);
      does(machine(1724 - takenMib, takenMib));
      does(request('b'));
      expect(does(learned('b', 400 * MIB))).toMatchObject([{ type: 'load', modelId: 'b' }]);
      does(request('c'));
      expect(does(learned('c', 1))).toEqual([]);
    },
  );
});

describe('an overrun', () => {
  /** `a` and `b` hold 400 MiB each of 1,000; `a` grows. */
  function grown(bytes: number, busy: readonly string[] = []) {
    const all = setUp({ standbyEngines: 1, standbyBytes: 50 * MIB });
    all.bring('a');
    all.later(10);
    all.bring('b');
    for (const id of busy) all.does(all.request(id));
    const effects = all.send({ type: 'measured', modelId: 'a', bytes });
    return { ...all, effects };
  }

  it('takes the standby first', () => {
    const { effects } = grown(580 * MIB);
    expect(effects.filter(({ type }) => type !== 'explain')).toEqual([{ type: 'stopStandby' }]);
  });

  it('then idle models, and is told of when it begins and when it is over', () => {
    const { effects, send, later } = grown(700 * MIB);
    expect(stopped(effects)).toEqual(['a']);
    expect(told(effects)).toEqual([
      'Engines hold 150 MiB more than the budget of 1000 MiB: nothing is loaded until that is over; idle models go.',
      'Unloaded a (700 MiB): engines hold 100 MiB more than the budget of 1000 MiB.',
    ]);
    later(300);
    expect(told(send(exited('a')))).toEqual([
      'Engines are within the budget again, after 300 ms: 400 MiB of 1000 MiB.',
    ]);
  });

  it('that nothing idle can end is said so, and waits', () => {
    const { effects, send, does, later, request, status } = grown(700 * MIB, ['a', 'b']);
    expect(stopped(effects)).toEqual([]);
    expect(told(effects)).toEqual([
      'Engines hold 150 MiB more than the budget of 1000 MiB: nothing is loaded until that is over, which has to wait for a (700 MiB, 1 active) and b (400 MiB, 1 active).',
    ]);
    does(request('c'));
    expect(does(estimated('c', 10 * MIB))).toEqual([]);
    expect(told(send({ type: 'measured', modelId: 'a', bytes: 710 * MIB }))).toEqual([]);
    later(1000);
    expect(stopped(does({ type: 'released', requestId: 4 }))).toEqual(['b']);
    expect(does(exited('b'))).toContainEqual({ type: 'load', modelId: 'c', useStandby: false });
    expect(status('a')).toBe('ready');
  });

  it('ends with a just-loaded model as soon as that may go', () => {
    const { bring, does, later, scheduler } = setUp({ minResidencyMs: 5000 });
    bring('a');
    expect(does({ type: 'measured', modelId: 'a', bytes: 1100 * MIB })).toEqual([]);
    expect(scheduler.nextDeadlineMs()).toBe(5000);
    later(5000);
    expect(does({ type: 'tick' })).toEqual([{ type: 'stop', modelId: 'a', keep: false }]);
  });
});
