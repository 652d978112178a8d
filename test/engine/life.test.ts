import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { spawnByFork } from '../../src/main/engine/spawn-fork.ts';
import {
  answerOf,
  ask,
  DEMO_MODEL,
  ENGINE_CHILD,
  endEngine,
  isAlive,
  NEVER,
  requestFor,
  startEngine,
  startModel,
  type TestEngine,
  untilGone,
} from './harness.ts';

/** Longer than a busy machine keeps a healthy child from speaking, which it does each second. */
const SHORT_SILENCE_MS = 4000;

let running: TestEngine | undefined;
afterEach(async () => {
  await endEngine(running);
  running = undefined;
});

async function started(engine: Promise<TestEngine>): Promise<TestEngine> {
  running = await engine;
  return running;
}

/** A generation that has said something and goes on for long. */
async function midStream({ engine }: TestEngine) {
  const parts = engine.generate(requestFor('Tell me a story', { temperature: 2, maxTokens: null }), NEVER);
  expect((await parts.next()).value).toMatchObject({ type: 'text-delta' });
  return parts;
}

describe('an engine that dies', () => {
  test('in mid-stream ends the answer with an error, and says how it died', async () => {
    const it = await started(startModel());
    const parts = await midStream(it);
    process.kill(it.pid, 'SIGKILL');
    const { error } = await answerOf(parts);
    expect(error).toMatchObject({ code: 'engine_failed', retryAfterMs: 1000 });
    expect(error?.message).toContain('SIGKILL');
    expect(await it.exited).toEqual({
      asked: false,
      reason: 'its process was ended by SIGKILL',
      killed: true,
    });
    expect((await ask(it.engine, 'Hi')).error?.code).toBe('engine_failed');
  });

  test('because it was asked to gives no reason', async () => {
    const it = await started(startModel());
    it.engine.kill();
    expect(await it.exited).toEqual({ asked: true });
    await untilGone(it.pid);
  });

  test('for want of its program says so', async () => {
    const child = spawnByFork('no-such-file.js', () => {})();
    const { promise, resolve: exit } = Promise.withResolvers<unknown>();
    child.onExit(exit);
    expect(await promise).toEqual({ code: 1, signal: null });
  });
});

test('an engine that hangs in mid-stream is ended by the watchdog', async () => {
  const it = await started(startModel({}, { silenceLimitMs: SHORT_SILENCE_MS }));
  const parts = await midStream(it);
  process.kill(it.pid, 'SIGSTOP');
  const { error } = await answerOf(parts);
  expect(error?.code).toBe('engine_failed');
  expect(error?.message).toContain('it was silent for 4 s while it had work');
  expect(await it.exited).toMatchObject({ asked: false });
  await untilGone(it.pid);
});

describe('when its parent is gone', () => {
  test.each(['starting', 'idle', 'generating'])('an engine ends itself: %s', async (state) => {
    const script = resolve(import.meta.dirname, 'lonely-parent.ts');
    const parent = spawn(process.execPath, [script, ENGINE_CHILD, DEMO_MODEL, state], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => void parent.kill('SIGKILL'));
    const [line] = await once(parent.stdout.setEncoding('utf8'), 'data');
    const pid = Number.parseInt(line, 10);
    onTestFinished(() => {
      if (isAlive(pid)) process.kill(pid, 'SIGKILL');
    });
    expect(isAlive(pid)).toBe(true);
    parent.kill('SIGKILL');
    await untilGone(pid);
  });
});

// Only Linux shows the environment of a process.
test.skipIf(process.platform !== 'linux')('an engine sees no keys of its parent', async () => {
  vi.stubEnv('OPENAI_API_KEY', 'canary-1');
  vi.stubEnv('ROUNDHOUSE_SERVER_API_KEYS', 'canary-2');
  vi.stubEnv('NODE_OPTIONS', '--title=canary-3');
  onTestFinished(() => void vi.unstubAllEnvs());
  const it = await started(startEngine());
  const environment = readFileSync(`/proc/${it.pid}/environ`, 'utf8');
  expect(environment).toContain('PATH=');
  expect(environment).not.toContain('canary');
  expect(environment).not.toMatch(/key|token|secret/i);
});
