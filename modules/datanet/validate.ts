/** What a Datanet and a contribution must look like, whatever the state says. */
import { utf8 } from '../../core/bytes.ts';
import { HASH_BYTES } from '../../core/hash.ts';
import type { ErrorKind } from '../../framework/errors.ts';
import { StateError } from '../../framework/errors.ts';
import { parseCoins } from '../../framework/coins.ts';
import { Admission, type Params } from '../../proto/gen/openledger/datanet/v1/datanet.ts';
import type { MsgContribute, MsgCreateDatanet } from '../../proto/gen/openledger/datanet/v1/tx.ts';
import { datanetErrors } from './errors.ts';

const SLUG = /^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/;
const DOMAIN = /^[a-z0-9][a-z0-9 ./-]{0,63}$/;
const MEDIA_TYPE = /^[a-z0-9][a-z0-9.+-]{0,62}\/[a-z0-9][a-z0-9.+-]{0,62}$/;
const LICENCE = /^[A-Za-z0-9.+() -]{1,128}$/;

/** @throws StateError (datanet 2, 6) naming the field */
export function validateDatanet(message: MsgCreateDatanet): void {
  const { slug, domain, mediaType, licence, admission, accessPrice } = message;
  const patterns = [
    ['slug', slug, SLUG, '1 to 64 lower-case letters, digits and inner hyphens'],
    ['domain', domain, DOMAIN, '1 to 64 lower-case letters, digits, spaces, dots, slashes and hyphens'],
    ['media_type', mediaType, MEDIA_TYPE, 'type/subtype in lower case'],
    ['licence', licence, LICENCE, 'an SPDX licence expression'],
  ] as const;
  for (const [field, value, pattern, wanted] of patterns)
    if (!pattern.test(value))
      throw new StateError(
        datanetErrors.invalidDatanet,
        `${field} must be ${wanted}, got '${value.slice(0, 80)}'`,
      );
  if (admission !== Admission.ADMISSION_OPEN && admission !== Admission.ADMISSION_ALLOW_LIST)
    throw new StateError(
      datanetErrors.admissionNotSupported,
      `admission ${admission} cannot be used; open (1) and allow-list (2) can`,
    );
  if (accessPrice !== undefined) parseCoins([accessPrice]);
}

/** @throws StateError (datanet 8) naming the field */
export function validateContribution(message: MsgContribute): void {
  const { root, byteLength, mediaType } = message;
  const refuse = (detail: string): never => {
    throw new StateError(datanetErrors.invalidContribution, detail);
  };
  if (root.length !== HASH_BYTES) refuse(`root has ${root.length} bytes, must have ${HASH_BYTES}`);
  if (byteLength === 0n) refuse('byte_length is 0; an empty document cannot be contributed');
  if (mediaType !== '' && !MEDIA_TYPE.test(mediaType))
    refuse('media_type must be type/subtype in lower case');
}

/** @throws StateError (datanet 8) when a contribution exceeds the chain's limits */
export function checkContributionLimits(message: MsgContribute, params: Params): void {
  if (message.byteLength > params.contentBytesMax)
    throw new StateError(
      datanetErrors.invalidContribution,
      `byte_length ${message.byteLength} exceeds the limit of ${params.contentBytesMax}; split the document`,
    );
  if (message.uris.length > params.urisMax)
    throw new StateError(
      datanetErrors.invalidContribution,
      `${message.uris.length} uris, at most ${params.urisMax} are allowed`,
    );
  for (const text of [message.title, ...message.uris])
    checkText({ text, what: 'title or uri', params, kind: datanetErrors.invalidContribution });
}

/** @throws StateError of the given kind when a text is longer than the chain allows */
export function checkText(text: {
  readonly text: string;
  readonly what: string;
  readonly params: Params;
  readonly kind: ErrorKind;
}): void {
  const length = utf8(text.text).length;
  if (length > text.params.textBytesMax)
    throw new StateError(
      text.kind,
      `${text.what} has ${length} bytes, at most ${text.params.textBytesMax} are allowed`,
    );
}
