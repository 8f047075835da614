/** What the module exports, besides its memory. */
export { invert, sortSuffixes } from './sais';
export { hashMessages, hashPairs, SCRATCH_BYTES } from './sha256';
export { writeSuffixLeaves } from './suffix-leaves';
