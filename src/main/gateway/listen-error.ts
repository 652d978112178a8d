import { RoundhouseError } from '../../shared/errors.ts';

/** Says why an address could not be listened on, and what to do about it. Another one is never taken in silence. */
export function listenError(error: unknown, host: string, port: number): RoundhouseError {
  const cause = { cause: error };
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  switch (code) {
    case 'EADDRINUSE':
      return new RoundhouseError(
        'conflict',
        `port ${port} is in use by another program; stop that one, or choose another port with server.port in ` +
          'models.yaml or with --port.',
        cause,
      );
    case 'EACCES':
      return new RoundhouseError(
        'config_invalid',
        `this user may not listen on port ${port}; choose one above 1023 with server.port in models.yaml or with --port.`,
        cause,
      );
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new RoundhouseError(
        'config_invalid',
        `this machine has no address ${host} to listen on; set server.host in models.yaml (or --host) to 127.0.0.1, or ` +
          'to one of its addresses.',
        cause,
      );
    default:
      return RoundhouseError.from(error);
  }
}
