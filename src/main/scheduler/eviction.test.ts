import { describe, expect, it } from 'vitest';
import type { Effect, EvictionPolicy, ModelSpec, SchedulerEvent, SchedulerSettings } from './ports.ts';
import { Scheduler } from './scheduler.ts';

/*
 * Which models make room and whose turn it is, in a world where each load takes a second for each 100 MiB.
 */

const MIB = 1024 ** 2;
const MS_PER_MIB = 10;
const GONE = { kept: false, reason: null } as const;

class World {
  readonly scheduler: Scheduler;
  nowMs = 0;
  readonly #sizesMib: Readonly<Record<string, number>>;
  #lastId = 0;
  #granted: { requestId: number; modelId: string }[] = [];

  constructor(sizesMib: Readonly<Record<string, number>>, overrides: Partial<SchedulerSettings> = {}) {
    const settings: SchedulerSettings = {
      budgetBytes: 1000 * MIB,
      eviction: 'cost-aware',
      maxLoadedModels: 20,
      maxQueue: 100,
      maxWaitMs: 1_000_000,
      minResidencyMs: 0,
      standbyEngines: 0,
      standbyBytes: 0,
      ...overrides,
    };
    this.#sizesMib = sizesMib;
    this.scheduler = new Scheduler(settings);
    const models = Object.keys(sizesMib).map(
      (id): ModelSpec => ({
        id,
        slots: 2,
        pinned: id.startsWith('pinned'),
        idleUnloadMs: null,
        memoryKey: id,
      }),
    );
    this.send({ type: 'configChanged', settings, models });
  }

  /** Estimates and memory come at once; loads take their time. */
  send(event: SchedulerEvent): Effect[] {
    const effects = this.scheduler.handle(event, this.nowMs);
    const more = effects.flatMap((effect): Effect[] => {
      if (effect.type === 'grant') this.#granted.push(effect);
      if (effect.type === 'estimate') {
        const bytes = (this.#sizesMib[effect.modelId] ?? 0) * MIB;
        return this.send({ type: 'estimated', modelId: effect.modelId, bytes, learned: false });
      }
      if (effect.type === 'stop') return this.send({ type: 'exited', modelId: effect.modelId, ...GONE });
      return [];
    });
    return [...effects, ...more];
  }

  later(ms: number): Effect[] {
    this.nowMs += ms;
    return this.send({ type: 'tick' });
  }

  request(modelId: string): Effect[] {
    return this.send({ type: 'requested', requestId: ++this.#lastId, modelId });
  }

  /** What was loading is there, after the time it takes. */
  load(modelId: string): Effect[] {
    this.nowMs += (this.#sizesMib[modelId] ?? 0) * MS_PER_MIB;
    const effects = this.send({ type: 'loaded', modelId });
    return [
      ...effects,
      ...this.send({ type: 'measured', modelId, bytes: (this.#sizesMib[modelId] ?? 0) * MIB }),
    ];
  }

  /** One of its requests ends. */
  finish(modelId: string): Effect[] {
    const index = this.#granted.findIndex((grant) => grant.modelId === modelId);
    const [grant] = this.#granted.splice(index, 1);
    return grant ? this.send({ type: 'released', requestId: grant.requestId }) : [];
  }

  /** Asks once, loading it if need be, and lets the request end. */
  use(modelId: string): void {
    this.request(modelId);
    if (this.status(modelId) === 'loading') this.load(modelId);
    this.nowMs += 100;
    this.finish(modelId);
  }

  status(modelId: string): string | undefined {
    return this.scheduler.models.get(modelId)?.state.status;
  }

  resident(): string[] {
    return [...this.scheduler.models.values()].flatMap(({ id, state }) =>
      state.status === 'ready' ? [id] : [],
    );
  }
}

function stopped(effects: readonly Effect[]): string[] {
  return effects.flatMap((effect) => (effect.type === 'stop' ? [effect.modelId] : []));
}

function granted(effects: readonly Effect[]): string[] {
  return effects.flatMap((effect) => (effect.type === 'grant' ? [effect.modelId] : []));
}

describe('what makes room', () => {
  /** `popular` was used often and longest ago, `rare` once and last. */
  function popularAndRare(eviction: EvictionPolicy): World {
    const world = new World({ popular: 400, rare: 400, wanted: 400 }, { eviction });
    for (let use = 0; use < 5; use++) world.use('popular');
    world.use('rare');
    return world;
  }

  it('is the model that is least likely to be asked for again', () => {
    expect(stopped(popularAndRare('cost-aware').request('wanted'))).toEqual(['rare']);
  });

  it('is the longest unused under lru', () => {
    expect(stopped(popularAndRare('lru').request('wanted'))).toEqual(['popular']);
  });

  it('is the set that costs the least to load again, not always the single model', () => {
    const world = new World({ large: 600, one: 150, two: 150, wanted: 300 });
    for (const id of ['large', 'large', 'one', 'two']) world.use(id);
    expect(stopped(world.request('wanted'))).toEqual(['one', 'two']);
  });

  it('is not a model whose prefix caches would take long to build again', () => {
    const world = new World({ first: 400, second: 400, wanted: 400 });
    for (const id of ['first', 'second', 'first', 'second']) world.use(id);
    world.send({ type: 'measured', modelId: 'first', bytes: 400 * MIB, prefixRebuildMs: 60_000 });
    expect(stopped(world.request('wanted'))).toEqual(['second']);
  });

  it('forgets what prefix caches were worth with the engine that had them, and not with a later measurement', () => {
    const world = new World({ first: 400, second: 400, wanted: 400 });
    const rebuildMs = () => world.scheduler.models.get('first')?.prefixRebuildMs;
    world.use('first');
    world.send({ type: 'measured', modelId: 'first', bytes: 400 * MIB, prefixRebuildMs: 60_000 });
    world.send({ type: 'measured', modelId: 'first', bytes: 410 * MIB });
    expect(rebuildMs()).toBe(60_000);
    world.send({ type: 'measured', modelId: 'first', bytes: 410 * MIB, prefixRebuildMs: 6 });
    expect(rebuildMs()).toBe(6);
    world.send({ type: 'exited', modelId: 'first', kept: false, reason: 'killed' });
    world.use('first');
    expect(rebuildMs()).toBe(0);
    // A measurement that comes when it is gone speaks of nobody.
    world.send({ type: 'unloadAsked', requestId: 999, modelId: 'first' });
    world.send({ type: 'measured', modelId: 'first', bytes: 1, prefixRebuildMs: 60_000 });
    expect(rebuildMs()).toBe(0);
  });

  it('is in the end any model that nobody asks for any more, however popular it was', () => {
    const world = new World({ old: 900, new: 50, other: 100 });
    for (let use = 0; use < 300; use++) world.use('old');
    expect(world.resident()).toEqual(['old']);
    world.use('new');
    for (let use = 0; use < 600; use++) world.use(use % 2 === 0 ? 'new' : 'other');
    expect(world.resident().toSorted()).toEqual(['new', 'other']);
  });

  it('is told with what it costs to load again', () => {
    const texts = popularAndRare('cost-aware')
      .request('wanted')
      .flatMap((effect) => (effect.type === 'explain' ? [effect.text] : []));
    expect(texts).toContainEqual(
      expect.stringMatching(/^Unloaded rare \(440 MiB, idle .*, reload 4(\.0)? s\) to load wanted/),
    );
  });
});

describe('a dear idle model and a cheap busy one', () => {
  /** `dear` is idle and asked for all the time, `cheap` is busy and was never asked for before. */
  function dearAndCheap(): World {
    const world = new World({ dear: 400, cheap: 400, wanted: 400 });
    for (let use = 0; use < 20; use++) world.use('dear');
    world.request('cheap');
    world.load('cheap');
    return world;
  }

  it('lets the dear one stay when the cheap one ends soon', () => {
    const world = dearAndCheap();
    expect(stopped(world.request('wanted'))).toEqual([]);
    world.nowMs += 1000;
    expect(stopped(world.finish('cheap'))).toEqual(['cheap']);
    expect(world.status('wanted')).toBe('loading');
  });

  it('takes the dear one when the cheap one goes on for half of the bound', () => {
    const world = dearAndCheap();
    world.request('wanted');
    expect(stopped(world.later(4999))).toEqual([]);
    expect(world.scheduler.nextDeadlineMs()).toBe(world.nowMs + 1);
    expect(stopped(world.later(1))).toEqual(['dear']);
  });
});

describe('turns', () => {
  it('a model that was just loaded first serves all who waited for it', () => {
    const world = new World({ a: 600, b: 600 });
    world.request('a');
    for (let more = 0; more < 4; more++) world.request('a');
    world.nowMs += 1000;
    world.request('b');
    expect(granted(world.load('a'))).toEqual(['a', 'a']);
    world.later(60_000);
    expect(granted(world.finish('a'))).toEqual(['a']);
    expect(granted(world.finish('a'))).toEqual(['a']);
    expect(granted(world.finish('a'))).toEqual(['a']);
    // Who came while b was due waits for b.
    expect(granted(world.request('a'))).toEqual([]);
    world.finish('a');
    expect(stopped(world.finish('a'))).toEqual(['a']);
    expect(granted(world.load('b'))).toEqual(['b']);
  });

  it('a turn that cost a load is worth its while: 12 loads long, at most 45 s', () => {
    const quick = new World({ a: 100, b: 850 });
    quick.request('a');
    quick.load('a');
    quick.request('b');
    quick.later(11_999);
    expect(quick.status('a')).toBe('ready');
    quick.later(1);
    expect(quick.status('a')).toBe('draining');

    const slow = new World({ a: 600, b: 850 });
    slow.request('a');
    slow.load('a');
    slow.request('b');
    slow.later(44_999);
    expect(slow.status('a')).toBe('ready');
    expect(slow.scheduler.nextDeadlineMs()).toBe(slow.nowMs + 1);
    slow.later(1);
    expect(slow.status('a')).toBe('draining');
  });

  it('lets others use what is free and what the turn does not need', () => {
    const world = new World({ busy: 600, large: 800, small: 100, greedy: 300 });
    world.use('busy');
    world.request('busy');
    world.request('large');
    world.later(60_000);
    expect(world.status('busy')).toBe('draining');
    world.request('small');
    world.request('greedy');
    expect([world.status('small'), world.status('greedy')]).toEqual(['loading', 'unloaded']);
  });

  it('pushes nobody out for others while a turn is being prepared, for at most 45 s', () => {
    const world = new World({ busy: 600, idle: 200, large: 700, small: 200 });
    for (const id of ['idle', 'busy']) world.use(id);
    world.request('busy');
    world.request('large');
    world.later(60_000);
    expect([world.status('busy'), world.status('idle')]).toEqual(['draining', 'ready']);
    world.request('small');
    expect(stopped(world.later(44_999))).toEqual([]);
    expect(stopped(world.later(1))).toEqual(['idle']);
  });

  it('only the first whose turn is due makes busy models go', () => {
    const world = new World({ a: 450, b: 450, c: 450, d: 450 });
    for (const id of ['a', 'b']) {
      world.request(id);
      world.load(id);
    }
    world.request('c');
    world.later(1);
    world.request('d');
    world.later(60_000);
    expect(['a', 'b'].map((id) => world.status(id)).toSorted()).toEqual(['draining', 'ready']);
  });

  it('is not waited for beside pinned models that leave none: that is said at once, with the numbers', () => {
    const world = new World({ 'pinned-a': 500, large: 600 });
    world.request('pinned-a');
    world.load('pinned-a');
    const effects = world.request('large');
    const rejected = effects.find((effect) => effect.type === 'reject');
    expect(rejected).toMatchObject({ error: { code: 'model_too_large' } });
    expect(rejected?.type === 'reject' && rejected.error.message).toMatch(
      /beside what is pinned \(pinned-a \(5\d\d MiB\)\)/,
    );
  });

  it('is not held by one that pinned models leave no room for', () => {
    const world = new World({ 'pinned-a': 500, large: 600, small: 100 });
    world.request('pinned-a');
    world.load('pinned-a');
    world.request('large');
    world.later(60_000);
    world.request('small');
    expect(world.status('small')).toBe('loading');
  });

  it('goes on with the most requests for the bytes when nobody is due', () => {
    const world = new World({ busy: 850, one: 400, many: 450 }, { maxLoadedModels: 1 });
    world.request('busy');
    world.load('busy');
    world.request('one');
    world.request('many');
    world.request('many');
    world.finish('busy');
    expect([world.status('one'), world.status('many')]).toEqual(['unloaded', 'loading']);
  });
});
