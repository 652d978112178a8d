import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { RoundhouseError } from '../shared/errors.ts';
import type { Overrides } from './config/outside.ts';

/*
 * How either shell is started: where the shipped files lie, and what the command line says.
 */

/** Files that came with the program. Paths are absolute. */
export interface Installation {
  readonly version: string;
  readonly resourcesDir: string;
  readonly shippedConfigFile: string;
  readonly interfaceDir: string;
  readonly preloadFile: string;
  readonly engineModule: string;
  readonly estimatorModule: string;
  readonly storeModule: string;
}

/** @param mainDir folder of the built main programs, `out/main` */
export function installationOf(mainDir: string): Installation {
  const root = resolve(mainDir, '..', '..');
  return {
    version: JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version,
    resourcesDir: join(root, 'resources'),
    shippedConfigFile: join(root, 'models.yaml'),
    interfaceDir: join(root, 'out', 'renderer'),
    preloadFile: join(root, 'out', 'preload', 'index.cjs'),
    engineModule: join(mainDir, 'engine-child.js'),
    estimatorModule: join(mainDir, 'engine-estimate.js'),
    storeModule: join(mainDir, 'store-thread.js'),
  };
}

export interface LaunchOptions {
  readonly configFile: string | null;
  readonly dataDir: string | null;
  readonly overrides: Overrides;
  /** Print one JSON line when ready. */
  readonly json: boolean;
  /** Open the interface in a browser when ready. */
  readonly open: boolean;
}

export const LAUNCH_HELP = `Options
  --port N           port of the API and the interface (0 = any free one)
  --host H           address to listen on; anything but loopback needs server.apiKeys
  --config FILE      use this models.yaml instead of the one in the data folder
  --data-dir DIR     keep everything in this folder
  --models-dir DIR   also serve the GGUF files in this folder; may be given more than once
  --json             print {"event":"ready","url":…} when ready
  --open             open the interface in the browser
  --help             show this`;

/**
 * @param cwd what relative paths on the command line start from
 * @param strict whether an unknown option is an error; Electron and macOS add options of their own
 * @throws RoundhouseError `invalid_request`
 */
export function parseLaunchOptions(args: readonly string[], cwd: string, strict: boolean): LaunchOptions {
  const values = parse(args, strict);
  const path = (value: string | undefined) => (value === undefined ? null : resolve(cwd, value));
  return {
    configFile: path(values.config),
    dataDir: path(values['data-dir']),
    overrides: {
      host: values.host ?? null,
      port: values.port === undefined ? null : portOf(values.port),
      modelsFolders: (values['models-dir'] ?? []).map((dir) => resolve(cwd, dir)),
    },
    json: values.json ?? false,
    open: values.open ?? false,
  };
}

const OPTIONS = {
  port: { type: 'string' },
  host: { type: 'string' },
  config: { type: 'string' },
  'data-dir': { type: 'string' },
  'models-dir': { type: 'string', multiple: true },
  json: { type: 'boolean' },
  open: { type: 'boolean' },
} as const;

function parse(args: readonly string[], strict: boolean) {
  const known = strict ? [...args] : knownOnly(args);
  try {
    return parseArgs({ args: known, options: OPTIONS, allowPositionals: false }).values;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new RoundhouseError('invalid_request', `${message}\n\n${LAUNCH_HELP}`);
  }
}

/** Without strictness `parseArgs` also gives up its types, so what is unknown is left out beforehand. */
function knownOnly(args: readonly string[]): string[] {
  const { tokens } = parseArgs({
    args: [...args],
    options: OPTIONS,
    strict: false,
    tokens: true,
  });
  return tokens.flatMap((token) => {
    if (token.kind !== 'option' || !Object.hasOwn(OPTIONS, token.name)) return [];
    return token.value === undefined ? [token.rawName] : [`${token.rawName}=${token.value}`];
  });
}

function portOf(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new RoundhouseError(
    'invalid_request',
    `--port ${text} is not a port; write a whole number from 0 to 65535`,
  );
}
