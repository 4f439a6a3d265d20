// An XOR chunk codec for tests: slow, plain, written from the format page alone, one character per bit.

export interface Sample {
  readonly timeMs: number;
  /** The value's 64 bits. */
  readonly bits: bigint;
}

export function bitsOf(value: number): bigint {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  return view.getBigUint64(0);
}

export function valueOf(bits: bigint): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, bits);
  return view.getFloat64(0);
}

function binary(value: bigint, width: number): string {
  return BigInt.asUintN(width, value).toString(2).padStart(width, '0');
}

function uvarint(value: bigint): string {
  let out = '';
  let rest = value;
  for (; rest >= 0x80n; rest >>= 7n) out += binary((rest & 0x7fn) | 0x80n, 8);
  return out + binary(rest, 8);
}

class Encoder {
  private out = '';
  private window: { lead: number; trail: number } | undefined;

  private put(bits: string): void {
    this.out += bits;
  }

  time(i: number, samples: readonly Sample[]): void {
    const t = samples.map(({ timeMs }) => BigInt(timeMs));
    if (i === 0) this.put(uvarint(t[0]! < 0n ? -2n * t[0]! - 1n : 2n * t[0]!));
    else if (i === 1) this.put(uvarint(t[1]! - t[0]!));
    else this.dod(t[i]! - t[i - 1]! - (t[i - 1]! - t[i - 2]!));
  }

  private dod(dod: bigint): void {
    const fits = (width: number): boolean => {
      const half = 1n << BigInt(width - 1);
      return dod > -half && dod <= half;
    };
    if (dod === 0n) this.put('0');
    else if (fits(14)) this.put(`10${binary(dod, 14)}`);
    else if (fits(17)) this.put(`110${binary(dod, 17)}`);
    else if (fits(20)) this.put(`1110${binary(dod, 20)}`);
    else this.put(`1111${binary(dod, 64)}`);
  }

  first(bits: bigint): void {
    this.put(binary(bits, 64));
  }

  value(bits: bigint, before: bigint): void {
    const xor = binary(bits ^ before, 64);
    if (!xor.includes('1')) {
      this.put('0');
      return;
    }
    const lead = Math.min(xor.indexOf('1'), 31);
    const trail = 63 - xor.lastIndexOf('1');
    if (this.window !== undefined && lead >= this.window.lead && trail >= this.window.trail) {
      this.put('10');
      this.put(xor.slice(this.window.lead, 64 - this.window.trail));
      return;
    }
    this.window = { lead, trail };
    const digits = xor.slice(lead, 64 - trail);
    this.put(`11${binary(BigInt(lead), 5)}${binary(BigInt(digits.length), 6)}`);
    this.put(digits);
  }

  bytes(count: number): Uint8Array {
    const bits = binary(BigInt(count), 16) + this.out.padEnd(Math.ceil(this.out.length / 8) * 8, '0');
    return Uint8Array.from({ length: bits.length / 8 }, (_, i) =>
      Number.parseInt(bits.slice(8 * i, 8 * i + 8), 2),
    );
  }
}

/** The chunk that Prometheus would write for these samples, byte for byte. */
export function encodeXor(samples: readonly Sample[]): Uint8Array {
  const encoder = new Encoder();
  for (const [i, { bits }] of samples.entries()) {
    encoder.time(i, samples);
    if (i === 0) encoder.first(bits);
    else encoder.value(bits, samples[i - 1]!.bits);
  }
  return encoder.bytes(samples.length);
}
