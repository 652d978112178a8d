import { resolve } from 'node:path';
import { assertNever } from '../../shared/assert-never.ts';
import type { StreamPart } from '../../shared/generation.ts';
import { memoryWarnings } from '../../shared/memory-warnings.ts';
import { formatBytes } from '../../shared/units.ts';
import { formatProblem } from '../yaml/format-problem.ts';
import type { ExplainInvocation, Invocation, RunInvocation, ValidateInvocation } from './args.ts';
import type { AppClient } from './client.ts';
import { estimateText } from './estimate-text.ts';
import { CliExit, EXIT } from './exit.ts';
import { printable } from './printable.ts';
import { isResident, listTable, memoryOf, residentTable } from './tables.ts';
import type { Terminal } from './terminal.ts';
import { runUsage, type UsageClient } from './usage-command.ts';

export type ClientInvocation = Exclude<
  Extract<Invocation, { readonly json: boolean }>,
  ValidateInvocation | ExplainInvocation
>;

/**
 * Carries out a command of the running app.
 * @throws CliExit when it fails
 */
export async function runCommand(
  command: ClientInvocation,
  client: AppClient,
  terminal: Terminal,
): Promise<void> {
  const print = (value: unknown, inWords: string): void =>
    terminal.write(`${command.json ? JSON.stringify(value, null, 2) : inWords}\n`);
  switch (command.kind) {
    case 'add': {
      for (const file of command.files) {
        const path = resolve(terminal.cwd, file);
        const model = await client.call(
          'models.add',
          command.id === null ? { path } : { path, id: command.id },
        );
        const size = model.fileBytes === null ? '' : `, ${formatBytes(model.fileBytes)}`;
        const next =
          model.problem === null
            ? `Ask it: roundhouse run ${quoted(model.id)} "Hello"`
            : `It cannot be loaded yet: ${printable(model.problem)}`;
        print(model, `Added ${model.id} (${path}${size}).\n${next}`);
      }
      return;
    }
    case 'list': {
      const { models, server } = await client.call('app.snapshot', {});
      for (const problem of server.configProblems) terminal.warn(`${printable(formatProblem(problem))}\n`);
      return print(models, listTable(models, terminal.home));
    }
    case 'ps': {
      const { models, memory } = await client.call('app.snapshot', {});
      for (const { title, text } of memoryWarnings(memory)) terminal.warn(`${title}. ${text}\n`);
      return print(models.filter(isResident), residentTable(models, terminal.nowMs()));
    }
    case 'load': {
      const model = await client.call('models.load', { id: command.model });
      return print(model, `${model.id} is ready (${memoryOf(model)}).`);
    }
    case 'unload': {
      if (command.model === null)
        return print(await client.call('models.unloadAll', {}), 'All models are unloaded.');
      const model = await client.call('models.unload', { id: command.model });
      return print(model, `${model.id} is unloaded.`);
    }
    case 'estimate': {
      const estimate = await client.call('models.estimate', {
        path: resolve(terminal.cwd, command.file),
        settings: command.settings,
      });
      return print(estimate, estimateText(estimate));
    }
    case 'plan': {
      const plan = await client.call('models.plan', { id: command.model });
      return print(plan, printable(plan.text));
    }
    case 'usage': {
      const asked: UsageClient = {
        costs: (input) => client.call('usage.costs', input),
        requests: (page) => client.call('usage.requests', page),
      };
      return runUsage({ ...command.choice, json: command.json }, asked, terminal);
    }
    case 'run':
      return run(command, command.json, client, terminal);
    default:
      return assertNever(command);
  }
}

async function run(
  command: RunInvocation,
  json: boolean,
  client: AppClient,
  terminal: Terminal,
): Promise<void> {
  const prompt = command.prompt ?? (await terminal.readInput());
  if (prompt === null || prompt.trim() === '') {
    const how = `roundhouse run ${quoted(command.model)} "Hello"`;
    throw new CliExit(EXIT.usage, `there is no prompt; write one (${how}) or pipe one in`);
  }
  const input = {
    model: command.model,
    messages: [
      ...(command.system === null ? [] : [{ role: 'system' as const, content: command.system }]),
      { role: 'user' as const, content: prompt },
    ],
    maxTokens: command.maxTokens,
    sampling: {},
  };
  const parts = client.stream('chat.generate', input, terminal.catchInterrupt());
  const show = json ? (part: StreamPart) => `${JSON.stringify(part)}\n` : textOf;
  let shown = '';
  let finished = false;
  try {
    for await (const part of parts) {
      shown = show(part) || shown;
      terminal.write(show(part));
      if (part.type === 'error') throw new CliExit(EXIT.failed, part.error.message);
      finished ||= part.type === 'finish';
    }
  } finally {
    // What follows, an error or the shell's prompt, begins on a line of its own.
    if (shown !== '' && !shown.endsWith('\n')) terminal.write('\n');
  }
  if (!finished)
    throw new CliExit(EXIT.failed, 'the answer broke off: Roundhouse ended it without saying why');
}

function textOf(part: StreamPart): string {
  return part.type === 'text-delta' ? part.text : '';
}

/** An id as a shell takes it for one word. */
function quoted(id: string): string {
  return /^[\w.:@%+-]+$/.test(id) ? id : `'${id.replaceAll("'", `'\\''`)}'`;
}
