/** Where the port writes what an operator should see. A pino logger fits. Never given keys or contents of requests. */
export interface GatewayLog {
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
