import { expect, test } from 'vitest';
import { isName } from './config-fields.ts';

test.each(['demo', 'org/model', 'a/b/c', 'Qwen3 8B', '.hidden', 'org/.x', 'v1..2', 'größe-模型', 'auto/x'])(
  '%j names a model',
  (name) => expect(isName(name)).toBe(true),
);

test.each([
  '',
  '/',
  '/a',
  'a/',
  'a//b',
  '.',
  '..',
  '../a',
  'a/..',
  'a/./b',
  ' a',
  'a ',
  'auto',
  'tier:a/b',
  'a\nb',
])('%j names nothing', (name) => expect(isName(name)).toBe(false));
