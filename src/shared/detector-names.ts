/**
 * What a server can be asked beyond its list of models, to learn what they can do. The list is closed: a name that is
 * not in it is refused, so that settings never choose code.
 */
export const DETECTOR_NAMES = ['ollama', 'lm-studio', 'llama-cpp'] as const;
export type DetectorName = (typeof DETECTOR_NAMES)[number];
