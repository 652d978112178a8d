import { describe, expect, it } from 'vitest';
import { fakeModel } from '../../../test/fakes/fake-models.ts';
import type { ModelView } from '../../shared/contract.ts';
import type { ErrorJson } from '../../shared/errors.ts';
import { describeAction, describeState, describeTrouble } from './describe-model.ts';

const READY = { status: 'ready', sinceMs: 0 } as const;

describe('the state in words', () => {
  it.each<[string, Partial<ModelView>]>([
    ['on disk', {}],
    ['waiting to load', { queuedRequests: 2 }],
    ['cannot load', { problem: 'the file is gone' }],
    ['loading 62 %', { state: { status: 'loading', sinceMs: 0, progress: 0.62 } }],
    ['idle', { state: READY }],
    ['2 active', { state: READY, activeRequests: 2 }],
    [
      'finishing 1 request',
      { state: { status: 'draining', sinceMs: 0, readySinceMs: 0 }, activeRequests: 1 },
    ],
    ['unloading', { state: { status: 'stopping', sinceMs: 0 } }],
    ['failed', { state: { status: 'failed', sinceMs: 0, reason: 'signal 9' } }],
  ])('%s', (text, changes) => {
    expect(describeState(fakeModel('m', changes)).text).toBe(text);
  });
});

describe('the button', () => {
  it.each<[string, ModelView['state'], 'load' | 'unload' | undefined, boolean]>([
    ['Load m', { status: 'unloaded' }, undefined, false],
    ['Loading m', { status: 'unloaded' }, 'load', true],
    ['Load m', { status: 'failed', sinceMs: 0, reason: '' }, undefined, false],
    ['Cancel loading m', { status: 'loading', sinceMs: 0, progress: 0 }, 'load', false],
    ['Cancelling m', { status: 'loading', sinceMs: 0, progress: 0 }, 'unload', true],
    ['Unload m', READY, undefined, false],
    ['Unloading m', READY, 'unload', true],
    ['Unloading m', { status: 'stopping', sinceMs: 0 }, undefined, true],
  ])('%s while %o', (name, state, pending, busy) => {
    const action = describeAction(fakeModel('m', { state }), pending);
    expect(action).toMatchObject({ name, busy });
    // The name that is read out must hold the words that are seen.
    expect(name).toContain(action.label);
  });
});

describe('what is wrong', () => {
  const failure: ErrorJson = { code: 'conflict', message: 'is stopping', param: null, retryAfterMs: null };

  it('is nothing for a healthy model', () => {
    expect(describeTrouble(fakeModel('m'), undefined)).toBeNull();
  });

  it('is said once: the reason of a failed load, else the refusal, else what is known', () => {
    const problem = 'the file is gone';
    const failed = fakeModel('m', { problem, state: { status: 'failed', sinceMs: 0, reason: 'signal 9' } });
    expect(describeTrouble(failed, failure)).toEqual({ kind: 'failed', text: 'signal 9' });
    expect(describeTrouble(fakeModel('m', { problem }), failure)).toEqual({
      kind: 'refused',
      text: 'is stopping',
    });
    expect(describeTrouble(fakeModel('m', { problem }), undefined)).toEqual({
      kind: 'problem',
      text: problem,
    });
  });
});
