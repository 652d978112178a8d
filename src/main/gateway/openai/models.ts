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
  if (routed === undefined)
    throw new Error(`${JSON.stringify(name)} is routed to a model that is not listed`);
  return wireModel(routed, createdMs);
}

/** `createdMs` stands in for a date of the model, which nobody knows: it must only be a whole number that holds still. */
function wireModel(model: ModelView, createdMs: number) {
  return {
    id: model.id,
    object: 'model',
    created: Math.floor(createdMs / 1000),
    owned_by: 'roundhouse',
    type: 'model',
    display_name: model.name,
    created_at: new Date(createdMs).toISOString(),
    roundhouse: {
      state: model.state.status,
      context_size: model.contextSize,
      slots: model.slots,
      aliases: model.aliases,
      tiers: model.tiers,
    },
  };
}
