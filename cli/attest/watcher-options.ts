/** What a watcher is told, from the options of `openledgerd attest watch`. */
import { join } from 'node:path';
import type { WatcherOptions } from '../../attest/watch/watcher.ts';

/** Where its texts and files are. */
export interface PlaceOptions {
  readonly dir: string;
  readonly source: readonly string[];
  readonly contents?: string;
  readonly saltSecrets?: string;
}

/** Bounds that only this watcher has, checked. */
export interface OwnBounds {
  readonly textBytesMax: number;
  readonly spendMax: bigint | undefined;
}

interface WatchBounds extends OwnBounds {
  readonly demandBudget: bigint | undefined;
  readonly ticksMax: number;
}

/** What its watcher is told: what it put at stake is kept beside its texts. */
export async function watcherOptions(options: PlaceOptions, bounds: WatchBounds): Promise<WatcherOptions> {
  const { dir, source } = options;
  return { ...bounds, sources: source, spentFile: join(dir, 'spent'), ...(await privateParts(options)) };
}

/** What is known of private Datanets. */
async function privateParts({
  contents,
  saltSecrets: list,
}: PlaceOptions): Promise<Pick<WatcherOptions, 'texts' | 'secretOf'>> {
  const { ContentsFolder } = await import('./contents-folder.ts');
  const { saltSecrets } = await import('./salt-secrets.ts');
  const folder = contents === undefined ? undefined : new ContentsFolder(contents);
  return {
    secretOf: list === undefined ? undefined : saltSecrets(list),
    texts: folder && {
      content: async (root) => folder.find(root),
      leaves: async () => undefined,
      nodes: async () => undefined,
      influenceLeaves: async () => undefined,
    },
  };
}
