// What a query can fail with while it runs. The texts are Prometheus's: its API and its users' alerts match on them.

/** `bad_data`: of the query itself, whatever the samples are. */
export type QueryErrorKind = 'bad_data' | 'execution' | 'timeout' | 'canceled' | 'internal';

export class QueryError extends Error {
  override readonly name: string = 'QueryError';
  readonly kind: QueryErrorKind;

  constructor(kind: QueryErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

/** The query asks for more samples or bytes than one query may hold. */
export class QueryLimitError extends QueryError {
  override readonly name = 'QueryLimitError';

  constructor(message: string) {
    super('execution', message);
  }
}

/** Ends the query with an execution error, which is the user's to fix. */
export function fail(message: string): never {
  throw new QueryError('execution', message);
}

/** Two series of one vector came out with the same labels. */
export function failDuplicate(): never {
  fail('vector cannot contain metrics with the same labelset');
}
