import { openDatabase } from './open-database.ts';
import { type CorrectionRow, createSaveCorrection, readCorrections } from './thread/corrections.ts';

/** The data folder's database. */
export interface Store extends Disposable {
  /** By the model's identity. */
  corrections(): ReadonlyMap<string, CorrectionRow>;
  saveCorrection(model: string, correction: CorrectionRow): void;
}

/**
 * Opens the database in this thread, as `openDatabase` says.
 * @throws RoundhouseError `conflict`, `config_invalid`
 */
export function openStore(
  databaseFile: string,
  onMovedAside: (path: string) => void = () => undefined,
): Store {
  const database = openDatabase(databaseFile, onMovedAside);
  return {
    corrections: () => readCorrections(database),
    saveCorrection: createSaveCorrection(database),
    [Symbol.dispose]: () => database.close(),
  };
}
