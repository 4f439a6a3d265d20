/** Why a histogram chunk begins: the top bits of its third byte. */
export const resetFlag = { unknown: 0, notReset: 0x40, reset: 0x80, gauge: 0xc0 } as const;
export type ResetFlag = (typeof resetFlag)[keyof typeof resetFlag];
