import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import type { ExplainedKey } from '../../shared/contract.ts';
import { loadCatalog } from '../catalog/load.ts';
import { catalogModelOf } from '../catalog/lookup.ts';
import { explainKey } from '../config/explain.ts';
import { NO_OVERRIDES } from '../config/outside.ts';
import { type ConfigPlace, type Good, readConfig } from '../config/read-config.ts';
import { secretNameOf } from '../config/secrets.ts';
import type { ProviderSettings } from '../config/settings.ts';
import { validateConfig } from '../config/validate.ts';
import { formatProblem } from '../yaml/format-problem.ts';
import type { Environment } from '../yaml/yaml-source.ts';
import type { ExplainInvocation, ValidateInvocation } from './args.ts';
import { AppClient } from './client.ts';
import { CliExit, EXIT } from './exit.ts';
import { explainText } from './explain-text.ts';
import { printable } from './printable.ts';

/*
 * Commands about the configuration, which need no running app.
 */

export interface ConfigSurroundings {
  readonly cwd: string;
  readonly home: string;
  readonly env: Environment;
  readonly dataDir: string;
  /** Folder of the shipped files. Absolute. */
  readonly resourcesDir: string;
  readonly nowMs: number;
  write(text: string): void;
}

/** @throws CliExit `failed` when there are errors */
export async function validate(command: ValidateInvocation, around: ConfigSurroundings): Promise<void> {
  const place = placeOf(command.file, around);
  const { findings, good } = await validateConfig({
    place,
    catalogFolders: catalogFolders(around),
    hasKey: async (provider) => (await placeOfKey(provider, around)) !== null,
    nowMs: around.nowMs,
  });
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  if (command.json) around.write(`${JSON.stringify(findings, null, 2)}\n`);
  else {
    for (const finding of findings)
      around.write(`${printable(`${finding.severity}: ${formatProblem(finding)}`)}\n`);
    if (good !== null && errors === 0) around.write(`${printable(goodNews(place.file, good))}\n`);
  }
  if (errors > 0) {
    throw new CliExit(EXIT.failed, `${counted(errors, 'error')} in the configuration`);
  }
}

/** Asks the running app, which knows how it was started; without one, what is in the files and this environment. */
export async function explain(command: ExplainInvocation, around: ConfigSurroundings): Promise<void> {
  const client = command.file === null ? await runningApp(around.dataDir) : null;
  const keys = client
    ? await client.call('config.explain', { key: command.key })
    : await explainFiles(command, around);
  around.write(
    command.json ? `${JSON.stringify(keys, null, 2)}\n` : `${printableLines(explainText(keys))}\n`,
  );
}

async function runningApp(dataDir: string): Promise<AppClient | null> {
  try {
    const client = await AppClient.find(dataDir);
    await client.call('decisions.list', {});
    return client;
  } catch (error) {
    if (error instanceof CliExit && error.exitCode === EXIT.notRunning) return null;
    throw error;
  }
}

async function explainFiles(
  { file, key }: ExplainInvocation,
  around: ConfigSurroundings,
): Promise<readonly ExplainedKey[]> {
  const place = placeOf(file, around);
  const read = await readConfig(place);
  if ('problems' in read) {
    throw new CliExit(
      EXIT.failed,
      `${read.problems.map(formatProblem).join('\n')}\nFix it first: roundhouse validate`,
    );
  }
  const { settings, parsed } = read;
  const { catalog } = await loadCatalog(catalogFolders(around));
  const keptIn = new Map<string, string | null>();
  for (const provider of settings.providers) keptIn.set(provider.name, await placeOfKey(provider, around));
  const providerOf = new Map(settings.providers.map((provider) => [provider.name, provider]));
  return explainKey(
    {
      parsed,
      settings,
      catalogModel: (model) => {
        const provider = model.kind === 'remote' ? providerOf.get(model.provider) : undefined;
        return model.kind === 'remote' && provider ? catalogModelOf(catalog, provider, model.remoteId) : null;
      },
      keyKeptIn: (provider) => keptIn.get(provider) ?? null,
    },
    key,
  );
}

function placeOf(
  file: string | null,
  { cwd, home, env, dataDir, resourcesDir }: ConfigSurroundings,
): ConfigPlace {
  return {
    file: file === null ? defaultFile(dataDir, resourcesDir) : resolve(cwd, file),
    env,
    overrides: NO_OVERRIDES,
    home,
    resourcesDir,
    machineBytes: totalmem(),
  };
}

/** Before the first start there is only the shipped one, which the first start copies. */
function defaultFile(dataDir: string, resourcesDir: string): string {
  const own = join(dataDir, 'models.yaml');
  return existsSync(own) ? own : join(resourcesDir, '..', 'models.yaml');
}

function catalogFolders({ dataDir, resourcesDir }: ConfigSurroundings) {
  return { shippedDir: join(resourcesDir, 'catalog'), userDir: join(dataDir, 'catalog') };
}

/** The files of either shell: what is in the keychain lies sealed in one of them, under the same name. */
const SECRET_FILES = ['secrets.json', 'secrets.sealed.json'];

/** Where a provider's key is kept besides models.yaml and the environment; the key itself is not looked at. */
async function placeOfKey(
  provider: ProviderSettings,
  { dataDir }: ConfigSurroundings,
): Promise<string | null> {
  for (const name of SECRET_FILES) {
    const text = await readFile(join(dataDir, name), 'utf8').catch(() => '{}');
    if (Object.hasOwn(parsedObject(text), secretNameOf(provider))) {
      return name === 'secrets.json' ? join(dataDir, name) : 'the keychain';
    }
  }
  return null;
}

function parsedObject(text: string): object {
  try {
    return Object(JSON.parse(text));
  } catch {
    return {};
  }
}

function goodNews(file: string, { settings }: Good): string {
  const parts = [
    counted(settings.models.length, 'model'),
    counted(settings.providers.length, 'provider'),
    counted(settings.tiers.length, 'tier'),
    counted(settings.budgets.length, 'budget'),
  ];
  return `${file} is good: ${parts.join(', ')}.`;
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n');
}
