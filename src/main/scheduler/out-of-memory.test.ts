import { expect, it } from 'vitest';
import { estimated, exited, model, setUp, stopped, told } from '../../../test/fakes/scripted-scheduler.ts';
import { RoundhouseError } from '../../shared/errors.ts';
import type { SchedulerEvent } from './ports.ts';

/*
 * A load that fails for memory, though it was admitted: what is idle goes, it is tried once more, then it has failed.
 */

const MIB = 1024 ** 2;

const ranOut = (modelId: string): SchedulerEvent => ({
  type: 'loadFailed',
  modelId,
  error: new RoundhouseError('insufficient_memory', 'failed to allocate buffer of size 1048576'),
});

/** `a` and `b` are idle, `c` is being loaded for a request. */
function loading() {
  const all = setUp(
    {},
    ['a', 'b', 'c'].map((id) => model(id)),
  );
  all.bring('a', 200 * MIB);
  all.later(1000);
  all.bring('b', 200 * MIB);
  all.does(all.request('c'));
  all.does(estimated('c', 100 * MIB));
  return all;
}

it('evicts what is idle, waits for its memory, and loads once more', () => {
  const { send, does, doesAgain, status } = loading();
  expect(told(send(ranOut('c')))).toEqual([
    'Ran out of memory while loading c (needs 110 MiB, 600 MiB free of 1000 MiB, at most 5 loaded): failed to allocate buffer of size 1048576. It is tried once more when what is idle has gone.',
  ]);
  expect(status('c')).toBe('unloaded');
  expect(stopped(does(estimated('c', 100 * MIB))).toSorted()).toEqual(['a', 'b']);
  expect(doesAgain(exited('a'))).toEqual([]);
  expect(doesAgain(exited('b'))).toMatchObject([{ type: 'load', modelId: 'c' }]);
  expect(does({ type: 'loaded', modelId: 'c' })).toMatchObject([{ type: 'grant', modelId: 'c' }]);
});

it('fails with the numbers when it runs out again', () => {
  const { does, request, status, scheduler } = loading();
  does(ranOut('c'));
  does(estimated('c', 100 * MIB));
  does(exited('a'));
  does(exited('b'));
  const [effect] = does(ranOut('c'));
  const error = effect?.type === 'reject' ? effect.error : null;
  expect(error?.code).toBe('insufficient_memory');
  expect(error?.message).toContain('needs 110 MiB, 1000 MiB free of 1000 MiB');
  expect(error?.retryAfterMs).toBeGreaterThan(0);
  expect(status('c')).toBe('failed');
  expect(scheduler.ledger.reservedBytes).toBe(0);
  // Whoever asks next has a try and a second one of its own.
  does(request('c'));
  expect(does(estimated('c', 100 * MIB))).toMatchObject([{ type: 'load' }]);
  expect(does(ranOut('c'))).toEqual([{ type: 'estimate', modelId: 'c' }]);
});

it('tries once more at once where nothing is idle', () => {
  const { does, request } = setUp();
  does(request('a'));
  does(estimated('a', 100 * MIB));
  expect(does(ranOut('a'))).toEqual([{ type: 'estimate', modelId: 'a' }]);
  expect(does(estimated('a', 100 * MIB))).toMatchObject([{ type: 'load' }]);
  expect(does(ranOut('a'))).toMatchObject([{ type: 'reject', error: { code: 'insufficient_memory' } }]);
});

it('spares what is busy, pinned or waited for', () => {
  const { bring, does, request, status } = setUp({}, [
    model('busy'),
    model('pinned', { pinned: true }),
    model('wanted'),
  ]);
  bring('busy', 100 * MIB);
  bring('pinned', 100 * MIB);
  does(request('busy'));
  does(request('busy'));
  does(request('wanted'));
  does(estimated('wanted', 100 * MIB));
  does(ranOut('wanted'));
  expect(does(estimated('wanted', 100 * MIB))).toMatchObject([{ type: 'load' }]);
  expect([status('busy'), status('pinned')]).toEqual(['ready', 'ready']);
});

it('starts no standby beside the second load', () => {
  const { does, request } = setUp({ standbyEngines: 1 });
  does(request('a'));
  expect(does(estimated('a', 100 * MIB))).toContainEqual({ type: 'startStandby' });
  does(ranOut('a'));
  expect(does(estimated('a', 100 * MIB))).toEqual([{ type: 'load', modelId: 'a', useStandby: true }]);
  expect(does({ type: 'loaded', modelId: 'a' })).toContainEqual({ type: 'startStandby' });
});

it('is not tried again when those who waited have left', () => {
  const { does, status } = loading();
  does({ type: 'cancelled', requestId: 3 });
  expect(does(ranOut('c'))).toEqual([]);
  expect(status('c')).toBe('failed');
});

it('that failed for another reason is not tried again', () => {
  const { does } = loading();
  const error = new RoundhouseError('model_load_failed', 'bad magic');
  expect(does({ type: 'loadFailed', modelId: 'c', error })).toEqual([
    { type: 'reject', requestId: 3, error },
  ]);
});

it('is given up after three failures within a minute, until somebody asks for it by hand', () => {
  const { does, doesAgain, later, request, scheduler } = setUp();
  does(request('a'));
  does(estimated('a', 100 * MIB));
  for (const failure of [1, 2, 3]) {
    doesAgain(ranOut('a'));
    doesAgain(ranOut('a'));
    expect(scheduler.models.get('a')?.isBroken).toBe(failure === 3);
    later(10_000);
    if (failure < 3) expect(doesAgain(request('a'))).toMatchObject([{ type: 'load' }]);
  }
  expect(doesAgain(request('a'))).toMatchObject([{ type: 'reject', error: { code: 'engine_failed' } }]);
});
