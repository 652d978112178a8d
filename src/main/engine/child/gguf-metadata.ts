import { assertNever } from '../../../shared/assert-never.ts';
import type { GgufReader } from './gguf-reader.ts';

/*
 * The key-value part of a GGUF header. Small values are kept; long texts and lists (the vocabulary) are only measured.
 */

export const PAIRS_LIMIT = 1024;
const LIMITS = {
  keyBytes: 256,
  textBytes: 32 * 1024 * 1024,
  listItems: 4 * 1024 * 1024,
  keptTextBytes: 1024,
  keptItems: 1024,
} as const;

/** Names that would reach into prototypes where a later reader makes objects of dotted keys. */
const FORBIDDEN_PARTS = new Set(['__proto__', 'constructor', 'prototype']);

export type MetadataValue =
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'flag'; readonly value: boolean }
  /** `value` is `null` when the text was too long to keep. It lies at `offset` of the file. */
  | { readonly kind: 'text'; readonly value: string | null; readonly bytes: number; readonly offset: number }
  /** `values` is `null` for texts and for long lists; `textBytes` is 0 for numbers. The first lies at `offset`. */
  | {
      readonly kind: 'list';
      readonly itemType: number;
      readonly length: number;
      readonly offset: number;
      readonly textBytes: number;
      readonly values: readonly number[] | null;
    };

export type Metadata = ReadonlyMap<string, MetadataValue>;

type ScalarType = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 10 | 11 | 12;
export const TEXT = 8;
const LIST = 9;
const SCALAR_BYTES: Readonly<Record<ScalarType, number>> = {
  0: 1,
  1: 1,
  2: 2,
  3: 2,
  4: 4,
  5: 4,
  6: 4,
  7: 1,
  10: 8,
  11: 8,
  12: 8,
};
const FLAG = 7;

/**
 * Reads key-value pairs.
 * @param pairs how many; at most `PAIRS_LIMIT`
 * @throws RoundhouseError `gguf_invalid`
 */
export function readMetadata(reader: GgufReader, pairs: number): Metadata {
  const metadata = new Map<string, MetadataValue>();
  for (let index = 0; index < pairs; index++) {
    const key = reader.text(LIMITS.keyBytes, `metadata key ${index + 1}`);
    if (metadata.has(key)) throw reader.invalid(`the metadata key ${quoted(key)} is there twice`);
    const forbidden = key.split('.').find((part) => FORBIDDEN_PARTS.has(part));
    if (forbidden)
      throw reader.invalid(`the metadata key ${quoted(key)} has the forbidden part ${forbidden}`);
    metadata.set(key, readValue(reader, key));
  }
  return metadata;
}

function readValue(reader: GgufReader, key: string): MetadataValue {
  const type = reader.u32();
  if (type === TEXT) return readText(reader, key);
  if (type === LIST) return readList(reader, key);
  if (!isScalar(type)) throw reader.invalid(`${quoted(key)} has the unknown value type ${type}`);
  const value = readScalar(reader, type);
  return type === FLAG ? { kind: 'flag', value: value !== 0 } : { kind: 'number', value };
}

function readText(reader: GgufReader, key: string): MetadataValue {
  const bytes = reader.count(LIMITS.textBytes, `the length of ${quoted(key)}`);
  const offset = reader.position;
  if (bytes > LIMITS.keptTextBytes) {
    reader.skip(bytes);
    return { kind: 'text', value: null, bytes, offset };
  }
  return { kind: 'text', value: reader.utf8(bytes), bytes, offset };
}

function readList(reader: GgufReader, key: string): MetadataValue {
  const type = reader.u32();
  const length = reader.count(LIMITS.listItems, `the length of the list ${quoted(key)}`);
  const place = { itemType: type, length, offset: reader.position };
  if (type === TEXT) {
    let textBytes = 0;
    // Made once: a hostile list has millions of texts.
    const what = `the length of a text in ${quoted(key)}`;
    for (let index = 0; index < length; index++) {
      const bytes = reader.count(LIMITS.textBytes, what);
      reader.skip(bytes);
      textBytes += bytes;
    }
    return { kind: 'list', ...place, textBytes, values: null };
  }
  if (type === LIST) throw reader.invalid(`${quoted(key)} is a list of lists; lists hold only plain values`);
  if (!isScalar(type)) throw reader.invalid(`${quoted(key)} is a list of the unknown value type ${type}`);
  if (length > LIMITS.keptItems) {
    reader.skip(length * SCALAR_BYTES[type]);
    return { kind: 'list', ...place, textBytes: 0, values: null };
  }
  const values = Array.from({ length }, () => readScalar(reader, type));
  return { kind: 'list', ...place, textBytes: 0, values };
}

function readScalar(reader: GgufReader, type: ScalarType): number {
  switch (type) {
    case 0:
    case FLAG:
      return reader.u8();
    case 1:
      return reader.i8();
    case 2:
      return reader.u16();
    case 3:
      return reader.i16();
    case 4:
      return reader.u32();
    case 5:
      return reader.i32();
    case 6:
      return reader.f32();
    case 10:
      return reader.u64Value();
    case 11:
      return reader.i64Value();
    case 12:
      return reader.f64();
    default:
      return assertNever(type);
  }
}

function isScalar(type: number): type is ScalarType {
  return Object.hasOwn(SCALAR_BYTES, type);
}

/** Text from the file, fit to be shown: cut, and without control characters. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
