import { describe, expect, it } from 'vitest';
import { fakeModel, fakeSnapshot } from '../../../test/fakes/fake-models.ts';
import type { AppEvent, DecisionView, ModelView } from '../../shared/contract.ts';
import { RoundhouseError } from '../../shared/errors.ts';
import type { Connection, Transport } from '../transport/transport.ts';
import { createAppStore, followApp } from './store.ts';

/** A store over an app whose answers and events the test gives. */
function setUp() {
  const answers: PromiseWithResolvers<ModelView>[] = [];
  const calls: string[] = [];
  let tell: (event: AppEvent) => void = () => undefined;
  let connect: (connection: Connection) => void = () => undefined;
  const transport: Transport = {
    // Only models.load and models.unload are called here; both answer with a model.
    call: (async (name: string, input: { id: string }) => {
      calls.push(`${name} ${input.id}`);
      const answer = Promise.withResolvers<ModelView>();
      answers.push(answer);
      return answer.promise;
    }) as Transport['call'],
    stream: async function* () {},
    locate: () => Promise.reject(new Error('not called here')),
    subscribe(onEvent, onConnection = () => undefined) {
      tell = onEvent;
      connect = onConnection;
      return { [Symbol.dispose]: () => undefined };
    },
  };
  const store = createAppStore(transport);
  const frames: (() => void)[] = [];
  followApp(store, transport, (task) => frames.push(task));
  const draw = () => {
    for (const task of frames.splice(0)) task();
  };
  return {
    store,
    calls,
    answers,
    /** An event, and the frame after it. */
    tell: (event: AppEvent) => {
      tell(event);
      draw();
    },
    /** An event within a frame. */
    send: (event: AppEvent) => tell(event),
    draw,
    connect: (connection: Connection) => connect(connection),
    model: (id: string) => store.getState().snapshot?.models.find((model) => model.id === id),
  };
}

const decision = (id: number): DecisionView => ({ id, atMs: id, modelId: null, text: `decision ${id}` });
const READY = { status: 'ready', sinceMs: 0 } as const;

describe('the picture of the app', () => {
  it('starts with a snapshot and follows the events', () => {
    const { store, tell, model } = setUp();
    const snapshot = fakeSnapshot([fakeModel('a'), fakeModel('b')]);
    tell({ type: 'snapshot', snapshot });
    tell({ type: 'model', model: fakeModel('b', { state: READY }) });
    tell({ type: 'model', model: fakeModel('new') });
    tell({ type: 'memory', memory: { ...snapshot.memory, reservedBytes: 7 } });
    tell({ type: 'decision', decision: decision(1) });

    const after = store.getState().snapshot;
    expect(after?.models.map((other) => other.id)).toEqual(['a', 'b', 'new']);
    expect(model('b')?.state.status).toBe('ready');
    expect(after?.memory.reservedBytes).toBe(7);
    expect(after?.decisions).toEqual([decision(1)]);
  });

  it('keeps models that did not change as they are, so that nothing is drawn twice', () => {
    const { tell, model } = setUp();
    tell({ type: 'snapshot', snapshot: fakeSnapshot([fakeModel('a'), fakeModel('b')]) });
    const before = model('a');
    tell({ type: 'model', model: fakeModel('b', { state: READY }) });
    expect(model('a')).toBe(before);
  });

  it('ignores changes before the first snapshot', () => {
    const { store, tell } = setUp();
    tell({ type: 'model', model: fakeModel('a') });
    expect(store.getState().snapshot).toBeNull();
  });

  it('draws what comes within a frame together', () => {
    const { store, tell, send, draw, model } = setUp();
    let drawn = 0;
    tell({ type: 'snapshot', snapshot: fakeSnapshot([fakeModel('a')]) });
    store.subscribe(() => {
      drawn += 1;
    });
    for (let active = 1; active <= 50; active += 1) {
      send({ type: 'model', model: fakeModel('a', { state: READY, activeRequests: active }) });
    }
    expect(drawn).toBe(0);
    draw();
    expect(drawn).toBe(1);
    expect(model('a')?.activeRequests).toBe(50);
    draw();
    expect(drawn).toBe(1);
  });

  it('begins again with the snapshot of a new connection', () => {
    const { store, tell } = setUp();
    tell({ type: 'snapshot', snapshot: fakeSnapshot([fakeModel('a'), fakeModel('gone')]) });
    tell({ type: 'snapshot', snapshot: fakeSnapshot([fakeModel('a')]) });
    expect(store.getState().snapshot?.models.map((model) => model.id)).toEqual(['a']);
  });

  it('keeps the last hundred decisions, each once', () => {
    const { store, tell } = setUp();
    tell({ type: 'snapshot', snapshot: fakeSnapshot([], { decisions: [decision(1)] }) });
    for (let id = 1; id <= 105; id += 1) tell({ type: 'decision', decision: decision(id) });
    const ids = store.getState().snapshot?.decisions.map((other) => other.id);
    expect(ids).toEqual(Array.from({ length: 100 }, (_, index) => index + 6));
  });

  it('knows how the connection is', () => {
    const { store, connect } = setUp();
    expect(store.getState().connection.status).toBe('connecting');
    connect({ status: 'reconnecting', reason: 'cut' });
    expect(store.getState().connection).toEqual({ status: 'reconnecting', reason: 'cut' });
  });
});

describe('loading and unloading', () => {
  it('is pending until the app answers, and asks once', async () => {
    const { store, calls, answers } = setUp();
    const loading = store.getState().load('a');
    void store.getState().load('a');
    expect(store.getState().pending).toEqual({ a: 'load' });
    answers[0]?.resolve(fakeModel('a', { state: READY }));
    await loading;
    expect(store.getState().pending).toEqual({});
    expect(calls).toEqual(['models.load a']);
  });

  it('race: an answer older than the events does not undo them', async () => {
    const { store, answers, tell, model } = setUp();
    tell({ type: 'snapshot', snapshot: fakeSnapshot([fakeModel('a')]) });
    const loading = store.getState().load('a');
    tell({ type: 'model', model: fakeModel('a', { state: READY, activeRequests: 2 }) });
    answers[0]?.resolve(fakeModel('a', { state: READY, activeRequests: 0 }));
    await loading;
    expect(model('a')?.activeRequests).toBe(2);
  });

  it('keeps why it was refused, until it is asked again', async () => {
    const { store, answers } = setUp();
    const loading = store.getState().load('a');
    answers[0]?.reject(new RoundhouseError('model_too_large', 'needs 20 GiB of 12 GiB'));
    await loading;
    expect(store.getState().failures.a?.message).toBe('needs 20 GiB of 12 GiB');
    void store.getState().load('a');
    expect(store.getState().failures).toEqual({});
  });

  it('forgets the refusal when the state changes or the reader dismisses it', async () => {
    const { store, answers, tell } = setUp();
    tell({ type: 'snapshot', snapshot: fakeSnapshot([fakeModel('a'), fakeModel('b')]) });
    for (const id of ['a', 'b']) {
      const loading = store.getState().load(id);
      answers.at(-1)?.reject(new RoundhouseError('conflict', id));
      await loading;
    }
    tell({ type: 'model', model: fakeModel('a', { state: READY }) });
    store.getState().dismissFailure('b');
    expect(store.getState().failures).toEqual({});
  });

  it('keeps a model loaded when asked, and says why it could not', async () => {
    const { store, calls, answers } = setUp();
    const pinning = store.getState().pin('a', true);
    answers[0]?.reject(new RoundhouseError('config_invalid', 'models.yaml is read-only'));
    await pinning;
    expect(calls).toEqual(['models.pin a']);
    expect(store.getState().failures.a?.message).toBe('models.yaml is read-only');
  });

  it('race: a load that was cancelled leaves the unload pending and says nothing', async () => {
    const { store, answers } = setUp();
    const loading = store.getState().load('a');
    const unloading = store.getState().unload('a');
    answers[0]?.reject(new RoundhouseError('cancelled', 'cancelled'));
    await loading;
    expect(store.getState().pending).toEqual({ a: 'unload' });
    expect(store.getState().failures).toEqual({});
    answers[1]?.resolve(fakeModel('a'));
    await unloading;
    expect(store.getState().pending).toEqual({});
  });
});
