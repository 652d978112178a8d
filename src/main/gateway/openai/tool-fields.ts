import { z } from 'zod';
import type { JsonObject, Tool, ToolUse } from '../../../shared/generation.ts';
import { type Path, type Refuse, refuse, refuser, shown } from '../request-errors.ts';
import { fieldOf, isObject, readSchema } from './json-object.ts';

const MAX_TOOLS = 512;
const MAX_DESCRIPTION_CHARS = 64 * 1024;
/** Wider than OpenAI's own rule, because other providers allow more. */
const TOOL_NAME = /^[\w.:/-]{1,128}$/;
export const TOOL_NAME_RULE =
  'The name of a tool must have 1 to 128 characters out of letters, digits and _ - . : /.';

export function isToolName(value: unknown): value is string {
  return typeof value === 'string' && TOOL_NAME.test(value);
}

const field = z.unknown().optional();

export interface AskedTools {
  readonly tools: ToolUse | null;
  /** They came as `functions`, the API's older form, so a call is to be answered in that form. */
  readonly asFunctions: boolean;
}

/** What a chat's body says of tools, in either form that the API has had. Read together: each field limits the others. */
export const toolFieldsSchema = z
  .object({
    tools: field,
    tool_choice: field,
    parallel_tool_calls: z.boolean().nullish(),
    functions: field,
    function_call: field,
  })
  .transform((fields, context): AskedTools => {
    const wrong = refuser(context);
    const asFunctions = isFilled(fields.functions);
    if (asFunctions && isFilled(fields.tools)) {
      return refuse(context, ['functions'], 'A request has either "tools" or the older "functions".');
    }
    const listName = asFunctions ? 'functions' : 'tools';
    const choiceName = asFunctions ? 'function_call' : 'tool_choice';
    const tools = readTools(fields[listName] ?? [], listName, wrong);
    if (tools === null) return z.NEVER;
    const choice = readChoice(fields[choiceName] ?? 'auto', choiceName, wrong);
    if (choice === null) return z.NEVER;
    const names = new Set(tools.map(({ name }) => name));
    const unknown = choice.names.find((name) => !names.has(name));
    if (unknown !== undefined) {
      return refuse(
        context,
        [choiceName],
        `"${choiceName}" asks for ${shown(unknown)}, which is no tool here.`,
      );
    }
    if (tools.length === 0) {
      if (choice.mode !== 'required') return { tools: null, asFunctions: false };
      return refuse(context, [choiceName], `"${choiceName}" asks for a tool, but the request has none.`);
    }
    const [name] = choice.names;
    return {
      tools: {
        tools: choice.kind === 'allowed' ? tools.filter((tool) => choice.names.includes(tool.name)) : tools,
        choice: choice.kind === 'named' && name !== undefined ? { name } : choice.mode,
        // The older form can answer with one call only.
        parallel: asFunctions ? false : (fields.parallel_tool_calls ?? null),
      },
      asFunctions,
    };
  });

function isFilled(value: unknown): boolean {
  return value !== undefined && value !== null && !(Array.isArray(value) && value.length === 0);
}

function readTools(list: unknown, listName: 'tools' | 'functions', wrong: Refuse): readonly Tool[] | null {
  if (!Array.isArray(list)) return wrong([listName], `"${listName}" must be a list, not ${shown(list)}.`);
  if (list.length > MAX_TOOLS) {
    return wrong([listName], `"${listName}" must hold at most ${MAX_TOOLS} tools, not ${list.length}.`);
  }
  const tools = new Map<string, Tool>();
  for (const [index, entry] of list.entries()) {
    const path = [listName, index];
    const tool = listName === 'tools' ? readTool(entry, path, wrong) : readFunction(entry, path, wrong);
    if (tool === null) return null;
    if (tools.has(tool.name)) return wrong(path, `There are two tools with the name ${shown(tool.name)}.`);
    tools.set(tool.name, tool);
  }
  return [...tools.values()];
}

function readTool(entry: unknown, path: Path, wrong: Refuse): Tool | null {
  if (!isObject(entry)) {
    return wrong(path, 'A tool must be an object such as {"type":"function","function":{"name":"…"}}.');
  }
  const type = fieldOf(entry, 'type');
  if (type === 'function') return readFunction(fieldOf(entry, 'function'), [...path, 'function'], wrong);
  if (typeof type !== 'string') return wrong([...path, 'type'], 'The type of a tool must be "function".');
  return wrong(
    [...path, 'type'],
    `Tools of the type ${shown(type)} are not supported yet: only "function" is.`,
    'unsupported_parameter',
  );
}

function readFunction(entry: unknown, path: Path, wrong: Refuse): Tool | null {
  if (!isObject(entry)) {
    return wrong(path, 'A function must be an object such as {"name":"…","parameters":{…}}.');
  }
  const name = fieldOf(entry, 'name');
  const description = fieldOf(entry, 'description') ?? null;
  const strict = fieldOf(entry, 'strict') ?? null;
  const schema = fieldOf(entry, 'parameters') ?? null;
  if (!isToolName(name)) return wrong([...path, 'name'], TOOL_NAME_RULE);
  if (!isDescription(description)) return wrong([...path, 'description'], DESCRIPTION_RULE);
  if (strict !== null && typeof strict !== 'boolean') {
    return wrong([...path, 'strict'], `"strict" must be true or false, not ${shown(strict)}.`);
  }
  let parameters: JsonObject | null = null;
  if (schema !== null) {
    parameters = readSchema(schema, [...path, 'parameters'], wrong);
    if (parameters === null) return null;
  }
  return { name, description, parameters, strict };
}

export const DESCRIPTION_RULE = `"description" must be a string of at most ${MAX_DESCRIPTION_CHARS} characters.`;

export function isDescription(value: unknown): value is string | null {
  return value === null || (typeof value === 'string' && value.length <= MAX_DESCRIPTION_CHARS);
}

/** `named` = just that one; `allowed` = out of these; `any` = out of all. */
interface Choice {
  readonly kind: 'any' | 'allowed' | 'named';
  readonly mode: 'auto' | 'none' | 'required';
  readonly names: readonly string[];
}

const MODES: ReadonlyMap<unknown, Choice['mode']> = new Map([
  ['auto', 'auto'],
  ['none', 'none'],
  ['required', 'required'],
  // Mistral's word for it.
  ['any', 'required'],
]);

function readChoice(
  value: unknown,
  choiceName: 'tool_choice' | 'function_call',
  wrong: Refuse,
): Choice | null {
  const mode = MODES.get(value);
  if (mode !== undefined) return { kind: 'any', mode, names: [] };
  if (!isObject(value)) {
    return wrong(
      [choiceName],
      `"${choiceName}" must be auto, none, required or an object that names a tool.`,
    );
  }
  if (choiceName === 'function_call') return readNamed(value, [choiceName], wrong);
  const type = fieldOf(value, 'type');
  switch (type) {
    case 'function':
      return readNamed(value, [choiceName], wrong);
    case 'allowed_tools':
      return readAllowed(fieldOf(value, 'allowed_tools') ?? value, [choiceName], wrong);
    case 'auto':
    case 'none':
    case 'required':
      return { kind: 'any', mode: type, names: [] };
    default:
      return wrong(
        [choiceName, 'type'],
        `The type of "tool_choice" must be function or allowed_tools, not ${shown(type)}.`,
      );
  }
}

/** `{"function":{"name":"f"}}`, or `{"name":"f"}` as the older form and the Responses API have it. */
function readNamed(value: Readonly<Record<string, unknown>>, path: Path, wrong: Refuse): Choice | null {
  const inner = fieldOf(value, 'function');
  const name = fieldOf(isObject(inner) ? inner : value, 'name');
  if (typeof name === 'string') return { kind: 'named', mode: 'required', names: [name] };
  return wrong([...path, 'function', 'name'], 'The tool that is to be called must be named.');
}

function readAllowed(value: unknown, path: Path, wrong: Refuse): Choice | null {
  const mode = isObject(value) ? fieldOf(value, 'mode') : undefined;
  const tools = isObject(value) ? fieldOf(value, 'tools') : undefined;
  if ((mode !== 'auto' && mode !== 'required') || !Array.isArray(tools) || tools.length > MAX_TOOLS) {
    return wrong(
      [...path, 'allowed_tools'],
      `"allowed_tools" must be {"mode":"auto" or "required","tools":[…]}, with at most ${MAX_TOOLS} tools.`,
    );
  }
  const names: string[] = [];
  for (const tool of tools) {
    const choice = isObject(tool) ? readNamed(tool, [...path, 'allowed_tools', 'tools'], wrong) : null;
    if (choice === null) {
      return isObject(tool)
        ? null
        : wrong([...path, 'allowed_tools', 'tools'], 'Allowed tools must be objects.');
    }
    names.push(...choice.names);
  }
  if (names.length > 0) return { kind: 'allowed', mode, names };
  return wrong([...path, 'allowed_tools', 'tools'], 'At least one tool must be allowed.');
}
