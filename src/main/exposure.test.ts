import { expect, test } from 'vitest';
import { exposureNotice } from './exposure.ts';

test('a port that is open to other machines and refuses them all is said, in one line', () => {
  for (const host of ['0.0.0.0', '::', '192.168.1.5']) {
    const notice = exposureNotice({ host, allowedHosts: [] });
    expect(notice).toContain(
      `Listening on ${host}, but other machines are refused until server.allowedHosts`,
    );
    expect(notice).not.toContain('\n');
    expect(exposureNotice({ host, allowedHosts: ['studio.local'] })).toBeNull();
  }
  expect(exposureNotice({ host: '127.0.0.1', allowedHosts: [] })).toBeNull();
  expect(exposureNotice({ host: 'localhost', allowedHosts: [] })).toBeNull();
});
