import { describe, expect, test } from 'vitest';
import { ManualClock } from '../../../test/fakes/manual-clock.ts';
import type { PressureLevel } from '../../shared/contract.ts';
import { MachineWatch } from './machine-watch.ts';
import type { SystemMemory } from './system-memory.ts';

const GIB = 1024 ** 3;

/** A machine that answers when the test says so; at once by default. */
function setUp() {
  const clock = new ManualClock();
  const machine = {
    level: 'normal' as PressureLevel | 'broken',
    availableBytes: 10,
    enginesBytes: 5 as number | null,
    pids: [1, 2],
    isNeeded: false,
    /** What happens while the engines are read. */
    meanwhile: () => {},
    held: Promise.resolve(),
  };
  const pressures: PressureLevel[] = [];
  const systems: (SystemMemory | null)[] = [];
  let reads = 0;
  const watch = new MachineWatch({
    clock,
    probe: {
      pressure: async () => {
        if (machine.level === 'broken') throw new Error('no sysctl');
        return machine.level;
      },
      availableBytes: async () => machine.availableBytes,
      returnedBytes: async () => {
        reads++;
        await machine.held;
        machine.meanwhile();
        return machine.enginesBytes;
      },
    },
    totalBytes: 64 * GIB,
    enginePids: () => machine.pids,
    isNeeded: () => machine.isNeeded,
    onPressure: (level) => pressures.push(level),
    onMachine: (system) => systems.push(system),
  });
  return {
    clock,
    machine,
    watch,
    pressures,
    systems,
    reads: () => reads,
    /** Time passes, and what it brought about comes to its end. */
    pass: async (ms: number) => {
      for (let passed = 0; passed < ms; passed += 2000) {
        clock.advance(2000);
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
  };
}

describe('while nobody looks', () => {
  test('pressure is read every two seconds, and what there is every ten', async () => {
    const { watch, pressures, systems, pass } = setUp();
    watch.start();
    await pass(20_000);
    expect(pressures).toHaveLength(10);
    expect(systems).toEqual(Array(2).fill({ availableBytes: 10, enginesBytes: 5, keptBytes: GIB }));
    watch[Symbol.dispose]();
  });

  test.each(['needed', 'pressed'])('both are read every time when it is %s', async (why) => {
    const { machine, watch, pressures, systems, pass } = setUp();
    machine.isNeeded = why === 'needed';
    if (why === 'pressed') machine.level = 'warn';
    watch.start();
    await pass(10_000);
    expect([pressures.length, systems.length]).toEqual([5, 5]);
  });

  test('nothing is read any more once it is disposed', async () => {
    const { clock, watch, pressures, pass } = setUp();
    watch.start();
    clock.advance(2000);
    watch[Symbol.dispose]();
    await pass(10_000);
    expect(pressures).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('a system that does not answer', () => {
  test('is not asked again before it has', async () => {
    const { machine, watch, reads, pass, pressures } = setUp();
    const held = Promise.withResolvers<void>();
    machine.held = held.promise;
    machine.isNeeded = true;
    watch.start();
    await pass(20_000);
    expect(reads()).toBe(1);
    held.resolve();
    await pass(2000);
    expect(pressures.length).toBeGreaterThan(0);
  });

  test('is taken to be calm where it cannot say', async () => {
    const { machine, watch, pressures, pass } = setUp();
    machine.level = 'broken';
    watch.start();
    await pass(2000);
    expect(pressures).toEqual(['normal']);
  });

  test('keeps no load waiting that has an older reading to go by', async () => {
    const { clock, machine, watch, systems } = setUp();
    await watch.fresh();
    clock.advance(3000);
    machine.held = new Promise(() => {});
    const fresh = watch.fresh();
    clock.advance(10);
    await fresh;
    expect(systems).toHaveLength(1);
  });
});

describe('a reading', () => {
  test('made a moment ago is not made again', async () => {
    const { clock, watch, reads } = setUp();
    await Promise.all([watch.fresh(), watch.fresh()]);
    clock.advance(499);
    await watch.fresh();
    expect(reads()).toBe(1);
    clock.advance(1);
    await watch.fresh();
    expect(reads()).toBe(2);
  });

  test('during which an engine gave memory back does not count it twice', async () => {
    const { machine, watch, systems } = setUp();
    machine.meanwhile = () => {
      machine.availableBytes += 5;
    };
    await watch.fresh();
    expect(systems[0]?.availableBytes).toBe(10);
  });

  test('during which engines come or go is made again, and is not told when they always do', async () => {
    const { machine, watch, systems, reads } = setUp();
    machine.meanwhile = () => {
      machine.pids = [1, 3];
    };
    await watch.fresh();
    expect([reads(), systems.length]).toEqual([2, 1]);

    const other = setUp();
    other.machine.enginesBytes = null;
    await other.watch.fresh();
    expect([other.reads(), other.systems.length]).toEqual([3, 0]);
  });
});
