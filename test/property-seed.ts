/**
 * Property tests try the same cases on each run, so that a run says something about the code and not about
 * luck. `FAST_CHECK_SEED=$RANDOM npm test` tries others.
 */
import fc from 'fast-check';

const SEED = 20_261_121;

const { FAST_CHECK_SEED: other } = process.env;
const seed = other === undefined ? SEED : Number(other);
if (!Number.isSafeInteger(seed)) throw new Error(`FAST_CHECK_SEED is "${other}", but must be an integer`);
fc.configureGlobal({ ...fc.readConfigureGlobal(), seed });
