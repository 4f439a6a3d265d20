/** What a peer sent is no HTTP. */
export class MalformedResponse extends Error {
  readonly code = 'MALFORMED_RESPONSE';
}
