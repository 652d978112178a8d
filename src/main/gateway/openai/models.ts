import type { ModelView } from '../../../shared/contract.ts';
import type { GatewayPorts } from '../ports.ts';

type ModelPorts = Pick<GatewayPorts, 'models' | 'route'>;

/** `GET /v1/models`: OpenAI's list with Anthropic's fields beside it. Tiers and `auto` are names, not models. */
export function listModels(ports: ModelPorts, createdMs: number): object {
  const data = ports.models().map((model) => wireModel(model, createdMs));
  return {
    object: 'list',
    data,
    has_more: false,
    first_id: data.at(0)?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
  };
}

/**
 * `GET /v1/models/{id}`. Every name that can be asked is answered with the model it stands for now.
 * @throws RoundhouseError `model_not_found`
 */
export function findModel(ports: ModelPorts, name: string, createdMs: number): object {
  const models = ports.models();
  const byId = models.find((model) => model.id === name);
  if (byId !== undefined) return wireModel(byId, createdMs);
  const { modelId } = ports.route(name, []);
  const routed = models.find((model) => model.id === modelId);
  // A provider's model that is just named, as `provider/model`, is in no list.
  return routed === undefined ? wireUnlisted(modelId, createdMs) : wireModel(routed, createdMs);
}

function wireUnlisted(id: string, createdMs: number) {
  return {
    id,
    object: 'model',
    created: Math.floor(createdMs / 1000),
    owned_by: id.split('/', 1)[0],
    type: 'model',
    display_name: id,
    created_at: new Date(createdMs).toISOString(),
  };
}

/** `createdMs` stands in for a date of the model, which nobody knows: it must only be a whole number that holds still. */
function wireModel(model: ModelView, createdMs: number) {
  return {
    id: model.id,
    object: 'model',
    created: Math.floor(createdMs / 1000),
    owned_by: model.provider ?? 'roundhouse',
    type: 'model',
    display_name: model.name,
    created_at: new Date(createdMs).toISOString(),
    roundhouse: {
      // Only models of this machine have a state and slots.
      ...(model.kind === 'local'
        ? { state: model.state.status, slots: model.slots }
        : { provider: model.provider, remote_id: model.remoteId }),
      context_size: model.contextSize,
      aliases: model.aliases,
      tiers: model.tiers,
    },
  };
}
