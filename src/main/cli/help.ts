import { CACHE_TYPES } from '../../shared/model-limits.ts';
import { LAUNCH_HELP } from '../launch.ts';
import { USAGE_OPTION_HELP } from './usage-options.ts';

/*
 * What `roundhouse --help` and `roundhouse COMMAND --help` say. The names of this table are the commands that exist.
 */

interface CommandHelp {
  readonly usage: string;
  readonly summary: string;
  /** What else there is to say; lines of their own. */
  readonly details: readonly string[];
  readonly options: readonly (readonly [option: string, meaning: string])[];
}

const DATA_DIR = [
  '--data-dir DIR',
  'the data folder of the running app, when it is not the usual one',
] as const;
const JSON_OPTION = ['--json', 'print the answer as JSON'] as const;

export const COMMANDS = {
  serve: {
    usage: 'serve [options]',
    summary: 'serve models without a window, with the interface in the browser',
    details: [],
    options: [],
  },
  add: {
    usage: 'add FILE…',
    summary: 'register GGUF files where they lie; of a split model, its first part',
    details: ['They are written into models.yaml; nothing is copied or moved.'],
    options: [
      ['--id ID', 'the id to register one file under; made from its name otherwise'],
      DATA_DIR,
      JSON_OPTION,
    ],
  },
  list: {
    usage: 'list',
    summary: 'all models, with their state, memory, tiers and file',
    details: [],
    options: [DATA_DIR, JSON_OPTION],
  },
  ps: {
    usage: 'ps',
    summary: 'the loaded models, with their requests and when they will be unloaded',
    details: [],
    options: [DATA_DIR, JSON_OPTION],
  },
  load: {
    usage: 'load ID',
    summary: 'load a model, and wait until it is ready',
    details: [],
    options: [DATA_DIR, JSON_OPTION],
  },
  unload: {
    usage: 'unload ID | --all',
    summary: 'unload a model, or all, once its running requests have ended',
    details: [],
    options: [['--all', 'unload every model'], DATA_DIR, JSON_OPTION],
  },
  estimate: {
    usage: 'estimate FILE',
    summary: 'what a GGUF file would take, and whether it fits, without loading it',
    details: ['Of a split model, name the first part. What is not said is as `defaults` in models.yaml.'],
    options: [
      ['--context N', 'tokens that one conversation can hold'],
      ['--parallel N', 'requests that are answered at once'],
      ['--batch N', 'tokens read in one step'],
      ['--cache-type T', `precision of the context in memory: ${CACHE_TYPES.join(', ')}`],
      DATA_DIR,
      JSON_OPTION,
    ],
  },
  plan: {
    usage: 'plan ID',
    summary: 'what loading a model would do now; nothing is loaded',
    details: [],
    options: [DATA_DIR, JSON_OPTION],
  },
  usage: {
    usage: 'usage',
    summary: 'what requests took and cost, by day, model, user and more',
    details: [],
    options: [...USAGE_OPTION_HELP, DATA_DIR, JSON_OPTION],
  },
  validate: {
    usage: 'validate [FILE]',
    summary: 'check a models.yaml, the files and providers it names, and the catalog',
    details: [
      'Without FILE, that of the data folder. Errors give exit code 1; warnings do not. Roundhouse need not run.',
    ],
    options: [DATA_DIR, ['--json', 'print what was found as JSON']],
  },
  config: {
    usage: 'config explain KEY',
    summary: 'where a value comes from: command line, environment, models.yaml, catalog or default',
    details: [
      'KEY is one such as server.port or models.demo.contextSize, or a section such as server.',
      'The running app answers; when none runs, or with --config, the files and this environment do.',
    ],
    options: [['--config FILE', 'explain this models.yaml'], DATA_DIR, JSON_OPTION],
  },
  run: {
    usage: 'run MODEL ["PROMPT"]',
    summary: 'ask a model, and print its answer as it comes',
    details: [
      'MODEL is an id, an alias, tier:NAME or auto. Without a prompt it is read from standard input:',
      '  git diff | roundhouse run tier:low --system "Write a commit message for this diff."',
      'Ctrl-C stops the answer.',
    ],
    options: [
      ['--system TEXT', 'instructions that come before the prompt'],
      ['--max-tokens N', 'stop after so many tokens'],
      DATA_DIR,
      ['--json', 'print each part of the answer as a line of JSON'],
    ],
  },
} as const satisfies Record<string, CommandHelp>;

export type CommandName = keyof typeof COMMANDS;

export function isCommandName(name: string): name is CommandName {
  return Object.hasOwn(COMMANDS, name);
}

/** The help of one command, or of all (`null`). Ends without a newline. */
export function helpText(command: CommandName | null): string {
  if (command === null) return overview();
  // What `serve` takes is known to the one who reads it.
  return [
    ...introduction(COMMANDS[command]),
    command === 'serve' ? LAUNCH_HELP : optionsOf(COMMANDS[command]),
  ].join('\n');
}

function overview(): string {
  return [
    'Roundhouse serves many language models from one machine, behind one OpenAI-compatible address.',
    '',
    'Usage: roundhouse COMMAND [options]',
    '',
    'Commands:',
    ...columns(Object.values(COMMANDS).map(({ usage, summary }) => [usage, summary])),
    '',
    'Options:',
    ...columns([
      ['--help', 'show this, or with a command its options'],
      ['--version', 'print the version'],
    ]),
    '',
    'All but `serve`, `validate` and `config` need the running app, which they find through its data folder.',
    'Exit codes: 0 done, 1 failed, 2 wrong usage, 3 Roundhouse is not running, 130 stopped by Ctrl-C.',
  ].join('\n');
}

function introduction({ usage, summary, details }: CommandHelp): readonly string[] {
  return [
    `Usage: roundhouse ${usage}`,
    '',
    `${summary[0]?.toUpperCase()}${summary.slice(1)}.`,
    ...details,
    '',
  ];
}

function optionsOf({ options }: CommandHelp): string {
  return ['Options:', ...columns(options)].join('\n');
}

function columns(rows: readonly (readonly [string, string])[]): readonly string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}
