// The declaration of a binary's flags, and the types inferred from it.

interface ValueOf {
  string: string;
  number: number;
  boolean: boolean;
  duration: number;
  bytes: number;
  list: readonly string[];
}
interface DefaultOf extends Omit<ValueOf, 'duration' | 'bytes'> {
  duration: string;
  bytes: string;
}
export type FlagType = keyof ValueOf;
interface FlagOf<T extends FlagType> {
  readonly type: T;
  /** As a user would write it: '5m', '512MB'. Without one the value is undefined, false or []. */
  readonly default?: DefaultOf[T];
  readonly required?: boolean;
  readonly choices?: readonly string[];
  /** Bounds of a number, of a duration in ms, of a size in bytes. */
  readonly min?: number;
  readonly max?: number;
  readonly help: string;
}

/** One flag. A duration becomes ms, a size becomes bytes, a list is the flag repeated. */
export type Flag = { [T in FlagType]: FlagOf<T> }[FlagType];
export type FlagSpec = Readonly<Record<string, Flag>>;

type FlagValue<F extends Flag> = F extends { readonly choices: readonly (infer C extends string)[] }
  ? C
  : ValueOf[F['type']];
type IsAlwaysSet<F extends Flag> = F extends { readonly default: unknown } | { readonly required: true }
  ? true
  : F['type'] extends 'boolean' | 'list'
    ? true
    : false;
/** What parseFlags returns: a value per flag, under the flag's own dotted name. */
export type FlagValues<S extends FlagSpec> = {
  readonly [K in keyof S]: IsAlwaysSet<S[K]> extends true ? FlagValue<S[K]> : FlagValue<S[K]> | undefined;
};

/** Declares a spec and keeps its literal types, from which FlagValues are inferred. */
export function defineFlags<const S extends FlagSpec>(spec: S): S {
  return spec;
}
