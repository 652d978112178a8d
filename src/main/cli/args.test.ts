import { expect, test } from 'vitest';
import { readArgs } from './args.ts';
import { COMMANDS, helpText, isCommandName } from './help.ts';

const read = (line: string) => readArgs(line === '' ? [] : line.split(' '));

test.each([
  ['', { kind: 'help', command: null }],
  ['--help', { kind: 'help', command: null }],
  ['help run', { kind: 'help', command: 'run' }],
  ['add --help', { kind: 'help', command: 'add' }],
  ['serve -h', { kind: 'help', command: 'serve' }],
  ['--version', { kind: 'version' }],
  ['serve --port 0 --whatever x', { kind: 'serve', argv: ['--port', '0', '--whatever', 'x'] }],
  ['add a.gguf b.gguf', { kind: 'add', files: ['a.gguf', 'b.gguf'], id: null, dataDir: null, json: false }],
  ['add --id x a.gguf', { kind: 'add', files: ['a.gguf'], id: 'x', dataDir: null, json: false }],
  ['list --json --data-dir /d', { kind: 'list', dataDir: '/d', json: true }],
  ['ps', { kind: 'ps', dataDir: null, json: false }],
  ['load demo', { kind: 'load', model: 'demo', dataDir: null, json: false }],
  ['unload demo', { kind: 'unload', model: 'demo', dataDir: null, json: false }],
  ['unload --all', { kind: 'unload', model: null, dataDir: null, json: false }],
  ['plan demo', { kind: 'plan', model: 'demo', dataDir: null, json: false }],
  ['estimate a.gguf', { kind: 'estimate', file: 'a.gguf', settings: {}, dataDir: null, json: false }],
  [
    'estimate a.gguf --context 4096 --parallel 1 --batch 64 --cache-type q8_0 --json',
    {
      kind: 'estimate',
      file: 'a.gguf',
      settings: { contextSize: 4096, parallel: 1, batchSize: 64, cacheType: 'q8_0' },
      dataDir: null,
      json: true,
    },
  ],
  [
    'usage --by model --since 7d --csv -',
    {
      kind: 'usage',
      choice: { by: 'model', sinceMs: 7 * 86_400_000, csv: '-' },
      dataDir: null,
      json: false,
    },
  ],
  ['validate', { kind: 'validate', file: null, dataDir: null, json: false }],
  ['validate my.yaml --json', { kind: 'validate', file: 'my.yaml', dataDir: null, json: true }],
  [
    'config explain server.port --config a.yaml',
    { kind: 'config', key: 'server.port', file: 'a.yaml', dataDir: null, json: false },
  ],
  [
    'run demo What is it?',
    {
      kind: 'run',
      model: 'demo',
      prompt: 'What is it?',
      system: null,
      maxTokens: null,
      dataDir: null,
      json: false,
    },
  ],
  [
    'run demo --max-tokens 9 --system Short',
    { kind: 'run', model: 'demo', prompt: null, system: 'Short', maxTokens: 9, dataDir: null, json: false },
  ],
  [
    'run demo -- --help me',
    {
      kind: 'run',
      model: 'demo',
      prompt: '--help me',
      system: null,
      maxTokens: null,
      dataDir: null,
      json: false,
    },
  ],
])('%j', (line, meant) => {
  expect(read(line)).toEqual(meant);
});

test.each([
  ['lst', 'there is no command "lst"; did you mean list? (see `roundhouse --help`)'],
  ['frobnicate', 'there is no command "frobnicate" (see `roundhouse --help`)'],
  ['--json list', 'write a command before --json (see `roundhouse --help`)'],
  ['add', 'name the GGUF file to add (see `roundhouse add --help`)'],
  ['add --id x a b', '--id goes with one file (see `roundhouse add --help`)'],
  ['list demo', '"demo" is not expected (see `roundhouse list --help`)'],
  ['load', 'name the model to load (see `roundhouse load --help`)'],
  ['load a b', 'name one model (see `roundhouse load --help`)'],
  ['unload', 'name one model, or write --all (see `roundhouse unload --help`)'],
  ['unload demo --all', 'name one model, or write --all (see `roundhouse unload --help`)'],
  ['plan', 'name the model to load (see `roundhouse plan --help`)'],
  ['estimate', 'name the GGUF file to look at (see `roundhouse estimate --help`)'],
  ['estimate a b', 'name one file (see `roundhouse estimate --help`)'],
  ...['-5', '0', '63', '1048577', '1e99', '8192.5', 'many'].map((size): [string, string] => [
    `estimate a --context ${size}`,
    `--context: "${size}" is not a whole number from 64 to 1048576; write one such as 8192 (see \`roundhouse estimate --help\`)`,
  ]),
  [
    'estimate a --parallel=-1',
    '--parallel: "-1" is not a whole number from 1 to 64; write one such as 2 (see `roundhouse estimate --help`)',
  ],
  [
    'estimate a --batch 999999999999',
    '--batch: "999999999999" is not a whole number from 1 to 16384; write one such as 512 (see `roundhouse estimate --help`)',
  ],
  [
    'estimate a --cache-type q5',
    '--cache-type: "q5" is not one of f16, q8_0, q4_0 (see `roundhouse estimate --help`)',
  ],
  [
    'run demo hi --max-tokens -1',
    '--max-tokens: "-1" is not a number of tokens; write one such as 200 (see `roundhouse run --help`)',
  ],
  ['usage now', '"now" is not expected (see `roundhouse usage --help`)'],
  [
    'usage --since soon',
    '--since: "soon" is not a time; write one such as 24h or 7d (see `roundhouse usage --help`)',
  ],
  ['validate a b', 'name one file (see `roundhouse validate --help`)'],
  ['config', 'write `config explain KEY` (see `roundhouse config --help`)'],
  ['config get server.port', 'write `config explain KEY` (see `roundhouse config --help`)'],
  ['config explain', 'name a key, such as server.port (see `roundhouse config --help`)'],
  ['config explain a b', 'name one key (see `roundhouse config --help`)'],
  ['run', 'name the model to ask (see `roundhouse run --help`)'],
  [
    'run demo hi --max-tokens many',
    '--max-tokens: "many" is not a number of tokens; write one such as 200 (see `roundhouse run --help`)',
  ],
  ['ps --all', "Unknown option '--all' (see `roundhouse ps --help`)"],
  ['load --data-dir', "Option '--data-dir <value>' argument missing (see `roundhouse load --help`)"],
])('wrong: %j', (line, message) => {
  expect(read(line)).toEqual({ kind: 'wrong', message });
});

test('every command has help that names it, its options, and fits a terminal', () => {
  for (const name of Object.keys(COMMANDS).filter(isCommandName)) {
    const help = helpText(name);
    expect(help).toContain(`Usage: roundhouse ${name}`);
    for (const [option] of COMMANDS[name].options) expect(help).toContain(option);
    expect(helpText(null)).toContain(COMMANDS[name].summary);
    for (const line of [...help.split('\n'), ...helpText(null).split('\n')])
      expect(line.length).toBeLessThan(111);
  }
});
