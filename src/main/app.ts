import { randomBytes, randomInt } from 'node:crypto';
import { join } from 'node:path';
import type { Clock } from '../shared/clock.ts';
import type { AppApi, ServerView, Snapshot } from '../shared/contract.ts';
import type { ProviderView } from '../shared/provider-contract.ts';
import { Accounting } from './accounting.ts';
import { Answering } from './answering.ts';
import { createAppApi } from './app-api.ts';
import { CatalogFiles } from './catalog-files.ts';
import { ensureDataFolder, ensureModelsYaml } from './config/data-folder.ts';
import { explainKey } from './config/explain.ts';
import type { Overrides } from './config/outside.ts';
import { removeRuntimeFiles, writeRuntimeFiles } from './config/runtime-files.ts';
import type { Secrets } from './config/secrets.ts';
import { localModels, type Settings } from './config/settings.ts';
import { type ConfigChange, ConfigStore } from './config/store.ts';
import { Uploads } from './config/uploads.ts';
import { Decisions } from './decisions.ts';
import { createDetectionFiles } from './detection-files.ts';
import type { SpawnEngine } from './engine/spawn.ts';
import { createGateway } from './gateway/gateway.ts';
import { LocalRuntime } from './local-runtime.ts';
import type { Log } from './log.ts';
import { LookAhead } from './look-ahead.ts';
import type { MemoryProbe } from './memory/probe.ts';
import { ModelFiles } from './model-files.ts';
import { ModelList } from './model-list.ts';
import { ModelProblems } from './model-problems.ts';
import { ownAddress } from './own-address.ts';
import { createProviderCalls } from './provider-calls.ts';
import type { ProviderPorts } from './providers/create-provider.ts';
import { createLocalBackend } from './providers/local.ts';
import { Publisher } from './publisher.ts';
import { Registry } from './registry/registry.ts';
import { createRegistryCalls } from './registry-calls.ts';
import { RemoteRuntime } from './remote-runtime.ts';
import { tellOfRegistered } from './tell-of-registered.ts';
import { DataStore } from './usage/data-store.ts';
import { Usage } from './usage/usage.ts';
import { createUsageFiles, usageSettings } from './usage-runtime.ts';
import { memoryView } from './views.ts';
import { formatProblem } from './yaml/format-problem.ts';
import type { Environment } from './yaml/yaml-source.ts';

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
  /** The program of the database's thread. */
  readonly storeModule: string;
  readonly clock: Clock;
  readonly probe: MemoryProbe;
  /** Whether engines run on Apple's GPU. */
  readonly metal: boolean;
  readonly log: Log;
  readonly spawnEngine: SpawnEngine;
  readonly spawnEstimator: SpawnEngine;
  readonly fetch: ProviderPorts['fetch'];
  /** Where providers' keys are kept. @param warn takes what the user should know, as a sentence */
  readonly openSecrets: (warn: (message: string) => void) => Secrets;
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
  const { clock, dataDir, log, probe, env, resourcesDir } = options;
  await ensureDataFolder(dataDir);
  const store = await DataStore.open({
    file: join(dataDir, 'roundhouse.db'),
    threadModule: options.storeModule,
  });
  // What can fail comes before whatever keeps the process alive.
  const uploads = await Uploads.open(join(dataDir, 'models'));
  const machine = await probe.machine();

  // Before whatever may have something to say.
  const decisions = new Decisions();
  const publisher = new Publisher(clock, snapshot);
  const onChange = () => publisher.changed();
  const say = (text: string) => decide(null, text);
  if (store.movedAsideTo !== null) {
    say(`The database was damaged; it is kept as ${store.movedAsideTo}, and a new one was begun.`);
  }

  // What is configured.
  const config = await ConfigStore.open({
    file: options.configFile ?? (await ensureModelsYaml(dataDir, options.shippedConfigFile)),
    env,
    overrides: options.overrides,
    home: options.home,
    resourcesDir,
    machineBytes: machine.totalBytes,
    clock,
    warn: say,
  });
  const stopping = new AbortController();
  const adminToken = randomBytes(32).toString('hex');
  let serving = false;
  let url = '';
  let configuring: Promise<void> = Promise.resolve();
  let configIsBroken = false;

  // Where models run.
  const runtime = new LocalRuntime(config.settings, {
    clock,
    probe,
    machine,
    metal: options.metal,
    spawnEngine: options.spawnEngine,
    spawnEstimator: options.spawnEstimator,
    corrections: { all: store.corrections, save: (model, learned) => store.saveCorrection(model, learned) },
    prefixDir: join(dataDir, 'prefix-cache'),
    onDecision: decide,
    onChange: () => {
      problems.check(localModels(registry));
      publisher.changed();
    },
    isWatched: () => publisher.hasSubscribers,
  });
  const remote = new RemoteRuntime({
    clock,
    env,
    secrets: options.openSecrets(say),
    fetch: options.fetch,
    own: () => ownAddress(url, config.settings.server),
    random: () => randomInt(2 ** 32) / 2 ** 32,
    detections: createDetectionFiles(join(dataDir, 'catalog', 'detected')),
    onDecision: decide,
    onChange,
  });
  const catalogFiles = new CatalogFiles({
    clock,
    warn: say,
    shippedDir: join(resourcesDir, 'catalog'),
    userDir: join(dataDir, 'catalog'),
    onLoaded: (loaded) => {
      for (const problem of loaded.problems) log.warn({}, formatProblem(problem));
      remote.useCatalog(loaded);
    },
  });

  // Which there are.
  const files = new ModelFiles({
    clock,
    warn: (message) => log.warn({}, message),
    onChange: () => {
      configuring = configuring.then(lookAtFiles);
    },
  });
  const problems = new ModelProblems(files, runtime, say);
  const ahead = new LookAhead((modelId) => runtime.lookAt(modelId));
  const registry = new Registry(remote.providers);
  register(config.settings);

  // How they are asked, and what that costs.
  const usage = await Usage.start(
    {
      clock,
      store,
      localModels: () =>
        localModels(registry).flatMap(({ id, latency: { firstTokenMs } }) =>
          firstTokenMs === null ? [] : [{ model: id, targetFirstTokenMs: firstTokenMs }],
        ),
      say,
    },
    usageSettings(config.settings),
  );
  const accounting = new Accounting({
    clock,
    record: (row) => usage.log.record(row),
    reserve: (spending) => usage.budgets.reserve(spending),
    keepsTexts: () => config.settings.logContent,
    onChange,
  });
  const list = new ModelList({ clock, registry, runtime, remote, files, problems, accounting });
  const local = createLocalBackend({
    clock,
    settingsOf: (modelId) => runtime.settingsOf(modelId),
    acquire: (modelId, signal) => runtime.dispatcher.acquire(modelId, signal),
    engineOf: (modelId) => runtime.engineOf(modelId),
    loadSince: (modelId, atMs) => runtime.loadSince(modelId, atMs),
    randomSeed: () => randomInt(2 ** 32),
    finished: (modelId, { usage: { promptTokens, completionTokens } }) =>
      runtime.served(modelId, promptTokens + completionTokens),
  });
  const answering = new Answering({ registry, list, local, remote, accounting });

  // What others see of it.
  const api = createAppApi({
    config,
    runtime,
    answering,
    decisions,
    publisher,
    usage,
    snapshot,
    isLocal: (modelId) => runtime.settingsOf(modelId) !== null,
    providerCalls: createProviderCalls({
      clock,
      config,
      registry,
      remote,
      list,
      providerViews,
      configured: () => configuring,
    }),
    registryCalls: createRegistryCalls({
      config,
      registry,
      remote,
      models: () => list.views(),
      providerViews,
      apply: applyInTurn,
    }),
    explain: async (key) =>
      explainKey(
        {
          parsed: config.parsed,
          settings: config.settings,
          catalogModel: (model) => list.known(model).catalogModel,
          keyKeptIn: (provider) => remote.keyKeptIn(provider),
        },
        key,
      ),
    configured: () => configuring,
    signal: stopping.signal,
  });
  const gateway = createGateway(
    {
      api,
      settings: { current: () => config.settings.server },
      models: () => list.views(),
      route: (asked, requires) => answering.route(asked, requires),
      generate: (...asked) => answering.generate(...asked),
      embed: (...asked) => answering.embed(...asked),
      ...createUsageFiles(usage, runtime),
      serving: () => serving,
      adminToken,
      uploads,
      interfaceDir: options.interfaceDir,
    },
    { clock, log },
  );

  const watching = [
    config.subscribe((change) => {
      tellOfConfig(change);
      if (change.type === 'settings') register(change.settings);
      void applyInTurn();
    }),
    catalogFiles,
    files,
    ahead,
  ];

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
      say(`${what}${more}. The last good version stays in force.`);
    } else if (configIsBroken) {
      say('models.yaml is good again and in force.');
    }
    configIsBroken = change.type === 'problems';
  }

  /** Names first, in one step: whoever asks from now on asks the new ones. */
  function register(settings: Settings): void {
    const providers = remote.providers.configure(settings.providers);
    tellOfRegistered(providers, registry.configure(settings), say);
  }

  function applyInTurn(): Promise<void> {
    configuring = configuring.then(apply);
    return configuring;
  }

  /** Puts what is registered in force everywhere. */
  async function apply(): Promise<void> {
    await files.refresh(localModels(registry));
    runtime.configure({ ...config.settings, models: registry.models });
    problems.check(localModels(registry));
    await Promise.all([usage.configure(usageSettings(config.settings)), remote.refresh()]);
    publisher.changed();
    lookAhead();
  }

  async function lookAtFiles(): Promise<void> {
    await files.refresh(localModels(registry));
    publisher.changed();
    lookAhead();
  }

  /** Not before it serves: what is asked for at the start goes first. */
  function lookAhead(): void {
    if (serving) ahead.begin(localModels(registry).map((model) => model.id));
  }

  function providerViews(): readonly ProviderView[] {
    return remote.views((provider) =>
      registry.models.flatMap((model) =>
        model.kind === 'remote' && model.provider === provider ? [model.id] : [],
      ),
    );
  }

  function snapshot(): Snapshot {
    const server: ServerView = {
      version: options.version,
      shell: options.shell,
      url,
      machine: machine.name,
      dataDir,
      configFile: config.file,
      configProblems: [...config.problems, ...remote.catalogProblems],
    };
    return {
      server,
      models: list.views(),
      providers: providerViews(),
      memory: memoryView(runtime.scheduler, machine.totalBytes, runtime.prefixCache),
      decisions: decisions.latest(DECISIONS_SHOWN),
      defaultModel: registry.defaultName,
      tiers: registry.tiers,
    };
  }

  return {
    api,
    get url() {
      return url;
    },
    async start() {
      const { server } = config.settings;
      ({ url } = await gateway.listen(server.host, server.port));
      // Before anything is loaded, so that it is known what there is.
      await runtime.watchMachine();
      await Promise.all([catalogFiles.load(), apply()]);
      await writeRuntimeFiles(dataDir, { url, pid: process.pid, version: options.version }, adminToken);
      serving = true;
      lookAhead();
    },
    async stop() {
      serving = false;
      stopping.abort();
      for (const watch of watching) watch[Symbol.dispose]();
      config[Symbol.dispose]();
      await Promise.all([gateway.close(), runtime.close()]);
      remote.close();
      await usage.close();
      if (url !== '') await removeRuntimeFiles(dataDir);
      await store.close();
    },
  };
}
