/** What went wrong elsewhere with light clients and their evidence. `README.md` lists the advisories. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { decodeEvidence, encodeEvidence } from '../../consensus/types/evidence.ts';
import { headerHash } from '../../consensus/types/header.ts';
import { type LightBlock, lightBlockToMessage } from '../../consensus/types/light-block.ts';
import type { Validator } from '../../consensus/types/validator.ts';
import { decodeValidatorSet } from '../../consensus/types/validator-set.ts';
import { equalBytes, fromHex } from '../../core/bytes.ts';
import { defined } from '../../core/errors.ts';
import { type LightClient, openLightClient } from '../../light/client.ts';
import { memoryDatabase, TrustedStore } from '../../light/store.ts';
import {
  CHAIN_ID,
  SECOND,
  TestClock,
  TestProvider,
  testChain,
  timeAt,
  verify,
} from '../../light/testing/chain.ts';
import { misbehaviorOf } from '../../node/state/requests.ts';
import { Evidence, LightClientAttackEvidence } from '../../proto/gen/tendermint/types/evidence.ts';

const vectors: { cases: readonly { name: string; evidence: string; common: string }[] } = JSON.parse(
  readFileSync(new URL('../vectors/cometbft/attacks.json', import.meta.url), 'utf8'),
);

/**
 * Sent: true evidence of an attack in which a guilty validator's address stands beside the key of an innocent
 * one. There: blame was checked by address, and the application was told the address of the key: somebody
 * else was punished. Here: such a validator does not decode, and the application is told the address that was
 * checked.
 */
test('#5638: evidence that blames a validator with the key of another', () => {
  const lunatic = defined(
    vectors.cases.find(({ name }) => name === 'lunatic'),
    'vector',
  );
  const evidence = decodeEvidence(fromHex(lunatic.evidence));
  if (evidence.kind !== 'lightClientAttack') throw new RangeError('another kind of evidence');
  const [guilty, ...others] = evidence.byzantineValidators;
  const first = defined(guilty, 'guilty');
  const isBlamed = ({ address }: Validator): boolean =>
    evidence.byzantineValidators.some((blamed) => equalBytes(blamed.address, address));
  const all = decodeValidatorSet(fromHex(lunatic.common)).validators;
  const innocent = defined(
    all.find((validator) => !isBlamed(validator)),
    'innocent',
  );
  const swapped = {
    ...evidence,
    byzantineValidators: [{ ...first, publicKey: innocent.publicKey }, ...others],
  };
  expect(() => decodeEvidence(encodeEvidence(evidence))).not.toThrow();
  expect(() => decodeEvidence(encodeEvidence(swapped))).toThrow('address is not that of its key');
  expect(misbehaviorOf(swapped)).toEqual(misbehaviorOf(evidence));
});

/**
 * Sent: evidence of an attack without the signed header, or without header or commit in it. There: it was
 * read before anybody looked whether it is there, and the node stopped. Here: it does not decode.
 */
test('#5757: evidence of an attack without its signed header', () => {
  const { signedHeader, validatorSet } = lightBlockToMessage(block(3));
  const without = [
    { signedHeader: undefined, validatorSet },
    { signedHeader: { header: undefined, commit: signedHeader?.commit }, validatorSet },
    { signedHeader: { header: signedHeader?.header, commit: undefined }, validatorSet },
    { signedHeader, validatorSet: undefined },
  ];
  for (const conflictingBlock of [undefined, ...without]) {
    const attack = { conflictingBlock, commonHeight: 2n, totalVotingPower: 4n };
    const lightClientAttackEvidence = LightClientAttackEvidence.create(attack);
    const bytes = Evidence.encode(Evidence.create({ lightClientAttackEvidence }));
    expect(() => decodeEvidence(bytes)).toThrow(/(is|are) missing/);
  }
});

const chain = testChain({ length: 30 });
const block = (height: number): LightBlock => defined(chain[height - 1], 'block');

async function clientWith(...witnesses: readonly TestProvider[]): Promise<LightClient> {
  const store = await TrustedStore.open(memoryDatabase());
  const clock = new TestClock(timeAt(100n));
  const trust = { height: 1n, hash: headerHash(block(1).header) };
  return openLightClient(
    { primary: new TestProvider('primary', chain), witnesses, store, clock, verify },
    { chainId: CHAIN_ID, trustingPeriodNanos: 3600n * SECOND, trust },
  );
}

/**
 * Sent: by one of several witnesses, a block that differs from the primary's: another header, or the same
 * with other proposer priorities. There: having reported the difference, the comparison went on and reported
 * a match, too, so that the one witness who disagreed confirmed the block. Here: a comparison has one result;
 * what nobody has confirmed is not trusted.
 */
test('#5820: a witness that disagrees does not confirm the block as well', async () => {
  const forged = testChain({
    length: 30,
    absent: () => ['a', 'b'],
    header: () => ({ appHash: new Uint8Array(32) }),
  });
  const liar = new TestProvider('liar', chain).set(defined(forged[19], 'forged'));
  const late = new TestProvider('late', chain.slice(0, 10));
  const client = await clientWith(liar, late);
  await expect(client.lightBlock(20n)).rejects.toMatchObject({ code: 'light.no_cross_reference' });
  expect([client.trustedHeights, client.witnesses]).toEqual([[1n], [late]]);

  const [first, second, ...rest] = block(20).validators.validators;
  const shifted = [
    { ...defined(first, 'first'), proposerPriority: 7n },
    { ...defined(second, 'second'), proposerPriority: -7n },
    ...rest,
  ];
  const other = { ...block(20), validators: { ...block(20).validators, validators: shifted } };
  const another = await clientWith(new TestProvider('other', chain).set(other), late);
  await expect(another.lightBlock(20n)).rejects.toMatchObject({ code: 'light.priorities' });
  expect(another.trustedHeights).toEqual([1n]);
});
