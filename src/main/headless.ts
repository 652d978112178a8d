import { execFile } from 'node:child_process';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { RoundhouseError } from '../shared/errors.ts';
import { type App, createApp } from './app.ts';
import { systemClock } from './clock.ts';
import { defaultDataFolder, ensureDataFolder } from './config/data-folder.ts';
import { readConfig } from './config/read-config.ts';
import { OWNER_ONLY, SecretFile } from './config/secrets.ts';
import { spawnByFork } from './engine/spawn-fork.ts';
import { exposureNotice } from './exposure.ts';
import { installationOf, LAUNCH_HELP, parseLaunchOptions } from './launch.ts';
import { openLog } from './log.ts';
import { createMemoryProbe } from './memory/probe.ts';

/**
 * Serves under plain Node until a signal asks it to stop. Prints where, or why it cannot; a failure to start sets the
 * exit code to 1.
 * @param mainDir folder of the built main programs
 */
export async function runHeadless(argv: readonly string[], mainDir = import.meta.dirname): Promise<void> {
  if (argv.includes('--help')) {
    console.log(`Serves models over HTTP, with the interface in the browser.\n\n${LAUNCH_HELP}`);
    return;
  }
  try {
    await serve(argv, mainDir);
  } catch (error) {
    console.error(RoundhouseError.from(error).message);
    process.exitCode = 1;
  }
}

async function serve(argv: readonly string[], mainDir: string): Promise<void> {
  const installation = installationOf(mainDir);
  const options = parseLaunchOptions(argv, process.cwd(), true);
  const dataDir = options.dataDir ?? defaultDataFolder(process.platform, process.env, homedir());
  await ensureDataFolder(dataDir);
  const log = openLog(dataDir);
  const logStderr = (text: string) => log.warn({}, text.trimEnd());
  const home = homedir();
  const app = await createApp({
    ...installation,
    ...options,
    shell: 'headless',
    dataDir,
    env: process.env,
    home,
    clock: systemClock,
    probe: createMemoryProbe(),
    metal: process.platform === 'darwin' && process.arch === 'arm64',
    log,
    spawnEngine: spawnByFork(installation.engineModule, logStderr),
    spawnEstimator: spawnByFork(installation.estimatorModule, logStderr),
    fetch: globalThis.fetch,
    openSecrets: (warn) =>
      new SecretFile({
        file: join(dataDir, 'secrets.json'),
        where: 'secrets.json of the data folder',
        seal: OWNER_ONLY,
        warn,
      }),
  });
  stopOnSignal(app);
  try {
    await app.start();
  } catch (error) {
    await app.stop();
    throw error;
  }
  announce(app.url, dataDir, options.json);
  const { server } = await app.api.call('app.snapshot', {});
  // The app does not tell its settings; from the same places they are the same.
  const config = await readConfig({
    ...installation,
    file: server.configFile,
    env: process.env,
    overrides: options.overrides,
    home,
  });
  const notice = 'settings' in config ? exposureNotice(config.settings.server) : null;
  if (notice !== null) console.error(notice);
  if (options.open) openInBrowser(app.url);
}

function announce(url: string, dataDir: string, json: boolean): void {
  if (json) {
    console.log(JSON.stringify({ event: 'ready', url }));
    return;
  }
  console.log(
    [
      'Roundhouse is serving.',
      `  API        ${url}/v1`,
      `  Interface  ${url}/`,
      `  Files      ${dataDir}`,
      'Press Ctrl-C to stop.',
    ].join('\n'),
  );
}

/** The first signal stops in order; a second one does not wait. Engines end with this process either way. */
function stopOnSignal(app: App): void {
  let stopping = false;
  const stop = () => {
    if (stopping) process.exit(1);
    stopping = true;
    app.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(RoundhouseError.from(error).message);
        process.exit(1);
      },
    );
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  process.on('SIGHUP', stop);
}

function openInBrowser(url: string): void {
  const opener = process.platform === 'darwin' ? 'open' : 'xdg-open';
  execFile(opener, [url], (error) => {
    if (error) console.error(`${opener} could not open the browser; the interface is at ${url}/`);
  });
}

// Run as a program, and not imported by the command line.
if (import.meta.main) await runHeadless(process.argv.slice(2));
