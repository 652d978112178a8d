import type { ErrorCode } from '../../shared/errors.ts';

/** The one thing offered beside an error in a chat. */
export type Remedy = 'retry' | 'new-chat' | 'models';

/** Asking again helps where the cause may pass; where it lies in the chat or in the model, it does not. */
export function remedyOf(code: ErrorCode): Remedy {
  switch (code) {
    case 'context_length_exceeded':
    case 'unsupported_content':
    case 'capability_missing':
    case 'payload_too_large':
      return 'new-chat';
    case 'model_not_found':
    case 'model_retired':
    case 'model_too_large':
    case 'model_load_failed':
    case 'gguf_invalid':
    case 'config_invalid':
      return 'models';
    default:
      return 'retry';
  }
}
