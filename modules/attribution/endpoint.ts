/** Where a publisher says that something is served. */
import { utf8 } from '../../core/bytes.ts';
import type { Params } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import { refuseAs } from './errors.ts';

type Refusal = 'malformed-index' | 'malformed-card';

/** Form of an endpoint. @throws StateError (attribution 18 of an index, 40 of a card) */
export function validateEndpoint(endpoint: string, refusal: Refusal): void {
  if (endpoint.trim() === '') refuseAs(refusal, 'endpoint is empty; say where it is served');
}

/** @throws StateError (attribution 18 of an index, 40 of a card) when it is too long, in bytes of UTF-8 */
export function checkEndpoint(
  endpoint: string,
  { endpointBytesMax }: Pick<Params, 'endpointBytesMax'>,
  refusal: Refusal,
): void {
  const bytes = utf8(endpoint).length;
  if (bytes > endpointBytesMax)
    refuseAs(refusal, `the endpoint has ${bytes} bytes, more than ${endpointBytesMax}`);
}
