/** The table of folders (DESIGN section 3): what each may import, and which are deterministic. */

/** Folder to the folders it may import, besides itself. */
export const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  core: [],
  proto: ['core'],
  consensus: ['core', 'proto'],
  store: ['core', 'proto'],
  framework: ['core', 'proto', 'store'],
  modules: ['core', 'proto', 'framework'],
  genesis: ['core', 'proto', 'framework', 'modules'],
  app: ['core', 'proto', 'store', 'framework', 'modules', 'genesis'],
  p2p: ['core', 'proto'],
  light: ['core', 'proto', 'consensus'],
  node: ['core', 'proto', 'consensus', 'light', 'store', 'p2p', 'genesis'],
  watch: ['core'],
  serve: ['core'],
  attest: ['core', 'proto', 'watch', 'serve'],
  gateway: ['core', 'proto', 'watch'],
  client: ['core', 'proto'],
  cli: [
    ...['core', 'proto', 'consensus', 'store', 'framework', 'modules', 'genesis', 'app'],
    ...['light', 'p2p', 'node', 'watch', 'serve', 'attest', 'gateway', 'client'],
  ],
};

/** Files of a folder that others may import although the table would not let them: published parts. */
export const PUBLISHED: readonly { readonly from: readonly string[]; readonly target: RegExp }[] = [
  // Off-chain code checks claims with the very verifier that the chain runs.
  {
    from: ['client', 'attest', 'gateway'],
    target: /^modules\/attribution\/((verify|types)\.ts$|proof\/)/,
  },
  // What parties of a channel sign is what the chain checks.
  { from: ['client', 'attest', 'gateway'], target: /^modules\/channels\/format\// },
  // Gateways build epochs, and whoever looks at them checks them, by the formats and rules of the chain.
  { from: ['client', 'gateway'], target: /^modules\/settlement\/proof\// },
  // A gateway is the payee of channels.
  { from: ['gateway'], target: /^client\/vouchers\// },
  // What is signed off the chain is made of the very bytes that the chain verifies.
  {
    from: ['client', 'gateway'],
    target: /^(modules\/payments\/(authorization|account-signature)|framework\/tx\/statement)\.ts$/,
  },
];

/** What `framework` may see of the store: interfaces only. */
export const STORE_INTERFACES: readonly string[] = ['store/kv.ts'];

/** Folders that must give the same result on every machine. */
const DETERMINISTIC = ['core', 'proto', 'consensus', 'store', 'framework', 'modules', 'genesis', 'app'];

/** Parts of them that are tools or do I/O by design. */
const EXEMPT = ['proto/generate/', 'store/backend/'];

/** True when the rules of the deterministic zone hold for this file. */
export function isDeterministic(path: string): boolean {
  return DETERMINISTIC.includes(folderOf(path)) && !EXEMPT.some((prefix) => path.startsWith(prefix));
}

/** The first part of a path. */
export function folderOf(path: string): string {
  return path.split('/')[0] ?? '';
}
