import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { app } from 'electron';
import { createApp } from './app.ts';
import { systemClock } from './clock.ts';
import { defaultDataFolder } from './config/data-folder.ts';
import { runDesktop } from './desktop/shell.ts';
import { spawnByUtilityProcess } from './desktop/spawn-utility.ts';
import { openLog } from './log.ts';
import { createMemoryProbe } from './memory/probe.ts';

/* The desktop entry, run by Electron: the app of `headless.ts` behind a window. */

const { values } = parseArgs({
  // Unpackaged, the app's folder comes between Electron and the arguments.
  args: process.argv.slice(app.isPackaged ? 1 : 2),
  options: {
    port: { type: 'string' },
    host: { type: 'string' },
    config: { type: 'string' },
    'data-dir': { type: 'string' },
    'models-dir': { type: 'string', multiple: true, default: [] },
    json: { type: 'boolean', default: false },
  },
});
const out = resolve(import.meta.dirname, '..');
const shipped = app.isPackaged ? process.resourcesPath : resolve(out, '..');
const dataDir = resolve(values['data-dir'] ?? defaultDataFolder(process.platform, process.env, homedir()));

runDesktop({
  dataDir,
  interfaceDir: join(out, 'renderer'),
  preloadFile: join(out, 'preload/index.cjs'),
  platform: process.platform,
  clock: systemClock,
  createApp() {
    const log = openLog(dataDir);
    const spawn = (file: string) =>
      spawnByUtilityProcess(join(out, 'main', file), (text) => log.warn({ from: file }, text.trimEnd()));
    return createApp({
      shell: 'desktop',
      version: app.getVersion(),
      dataDir,
      configFile: values.config === undefined ? null : resolve(values.config),
      overrides: {
        host: values.host ?? null,
        port: values.port === undefined ? null : Number(values.port),
        modelsFolders: values['models-dir'].map((folder) => resolve(folder)),
      },
      env: process.env,
      home: homedir(),
      resourcesDir: join(shipped, 'resources'),
      shippedConfigFile: join(shipped, 'models.yaml'),
      interfaceDir: join(out, 'renderer'),
      clock: systemClock,
      probe: createMemoryProbe(),
      log,
      spawnEngine: spawn('engine-child.js'),
      spawnEstimator: spawn('engine-estimate.js'),
    });
  },
  onReady(url) {
    process.stdout.write(values.json ? `${JSON.stringify({ event: 'ready', url })}\n` : `API ${url}/v1\n`);
  },
});
