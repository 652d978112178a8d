import { expect, test } from 'vitest';
import { fakeModel } from '../../../test/fakes/fake-models.ts';
import { listTable, residentTable } from './tables.ts';

const MIB = 1024 ** 2;

const MODELS = [
  fakeModel('demo', {
    tiers: ['low', 'default'],
    source: { kind: 'builtin', path: '/app/demo.gguf' },
    contextSize: 2048,
    state: { status: 'ready', sinceMs: 0 },
    memory: { predictedBytes: 40 * MIB, measuredBytes: 43 * MIB, predicted: null, measured: null },
    activeRequests: 1,
    queuedRequests: 2,
  }),
  fakeModel('Größe 7B', {
    source: { kind: 'file', path: '/home/ada/Models/x\u001b[31m.gguf' },
    state: { status: 'loading', sinceMs: 0, progress: 0.62 },
  }),
  fakeModel('idle', {
    state: { status: 'ready', sinceMs: 0 },
    idleUnloadAtMs: 372_000,
    memory: { predictedBytes: null, measuredBytes: null, predicted: null, measured: null },
  }),
  fakeModel('kept', { state: { status: 'ready', sinceMs: 0 }, pinned: true }),
  fakeModel('broken', { state: { status: 'failed', sinceMs: 0, reason: 'the engine ended (SIGKILL)' } }),
  fakeModel('gone', { problem: '/models/gone.gguf is not there; check the path' }),
];

test('all models, aligned, with what is wrong below', () => {
  expect(listTable(MODELS, '/home/ada')).toMatchInlineSnapshot(`
    "ID        STATE         MEMORY         CONTEXT  TIERS         FILE
    demo      ready         43 MiB         2048     low, default  built in
    Größe 7B  loading 62 %  about 4.4 GiB  8192     -             ~/Models/x?[31m.gguf
    idle      ready         -              8192     -             /models/idle.gguf
    kept      ready         about 4.4 GiB  8192     -             /models/kept.gguf
    broken    failed        about 4.4 GiB  8192     -             /models/broken.gguf
    gone      unloaded      about 4.4 GiB  8192     -             /models/gone.gguf

    broken: the engine ended (SIGKILL)
    gone: /models/gone.gguf is not there; check the path"
  `);
});

test('what is loaded, and when it goes', () => {
  expect(residentTable(MODELS, 0)).toMatchInlineSnapshot(`
    "ID        STATE         MEMORY         ACTIVE  QUEUED  UNLOADS IN
    demo      ready         43 MiB         1 of 4  2       -
    Größe 7B  loading 62 %  about 4.4 GiB  0 of 4  0       -
    idle      ready         -              0 of 4  0       6 m 12 s
    kept      ready         about 4.4 GiB  0 of 4  0       never (pinned)"
  `);
});

test('with nothing to show, what to do next', () => {
  expect(listTable([], '/home/ada')).toBe('There are no models yet. Add one: roundhouse add FILE');
  expect(residentTable(MODELS.slice(4), 0)).toContain('No model is loaded.');
});
