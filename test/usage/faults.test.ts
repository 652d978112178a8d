import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, test } from 'vitest';

const KILLS = 30;

let dir: string;
let file: string;
let child: ChildProcess | null;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'roundhouse-faults-'));
  file = join(dir, 'roundhouse.db');
  child = null;
});
afterEach(() => {
  child?.kill('SIGKILL');
  rmSync(dir, { recursive: true });
});

interface Recorder {
  readonly pid: number;
  /** What it says, a line at a time, until it has ended. */
  readonly lines: AsyncIterator<string>;
  kill(): void;
  finish(): void;
}

function record(): Recorder {
  const recorder = spawn(process.execPath, [join(import.meta.dirname, 'recorder.ts'), file], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child = recorder;
  return {
    pid: recorder.pid ?? 0,
    lines: createInterface({ input: recorder.stdout })[Symbol.asyncIterator](),
    kill: () => void recorder.kill('SIGKILL'),
    finish: () => recorder.stdin.end(),
  };
}

async function nextLine({ lines }: Recorder): Promise<string> {
  const { value, done } = await lines.next();
  if (done) throw new Error('the recorder has ended');
  return value;
}

async function until(recorder: Recorder, pattern: RegExp): Promise<RegExpExecArray> {
  for (;;) {
    const match = pattern.exec(await nextLine(recorder));
    if (match) return match;
  }
}

/** Every request is whole. @returns how many there are, and the last one's id */
function check(): { readonly rows: number; readonly lastId: number } {
  const database = new Database(file);
  try {
    expect(database.pragma('integrity_check', { simple: true })).toBe('ok');
    expect(database.pragma('foreign_key_check')).toEqual([]);
    const count = (sql: string) => Number(database.prepare(sql).pluck().get());
    const rows = count('SELECT count(*) FROM usage_requests');
    expect(count('SELECT count(*) FROM usage_tries')).toBe(2 * rows);
    expect(count('SELECT count(*) FROM usage_texts')).toBe(rows);
    expect(count('SELECT count(*) FROM usage_requests WHERE cost_nano_dollars <> id')).toBe(0);
    return { rows, lastId: count('SELECT ifnull(max(id), 0) FROM usage_requests') };
  } finally {
    database.close();
  }
}

test(`killed ${KILLS} times while it writes: what was acknowledged is there, and the database is whole`, async () => {
  let rowsBefore = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    const recorder = record();
    // At the start, in the first commits, and later, when the log of writes is taken over into the database.
    const linesToGo = kill === 0 ? 0 : 1 + ((kill * 37) % 60);
    let acknowledged = rowsBefore;
    for (let line = 0; line < linesToGo; line++) {
      const written = /^written (\d+)$/.exec(await nextLine(recorder));
      if (written) acknowledged = Number(written[1]);
    }
    recorder.kill();
    for (let last = await recorder.lines.next(); !last.done; last = await recorder.lines.next()) {
      const written = /^written (\d+)$/.exec(last.value);
      if (written) acknowledged = Number(written[1]);
    }
    if (kill === 0) continue;
    const { rows, lastId } = check();
    expect(rows).toBeGreaterThanOrEqual(acknowledged);
    // Ids go on where the last process stopped: none is missing in between.
    expect(lastId).toBe(rows);
    rowsBefore = rows;
  }
  expect(rowsBefore).toBeGreaterThan(1000);
}, 180_000);

// It needs prlimit, which is Linux's: a limit to the size of files that can be set, and lifted, in a running process.
test.skipIf(process.platform !== 'linux')(
  'on a full disk answers go on, it is said once, and what was kept is written when there is room',
  async () => {
    const recorder = record();
    await until(recorder, /^written /);
    const limit = (bytes: string) =>
      execFileSync('prlimit', ['--pid', String(recorder.pid), `--fsize=${bytes}:`]);
    limit('8192');
    const [said] = await until(recorder, /^said Usage cannot be written.*$/);
    expect(said).toMatch(/\(disk I\/O error|database or disk is full\); answers go on/);
    // It has been tried again since, and nothing more was said.
    const [, fromMs] = await until(recorder, /^recorded \d+ (\d+)$/);
    for (let line = ''; !(Number(line.split(' ')[2]) > Number(fromMs) + 6000); ) {
      line = await nextLine(recorder);
      expect(line).toMatch(/^recorded /);
    }
    limit('unlimited');
    const [again] = await until(recorder, /^said .*$/);
    const [, lostMeanwhile] = /written again; (?:nothing|that of (\d+) requests) was lost/.exec(again) ?? [];
    const [, recorded] = await until(recorder, /^recorded (\d+)/);
    await until(recorder, /^written /);
    recorder.finish();
    const [, lost] = await until(recorder, /^lost (\d+)$/);
    expect(again).toMatch(/^said Usage is written again; /);
    expect(Number(lost)).toBe(Number(lostMeanwhile ?? 0));
    const { rows, lastId } = check();
    expect(lastId).toBe(rows + Number(lost));
    expect(rows).toBeGreaterThanOrEqual(Number(recorded) - Number(lost));
  },
);
