import { expect, test } from 'vitest';
import { RoundhouseError } from '../shared/errors.ts';
import { unusablePath } from './unusable-path.ts';

const failure = (code: string) => Object.assign(new Error(`${code}: what the system says, mkdir`), { code });

test.each([
  ['EACCES', 'this user may not write there (EACCES)'],
  ['EROFS', 'it can only be read, not written (EROFS)'],
  ['SQLITE_READONLY', 'it can only be read, not written (SQLITE_READONLY)'],
  ['EEXIST', 'where a folder is needed there is a file (EEXIST)'],
  ['ENOSPC', 'its disk is full (ENOSPC)'],
  ['ELOOP', 'ELOOP: what the system says, mkdir'],
])('%s: one sentence with the path, the reason and what to do', (code, reason) => {
  const error = unusablePath('/data/roundhouse', failure(code));
  expect(error.code).toBe('config_invalid');
  expect(error.message.startsWith(`/data/roundhouse cannot be used: ${reason}; `)).toBe(true);
  expect(error.message).toMatch(/--data-dir DIR$/);
});

test('what is said well already is not said again', () => {
  const error = new RoundhouseError('conflict', 'in use');
  expect(unusablePath('/data', error)).toBe(error);
});
