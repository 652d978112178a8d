/* Safari does not know disposables yet. Imported before anything that makes one. */
if (!Reflect.has(Symbol, 'dispose')) {
  Reflect.defineProperty(Symbol, 'dispose', { value: Symbol('Symbol.dispose') });
}
