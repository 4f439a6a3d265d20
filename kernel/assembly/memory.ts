// Memory of one kernel instance: a bump pointer, and free lists of a few sizes per power of two above it.
//
// Nothing is returned to the system. Addresses are stable; JavaScript's views detach whenever memory grows.

/** Memory grows by half of what it is, by no more than this: V8 looks for garbage when much has been added. */
const GROW_PAGES_MAX: usize = 256;
/** Readable behind everything, for loads of 16 bytes. */
const SLACK: usize = 64;
const SMALLEST: u32 = 64;
/** Blocks grow in eighths of a power of two: at most an eighth of one is never used. */
const STEPS_LOG2: u32 = 3;

/** No block ends at 4 GiB, which is 0. */
let bytesMax: usize = 0xffff0000;
let top: usize = 0;
/** On the free lists. */
let freeBytes: usize = 0;
// One list head per size; a free block's first word is the next free block.
const freeLists = memory.data((32 << 3) * 4, 4);

/** Never freed; 16-byte aligned, zeroed by the machine. Traps when 4 GiB are used up. */
export function bump(size: usize): usize {
  if (top == 0) top = (__heap_base + 63) & ~63;
  const at = top;
  top = (top + size + 15) & ~15;
  if (top < at) unreachable();
  const need = (top + SLACK + 65535) >> 16;
  const have = <usize>memory.size();
  if (need > have) grow(need - have);
  return at;
}

function grow(pages: usize): void {
  const half = min(<usize>memory.size() >> 1, GROW_PAGES_MAX);
  if (memory.grow(<i32>max(pages, half)) >= 0) return;
  if (memory.grow(<i32>pages) < 0) unreachable();
}

/** The size of a block for `size` bytes. */
@inline function blockBytes(size: usize): usize {
  const want = max(<u32>size, SMALLEST);
  const step = (<u32>1 << (31 - clz<u32>(want - 1))) >> STEPS_LOG2;
  return <usize>((want + step - 1) & ~(step - 1));
}

/** Where the free list of a block size begins. */
@inline function freeListOf(bytes: usize): usize {
  const log2 = 31 - clz<u32>(<u32>bytes);
  const eighth = (<u32>bytes >> (log2 - STEPS_LOG2)) & 7;
  return freeLists + (<usize>((log2 << STEPS_LOG2) | eighth) << 2);
}

/** How many bytes `alloc(size)` really gives. */
export function capacityOf(size: usize): usize {
  return blockBytes(size);
}

/** A block of at least `size` bytes with arbitrary content. */
export function alloc(size: usize): usize {
  if (size > 0x80000000) unreachable();
  const bytes = blockBytes(size);
  const list = freeListOf(bytes);
  const head = <usize>load<u32>(list);
  if (head == 0) return bump(bytes);
  freeBytes -= bytes;
  store<u32>(list, load<u32>(head));
  return head;
}

/** Gives back a block of alloc, with the size that it was asked for. */
export function free(at: usize, size: usize): void {
  if (at == 0) return;
  const bytes = blockBytes(size);
  freeBytes += bytes;
  const list = freeListOf(bytes);
  store<u32>(at, load<u32>(list));
  store<u32>(list, <u32>at);
}

export function usedBytes(): usize {
  return top;
}

/** Bytes that are free again, in blocks of any size. */
export function freeListBytes(): usize {
  return freeBytes;
}

/** Whoever asks growthLeft() before it allocates stays below so many bytes. */
export function limitMemory(bytes: usize): void {
  bytesMax = min(bytes, bytesMax);
}

export function growthLeft(): usize {
  return top < bytesMax ? bytesMax - top : 0;
}
