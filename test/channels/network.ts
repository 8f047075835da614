/** What becomes of letters. */
import { toHex } from '../../core/bytes.ts';
import { payerReads } from './payer-steps.ts';
import { payeeLinks, payeeTakes } from './payee-steps.ts';
import type { FuzzWorld } from './world.ts';

/** Any letter, not the first; some are lost, some come again. */
export async function deliver(w: FuzzWorld): Promise<void> {
  if (w.letters.length === 0) return;
  const at = w.random.below(w.letters.length);
  const letter = w.letters[at];
  if (letter === undefined) return;
  const [isLost, isRepeated] = w.isQuiet ? [false, false] : [w.random.oneIn(8), w.random.oneIn(8)];
  if (!isRepeated) w.letters.splice(at, 1);
  if (isLost || letter.channel !== toHex(letter.party.id)) return;
  if (letter.kind === 'voucher') await payeeTakes(w, letter);
  else if (letter.kind === 'link') await payeeLinks(w, letter);
  else await payerReads(w, letter);
}
