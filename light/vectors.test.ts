/** Verdicts of CometBFT v0.38.21 on light blocks (`test/vectors/light/README.md`). */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fromBase64 } from '../core/bytes.ts';
import { defined, LedgerError } from '../core/errors.ts';
import { parseInstant } from '../core/time.ts';
import { LightBlock as LightBlockMessage } from '../proto/gen/tendermint/types/types.ts';
import { commitFromMessage } from '../consensus/types/commit.ts';
import { headerHash } from '../consensus/types/header.ts';
import type { LightBlock } from '../consensus/types/light-block.ts';
import { EMPTY_VALIDATOR_SET, validatorSetFromMessage } from '../consensus/types/validator-set.ts';
import { verifyBackwards, verifyForward, type VerifyOptions } from './verify.ts';
import { verifySignature } from './verify-signature.ts';

interface Step {
  readonly name: string;
  readonly trusted: number;
  readonly untrusted: number;
  readonly verdict: 'ok' | 'expired' | 'invalid' | 'not_trusted' | 'other';
}

interface ForwardStep extends Step {
  readonly now: string;
  readonly trustingPeriodNanos: string;
  readonly maxClockDriftNanos: string;
  readonly trustLevel: string;
}

interface Vectors {
  readonly blocks: readonly string[];
  readonly forward: readonly ForwardStep[];
  readonly backwards: readonly Step[] | null;
}

const vectorsOf = (name: string): Vectors =>
  JSON.parse(readFileSync(new URL(`../test/vectors/light/${name}.json`, import.meta.url), 'utf8'));

/** As it came over the wire; parts need not belong together. */
function blockAt({ blocks }: Vectors, at: number): LightBlock {
  const { signedHeader, validatorSet } = LightBlockMessage.decode(fromBase64(defined(blocks[at], 'block')));
  const header = defined(signedHeader?.header, 'header');
  const commit = commitFromMessage(defined(signedHeader?.commit, 'commit'));
  const set = defined(validatorSet, 'validators');
  const validators = set.validators.length === 0 ? EMPTY_VALIDATOR_SET : validatorSetFromMessage(set);
  return { header, commit, validators };
}

/** `other` is what CometBFT throws without a class: wrong signatures, validators that were not announced. */
const CODES: Readonly<Record<Step['verdict'], readonly string[]>> = {
  ok: ['ok'],
  expired: ['light.expired'],
  invalid: ['light.invalid_header', 'light.from_future', 'decode'],
  not_trusted: ['light.new_validators_not_trusted'],
  other: ['light.invalid_header', 'light.wrong_validators'],
};

/** A commit without entries is not even read here; CometBFT says first that the trusted header has expired. */
const UNREADABLE = ['MC10_3_faulty_TestFailure, step 2'];

function codeOf(check: () => void): string {
  try {
    check();
    return 'ok';
  } catch (error) {
    if (error instanceof LedgerError) return error.code;
    throw error;
  }
}

function optionsOf(step: ForwardStep): VerifyOptions {
  const [numerator = '', denominator = ''] = step.trustLevel.split('/');
  return {
    now: parseInstant(step.now),
    trustingPeriodNanos: BigInt(step.trustingPeriodNanos),
    maxClockDriftNanos: BigInt(step.maxClockDriftNanos),
    trustLevel: { numerator: BigInt(numerator), denominator: BigInt(denominator) },
    verify: verifySignature,
  };
}

describe.each(['verify', 'model-based'])('%s.json', (name) => {
  const vectors = vectorsOf(name);

  it.each(vectors.forward)('$name: $verdict', (step) => {
    const code = codeOf(() => {
      const trusted = blockAt(vectors, step.trusted);
      const untrusted = blockAt(vectors, step.untrusted);
      verifyForward({ signed: trusted, validators: trusted.validators }, untrusted, optionsOf(step));
    });
    expect(UNREADABLE.includes(step.name) ? ['decode'] : CODES[step.verdict]).toContain(code);
  });
});

const verifyVectors = vectorsOf('verify');

it.each(verifyVectors.backwards ?? [])('backwards, $name: $verdict', (step) => {
  const code = codeOf(() => {
    const trusted = blockAt(verifyVectors, step.trusted);
    verifyBackwards(blockAt(verifyVectors, step.untrusted).header, trusted.header);
  });
  expect(CODES[step.verdict]).toContain(code);
});

it('signatures of a wrong length or with a key that is no point are refused, not thrown', () => {
  const block = blockAt(verifyVectors, 0);
  for (const type of ['ed25519', 'secp256k1'] as const) {
    for (const [key, signature] of [
      [32, 64],
      [33, 64],
      [33, 63],
      [32, 0],
      [0, 64],
    ] as const) {
      const publicKey = { type, bytes: new Uint8Array(key).fill(255) };
      expect(verifySignature(publicKey, headerHash(block.header), new Uint8Array(signature).fill(255))).toBe(
        false,
      );
    }
  }
});
