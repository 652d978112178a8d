import { z } from 'zod';
import {
  duration,
  durationOrNever,
  filePath,
  keys,
  list,
  memoryBudget,
  nameText,
  oneOf,
  says,
  saysWithoutValue,
  section,
  sizeOrZero,
  text,
  trueOrFalse,
  wholeNumber,
} from './config-fields.ts';
import { defaults, model } from './config-models.ts';
import { budget, provider, providerName } from './config-providers.ts';

/*
 * models.yaml. What people write is this schema's input (resources/models.schema.json is made from that side); its
 * output has units resolved and defaults filled in.
 */

const secretError = saysWithoutValue('a usable key', 'up to 512 printable ASCII characters without spaces');
const secret = z.string({ error: secretError }).regex(/^[!-~]{1,512}$/, { error: secretError });
const hashError = saysWithoutValue('the SHA-256 of a key', '"sha256:" and its 64 hexadecimal digits');
const keyHash = z.string({ error: hashError }).regex(/^sha256:[0-9a-f]{64}$/i, { error: hashError });
const apiKeyError = saysWithoutValue('a key', 'the key as text, or a section with name, and key or keyHash');

const apiKeyFields = z
  .strictObject(
    {
      name: nameText().optional().describe('Whose key it is; shown with its requests.'),
      key: secret
        .optional()
        .describe('The key itself, best kept in an environment variable and read from there.'),
      keyHash: keyHash
        .optional()
        .describe('Instead of key: "sha256:" and the SHA-256 of a key that was made at random.'),
      admin: trueOrFalse().default(false).describe('Whether this key may also load, unload and add models.'),
      maxConcurrent: wholeNumber(1, 10_000, 4)
        .optional()
        .describe('How many of its requests may be under way or wait at a time; one more gets 429.'),
      requestsPerMinute: wholeNumber(1, 10_000, 60)
        .optional()
        .describe('How many requests it may begin in any 60 seconds; one more gets 429 with Retry-After.'),
    },
    { error: apiKeyError },
  )
  .refine(({ key, keyHash }) => key !== undefined || keyHash !== undefined, {
    path: ['key'],
    error: 'is missing; write the key, or its hash as keyHash',
  })
  .refine(({ key, keyHash }) => key === undefined || keyHash === undefined, {
    path: ['keyHash'],
    error: 'stands beside key; write one of the two',
  });

const apiKey = z.union(
  [secret.transform((key) => apiKeyOf({ key, admin: false })), apiKeyFields.transform(apiKeyOf)],
  { error: apiKeyError },
);

function apiKeyOf(fields: z.output<typeof apiKeyFields>) {
  const { name = null, key = null, keyHash = null, maxConcurrent = null, requestsPerMinute = null } = fields;
  return { name, key, keyHash, admin: fields.admin, maxConcurrent, requestsPerMinute };
}

const hostName = /^[A-Za-z0-9.:_[\]-]{1,255}$/;
const origin = /^[a-z][a-z0-9+.-]*:\/\/[^/\s*]+$/;

const server = keys({
  host: text(hostName, 'a host name or address', '127.0.0.1, or 0.0.0.0 for every network')
    .default('127.0.0.1')
    .describe('Address to listen on. Anything but this machine itself needs apiKeys and allowedHosts.'),
  port: wholeNumber(0, 65_535, 4141).default(4141).describe('Port to listen on; 0 takes any free one.'),
  allowedHosts: list(
    text(hostName, 'a host', 'the name clients use, such as mac-studio.local'),
    'host names between [ and ]',
  )
    .default([])
    .describe('Host names under which clients may call, besides localhost.'),
  apiKeys: z
    .array(apiKey, { error: saysWithoutValue('a list', 'keys between [ and ]') })
    .default([])
    .describe('Keys that callers must present. When empty, callers on this machine need none.'),
  allowedOrigins: list(
    text(origin, 'an origin', 'it as the browser sends it, such as https://app.example.com'),
    'origins between [ and ]',
  )
    .default([])
    .describe('Web pages that may call the API.'),
  maxQueue: wholeNumber(0, 100_000, 256)
    .default(256)
    .describe('How many requests may wait; one more gets 429 with Retry-After.'),
  maxWait: duration('1ms', '24h', '120s')
    .prefault('120s')
    .describe('How long a request may wait before it gets 503 with Retry-After.'),
});

const memory = keys({
  budget: memoryBudget()
    .prefault('auto')
    .describe(
      'Memory for all engines together: auto, a size such as 24GiB, or a share of all memory such as 60%.',
    ),
  eviction: oneOf(['cost-aware', 'lru'])
    .default('cost-aware')
    .describe(
      'Which idle models make room: cost-aware takes those that are cheapest to lose, lru the longest unused.',
    ),
  maxLoadedModels: wholeNumber(1, 64, 5)
    .default(5)
    .describe('How many models may be loaded at the same time.'),
  minResidency: duration('0s', '1h', '5s')
    .prefault('5s')
    .describe('How long a model stays loaded before another may push it out.'),
  standbyEngines: wholeNumber(0, 4, 1)
    .default(1)
    .describe('Engine processes kept started without a model, so that the next load is quick.'),
  keepPrefixCache: sizeOrZero('2GiB')
    .prefault('2GiB')
    .describe(
      'Disk for what unloaded models had read of conversations, so that they need not read it again; 0 keeps nothing.',
    ),
  keepPrefixCacheOnQuit: trueOrFalse()
    .default(false)
    .describe('Whether that stays on disk when Roundhouse quits. It holds the texts of conversations.'),
});

const tier = keys({
  models: list(nameText(), 'model ids between [ and ]')
    .min(1, { error: 'is empty; name at least one model' })
    .describe('Models to choose from, the preferred one first.'),
});

const routing = keys({
  default: text(/^.{1,140}$/u, 'a name', 'a model or a tier, such as tier:default')
    .optional()
    .describe('What "auto" stands for: tier:NAME or a model. Without it, tier:default if there is one.'),
});

const usage = keys({
  retention: durationOrNever('1h', '3650d', '90d')
    .prefault('90d')
    .describe('How long to keep what each request took and cost; or never to forget it.'),
});

const logging = keys({
  content: trueOrFalse()
    .default(false)
    .describe('Whether the texts of prompts and answers are kept with what their requests took.'),
  level: oneOf(['debug', 'info', 'warn', 'error']).default('info').describe('How much is logged.'),
});

/** The sections whose single values an environment variable can set. */
export const SECTIONS = { server, memory, defaults, routing, usage, logging } as const;

export const modelsYamlSchema = keys({
  version: z
    .literal(1, { error: says('a version of models.yaml that this Roundhouse reads', '1') })
    .default(1)
    .describe('Version of this format.'),
  server: section(server).describe('The port that clients call.'),
  memory: section(memory).describe('How much may be loaded.'),
  defaults: section(defaults).describe('For every model that does not say otherwise.'),
  providers: named(provider, providerName()).describe('Services that run models, each under its name.'),
  models: named(model).describe('The models, each under its id.'),
  tiers: named(tier).describe('Names for models by purpose; called as tier:NAME.'),
  routing: section(routing).describe('Which model answers when a request does not choose one.'),
  modelsFolders: list(filePath(), 'folders between [ and ]')
    .nullish()
    .transform((folders) => folders ?? [])
    .describe('Folders whose GGUF files are served too; watched for new ones.'),
  budgets: list(budget, 'budgets between [ and ]')
    .nullish()
    .transform((budgets) => budgets ?? [])
    .describe('How much requests to providers may cost.'),
  usage: section(usage).describe('What is kept of past requests.'),
  logging: section(logging).describe('What is logged.'),
}).meta({ title: 'models.yaml', description: 'Which models Roundhouse serves, and how.' });

export type ModelsYaml = z.output<typeof modelsYamlSchema>;

/** The JSON schema of what people write, for editors; resources/models.schema.json is this. */
export function modelsJsonSchema(): z.core.JSONSchema.BaseSchema {
  jsonSchema ??= z.toJSONSchema(modelsYamlSchema, { io: 'input' });
  return jsonSchema;
}

/** Made when it is first needed: it takes some milliseconds. */
let jsonSchema: z.core.JSONSchema.BaseSchema | null = null;

function named<Schema extends z.ZodType>(schema: Schema, name = nameText()) {
  return z
    .record(name, schema, { error: says('a section', 'one entry per name below it, indented') })
    .nullish()
    .transform((entries) => entries ?? {});
}
