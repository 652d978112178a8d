import type { ProviderKind } from '../../shared/provider-kinds.ts';
import type { Catalog } from './catalog.ts';
import type { CatalogModel } from './model.ts';

/** The catalog's folder for a provider: of the vendor, whatever people call it; of other servers, what people call them. */
export function catalogFolderOf({
  name,
  kind,
}: {
  readonly name: string;
  readonly kind: ProviderKind;
}): string {
  return kind === 'openai-compatible' || kind === 'mock' ? name : kind;
}

/** What the catalog knows of a provider's model. */
export function catalogModelOf(
  catalog: Pick<Catalog, 'get'>,
  provider: { readonly name: string; readonly kind: ProviderKind },
  remoteId: string,
): CatalogModel | null {
  return catalog.get(catalogFolderOf(provider), remoteId);
}
