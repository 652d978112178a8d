import { homedir } from 'node:os';
import { app } from 'electron';
import { createApp } from './app.ts';
import { systemClock } from './clock.ts';
import { defaultDataFolder } from './config/data-folder.ts';
import { openKeychain } from './desktop/keychain.ts';
import { failToStart, runDesktop } from './desktop/shell.ts';
import { spawnByUtilityProcess } from './desktop/spawn-utility.ts';
import { installationOf, parseLaunchOptions } from './launch.ts';
import { openLog } from './log.ts';
import { createMemoryProbe } from './memory/probe.ts';

/** Run by Electron: the app of `headless.ts` behind a window. */
function start(): void {
  const installation = installationOf(import.meta.dirname);
  // Unpackaged, the app's folder comes between Electron and the arguments.
  const args = process.argv.slice(app.isPackaged ? 1 : 2);
  const options = parseLaunchOptions(args, process.cwd(), false);
  const dataDir = options.dataDir ?? defaultDataFolder(process.platform, process.env, homedir());

  runDesktop({
    ...installation,
    dataDir,
    platform: process.platform,
    clock: systemClock,
    createApp() {
      const log = openLog(dataDir);
      const logStderr = (text: string) => log.warn({}, text.trimEnd());
      return createApp({
        ...installation,
        ...options,
        shell: 'desktop',
        dataDir,
        env: process.env,
        home: homedir(),
        clock: systemClock,
        probe: createMemoryProbe(),
        metal: process.platform === 'darwin' && process.arch === 'arm64',
        log,
        spawnEngine: spawnByUtilityProcess(installation.engineModule, logStderr),
        spawnEstimator: spawnByUtilityProcess(installation.estimatorModule, logStderr),
        fetch: globalThis.fetch,
        openSecrets: (warn) => openKeychain({ dataDir, platform: process.platform, warn }),
      });
    },
    onReady(url) {
      process.stdout.write(
        options.json ? `${JSON.stringify({ event: 'ready', url })}\n` : `API  ${url}/v1\n`,
      );
    },
  });
}

try {
  start();
} catch (error) {
  failToStart(error);
}
