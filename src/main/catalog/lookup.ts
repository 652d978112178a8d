import type { Catalog } from './catalog.ts';
import type { CatalogModel } from './model.ts';

/**
 * What the catalog knows of a provider's model. A folder of the provider's own name comes before that of its kind: the
 * user's definitions of what runs on a server of theirs are under its name.
 */
export function catalogModelOf(
  catalog: Catalog,
  provider: { readonly name: string; readonly kind: string },
  remoteId: string,
): CatalogModel | null {
  return catalog.get(provider.name, remoteId) ?? catalog.get(provider.kind, remoteId);
}
