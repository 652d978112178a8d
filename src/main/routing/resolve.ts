import type { Capability, Stage, Support } from '../../shared/capabilities.ts';
import { RoundhouseError } from '../../shared/errors.ts';
import type { ModelSettings } from '../config/settings.ts';
import type { Registry } from '../registry/registry.ts';

export interface Resolution {
  readonly modelId: string;
  /** What was asked for; `auto` where the request named nothing. */
  readonly asked: string;
  /** In words: `tier:low → demo (first of 1)`. */
  readonly reason: string;
  /** Every model that was meant and can do what is asked, the preferred one first; holds `modelId`. */
  readonly candidates: readonly string[];
  /** What whoever asked should know of the model, as sentences. */
  readonly warnings: readonly string[];
}

/** What is known of the models besides their names. */
export interface RouteFacts {
  /** Whether a model has a problem that is known beforehand: a tier passes over it as long as it has another. */
  isUnusable(model: ModelSettings): boolean;
  knowledgeOf(model: ModelSettings): ModelKnowledge;
}

/** What models.yaml, the catalog and detection know of a model, laid over each other. */
export interface ModelKnowledge {
  /** `null` where no source knows the model at all. */
  readonly stage: Stage | null;
  /** To use instead of a deprecated or retired one. */
  readonly replacement: string | null;
  /** The last day on which a deprecated one answers, as its source writes it. */
  readonly retirementDate: string | null;
  /** What is missing is unknown. */
  readonly capabilities: Readonly<Partial<Record<Capability, Support>>>;
}

/**
 * Names the model for what a request asked for: an id, an alias, `provider/model`, `tier:NAME`, or the default for `auto`
 * and `null`.
 * @param requires what the request cannot do without
 * @throws RoundhouseError `model_not_found` with the nearest names, `model_retired` with the replacement,
 *   `capability_missing` when none of the models meant has what is required
 */
export function resolveModel(
  asked: string | null,
  registry: Registry,
  facts: RouteFacts,
  requires: readonly Capability[] = [],
): Resolution {
  if (asked !== null && asked !== 'auto') {
    return { asked, ...resolveName(asked, registry, facts, requires) };
  }
  const target = resolveName(registry.defaultName, registry, facts, requires);
  return { ...target, asked: 'auto', reason: `auto → ${target.reason}` };
}

type Target = Omit<Resolution, 'asked'>;

function resolveName(
  name: string,
  registry: Registry,
  facts: RouteFacts,
  requires: readonly Capability[],
): Target {
  const model = registry.find(name);
  if (model) return resolveSingle(name, model, registry, facts, requires);
  const tier = name.startsWith('tier:') ? name.slice('tier:'.length) : null;
  const members = tier === null ? [] : (registry.membersOf(tier) ?? []);
  return resolveTier(
    name,
    members.flatMap((id) => registry.find(id) ?? []),
    registry,
    facts,
    requires,
  );
}

function resolveSingle(
  name: string,
  model: ModelSettings,
  registry: Registry,
  facts: RouteFacts,
  requires: readonly Capability[],
): Target {
  const knowledge = facts.knowledgeOf(model);
  if (knowledge.stage === 'retired') throw retired(model, knowledge, registry);
  const missing = missingOf(knowledge, requires);
  if (missing !== null) throw incapable(model.id, missing, registry, facts);
  const path = model.id === name ? name : `${name} → ${model.id} (alias)`;
  return {
    modelId: model.id,
    reason: path + noteOf(knowledge),
    candidates: [model.id],
    warnings: warningsOf(model, knowledge),
  };
}

/** Members that are retired, or cannot do what is required, are left out; those with a problem come last. */
function resolveTier(
  name: string,
  members: readonly ModelSettings[],
  registry: Registry,
  facts: RouteFacts,
  requires: readonly Capability[],
): Target {
  const [first] = members;
  if (!first) throw notFound(name, registry);
  const known = members.map((model): KnownModel => ({ model, knowledge: facts.knowledgeOf(model) }));
  const inService = known.filter(({ knowledge }) => knowledge.stage !== 'retired');
  if (inService.length === 0) throw retired(first, facts.knowledgeOf(first), registry);
  const able = inService.filter(({ knowledge }) => missingOf(knowledge, requires) === null);
  const missing = inService
    .map(({ knowledge }) => missingOf(knowledge, requires))
    .find((lack) => lack !== null);
  if (able.length === 0 && missing) throw incapable(`each model of ${name}`, missing, registry, facts);

  const usable = able.find(({ model }) => !facts.isUnusable(model));
  // With none that can be used, the first is named all the same: its own problem is the answer the caller needs.
  const chosen = usable ?? able[0];
  if (!chosen) throw notFound(name, registry);
  const { model, knowledge } = chosen;
  const place = `${ordinal(members.indexOf(model) + 1)} of ${members.length}`;
  const passedOver = known.slice(0, members.indexOf(model));
  const why = usable === undefined ? ['none can be used'] : whyNot(passedOver, requires);
  return {
    modelId: model.id,
    reason: `${name} → ${model.id} (${[place, ...why].join('; ')})${noteOf(knowledge)}`,
    candidates: able.map((candidate) => candidate.model.id),
    warnings: warningsOf(model, knowledge),
  };
}

interface KnownModel {
  readonly model: ModelSettings;
  readonly knowledge: ModelKnowledge;
}

/** Why these were passed over, those for the same reason together. */
function whyNot(passedOver: readonly KnownModel[], requires: readonly Capability[]): readonly string[] {
  const idsBy = new Map<string, string[]>();
  for (const { model, knowledge } of passedOver) {
    const missing = missingOf(knowledge, requires);
    const reason =
      knowledge.stage === 'retired' ? 'retired' : missing === null ? 'cannot be used' : `without ${missing}`;
    idsBy.set(reason, [...(idsBy.get(reason) ?? []), model.id]);
  }
  return [...idsBy].map(([reason, ids]) => `${ids.join(', ')} ${reason}`);
}

/** The first required capability that a model is known not to have: what is unknown may be tried. */
function missingOf({ capabilities }: ModelKnowledge, requires: readonly Capability[]): Capability | null {
  return requires.find((capability) => capabilities[capability] === 'no') ?? null;
}

/** For the end of a reason; empty where there is nothing to say. */
function noteOf({ stage }: ModelKnowledge): string {
  if (stage === null) return '; nothing is known of it';
  return stage === 'deprecated' ? '; deprecated' : '';
}

function warningsOf(model: ModelSettings, { stage, replacement, retirementDate }: ModelKnowledge): string[] {
  if (stage === null) {
    return [`Nothing is known of ${model.id}, not even its price; the request is passed on as it is.`];
  }
  if (stage !== 'deprecated') return [];
  const until = retirementDate === null ? '' : ` and retires on ${retirementDate}`;
  const instead = replacement === null ? 'choose another model' : `use ${replacement} instead`;
  return [`${model.id} is deprecated${until}; ${instead}.`];
}

function retired(model: ModelSettings, { replacement }: ModelKnowledge, registry: Registry): RoundhouseError {
  const near = registry.nearest(model.id).filter((name) => name !== model.id);
  const instead =
    replacement === null
      ? `choose another model${near[0] === undefined ? '' : `, such as ${near[0]}`}`
      : `use ${replacement} instead`;
  return new RoundhouseError(
    'model_retired',
    `${model.id} is retired and does not answer any more; ${instead}`,
    {
      param: 'model',
    },
  );
}

function incapable(who: string, missing: Capability, registry: Registry, facts: RouteFacts): RoundhouseError {
  const able = registry.models
    .filter((model) => facts.knowledgeOf(model).capabilities[missing] === 'yes')
    .slice(0, 3)
    .map((model) => model.id);
  const instead =
    able.length === 0 ? 'add a model that has it' : `ask for one that has it: ${able.join(', ')}`;
  return new RoundhouseError('capability_missing', `${who} lacks the capability ${missing}; ${instead}`, {
    param: 'model',
  });
}

function notFound(name: string, registry: Registry): RoundhouseError {
  const near = registry.nearest(name);
  const hint = near.length === 0 ? '' : `; nearest: ${near.join(', ')}`;
  return new RoundhouseError(
    'model_not_found',
    `no model or tier is called "${name}"${hint}; \`GET /v1/models\` lists all`,
    { param: 'model' },
  );
}

function ordinal(place: number): string {
  const words = ['first', 'second', 'third', 'fourth', 'fifth'];
  return words[place - 1] ?? `number ${place}`;
}
