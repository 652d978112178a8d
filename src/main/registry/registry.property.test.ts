import fc from 'fast-check';
import { expect, test } from 'vitest';
import { settingsOf } from '../../../test/fakes/configs.ts';
import { RoundhouseError } from '../../shared/errors.ts';
import type { ProviderSettings } from '../config/settings.ts';
import { ProviderRegistry } from './provider-registry.ts';
import { Registry } from './registry.ts';
import type { Hold } from './shared-instance.ts';

/*
 * A thousand operations in random order, of those who register, replace and take out providers and of those who use
 * them, with providers that take a while to be made or cannot be. A list that is searched from end to end says what the
 * registry must.
 */

const KEYS = ['a', 'b', 'c', 'd'] as const;
const ALIASES = ['x', 'y', 'z', 'a'] as const;
const [TEMPLATE] = settingsOf('providers: { a: { type: mock } }').providers;

type Entry = readonly [key: string, aliases: readonly string[]];
type Action =
  | { readonly do: 'register' | 'replace'; readonly entry: Entry }
  | { readonly do: 'unregister' | 'use' | 'renew'; readonly name: string }
  | { readonly do: 'made'; readonly pick: number; readonly well: boolean }
  | { readonly do: 'leave'; readonly pick: number }
  | { readonly do: 'configure'; readonly keys: readonly string[]; readonly alias: string | null }
  | { readonly do: 'tick' };

const name = fc.constantFrom(...KEYS, 'x', 'y', 'z');
const entry: fc.Arbitrary<Entry> = fc.tuple(
  fc.constantFrom(...KEYS),
  fc.subarray([...ALIASES], { maxLength: 2 }),
);
const pick = fc.nat(1000);
const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constantFrom('register' as const, 'replace' as const), entry }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('unregister' as const), name }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('renew' as const), name }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('use' as const), name }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('made' as const),
      pick,
      well: fc.constantFrom(true, true, true, false),
    }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('leave' as const), pick }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('configure' as const),
      keys: fc.subarray([...KEYS]),
      alias: fc.option(fc.constantFrom('x', 'y')),
    }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('tick' as const) }) },
);

/** What a provider would be: knows for whom it was made, and whether it is still there. */
interface Made extends Disposable {
  readonly settings: ProviderSettings;
  readonly generation: number;
  disposals: number;
}

interface Known {
  readonly settings: ProviderSettings;
  readonly registered: boolean;
  /** Counts how often it had to be made anew. */
  readonly generation: number;
}

class World {
  readonly #making: { settle: (well: boolean) => void }[] = [];
  readonly #made: Made[] = [];
  readonly #holds: Hold<Made>[] = [];
  readonly #registry: ProviderRegistry<Made>;
  readonly #models: Registry;
  #known: Known[] = [];
  /** What came of asking for a provider, to be held against what was known when it was asked for. */
  readonly #answers: { known: Known | undefined; generation?: number; error?: unknown }[] = [];
  #lastGeneration = 0;
  #waiting = 0;

  constructor() {
    this.#registry = new ProviderRegistry((settings) => this.#make(settings));
    this.#models = new Registry(this.#registry);
  }

  async step(action: Action): Promise<void> {
    await this.#act(action);
    this.#check();
  }

  /** Lets everything end that has begun, and looks whether anything is left over. */
  async end(): Promise<void> {
    while (this.#making.length > 0 || this.#waiting > 0) {
      this.#making.shift()?.settle(true);
      await ticks();
    }
    for (const hold of this.#holds.splice(0)) hold[Symbol.dispose]();
    this.#check();
    for (const made of this.#made.filter((made) => made.disposals === 0)) {
      expect(this.#known.map(({ generation }) => generation)).toContain(made.generation);
    }
    this.#registry[Symbol.dispose]();
    expect(this.#made.filter(({ disposals }) => disposals !== 1)).toEqual([]);
  }

  async #act(action: Action): Promise<void> {
    switch (action.do) {
      case 'register':
      case 'replace': {
        const settings = settingsFor(action.entry);
        const same = this.#known.find((known) => known.settings.name === settings.name);
        const replaces = action.do === 'replace' && same?.registered === true;
        const others = replaces ? this.#known.filter((known) => known !== same) : this.#known;
        const refused = namesOf(settings).some((any) =>
          others.some((known) => namesOf(known.settings).includes(any)),
        );
        expect(outcomeOf(() => this.#registry[action.do](settings))).toBe(refused ? 'conflict' : 'done');
        if (refused) return;
        const next = { settings, registered: true, generation: ++this.#lastGeneration };
        this.#known = replaces
          ? this.#known.map((known) => (known === same ? next : known))
          : [...this.#known, next];
        return;
      }
      case 'unregister': {
        const known = this.#find(action.name);
        const expected = !known ? 'not_found' : known.registered ? 'done' : 'conflict';
        expect(outcomeOf(() => this.#registry.unregister(action.name))).toBe(expected);
        if (expected === 'done') this.#known = this.#known.filter((other) => other !== known);
        return;
      }
      case 'renew': {
        const known = this.#find(action.name);
        if (!known) return;
        this.#registry.renew(known.settings.name);
        const next = { ...known, generation: ++this.#lastGeneration };
        this.#known = this.#known.map((other) => (other === known ? next : other));
        return;
      }
      case 'use':
        return this.#use(action.name);
      case 'made':
        this.#making.splice(action.pick % Math.max(1, this.#making.length), 1)[0]?.settle(action.well);
        return;
      case 'leave': {
        const [hold] = this.#holds.splice(action.pick % Math.max(1, this.#holds.length), 1);
        hold?.[Symbol.dispose]();
        // Who leaves twice has left once.
        hold?.[Symbol.dispose]();
        return;
      }
      case 'configure': {
        const settings = action.keys.map((key, index) =>
          settingsFor([key, index === 0 && action.alias !== null ? [action.alias] : []]),
        );
        const taken = new Set(settings.flatMap(namesOf));
        this.#registry.configure(settings);
        const stay = this.#known.filter(
          (known) => known.registered && !namesOf(known.settings).some((any) => taken.has(any)),
        );
        const configured = settings.map((entry): Known => {
          const before = this.#known.find((known) => known.settings.name === entry.name);
          const unchanged = before && JSON.stringify(before.settings) === JSON.stringify(entry);
          const generation = unchanged ? before.generation : ++this.#lastGeneration;
          return { settings: entry, registered: false, generation };
        });
        this.#known = [...configured, ...stay];
        return;
      }
      case 'tick':
        return ticks();
    }
  }

  #use(name: string): void {
    const known = this.#find(name);
    this.#waiting++;
    const left = () => this.#waiting--;
    this.#registry.use(name).then(
      (hold) => {
        left();
        this.#holds.push(hold);
        this.#answers.push({ known, generation: hold.instance.generation });
      },
      (error: unknown) => {
        left();
        this.#answers.push({ known, error });
      },
    );
  }

  #make(settings: ProviderSettings): Promise<Made> {
    const generation = this.#find(settings.name)?.generation ?? -1;
    const { promise, resolve, reject } = Promise.withResolvers<Made>();
    const made: Made = {
      settings,
      generation,
      disposals: 0,
      [Symbol.dispose]() {
        this.disposals++;
      },
    };
    this.#making.push({
      settle: (well) => {
        if (!well) return reject(NOT_MADE);
        this.#made.push(made);
        resolve(made);
      },
    });
    return promise;
  }

  #find(name: string): Known | undefined {
    return this.#known.find(({ settings }) => namesOf(settings).includes(name));
  }

  #check(): void {
    expect(this.#registry.all).toEqual(this.#known.map(({ settings }) => settings));
    for (const any of [...KEYS, ...ALIASES]) {
      const settings = this.#find(any)?.settings ?? null;
      expect(this.#registry.find(any)).toEqual(settings);
      expect(this.#models.find(`${any}/m`)?.id ?? null).toBe(settings && `${settings.name}/m`);
    }
    for (const { known, generation, error } of this.#answers.splice(0)) {
      if (generation !== undefined) expect(generation).toBe(known?.generation);
      else if (known) expect(error).toBe(NOT_MADE);
      else expect(error).toMatchObject({ code: 'not_found' });
    }
    const held = new Set(this.#holds.map(({ instance }) => instance));
    const current = new Set(this.#known.map(({ generation }) => generation));
    for (const made of this.#made) {
      expect(made.disposals).toBeLessThanOrEqual(1);
      // In use, or what the next user would get: then it has to be there.
      if (held.has(made) || current.has(made.generation)) expect(made.disposals).toBe(0);
    }
    const live = this.#made.filter(({ disposals }) => disposals === 0).map(({ generation }) => generation);
    expect(new Set(live).size).toBe(live.length);
  }
}

const NOT_MADE = new Error('cannot be made');

function settingsFor([key, aliases]: Entry): ProviderSettings {
  if (!TEMPLATE) throw new Error('no template');
  return { ...TEMPLATE, name: key, aliases: aliases.filter((alias) => alias !== key) };
}

function namesOf({ name: key, aliases }: ProviderSettings): readonly string[] {
  return [key, ...aliases];
}

function outcomeOf(work: () => void): string {
  try {
    work();
    return 'done';
  } catch (error) {
    return RoundhouseError.from(error).code;
  }
}

async function ticks(): Promise<void> {
  for (let count = 0; count < 5; count++) await Promise.resolve();
}

test('a thousand operations at a time leave the registry in step with a plain list, and nobody without what they use', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(action, { minLength: 1, maxLength: 1000, size: 'max' }), async (actions) => {
      const world = new World();
      for (const step of actions) await world.step(step);
      await world.end();
    }),
    { numRuns: 40 },
  );
});
