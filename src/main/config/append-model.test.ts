import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { isName } from '../../shared/config-fields.ts';
import { appendModel, type NewModel } from './append-model.ts';

const MODEL: NewModel = { id: 'new', name: null, file: '/m/new.gguf', settings: {}, pinned: false };

test('a model goes below the last one, and not a character of the rest changes', () => {
  const text = `# mine
version: 1      # aligned on purpose
models:
    demo:       # the small one
        file:   builtin:demo   # comes with it

    writer: { file: a.gguf }   # the large one

    # more to come
tiers:
  low: {models: [demo]}
`;
  expect(appendModel(text, { ...MODEL, name: 'New: one' })).toBe(
    text.replace(
      '# the large one\n',
      '# the large one\n    new:\n      name: "New: one"\n      file: /m/new.gguf\n',
    ),
  );
});

test.each([
  ['', 'models:\n  new:\n    file: /m/new.gguf\n'],
  ['# only words', '# only words\nmodels:\n  new:\n    file: /m/new.gguf\n'],
  ['version: 1', 'version: 1\nmodels:\n  new:\n    file: /m/new.gguf\n'],
  ['  version: 1\n', '  version: 1\n  models:\n    new:\n      file: /m/new.gguf\n'],
  ['models:\n  a: { file: a }', 'models:\n  a: { file: a }\n  new:\n    file: /m/new.gguf\n'],
  ['models:\n# none\ntiers:\n', 'models:\n  new:\n    file: /m/new.gguf\n# none\ntiers:\n'],
  [
    'models: # soon\n  # a:\n  #   file: a\ntiers:\n',
    'models: # soon\n  new:\n    file: /m/new.gguf\n  # a:\n  #   file: a\ntiers:\n',
  ],
  ['tiers:\nmodels:', 'tiers:\nmodels:\n  new:\n    file: /m/new.gguf\n'],
  ['models: {} # none\ntiers: {}\n', 'models: { new: { file: /m/new.gguf } } # none\ntiers: {}\n'],
  ['models: { a: { file: a } } # one\n', 'models: { a: { file: a }, new: { file: /m/new.gguf } } # one\n'],
  [
    'models:\n  a:\n    file: a\n    systemPrompt: |\n      One.\n\n      Two.\n\n# end\n',
    'models:\n  a:\n    file: a\n    systemPrompt: |\n      One.\n\n      Two.\n  new:\n    file: /m/new.gguf\n\n# end\n',
  ],
])('%j', (before, after) => {
  expect(appendModel(before, MODEL)).toBe(after);
});

test('only the settings that are given are written', () => {
  expect(
    appendModel('models:\n  a: { file: a }\n', {
      ...MODEL,
      settings: { contextSize: 4096, cacheType: 'q8_0' },
    }),
  ).toBe(
    'models:\n  a: { file: a }\n  new:\n    file: /m/new.gguf\n    contextSize: 4096\n    cacheType: q8_0\n',
  );
  expect(
    appendModel('models: {}\n', { ...MODEL, settings: { parallel: 1, batchSize: 64 }, pinned: true }),
  ).toBe('models: { new: { file: /m/new.gguf, parallel: 1, batchSize: 64, pinned: true } }\n');
});

test('a file that cannot be added to says what to write', () => {
  expect(() => appendModel('x: &x { a: { file: a } }\nmodels: *x', MODEL)).toThrow(
    'write this under `models` yourself',
  );
});

test('any id and path are read back as they were, `${` included', () => {
  const text = fc.string({ unit: 'grapheme', minLength: 1 });
  fc.assert(
    // Ids are unique before they get here.
    fc.property(
      text.filter((id) => isName(id) && id !== 'a'),
      text,
      text,
      (id, name, file) => {
        const edited = appendModel('models:\n  a: { file: a } # keep\nlogging: { level: info }\n', {
          ...MODEL,
          id,
          name,
          file,
        });
        expect(edited.startsWith('models:\n  a: { file: a } # keep\n  ')).toBe(true);
        expect(edited.endsWith('\nlogging: { level: info }\n')).toBe(true);
        expect(parse(edited).models[id]).toEqual({
          name: name.replaceAll('${', '$${'),
          file: file.replaceAll('${', '$${'),
        });
      },
    ),
  );
});
