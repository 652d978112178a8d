import type { Effect, SchedulerEvent } from '../../src/main/scheduler/ports.ts';
import type { SimulatedScheduler } from './simulation.ts';

/*
 * What other servers do, to be compared with: requests are served in the order in which they came, and what has to go
 * for a load goes in one fixed order.
 */

export interface FirstComeOptions {
  readonly budgetBytes: number;
  readonly maxModels: number;
  readonly slots: number;
  readonly bytesOf: ReadonlyMap<string, number>;
  /** Of the idle models, those with the lowest rank go first. */
  readonly rank: (model: FirstComeModel, nowMs: number) => number;
  /** Whether a request for a model that is there waits behind one for a model that is not. */
  readonly strict: boolean;
}

export interface FirstComeModel {
  readonly id: string;
  readonly bytes: number;
  status: 'gone' | 'loading' | 'ready' | 'stopping';
  active: number;
  lastUsedMs: number;
}

export class FirstComeScheduler implements SimulatedScheduler {
  readonly #options: FirstComeOptions;
  readonly #models: Map<string, FirstComeModel>;
  readonly #grantedAt = new Map<number, FirstComeModel>();
  #line: { readonly requestId: number; readonly model: FirstComeModel }[] = [];

  constructor(options: FirstComeOptions) {
    this.#options = options;
    this.#models = new Map(
      [...options.bytesOf].map(([id, bytes]) => [
        id,
        { id, bytes, status: 'gone', active: 0, lastUsedMs: 0 },
      ]),
    );
  }

  nextDeadlineMs(): number | null {
    return null;
  }

  handle(event: SchedulerEvent, nowMs: number): Effect[] {
    switch (event.type) {
      case 'requested':
        this.#line.push({ requestId: event.requestId, model: this.#model(event.modelId) });
        break;
      case 'released': {
        const model = this.#grantedAt.get(event.requestId);
        this.#grantedAt.delete(event.requestId);
        if (!model) throw new Error(`${event.requestId} was never granted`);
        model.active--;
        model.lastUsedMs = nowMs;
        break;
      }
      case 'loaded':
        Object.assign(this.#model(event.modelId), { status: 'ready', lastUsedMs: nowMs });
        break;
      case 'exited':
        this.#model(event.modelId).status = 'gone';
        break;
      default:
        return [];
    }
    return this.#serve(nowMs);
  }

  #serve(nowMs: number): Effect[] {
    const effects: Effect[] = [];
    let held = false;
    this.#line = this.#line.filter(({ model, requestId }) => {
      if (held || model.status !== 'ready' || model.active >= this.#options.slots) {
        held ||= this.#options.strict;
        return true;
      }
      model.active++;
      model.lastUsedMs = nowMs;
      this.#grantedAt.set(requestId, model);
      effects.push({ type: 'grant', requestId, modelId: model.id });
      return false;
    });
    for (const { model } of this.#line) {
      if (model.status === 'ready' || model.status === 'loading') {
        if (this.#options.strict) break;
        continue;
      }
      if (model.status === 'stopping') break;
      const steps = this.#load(model, nowMs);
      effects.push(...steps);
      // The next load has to wait until the first in the line has its own.
      if (steps[0]?.type !== 'load') break;
    }
    return effects;
  }

  /** Loads it, or makes room for it as far as idle models can. */
  #load(model: FirstComeModel, nowMs: number): Effect[] {
    const { budgetBytes, maxModels, rank } = this.#options;
    const there = [...this.#models.values()].filter(({ status }) => status !== 'gone');
    const staying = there.filter(({ status }) => status !== 'stopping');
    const held = there.reduce((sum, { bytes }) => sum + bytes, 0);
    if (held + model.bytes <= budgetBytes && there.length < maxModels) {
      model.status = 'loading';
      return [{ type: 'load', modelId: model.id, useStandby: false }];
    }
    const idle = staying
      .filter((other) => other.status === 'ready' && other.active === 0)
      .toSorted((a, b) => rank(a, nowMs) - rank(b, nowMs));
    let lackingBytes = staying.reduce((sum, { bytes }) => sum + bytes, 0) + model.bytes - budgetBytes;
    let lackingPlaces = staying.length + 1 - maxModels;
    const victims: FirstComeModel[] = [];
    for (const victim of idle) {
      if (lackingBytes <= 0 && lackingPlaces <= 0) break;
      victims.push(victim);
      lackingBytes -= victim.bytes;
      lackingPlaces--;
    }
    if (lackingBytes > 0 || lackingPlaces > 0) return [];
    for (const victim of victims) victim.status = 'stopping';
    return victims.map(({ id }) => ({ type: 'stop', modelId: id, keep: false }));
  }

  #model(id: string): FirstComeModel {
    const model = this.#models.get(id);
    if (!model) throw new Error(`no model ${id}`);
    return model;
  }
}
