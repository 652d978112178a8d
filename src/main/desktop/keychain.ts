import { join } from 'node:path';
import { safeStorage } from 'electron';
import { RoundhouseError } from '../../shared/errors.ts';
import { type Seal, SecretFile, type Secrets } from '../config/secrets.ts';

export interface KeychainOptions {
  readonly dataDir: string;
  readonly platform: NodeJS.Platform;
  /** Takes what the user should know, as a sentence. */
  readonly warn: (message: string) => void;
}

/**
 * Secrets sealed with a key that the system's keychain has: what lies in the data folder can be opened by this app, for
 * this user, alone. Call it when Electron is ready.
 */
export function openKeychain({ dataDir, platform, warn }: KeychainOptions): Secrets {
  if (platform === 'linux' && safeStorage.getSelectedStorageBackend() === 'basic_text') {
    warn(
      'This desktop has no keychain that Electron knows, so providers’ keys are kept without real encryption; ' +
        'install GNOME Keyring or KWallet, or set keys in the environment.',
    );
  }
  return new SecretFile({
    // Not the file of the headless app, which could not open these.
    file: join(dataDir, 'secrets.sealed.json'),
    where: platform === 'darwin' ? 'the macOS keychain' : 'the system’s keychain',
    seal: KEYCHAIN_SEAL,
    warn,
  });
}

const KEYCHAIN_SEAL: Seal = {
  async close(secret) {
    if (!(await safeStorage.isAsyncEncryptionAvailable())) {
      const message = 'the keychain cannot be used; unlock it, or set the key in the environment';
      throw new RoundhouseError('config_invalid', message);
    }
    return (await safeStorage.encryptStringAsync(secret)).toString('base64');
  },
  async open(closed) {
    try {
      const { result, shouldReEncrypt } = await safeStorage.decryptStringAsync(Buffer.from(closed, 'base64'));
      return { secret: result, stale: shouldReEncrypt };
    } catch {
      // Of another user or machine, or its keychain entry is gone: as good as not there.
      return null;
    }
  },
};
