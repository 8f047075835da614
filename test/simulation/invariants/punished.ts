/**
 * On a chain with stake: whom the evidence in a block is against loses a twentieth of its stake in that
 * block, once, and from the height after next on is no validator, for ever.
 */
import type { Evidence } from '../../../consensus/types/evidence.ts';
import { toHex } from '../../../core/bytes.ts';
import { AddressCodec } from '../../../framework/address.ts';
import type { GenesisDocument } from '../../../genesis/document.ts';
import { stakeMakesValidators } from '../../../genesis/stake.ts';
import type { CommittedBlock } from '../../../node/committed-block.ts';
import { PREFIX, TOKENS_PER_POWER } from '../chain.ts';
import type { Fail, Invariant } from '../facts.ts';

/** The default of `slash_fraction_double_sign` is 5 %. */
const SLASHED_PART = 20n;
const UPDATES_AFTER = 2n;

/** See the file comment. */
export function punished(fail: Fail, genesis: GenesisDocument): Invariant {
  const name = 'punished';
  if (!stakeMakesValidators(genesis)) return { name };
  const consensusAddresses = new AddressCodec(`${PREFIX}valcons`);
  /** The first height at which it is no validator, by address. */
  const outAt = new Map<string, bigint>();
  const checked = new Set<bigint>();

  const burned = ({ results }: CommittedBlock, address: Uint8Array): readonly string[] =>
    results.events
      .filter(({ type }) => type === 'slash')
      .map(({ attributes }) => new Map(attributes.map(({ key, value }) => [key, value])))
      .filter((slash) => slash.get('address') === consensusAddresses.toText(address))
      .filter((slash) => slash.get('reason') === 'double_sign')
      .map((slash) => slash.get('burned_coins') ?? '');

  const check = (committed: CommittedBlock): void => {
    const { height, block, results } = committed;
    const accused = new Set(block.evidence.flatMap(accusedBy).map(toHex));
    for (const { address, pubKey, power } of genesis.validators) {
      const text = toHex(address);
      const isNew = accused.has(text) && !outAt.has(text);
      const expected = isNew ? [`${(power * TOKENS_PER_POWER) / SLASHED_PART}`] : [];
      const found = burned(committed, address);
      if (found.join() !== expected.join())
        fail(`block ${height} burns "${found.join()}" of ${text}, not "${expected.join()}"`);
      if (!isNew) continue;
      outAt.set(text, height + UPDATES_AFTER);
      const updates = results.validatorUpdates.filter(
        (update) => toHex(update.pubKey.ed25519 ?? new Uint8Array(0)) === toHex(pubKey),
      );
      if (updates.length !== 1 || updates[0]?.power !== 0n)
        fail(`block ${height} holds evidence against ${text}, and does not take its power away`);
    }
  };

  return {
    name,
    committed({ subject, committed }) {
      const { height } = committed;
      if (!checked.has(height)) check(committed);
      checked.add(height);
      for (const { address } of subject.validatorsAt(height)?.validators ?? []) {
        const out = outAt.get(toHex(address));
        if (out !== undefined && height >= out)
          fail(`${toHex(address)} is a validator of height ${height} and was to be none from ${out} on`);
      }
    },
  };
}

function accusedBy(piece: Evidence): readonly Uint8Array[] {
  return piece.kind === 'duplicateVote'
    ? [piece.voteA.validatorAddress]
    : piece.byzantineValidators.map(({ address }) => address);
}
