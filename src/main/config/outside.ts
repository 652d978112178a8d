import type { z } from 'zod';
import { type ModelsYaml, SECTIONS } from '../../shared/config-schema.ts';
import type { ConfigProblem } from '../../shared/contract.ts';
import { likelyName } from '../registry/nearest.ts';
import { type Environment, plainValue } from '../yaml/yaml-source.ts';

/*
 * What is set outside models.yaml, and wins over it: the command line first, then ROUNDHOUSE_* variables.
 */

/** What the command line sets; `null` where it says nothing. */
export interface Overrides {
  readonly host: string | null;
  readonly port: number | null;
  /** Served besides those of the file. Absolute. */
  readonly modelsFolders: readonly string[];
}

export const NO_OVERRIDES: Overrides = { host: null, port: null, modelsFolders: [] };

/** Where a value came from when it was not the file: what a problem with it names. */
export interface Origin {
  readonly file: 'environment' | 'command line';
  /** `ROUNDHOUSE_SERVER_PORT`, `--port`. */
  readonly name: string;
}

type SectionName = keyof typeof SECTIONS;

interface Setting {
  readonly section: SectionName;
  readonly key: string;
  readonly variable: string;
  readonly schema: z.ZodType;
}

const SETTINGS: readonly Setting[] = Object.entries(SECTIONS).flatMap(([section, { shape }]) =>
  Object.entries(shape).map(([key, schema]) => ({
    section: section as SectionName, // The keys of SECTIONS, which `Object.entries` widens to strings.
    key,
    variable: `ROUNDHOUSE_${upperSnake(section)}_${upperSnake(key)}`,
    schema,
  })),
);

const PREFIXES = Object.keys(SECTIONS).map((section) => `ROUNDHOUSE_${upperSnake(section)}_`);

/**
 * Lays the environment and the command line over the file's values.
 * @returns the merged values, and the origin of each that the file did not give, by its path (`server.port`)
 */
export function layOutside(
  config: ModelsYaml,
  env: Environment,
  overrides: Overrides,
): { config: ModelsYaml; origins: ReadonlyMap<string, Origin>; problems: readonly ConfigProblem[] } {
  const problems: ConfigProblem[] = [];
  const origins = new Map<string, Origin>();
  let merged = config;

  const lay = (setting: Setting, origin: Origin, found: unknown): void => {
    const result = setting.schema.safeParse(found);
    if (!result.success) {
      const message = result.error.issues[0]?.message ?? 'cannot be used';
      problems.push({ file: origin.file, line: null, message: `${origin.name}: ${message}` });
      return;
    }
    merged = { ...merged, [setting.section]: { ...merged[setting.section], [setting.key]: result.data } };
    origins.set(`${setting.section}.${setting.key}`, origin);
  };

  for (const variable of Object.keys(env).filter((name) =>
    PREFIXES.some((prefix) => name.startsWith(prefix)),
  )) {
    const text = env[variable];
    if (text === undefined || text === '') continue;
    const origin: Origin = { file: 'environment', name: variable };
    const setting = SETTINGS.find((candidate) => candidate.variable === variable);
    if (!setting) problems.push({ file: 'environment', line: null, message: unknownVariable(variable) });
    else if (setting.schema.safeParse([]).success) {
      const message = `${variable}: lists cannot be set this way; write ${setting.section}.${setting.key} in models.yaml`;
      problems.push({ file: 'environment', line: null, message });
    } else lay(setting, origin, setting.schema.safeParse(text).success ? text : plainValue(text));
  }
  for (const key of ['host', 'port'] as const) {
    const setting = SETTINGS.find((candidate) => candidate.section === 'server' && candidate.key === key);
    if (setting && overrides[key] !== null)
      lay(setting, { file: 'command line', name: `--${key}` }, overrides[key]);
  }
  return { config: merged, origins, problems };
}

function unknownVariable(variable: string): string {
  const near = likelyName(
    variable,
    SETTINGS.map((setting) => setting.variable),
  );
  return `${variable} sets nothing that Roundhouse knows; ${near === null ? 'unset it' : `did you mean ${near}?`}`;
}

function upperSnake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
}
