import { type ParseArgsConfig, parseArgs } from 'node:util';
import type { MemorySettingsView } from '../../shared/contract.ts';
import { likelyName } from '../registry/nearest.ts';
import { COMMANDS, type CommandName, isCommandName } from './help.ts';
import { MEMORY_OPTIONS, readMemoryOptions } from './memory-options.ts';
import { readUsageOptions, USAGE_OPTIONS, type UsageChoice } from './usage-options.ts';

/** What a command line asks for. */
export type Invocation =
  | { readonly kind: 'help'; readonly command: CommandName | null }
  | { readonly kind: 'version' }
  /** `serve` reads its options itself. */
  | { readonly kind: 'serve'; readonly argv: readonly string[] }
  | (Common & { readonly kind: 'add'; readonly files: readonly string[]; readonly id: string | null })
  | (Common & { readonly kind: 'list' })
  | (Common & { readonly kind: 'ps' })
  | (Common & { readonly kind: 'load'; readonly model: string })
  /** `null` = all. */
  | (Common & { readonly kind: 'unload'; readonly model: string | null })
  | (Common & {
      readonly kind: 'estimate';
      readonly file: string;
      /** Those that were given. */
      readonly settings: Partial<MemorySettingsView>;
    })
  | (Common & { readonly kind: 'plan'; readonly model: string })
  | (Common & { readonly kind: 'usage'; readonly choice: UsageChoice })
  | (Common & RunInvocation)
  | ValidateInvocation
  | ExplainInvocation
  /** It asks for nothing that exists; the message says why and what to write. */
  | { readonly kind: 'wrong'; readonly message: string };

export interface RunInvocation {
  readonly kind: 'run';
  readonly model: string;
  /** `null` = from standard input. */
  readonly prompt: string | null;
  readonly system: string | null;
  readonly maxTokens: number | null;
}

export interface ValidateInvocation extends Common {
  readonly kind: 'validate';
  /** `null` = the data folder's. */
  readonly file: string | null;
}

export interface ExplainInvocation extends Common {
  readonly kind: 'config';
  readonly key: string;
  /** `null` = what the running app uses, else the data folder's. */
  readonly file: string | null;
}

interface Common {
  /** `null` = the usual one. */
  readonly dataDir: string | null;
  readonly json: boolean;
}

/** Reads the arguments after `roundhouse`. Pure; never throws. */
export function readArgs(argv: readonly string[]): Invocation {
  const [name, ...rest] = argv;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    const command = rest[0];
    return { kind: 'help', command: command !== undefined && isCommandName(command) ? command : null };
  }
  if (name === '--version' || name === '-v') return { kind: 'version' };
  if (!isCommandName(name)) {
    if (name.startsWith('-')) return wrong(null, `write a command before ${name}`);
    const near = likelyName(name, Object.keys(COMMANDS));
    return wrong(null, `there is no command "${name}"${near === null ? '' : `; did you mean ${near}?`}`);
  }
  // What follows `--` is never an option.
  const options = rest.includes('--') ? rest.slice(0, rest.indexOf('--')) : rest;
  if (options.includes('--help') || options.includes('-h')) return { kind: 'help', command: name };
  if (name === 'serve') return { kind: 'serve', argv: rest };
  try {
    return readCommand(name, rest);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    // parseArgs explains at length; its first sentence names the option.
    return wrong(name, error.message.split('. ', 1)[0]?.replace(/\.$/, '') ?? error.message);
  }
}

type Options = NonNullable<ParseArgsConfig['options']>;

const COMMON = {
  'data-dir': { type: 'string' },
  json: { type: 'boolean', default: false },
} as const satisfies Options;

function readCommand(name: Exclude<CommandName, 'serve'>, argv: readonly string[]): Invocation {
  const { values, positionals } = parseArgs({
    args: withNegatives(argv),
    allowPositionals: true,
    options: { ...COMMON, ...OWN_OPTIONS[name] },
  });
  const text = (option: string): string | null => {
    const value: unknown = Object.entries(values).find(([key]) => key === option)?.[1];
    return typeof value === 'string' ? value : null;
  };
  const common: Common = { dataDir: text('data-dir'), json: values.json };
  const [first, ...others] = positionals;
  switch (name) {
    case 'add':
      if (first === undefined) return wrong(name, 'name the GGUF file to add');
      if (text('id') !== null && others.length > 0) return wrong(name, '--id goes with one file');
      return { kind: name, files: positionals, id: text('id'), ...common };
    case 'list':
    case 'ps':
      return first === undefined ? { kind: name, ...common } : wrong(name, `"${first}" is not expected`);
    case 'load':
    case 'plan':
      if (first === undefined) return wrong(name, 'name the model to load');
      return others.length > 0 ? wrong(name, 'name one model') : { kind: name, model: first, ...common };
    case 'unload': {
      const all = 'all' in values && values.all === true;
      if (all === (first !== undefined) || others.length > 0)
        return wrong(name, 'name one model, or write --all');
      return { kind: name, model: first ?? null, ...common };
    }
    case 'estimate': {
      if (first === undefined) return wrong(name, 'name the GGUF file to look at');
      if (others.length > 0) return wrong(name, 'name one file');
      const settings = readMemoryOptions(text);
      return typeof settings === 'string'
        ? wrong(name, settings)
        : { kind: name, file: first, settings, ...common };
    }
    case 'usage': {
      if (first !== undefined) return wrong(name, `"${first}" is not expected`);
      const choice = readUsageOptions(text);
      return typeof choice === 'string' ? wrong(name, choice) : { kind: name, choice, ...common };
    }
    case 'validate':
      if (others.length > 0) return wrong(name, 'name one file');
      return { kind: name, file: first ?? null, ...common };
    case 'config': {
      const [key, ...more] = others;
      if (first !== 'explain') return wrong(name, 'write `config explain KEY`');
      if (key === undefined) return wrong(name, 'name a key, such as server.port');
      if (more.length > 0) return wrong(name, 'name one key');
      return { kind: name, key, file: text('config'), ...common };
    }
    case 'run': {
      if (first === undefined) return wrong(name, 'name the model to ask');
      const limit = text('max-tokens');
      if (limit !== null && !/^[1-9]\d{0,8}$/.test(limit)) {
        return wrong(name, `--max-tokens: "${limit}" is not a number of tokens; write one such as 200`);
      }
      return {
        kind: name,
        model: first,
        prompt: others.length === 0 ? null : others.join(' '),
        system: text('system'),
        maxTokens: limit === null ? null : Number(limit),
        ...common,
      };
    }
  }
}

/** `--context -5` gives a number that is too small; parseArgs would take `-5` for an option of its own. */
function withNegatives(argv: readonly string[]): string[] {
  const args: string[] = [];
  for (const [index, arg] of argv.entries()) {
    const last = args.at(-1);
    const follows = last !== undefined && /^--[a-z-]+$/.test(last) && !argv.slice(0, index).includes('--');
    if (follows && /^-\d/.test(arg)) args[args.length - 1] = `${last}=${arg}`;
    else args.push(arg);
  }
  return args;
}

const OWN_OPTIONS = {
  add: { id: { type: 'string' } },
  list: {},
  ps: {},
  load: {},
  unload: { all: { type: 'boolean', default: false } },
  estimate: MEMORY_OPTIONS,
  plan: {},
  usage: USAGE_OPTIONS,
  validate: {},
  config: { config: { type: 'string' } },
  run: { system: { type: 'string' }, 'max-tokens': { type: 'string' } },
} as const satisfies Record<Exclude<CommandName, 'serve'>, Options>;

function wrong(command: CommandName | null, message: string): Invocation {
  const help = command === null ? 'roundhouse --help' : `roundhouse ${command} --help`;
  return { kind: 'wrong', message: `${message} (see \`${help}\`)` };
}
