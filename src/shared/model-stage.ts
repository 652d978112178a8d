/** Where a model is in its life as something to rely on. `deprecated` still answers, `retired` does not. */
export const MODEL_STAGES = ['experimental', 'staging', 'production', 'deprecated', 'retired'] as const;
export type ModelStage = (typeof MODEL_STAGES)[number];
