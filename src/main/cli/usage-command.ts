import { createWriteStream } from 'node:fs';
import { resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { CostsView, UsageCallInput } from '../../shared/usage-contract.ts';
import { exportRequests, type ReadPage } from '../usage/export.ts';
import { CliExit, EXIT } from './exit.ts';
import type { Terminal } from './terminal.ts';
import type { UsageChoice } from './usage-options.ts';
import { usageCsv, usageTable } from './usage-text.ts';

/** What the command asks of the running app. */
export interface UsageClient {
  costs(input: UsageCallInput<'usage.costs'>): Promise<CostsView>;
  readonly requests: ReadPage;
}

/** @throws CliExit when a file cannot be written */
export async function runUsage(
  choice: UsageChoice & { readonly json: boolean },
  client: UsageClient,
  terminal: Pick<Terminal, 'write' | 'cwd' | 'nowMs'>,
): Promise<void> {
  const fromMs = terminal.nowMs() - choice.sinceMs;
  if (choice.csv !== null && choice.by === null) {
    return writeOut(choice.csv, exportRequests(client.requests, 'csv', { fromMs }), terminal);
  }
  const by = choice.by ?? 'day';
  const costs = await client.costs({ fromMs, ...(by === 'day' ? {} : { by }) });
  if (choice.csv !== null) return writeOut(choice.csv, [usageCsv(costs, by)], terminal);
  terminal.write(`${choice.json ? JSON.stringify(costs, null, 2) : usageTable(costs, by)}\n`);
}

/** A piece at a time: nobody knows how much it is. */
async function writeOut(
  target: string,
  pieces: AsyncIterable<string> | Iterable<string>,
  { write, cwd }: Pick<Terminal, 'write' | 'cwd'>,
): Promise<void> {
  if (target === '-') {
    for await (const piece of pieces) write(piece);
    return;
  }
  const path = resolve(cwd, target);
  const file = createWriteStream(path);
  let written: unknown = null;
  file.once('error', (error) => {
    written = error;
  });
  try {
    await pipeline(Readable.from(pieces), file);
  } catch (error) {
    if (written !== error || !(error instanceof Error)) throw error;
    throw new CliExit(EXIT.failed, `${path} cannot be written (${error.message}); choose another file`);
  }
}
