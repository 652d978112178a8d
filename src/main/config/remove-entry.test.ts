import { expect, test } from 'vitest';
import { removeEntry } from './remove-entry.ts';

const TEXT = `# mine
providers:
  # the first
  openai: { type: openai } # paid by me
  studio:
    type: openai-compatible
    baseUrl: http://mac/v1

  mock: { type: mock }
models: { a: { file: a }, b: { file: b } } # both
`;

test('an entry goes with its lines, and nothing else', () => {
  expect(removeEntry(TEXT, 'providers', 'studio')).toBe(
    TEXT.replace('  studio:\n    type: openai-compatible\n    baseUrl: http://mac/v1\n', ''),
  );
  expect(removeEntry(TEXT, 'providers', 'mock')).toBe(TEXT.replace('  mock: { type: mock }\n', ''));
  expect(removeEntry(TEXT, 'models', 'a')).toBe(TEXT.replace('a: { file: a }, ', ''));
  expect(removeEntry(TEXT, 'models', 'b')).toBe(TEXT.replace(', b: { file: b }', ''));
});

test('the last entry of a section', () => {
  expect(removeEntry('providers:\n  a: { type: mock }\nmodels: {}\n', 'providers', 'a')).toBe(
    'providers:\nmodels: {}\n',
  );
  expect(removeEntry('providers: { a: { type: mock } }\n', 'providers', 'a')).toBe('providers: {  }\n');
});

test('one that others lean on stays', () => {
  const shared = 'providers:\n  a: &one { type: mock }\n  b: *one\n';
  expect(() => removeEntry(shared, 'providers', 'a')).toThrow('take it out there yourself');
});
