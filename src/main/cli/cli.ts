#!/usr/bin/env node
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import packageJson from '../../../package.json' with { type: 'json' };
import { defaultDataFolder } from '../config/data-folder.ts';
import { readArgs } from './args.ts';
import { AppClient } from './client.ts';
import { runCommand } from './commands.ts';
import { type ConfigSurroundings, explain, validate } from './config-commands.ts';
import { CliExit, EXIT } from './exit.ts';
import { helpText } from './help.ts';
import type { Terminal } from './terminal.ts';

/*
 * The `roundhouse` command. All but `serve` only talks to the running app or reads the configuration, so it runs on any
 * Node from 20 on.
 */

const SERVE_NEEDS_NODE = [22, 12] as const;

async function main(argv: readonly string[]): Promise<void> {
  const command = readArgs(argv);
  switch (command.kind) {
    case 'help':
      console.log(helpText(command.command));
      return;
    case 'version':
      console.log(packageJson.version);
      return;
    case 'wrong':
      throw new CliExit(EXIT.usage, command.message);
    case 'serve': {
      const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
      const [needMajor, needMinor] = SERVE_NEEDS_NODE;
      if (major < needMajor || (major === needMajor && minor < needMinor)) {
        const need = `Node ${SERVE_NEEDS_NODE.join('.')} or later, and this is ${process.versions.node}`;
        throw new CliExit(EXIT.failed, `serve needs ${need}; \`npm run serve\` brings the right one`);
      }
      // Only now: the server's parts do not load on an older Node.
      const { runHeadless } = await import('../headless.ts');
      // It sets the exit code itself, and serves on after this returns.
      await runHeadless([...command.argv]);
      return;
    }
    case 'validate':
      return validate(command, surroundings(command));
    case 'config':
      return explain(command, surroundings(command));
    default: {
      const client = await AppClient.find(dataDirOf(command));
      await runCommand(command, client, terminal());
      return;
    }
  }
}

function dataDirOf({ dataDir }: { readonly dataDir: string | null }): string {
  return resolve(dataDir ?? defaultDataFolder(process.platform, process.env, homedir()));
}

function surroundings(command: { readonly dataDir: string | null }): ConfigSurroundings {
  return {
    cwd: process.cwd(),
    home: homedir(),
    env: process.env,
    dataDir: dataDirOf(command),
    resourcesDir: findResources(import.meta.dirname),
    nowMs: Date.now(),
    write: (text) => void process.stdout.write(text),
  };
}

/** Built, this program lies two folders deep; as it is written, three. */
function findResources(from: string): string {
  const dir = ['../..', '../../..']
    .map((up) => join(from, up, 'resources'))
    .find((candidate) => existsSync(join(candidate, 'models.schema.json')));
  if (dir === undefined) throw new CliExit(EXIT.failed, `the shipped files are not beside ${from}`);
  return dir;
}

function terminal(): Terminal {
  return {
    write: (text) => void process.stdout.write(text),
    warn: (text) => void process.stderr.write(text),
    async readInput() {
      if (process.stdin.isTTY) return null;
      let text = '';
      process.stdin.setEncoding('utf8');
      for await (const chunk of process.stdin) text += String(chunk);
      return text;
    },
    cwd: process.cwd(),
    home: homedir(),
    nowMs: () => Date.now(),
    catchInterrupt() {
      const interrupted = new AbortController();
      // Once only: a second Ctrl-C ends the program at once.
      process.once('SIGINT', () => interrupted.abort(new CliExit(EXIT.interrupted, 'stopped')));
      return interrupted.signal;
    },
  };
}

// A reader that has seen enough, such as `head`, is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? EXIT.done : EXIT.failed);
});

try {
  await main(process.argv.slice(2));
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  if (!(error instanceof CliExit && error.exitCode === EXIT.interrupted))
    console.error(`roundhouse: ${message}`);
  process.exitCode = error instanceof CliExit ? error.exitCode : EXIT.failed;
}
