import { createContext, Script } from 'node:vm';
import { Template } from '@huggingface/jinja';
import { RoundhouseError } from '../../../shared/errors.ts';
import type { TextMessage } from '../../../shared/generation.ts';
import { MAX_TEMPLATE_BYTES } from '../protocol-estimate.ts';

/** For models that bring no template: ChatML, which most chat models have seen. */
export const CHATML_TEMPLATE = `{%- for m in messages -%}
<|im_start|>{{ m['role'] }}
{{ m['content'] }}<|im_end|>
{% endfor -%}
{%- if add_generation_prompt -%}
<|im_start|>assistant
{% endif -%}`;

/** A template is somebody's program. Rendering a chat takes milliseconds; one that takes longer is stopped. */
const RENDER_LIMIT_MS = 2000;
const GREETING: readonly TextMessage[] = [{ role: 'user', content: 'Hello' }];

/** A piece of a prompt. Special tokens are recognised within a piece, never across two. */
export type PromptPiece = string;

export interface ChatTemplate {
  /**
   * The prompt for `messages`, in pieces. Text of messages cannot produce special tokens: wherever it holds one's
   * spelling, the prompt is cut inside it.
   * @throws RoundhouseError `invalid_request` with the template's own words when it refuses the messages
   */
  render(messages: readonly TextMessage[]): PromptPiece[];
}

export interface TemplateOptions {
  readonly source: string;
  readonly bosText: string;
  readonly eosText: string;
  /** Spellings that the tokenizer turns into special tokens. */
  readonly specialTexts: readonly string[];
  readonly renderLimitMs?: number;
}

/** @throws RoundhouseError `model_load_failed` when the template is too large, cannot be parsed, or does not end */
export function compileTemplate(options: TemplateOptions): ChatTemplate {
  const { source } = options;
  checkTemplateBytes(Buffer.byteLength(source));
  const template = parse(source);
  const own = [source, options.bosText, options.eosText, ...options.specialTexts].join('');
  const renderMessages: Render = (messages) =>
    template.render({
      messages,
      add_generation_prompt: true,
      bos_token: options.bosText,
      eos_token: options.eosText,
    });
  tryOnce(() => renderMessages(GREETING), options.renderLimitMs ?? RENDER_LIMIT_MS);
  return {
    render(messages) {
      const cut = unusedCharacter(messages, own);
      const safe = messages.map((message) => withoutSpecials(message, options.specialTexts, cut));
      const prompt = renderTolerantly(safe, renderMessages);
      return prompt.split(cut).filter((piece) => piece !== '');
    },
  };
}

/** @throws RoundhouseError `model_load_failed` */
export function checkTemplateBytes(bytes: number): void {
  if (bytes <= MAX_TEMPLATE_BYTES) return;
  throw new RoundhouseError(
    'model_load_failed',
    `the chat template has ${bytes} bytes; at most ${MAX_TEMPLATE_BYTES} are allowed; set chatTemplate: FILE for this model`,
  );
}

function parse(source: string): Template {
  try {
    return new Template(source);
  } catch (error) {
    throw new RoundhouseError(
      'model_load_failed',
      `the model's chat template cannot be read: ${messageOf(error)}; set chatTemplate: FILE for this model`,
      { cause: error },
    );
  }
}

type Render = (messages: readonly TextMessage[]) => string;

/**
 * Some templates refuse a system message in mid-list, and some any at all. Then all system text goes to the front, and
 * if that is refused too, into the first user message; the first refusal is what the caller hears if nothing helps.
 */
function renderTolerantly(messages: readonly TextMessage[], render: Render): string {
  const attempts = [messages, systemFirst(messages), systemInUser(messages)];
  let refusal: unknown;
  for (const attempt of attempts) {
    try {
      return render(attempt);
    } catch (error) {
      if (error instanceof RoundhouseError) throw error;
      refusal ??= error;
    }
  }
  throw new RoundhouseError(
    'invalid_request',
    `the model's chat template refuses these messages: ${messageOf(refusal)}`,
    { param: 'messages', cause: refusal },
  );
}

function systemFirst(messages: readonly TextMessage[]): TextMessage[] {
  const rest = messages.filter((message) => message.role !== 'system');
  const system = systemText(messages);
  return system === '' ? rest : [{ role: 'system', content: system }, ...rest];
}

function systemInUser(messages: readonly TextMessage[]): TextMessage[] {
  const system = systemText(messages);
  const [first, ...rest] = messages.filter((message) => message.role !== 'system');
  if (first?.role === 'user') return [{ ...first, content: `${system}\n\n${first.content}` }, ...rest];
  return [{ role: 'user', content: system }, ...(first ? [first, ...rest] : [])];
}

function systemText(messages: readonly TextMessage[]): string {
  return messages
    .filter((message) => message.role === 'system')
    .map((message) => message.content)
    .join('\n\n');
}

/**
 * A template is tried when the model is loaded, so that one that loops for ever is refused there with a reason. `vm`
 * interrupts synchronous code, which nothing else in one thread can; but each such call starts a thread, which would be
 * half a millisecond in front of every answer. What hangs on some messages only is left to the watchdog of the app.
 */
const sandbox = { render: (): string => '' };
createContext(sandbox);
const callRender = new Script('render()');

function tryOnce(render: () => string, limitMs: number): void {
  try {
    sandbox.render = render;
    callRender.runInContext(sandbox, { timeout: limitMs });
  } catch (error) {
    // That it refuses these messages says nothing about others.
    if (!isTimeout(error)) return;
    throw new RoundhouseError(
      'model_load_failed',
      `the model's chat template ran longer than ${limitMs} ms; set chatTemplate: FILE for this model`,
    );
  }
}

function isTimeout(error: unknown): boolean {
  return (
    typeof error === 'object' &&
    error !== null &&
    'code' in error &&
    error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT'
  );
}

/** A private-use character that neither the messages hold nor the model's `own` texts. */
function unusedCharacter(messages: readonly TextMessage[], own: string): string {
  const text = own + messages.map(({ content, name }) => content + (name ?? '')).join('');
  for (let code = 0xe000; code <= 0xf8ff; code++) {
    const character = String.fromCharCode(code);
    if (!text.includes(character)) return character;
  }
  throw new RoundhouseError(
    'invalid_request',
    'the messages use every private-use character of Unicode; leave one out',
    { param: 'messages' },
  );
}

/** All that a caller can write freely; roles are a closed list. */
function withoutSpecials(message: TextMessage, specialTexts: readonly string[], cut: string): TextMessage {
  const { content, name } = message;
  return {
    ...message,
    content: breakSpecials(content, specialTexts, cut),
    ...(name === undefined ? {} : { name: breakSpecials(name, specialTexts, cut) }),
  };
}

/** Puts `cut` behind the first character of each special token's spelling, until none is left whole. */
export function breakSpecials(text: string, specialTexts: readonly string[], cut: string): string {
  let broken = text;
  for (const special of specialTexts) {
    const [head] = special;
    if (head === undefined || head.length === special.length) continue;
    // Once is not enough for a spelling that overlaps itself.
    while (broken.includes(special)) {
      // By a function, because `$` has a meaning in a replacement string.
      broken = broken.replaceAll(special, () => head + cut + special.slice(head.length));
    }
  }
  return broken;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
