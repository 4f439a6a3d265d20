// Where a destination is in the WAL: what it has taken, and the window that is on its way. Format:
// docs/format/remote-write-position.md.
//
// Two slots are written in turn, so that a torn write leaves the other one.

import { type FileHandle, open } from 'node:fs/promises';
import type { WalPosition } from '@flotilla/tsdb';
import { crc32c } from '@flotilla/wire';

/** A window that may have been sent is sent again in the same requests: receivers take a request whole, or not at all. */
export interface SendState {
  /** Everything before was taken, or given up for good. */
  readonly from: WalPosition;
  /** Where the window ends that is being sent; `from` if there is none. */
  readonly to: WalPosition;
  readonly shards: number;
  readonly samplesPerSend: number;
  /** The newest sample before `from`, ms; 0 if there is none. */
  readonly sentMs: number;
}

const MAGIC = 0x46525750; // FRWP
const SLOT_BYTES = 64;
const CHECKSUM_AT = 60;

export class PositionFile {
  readonly #file: FileHandle;
  #sequence: number;
  /** The last state that was read or written. */
  state: SendState | undefined;

  private constructor(file: FileHandle, state: SendState | undefined, sequence: number) {
    this.#file = file;
    this.state = state;
    this.#sequence = sequence;
  }

  /** `state` is undefined in a new file; a file in which neither slot is whole begins with the WAL. */
  static async open(path: string): Promise<PositionFile> {
    const file = await open(path, 'r+').catch(() => open(path, 'w+'));
    const bytes = new Uint8Array(2 * SLOT_BYTES);
    const { bytesRead } = await file.read(bytes, 0, bytes.length, 0);
    const slots = [0, 1]
      .map((slot) => decodeSlot(bytes.subarray(slot * SLOT_BYTES, (slot + 1) * SLOT_BYTES)))
      .filter((slot) => slot !== undefined)
      .toSorted((a, b) => b.sequence - a.sequence);
    const [newest] = slots;
    if (newest !== undefined) return new PositionFile(file, newest.state, newest.sequence);
    return new PositionFile(file, bytesRead > 0 ? walBegin : undefined, 0);
  }

  /** `mustSync`: resolves when it is on the disk. */
  async write(state: SendState, mustSync: boolean): Promise<void> {
    this.#sequence++;
    this.state = state;
    const slot = encodeSlot(state, this.#sequence);
    await this.#file.write(slot, 0, SLOT_BYTES, (this.#sequence % 2) * SLOT_BYTES);
    if (mustSync) await this.#file.datasync();
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

const begin: WalPosition = { segment: 0, offset: 0 };
const walBegin: SendState = { from: begin, to: begin, shards: 1, samplesPerSend: 1, sentMs: 0 };

function encodeSlot(state: SendState, sequence: number): Uint8Array {
  const bytes = new Uint8Array(SLOT_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC);
  view.setFloat64(4, sequence);
  view.setUint32(12, state.from.segment);
  view.setFloat64(16, state.from.offset);
  view.setUint32(24, state.to.segment);
  view.setFloat64(28, state.to.offset);
  view.setUint32(36, state.shards);
  view.setUint32(40, state.samplesPerSend);
  view.setFloat64(44, state.sentMs);
  view.setUint32(CHECKSUM_AT, crc32c(bytes.subarray(0, CHECKSUM_AT)));
  return bytes;
}

function decodeSlot(bytes: Uint8Array): { state: SendState; sequence: number } | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, SLOT_BYTES);
  if (view.getUint32(0) !== MAGIC) return undefined;
  if (view.getUint32(CHECKSUM_AT) !== crc32c(bytes.subarray(0, CHECKSUM_AT))) return undefined;
  const state: SendState = {
    from: { segment: view.getUint32(12), offset: view.getFloat64(16) },
    to: { segment: view.getUint32(24), offset: view.getFloat64(28) },
    shards: view.getUint32(36),
    samplesPerSend: view.getUint32(40),
    sentMs: view.getFloat64(44),
  };
  return { state, sequence: view.getFloat64(4) };
}
