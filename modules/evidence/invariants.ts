import { equalBytes } from '../../core/bytes.ts';
import type { ReadContext } from '../../framework/context.ts';
import type { Invariant } from '../../framework/module.ts';
import { Equivocation } from '../../proto/gen/cosmos/evidence/v1beta1/evidence.ts';
import type { EvidenceCore } from './ports.ts';
import { evidenceHash } from './state.ts';

/** What must hold of evidence after every block. They walk over everything. */
export function evidenceInvariants(k: EvidenceCore): readonly Invariant[] {
  return [{ name: 'convicted', check: (context) => checkConvicted(k, context) }];
}

/** What consensus reported lies under its hash, and whoever it names is tombstoned. */
function checkConvicted(k: EvidenceCore, context: ReadContext): string | undefined {
  for (const [hash, any] of k.state.evidence.iterate(context)) {
    if (!equalBytes(hash, evidenceHash(any))) return 'evidence does not lie under its hash';
    const { consensusAddress } = Equivocation.decode(any.value);
    const bytes = k.addresses.consensus.toBytes(consensusAddress);
    if (k.handlers.size === 0 && !k.slashing.isTombstoned(context, bytes))
      return `there is evidence against ${consensusAddress}, which is not tombstoned`;
  }
  return undefined;
}
