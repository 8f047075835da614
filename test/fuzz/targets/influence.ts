/** Model cards and claims of influence, and messages that want to convict them: what anybody may send. */
import { proveAbsence } from '../../../attest/influence/remove.ts';
import { openCardFraud, openClaimFraud } from '../../../attest/influence/open-fraud.ts';
import {
  decodeServedCard,
  decodeServedClaim,
  encodeServedCard,
  encodeServedClaim,
} from '../../../attest/influence/served-file.ts';
import {
  decodeAbsence,
  encodeAbsence,
  verifyAbsence,
} from '../../../modules/attribution/proof/influence/absence.ts';
import { decodeCard, encodeCard } from '../../../modules/attribution/proof/influence/card.ts';
import { verifyCardFraud } from '../../../modules/attribution/proof/influence/card-fraud.ts';
import { checkClaim, decodeClaim, encodeClaim } from '../../../modules/attribution/proof/influence/claim.ts';
import { verifyClaimFraud } from '../../../modules/attribution/proof/influence/claim-fraud.ts';
import {
  decodeCardFraud,
  decodeClaimFraud,
  encodeCardFraud,
  encodeClaimFraud,
} from '../../../modules/attribution/proof/influence/fraud.ts';
import { randomFrom } from '../../attribution/fidelity/digits.ts';
import { chain, smallWorld } from '../../attribution/influence/world.ts';
import type { Target } from '../target.ts';
import { isDecodeError } from './vectors.ts';

const { card, claim } = smallWorld(randomFrom(11));
const adapter = smallWorld(randomFrom(12), 'adapter');
const honest = [{ card, claim }, adapter].map((one) => ({ card: one.card.card, claim: one.claim.claim }));
/** A contribution that no example comes from. */
const STRANGER = 10_001n;
const absence = encodeAbsence(proveAbsence(card, STRANGER));

/** All that is thrown here is a finding. */
function mustNot(happened: boolean, what: string): void {
  if (happened) throw new RangeError(what);
}

/** True when what is checked is refused as it is documented to be. */
function refused(check: () => void): boolean {
  try {
    check();
    return false;
  } catch (error) {
    if (isDecodeError(error)) return true;
    throw error;
  }
}

export const INFLUENCE_TARGETS: readonly Target[] = [
  {
    name: 'influence/card',
    form: 'bytes',
    seeds: honest.map((on) => encodeCard(on.card)),
    bytesMax: 1_024,
    read: (bytes) => {
      const decoded = decodeCard(bytes);
      return () => encodeCard(decoded);
    },
    documented: isDecodeError,
  },
  {
    name: 'influence/claim',
    form: 'bytes',
    seeds: honest.map((on) => encodeClaim(on.claim)),
    bytesMax: 4_096,
    read: (bytes) => {
      const decoded = decodeClaim(bytes);
      for (const on of honest) refused(() => checkClaim(on.card, decoded));
      return () => encodeClaim(decoded);
    },
    documented: isDecodeError,
  },
  {
    name: 'influence/card-fraud',
    form: 'bytes',
    seeds: (['order', 'logit', 'residual', 'sum', 'bound', 'group', 'malformed-coordinates'] as const).map(
      (rule) => encodeCardFraud(openCardFraud(rule === 'logit' ? adapter.card : card, rule, {})),
    ),
    bytesMax: 8_192,
    read: (bytes) => {
      const fraud = decodeCardFraud(bytes);
      for (const on of honest)
        mustNot(!refused(() => verifyCardFraud(on.card, fraud, chain)), 'an honest card is convicted');
      return () => encodeCardFraud(fraud);
    },
    documented: isDecodeError,
  },
  {
    name: 'influence/claim-fraud',
    form: 'bytes',
    seeds: (['response', 'curvature', 'score', 'weights', 'sum', 'bound', 'omitted-group'] as const).map(
      (rule) => encodeClaimFraud(openClaimFraud({ card, claim }, rule, {})),
    ),
    bytesMax: 8_192,
    read: (bytes) => {
      const fraud = decodeClaimFraud(bytes);
      for (const on of honest)
        mustNot(!refused(() => verifyClaimFraud(on, fraud)), 'an honest claim is convicted');
      return () => encodeClaimFraud(fraud);
    },
    documented: isDecodeError,
  },
  {
    name: 'influence/card-file',
    form: 'bytes',
    seeds: [encodeServedCard(card), encodeServedCard(adapter.card)],
    bytesMax: 32 * 1_024,
    read: (bytes) => {
      const decoded = decodeServedCard(bytes);
      return () => encodeServedCard(decoded);
    },
    documented: isDecodeError,
  },
  {
    name: 'influence/claim-file',
    form: 'bytes',
    seeds: [encodeServedClaim(claim)],
    bytesMax: 32 * 1_024,
    read: (bytes) => {
      const decoded = decodeServedClaim(card, bytes);
      return () => encodeServedClaim(decoded);
    },
    documented: isDecodeError,
  },
  {
    name: 'influence/absence',
    form: 'bytes',
    seeds: [absence],
    bytesMax: 2_048,
    read: (bytes) => {
      const decoded = decodeAbsence(card.card, bytes);
      mustNot(verifyAbsence(card.card, 1n, decoded), 'a contribution that is there is absent');
      return () => encodeAbsence(decoded);
    },
    documented: isDecodeError,
  },
];
