import { randomBytes, randomInt } from 'node:crypto';
import { join } from 'node:path';
import type { Clock } from '../shared/clock.ts';
import type { AppApi, ModelView, ServerView, Snapshot } from '../shared/contract.ts';
import { createAppApi } from './app-api.ts';
import { ensureDataFolder, ensureModelsYaml } from './config/data-folder.ts';
import type { Overrides } from './config/outside.ts';
import { removeRuntimeFiles, writeRuntimeFiles } from './config/runtime-files.ts';
import { type ConfigChange, ConfigStore } from './config/store.ts';
import { Uploads } from './config/uploads.ts';
import { Decisions } from './decisions.ts';
import type { SpawnEngine } from './engine/spawn.ts';
import { createGateway } from './gateway/gateway.ts';
import { LocalRuntime } from './local-runtime.ts';
import type { Log } from './log.ts';
import type { MemoryProbe } from './memory/probe.ts';
import { ModelFiles } from './model-files.ts';
import { createLocalBackend, type LocalOutcome } from './providers/local.ts';
import { Publisher } from './publisher.ts';
import { Registry } from './registry/registry.ts';
import { resolveModel } from './routing/resolve.ts';
import { openStore } from './usage/store.ts';
import { memoryView, modelView } from './views.ts';
import { formatProblem } from './yaml/format-problem.ts';
import type { Environment } from './yaml/yaml-source.ts';

/** How often the rest of the machine's memory is looked at while somebody looks at the interface. */
const MACHINE_INTERVAL_MS = 2000;
const DECISIONS_SHOWN = 100;

export interface AppOptions {
  readonly shell: 'desktop' | 'headless';
  readonly version: string;
  readonly dataDir: string;
  /** `null` = models.yaml in the data folder, made from the shipped one at the first start. */
  readonly configFile: string | null;
  readonly overrides: Overrides;
  readonly env: Environment;
  readonly home: string;
  readonly resourcesDir: string;
  readonly shippedConfigFile: string;
  /** The built interface; `null` serves none. */
  readonly interfaceDir: string | null;
  readonly clock: Clock;
  readonly probe: MemoryProbe;
  /** Whether engines run on Apple's GPU. */
  readonly metal: boolean;
  readonly log: Log;
  readonly spawnEngine: SpawnEngine;
  readonly spawnEstimator: SpawnEngine;
}

export interface App {
  readonly api: AppApi;
  /** Base of the API without `/v1`; empty before `start`. */
  readonly url: string;
  /** @throws RoundhouseError `conflict` when the port or the data folder is in use */
  start(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * The whole product, without a window: builds every part and joins them.
 * @throws RoundhouseError `config_invalid` with all problems of models.yaml, `conflict` when another app has the folder
 */
export async function createApp(options: AppOptions): Promise<App> {
  const { clock, dataDir, log, probe } = options;
  await ensureDataFolder(dataDir);
  let damagedDatabase: string | null = null;
  const store = openStore(join(dataDir, 'roundhouse.db'), (path) => {
    damagedDatabase = path;
  });
  const machine = await probe.machine();
  // Before whatever may have something to say.
  const decisions = new Decisions();
  const publisher = new Publisher(clock, snapshot);
  if (damagedDatabase !== null) {
    decide(null, `The database was damaged; it is kept as ${damagedDatabase}, and a new one was begun.`);
  }
  const config = await ConfigStore.open({
    file: options.configFile ?? (await ensureModelsYaml(dataDir, options.shippedConfigFile)),
    env: options.env,
    overrides: options.overrides,
    home: options.home,
    resourcesDir: options.resourcesDir,
    machineBytes: machine.totalBytes,
    clock,
    warn: (message) => decide(null, message),
  });

  const stopping = new AbortController();
  const adminToken = randomBytes(32).toString('hex');
  const files = new ModelFiles();
  const outcomes = new Map<string, LocalOutcome>();
  let registry = new Registry(config.settings);
  let otherBytes = 0;
  let serving = false;
  let url = '';
  let configuring: Promise<void> = Promise.resolve();
  let configIsBroken = false;

  function decide(modelId: string | null, text: string): void {
    log.info({ modelId }, text);
    publisher.decided(decisions.add(clock.nowMs(), modelId, text));
  }

  function tellOfConfig(change: ConfigChange): void {
    if (change.type === 'problems') {
      for (const problem of change.problems) log.warn({}, formatProblem(problem));
      const [first, ...others] = change.problems;
      const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
      const what = first ? formatProblem(first) : 'models.yaml cannot be used';
      decide(null, `${what}${more}. The last good version stays in force.`);
    } else if (configIsBroken) {
      decide(null, 'models.yaml is good again and in force.');
    }
    configIsBroken = change.type === 'problems';
  }

  const runtime = new LocalRuntime(config.settings, {
    clock,
    probe,
    machine,
    metal: options.metal,
    spawnEngine: options.spawnEngine,
    spawnEstimator: options.spawnEstimator,
    corrections: { all: store.corrections(), save: store.saveCorrection },
    prefixDir: join(dataDir, 'prefix-cache'),
    onDecision: decide,
    onChange: () => publisher.changed(),
  });

  const backend = createLocalBackend({
    clock,
    settingsOf: (modelId) => runtime.settingsOf(modelId),
    acquire: (modelId, signal) => runtime.dispatcher.acquire(modelId, signal),
    engineOf: (modelId) => runtime.engineOf(modelId),
    randomSeed: () => randomInt(2 ** 32),
    finished: (modelId, outcome) => {
      outcomes.set(modelId, outcome);
      const { promptTokens, completionTokens } = outcome.usage;
      runtime.served(modelId, promptTokens + completionTokens);
    },
  });

  function route(asked: string | null) {
    const broken = registry.models.filter((model) => files.of(model.source.path).problem !== null);
    return resolveModel(asked, registry, new Set(broken.map((model) => model.id)));
  }

  function models(): ModelView[] {
    const wallOffsetMs = clock.nowMs() - clock.monotonicMs();
    return registry.models.map((model) => {
      const outcome = outcomes.get(model.id);
      return modelView(
        model,
        {
          ...files.of(model.source.path),
          tiers: registry.tiersOf(model.id),
          contextSize: runtime.memory.contextSize(model.id, model.engine.contextSize),
          predicted: runtime.memory.predictedLines(model.id),
          measuredLines: (bytes) => runtime.memory.measuredLines(model.id, bytes),
          lastLoadMs: runtime.memory.lastLoadMs(model.id),
          lastFirstTokenMs: outcome?.firstPartMs ?? null,
          lastTokensPerSecond: outcome ? tokensPerSecond(outcome) : null,
        },
        runtime.scheduler,
        wallOffsetMs,
      );
    });
  }

  function snapshot(): Snapshot {
    const server: ServerView = {
      version: options.version,
      shell: options.shell,
      url,
      machine: machine.name,
      dataDir,
      configFile: config.file,
      configProblems: config.problems,
    };
    return {
      server,
      models: models(),
      memory: memoryView(runtime.scheduler, machine.totalBytes, otherBytes),
      providers: [],
      decisions: decisions.latest(DECISIONS_SHOWN),
      defaultModel: registry.defaultName,
      tiers: registry.tiers,
    };
  }

  async function lookAtMachine(): Promise<void> {
    const [availableBytes, engineBytes] = await Promise.all([
      probe.availableBytes(),
      runtime.footprintBytes(),
    ]);
    otherBytes = Math.max(0, machine.totalBytes - availableBytes - engineBytes);
    publisher.changed();
  }

  async function configure(): Promise<void> {
    registry = new Registry(config.settings);
    await files.refresh(config.settings.models);
    runtime.configure(config.settings);
    publisher.changed();
  }

  const api = createAppApi({
    config,
    runtime,
    backend,
    decisions,
    publisher,
    snapshot,
    route,
    configured: () => configuring,
    signal: stopping.signal,
  });

  const gateway = createGateway(
    {
      api,
      settings: { current: () => config.settings.server },
      models,
      route,
      generate: (to, request, signal) => backend.generate(to.modelId, request, signal),
      serving: () => serving,
      adminToken,
      uploads: await Uploads.open(join(dataDir, 'models')),
      interfaceDir: options.interfaceDir,
    },
    { clock, log },
  );

  const watching = [
    config.subscribe((change) => {
      tellOfConfig(change);
      configuring = configuring.then(configure);
    }),
    clock.every(MACHINE_INTERVAL_MS, () => {
      if (publisher.hasSubscribers) void lookAtMachine();
    }),
  ];

  return {
    api,
    get url() {
      return url;
    },
    async start() {
      const { server } = config.settings;
      ({ url } = await gateway.listen(server.host, server.port));
      await Promise.all([configure(), lookAtMachine()]);
      await writeRuntimeFiles(dataDir, { url, pid: process.pid, version: options.version }, adminToken);
      serving = true;
    },
    async stop() {
      serving = false;
      stopping.abort();
      for (const watch of watching) watch[Symbol.dispose]();
      config[Symbol.dispose]();
      await Promise.all([gateway.close(), runtime.close()]);
      if (url !== '') await removeRuntimeFiles(dataDir);
      store[Symbol.dispose]();
    },
  };
}

function tokensPerSecond({ usage }: LocalOutcome): number | null {
  // The first token comes out of prefill; decoding makes the others.
  const tokens = usage.completionTokens - 1;
  return tokens < 1 || usage.decodeMs === 0 ? null : (tokens / usage.decodeMs) * 1000;
}
