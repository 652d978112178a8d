import type { ConfigProblem } from '../../shared/contract.ts';
import { RoundhouseError } from '../../shared/errors.ts';
import { formatProblem } from '../yaml/format-problem.ts';
import { readText } from '../yaml/read-text.ts';
import { type ConfigInput, type Problems, parseConfig, resolveSettings } from './load.ts';
import { type FolderScan, scanModelsFolders } from './models-folders.ts';
import type { Settings } from './settings.ts';

/** Where the configuration comes from, but for the text itself. */
export type ConfigPlace = Omit<ConfigInput, 'text'>;

/** A models.yaml that nothing is wrong with. */
export interface Good {
  readonly text: string;
  readonly settings: Settings;
  readonly scan: FolderScan;
  /** Ids that the file itself names; the others were found in the models folders. */
  readonly namedIds: ReadonlySet<string>;
}

/** Reads the file and looks into its models folders. */
export async function readConfig(place: ConfigPlace): Promise<Good | Problems> {
  const text = await readText(place.file);
  return typeof text === 'string' ? resolveText(place, text) : text;
}

/** As `readConfig`, for a text that is not in the file yet. */
export async function resolveText(place: ConfigPlace, text: string): Promise<Good | Problems> {
  const result = parseConfig({ ...place, text });
  if ('problems' in result) return result;
  const scan = await scanModelsFolders(result.parsed.modelsFolders);
  const resolved = resolveSettings(result.parsed, scan.files);
  if ('problems' in resolved) return resolved;
  return {
    text,
    scan,
    settings: resolved.settings,
    namedIds: new Set(result.parsed.source.keysOf(['models'])),
  };
}

/** All problems in one error, a line each. */
export function invalidConfig(problems: readonly ConfigProblem[]): RoundhouseError {
  return new RoundhouseError('config_invalid', problems.map(formatProblem).join('\n'));
}
