import { type ConfigInput, loadConfig } from '../../src/main/config/load.ts';
import { NO_OVERRIDES } from '../../src/main/config/outside.ts';
import type { Settings } from '../../src/main/config/settings.ts';

/** A configuration read in a place of its own; tests give the text. */
export const BASE: ConfigInput = {
  file: '/data/models.yaml',
  text: '',
  env: {},
  overrides: NO_OVERRIDES,
  home: '/home/ada',
  resourcesDir: '/app/resources',
};

/** What the text means. @throws when anything is wrong with it */
export function settingsOf(text: string, more: Partial<ConfigInput> = {}): Settings {
  const result = loadConfig({ ...BASE, ...more, text });
  if ('problems' in result) throw new Error(JSON.stringify(result.problems));
  return result.settings;
}

/** Each problem as `line message`; those that are not in the file have its place instead of a line. */
export function problemsOf(text: string, more: Partial<ConfigInput> = {}): readonly string[] {
  const result = loadConfig({ ...BASE, ...more, text });
  if (!('problems' in result)) return [];
  return result.problems.map((problem) => {
    return `${problem.line ?? (problem.file === BASE.file ? 'file' : problem.file)} ${problem.message}`;
  });
}
