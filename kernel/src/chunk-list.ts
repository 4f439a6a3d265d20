// Chunk lists, seen from JavaScript: the chunks of a series as one run of bytes. Layout: assembly/chunk-list.ts.

export const CHUNK_HEADER_BYTES = 24;

/** What a chunk is, without its data. */
export interface ChunkHeader {
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
  /** At most 65535. */
  readonly samples: number;
  /** 1: floats (XOR); 2, 3: native histograms. */
  readonly encoding: number;
}

export interface ListedChunk extends ChunkHeader {
  readonly data: Uint8Array;
}

export function writeChunkHeader(
  view: DataView,
  at: number,
  minTimeMs: number,
  maxTimeMs: number,
  samples: number,
  encoding: number,
  dataBytes: number,
): void {
  view.setUint32(at, dataBytes, true);
  view.setUint16(at + 4, samples, true);
  view.setUint16(at + 6, encoding, true);
  view.setFloat64(at + 8, minTimeMs, true);
  view.setFloat64(at + 16, maxTimeMs, true);
}

/** A list of its own memory. */
export function packChunks(chunks: readonly ListedChunk[]): Uint8Array {
  const bytes = chunks.reduce((sum, { data }) => sum + CHUNK_HEADER_BYTES + data.length, 0);
  const list = new Uint8Array(bytes);
  const view = new DataView(list.buffer);
  let at = 0;
  for (const { minTimeMs, maxTimeMs, samples, encoding, data } of chunks) {
    writeChunkHeader(view, at, minTimeMs, maxTimeMs, samples, encoding, data.length);
    list.set(data, at + CHUNK_HEADER_BYTES);
    at += CHUNK_HEADER_BYTES + data.length;
  }
  return list;
}

/** Goes through the headers of a list. The fields are those of the chunk that next() came to. */
export class ChunkListReader implements ChunkHeader {
  minTimeMs = 0;
  maxTimeMs = 0;
  samples = 0;
  encoding = 0;
  #list: Uint8Array;
  /** Of all of the list's memory, as many lists lie in the same. */
  #view: DataView;
  /** Places in the memory: of the chunk's data, and of the end of the list. */
  #from = 0;
  #to: number;
  #end: number;

  constructor(list: Uint8Array) {
    this.#list = list;
    this.#view = new DataView(list.buffer);
    this.#to = list.byteOffset;
    this.#end = list.byteOffset + list.length;
  }

  /** Goes on with another list, from its beginning. */
  begin(list: Uint8Array): void {
    if (list.buffer !== this.#view.buffer) this.#view = new DataView(list.buffer);
    this.#list = list;
    this.#to = list.byteOffset;
    this.#end = list.byteOffset + list.length;
  }

  /** False at the end, and where the rest cannot be chunks: see isDamaged. */
  next(): boolean {
    const at = this.#to;
    const view = this.#view;
    if (at + CHUNK_HEADER_BYTES > this.#end) return false;
    const from = at + CHUNK_HEADER_BYTES;
    const to = from + view.getUint32(at, true);
    if (to > this.#end) return false;
    this.samples = view.getUint16(at + 4, true);
    this.encoding = view.getUint8(at + 6);
    this.minTimeMs = view.getFloat64(at + 8, true);
    this.maxTimeMs = view.getFloat64(at + 16, true);
    this.#from = from;
    this.#to = to;
    return true;
  }

  /** After the last next(): whether bytes are left over. */
  get isDamaged(): boolean {
    return this.#to < this.#end;
  }

  /** A view of the chunk's data. */
  get data(): Uint8Array {
    const { byteOffset } = this.#list;
    return this.#list.subarray(this.#from - byteOffset, this.#to - byteOffset);
  }
}

/** The chunks of a list, with copies of their data. */
export function unpackChunks(list: Uint8Array): ListedChunk[] {
  const reader = new ChunkListReader(list);
  const chunks: ListedChunk[] = [];
  while (reader.next()) {
    const { minTimeMs, maxTimeMs, samples, encoding } = reader;
    chunks.push({ minTimeMs, maxTimeMs, samples, encoding, data: Uint8Array.from(reader.data) });
  }
  return chunks;
}
