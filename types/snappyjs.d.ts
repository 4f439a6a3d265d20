// snappyjs ships no types. We compress with it; uncompress is the oracle of tests.
declare module 'snappyjs' {
  const snappy: { compress(bytes: Uint8Array): Uint8Array; uncompress(bytes: Uint8Array): Uint8Array };
  export default snappy;
}
