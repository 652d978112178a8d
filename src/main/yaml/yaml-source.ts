import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  Scalar,
  visit,
} from 'yaml';
import type { ConfigProblem } from '../../shared/contract.ts';

export type Environment = Readonly<Record<string, string | undefined>>;
export type KeyPath = readonly (string | number)[];

/** A file that is well-formed YAML; what its keys mean is the schema's business. */
export interface YamlSource {
  /** The whole file as plain values, `${NAME}` read from the environment; an empty file is `{}`. */
  readonly value: unknown;
  /** The line on which the value at `path` begins, counted from 1; the nearest enclosing one when it is not there. */
  lineOf(path: KeyPath): number | null;
  /** The line of the key at the end of `path` (of its value in a list). */
  lineOfKey(path: KeyPath): number | null;
  /** The keys below `path` in the order of the file, which an object does not keep for keys such as `7`. */
  keysOf(path: KeyPath): readonly string[];
}

export const MAX_YAML_BYTES = 1024 * 1024;
/** Aliases times what they stand for, at most: far above honest use, far below an alias bomb. */
const MAX_ALIASES = 100;

/**
 * Reads YAML: at most 1 MiB, one document, no key twice, no alias bombs.
 * @param env where `${NAME}` is looked up; `null` leaves every text as it is written
 */
export function readYaml(
  file: string,
  text: string,
  env: Environment | null,
): { source: YamlSource } | { problems: readonly ConfigProblem[] } {
  const sizeBytes = new TextEncoder().encode(text).length;
  if (sizeBytes > MAX_YAML_BYTES) return { problems: [tooLarge(file, sizeBytes)] };
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const lineAt = (offset: number): number => lines.linePos(offset).line;

  const problems: ConfigProblem[] = [...document.errors, ...document.warnings].map((error) => ({
    file,
    line: lineAt(error.pos[0]),
    message: sayYamlError(error.code, error.message, text.slice(...error.pos)),
  }));
  // One slip makes the parser stumble several times; the first on each line says it best.
  if (problems.length > 0)
    return {
      problems: problems.filter(
        (problem, index) => problems.findIndex((other) => other.line === problem.line) === index,
      ),
    };

  visit(document, {
    Alias(_, alias) {
      if (alias.resolve(document)) return;
      const line = alias.range ? lineAt(alias.range[0]) : null;
      problems.push({
        file,
        line,
        message: `nothing above is marked &${alias.source}; put a text that begins with * in quotes`,
      });
    },
    Pair(_, pair) {
      if (!isScalar(pair.key) || pair.key.value === '__proto__') {
        const start = isNode(pair.key) ? pair.key.range?.[0] : undefined;
        const line = start === undefined ? null : lineAt(start);
        problems.push({
          file,
          line,
          message: 'this cannot be a key; a key is a plain word, followed by a colon',
        });
      }
      if (isScalar(pair.value)) readEnvironment(pair.value);
    },
    Seq(_, seq) {
      for (const item of seq.items) if (isScalar(item)) readEnvironment(item);
    },
  });
  if (problems.length > 0) return { problems };

  try {
    const value: unknown = document.toJS({ maxAliasCount: MAX_ALIASES }) ?? {};
    return { source: { value, ...positionsIn(document, lineAt) } };
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error;
    const message = `the file repeats itself through more than ${MAX_ALIASES} aliases (*name); write the values out`;
    return { problems: [{ file, line: null, message }] };
  }

  function readEnvironment(scalar: Scalar): void {
    if (env === null || typeof scalar.value !== 'string') return;
    const missing = new Set<string>();
    const replaced = substitute(scalar.value, env, missing);
    for (const name of missing) {
      problems.push({
        file,
        line: scalar.range ? lineAt(scalar.range[0]) : null,
        message:
          `the environment variable ${name} is not set; set it, write \${${name}:-default} to go on without it, ` +
          `or $\${${name}} if the text itself is meant`,
      });
    }
    if (replaced === scalar.value) return;
    // An unquoted ${PORT} may stand for a number, exactly as if the number had been written there.
    scalar.value = scalar.type === Scalar.PLAIN ? plainValue(replaced) : replaced;
  }
}

export function tooLarge(file: string, sizeBytes: number): ConfigProblem {
  const message = `the file has ${sizeBytes} bytes; at most ${MAX_YAML_BYTES} are read. Shorten it`;
  return { file, line: null, message };
}

/** What an unquoted text means in YAML: true, false, a number, or itself. */
export function plainValue(text: string): string | number | boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  return /^-?\d+(\.\d+)?$/.test(text) && String(Number(text)) === text ? Number(text) : text;
}

/** Text as it must be written so that it is read back unchanged: `${` would be read from the environment. */
export function escapeEnvironment(text: string): string {
  return text.replaceAll('${', '$${');
}

const REFERENCE = /\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g;

function substitute(text: string, env: Environment, missing: Set<string>): string {
  return text.replace(REFERENCE, (whole, name: string | undefined, fallback: string | undefined) => {
    if (name === undefined) return '${';
    const value = env[name];
    // As in a shell, `:-` also stands in for a variable that is set to nothing.
    if (value !== undefined && (value !== '' || fallback === undefined)) return value;
    if (fallback === undefined) missing.add(name);
    return fallback ?? whole;
  });
}

function sayYamlError(code: string, message: string, found: string): string {
  switch (code) {
    case 'DUPLICATE_KEY':
      return `the key \`${found.split(/[\s:]/, 1)[0]}\` is given twice; keep one`;
    case 'MULTIPLE_DOCS':
      return 'the file holds more than one YAML document; take the line `---` out';
    case 'TAB_AS_INDENT':
      return 'a tab stands where spaces must; indent with spaces';
    default:
      return `this is not YAML: ${message}; check indentation, colons and quotes here and on the line above`;
  }
}

function positionsIn(
  document: Document,
  lineAt: (offset: number) => number,
): Pick<YamlSource, 'lineOf' | 'lineOfKey' | 'keysOf'> {
  const startLine = (node: unknown): number | null => {
    const range = isNode(node) ? node.range : null;
    return range ? lineAt(range[0]) : null;
  };

  /** Follows `path` as far as it goes. */
  function find(path: KeyPath): {
    keyLine: number | null;
    valueLine: number | null;
    node: unknown;
    found: boolean;
  } {
    let node: unknown = document.contents;
    let keyLine: number | null = null;
    let valueLine = startLine(node);
    for (const step of path) {
      const container = isAlias(node) ? node.resolve(document) : node;
      let next: unknown;
      if (isMap(container)) {
        const pair = container.items.find(
          (item) => String(isScalar(item.key) ? item.key.value : item.key) === String(step),
        );
        if (!pair) return { keyLine, valueLine, node: undefined, found: false };
        keyLine = startLine(pair.key);
        next = pair.value;
      } else if (isSeq(container) && typeof step === 'number') {
        next = container.items[step];
        keyLine = startLine(next);
      } else {
        return { keyLine, valueLine, node: undefined, found: false };
      }
      // `models:` with nothing after it has a value that begins on a later line.
      valueLine = isScalar(next) && next.value === null ? keyLine : (startLine(next) ?? keyLine);
      node = next;
    }
    return { keyLine, valueLine, node, found: true };
  }

  return {
    lineOf(path) {
      const { found, keyLine, valueLine } = find(path);
      return found ? valueLine : (keyLine ?? valueLine);
    },
    lineOfKey(path) {
      const { found, keyLine, valueLine } = find(path);
      return found || keyLine !== null ? keyLine : valueLine;
    },
    keysOf(path) {
      const { node } = find(path);
      const container = isAlias(node) ? node.resolve(document) : node;
      if (!isMap(container)) return [];
      return container.items.map((item) => String(isScalar(item.key) ? item.key.value : item.key));
    },
  };
}

function isNode(value: unknown): value is Node {
  return isAlias(value) || isScalar(value) || isMap(value) || isSeq(value);
}
