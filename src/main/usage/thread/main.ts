import { parentPort, workerData } from 'node:worker_threads';
import type Database from 'better-sqlite3';
import { RoundhouseError } from '../../../shared/errors.ts';
import type { AlertRow } from '../budgets.ts';
import { openDatabase } from '../open-database.ts';
import { createCalls } from './calls.ts';
import { readCorrections } from './corrections.ts';
import type { Answer, Opening, Question, ThreadOrder } from './protocol.ts';

/*
 * The thread that has the data folder's database. A commit and a question over many rows each take milliseconds, and the
 * app's own thread has streams to serve.
 */

if (!parentPort) throw new Error('this is started as a thread of the app');
const port = parentPort;
// What `DataStore.open` hands over.
const { file } = workerData as ThreadOrder;

try {
  let movedAsideTo: string | null = null;
  const database = openDatabase(file, (path) => {
    movedAsideTo = path;
  });
  serve(database);
  post({
    type: 'opened',
    movedAsideTo,
    corrections: readCorrections(database),
    alerts: database
      .prepare<[], AlertRow>(
        'SELECT budget, period_start_ms AS periodStartMs, share, at_ms AS atMs FROM budget_alerts',
      )
      .all(),
    lastRequestId:
      database.prepare<[], number>('SELECT ifnull(max(id), 0) FROM usage_requests').pluck().get() ?? 0,
  });
} catch (error) {
  post({ type: 'failed', error: RoundhouseError.from(error).toJSON() });
  port.close();
}

function serve(database: Database.Database): void {
  const calls = createCalls(database);
  const answerTo = async ({ id, name, input }: Question): Promise<Answer> => {
    try {
      if (name === 'close') return { id, ok: true, output: void database.close() };
      // The name and its input come from one typed call; the table does not tie the two together for a name that varies.
      const call = calls[name] as (input: unknown) => unknown;
      return { id, ok: true, output: await call(input) };
    } catch (error) {
      return { id, ok: false, error: RoundhouseError.from(error).toJSON() };
    }
  };
  port.on('message', async (question: Question) => {
    post(await answerTo(question));
    if (question.name === 'close') port.close();
  });
}

function post(message: Opening | Answer): void {
  port.postMessage(message);
}
