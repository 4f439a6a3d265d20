// Values of the secrets that jobs refer to, from the operator, kept in a file that only this user may read, so that
// scraping goes on after a restart without an operator. Never logged, never in an error.

import { readFile } from 'node:fs/promises';
import { errorCode, errorText, type InternalClient, type Logger, writeFileAtomic } from '@flotilla/chassis';
import type { CredentialSource, JobAuth, SecretRef } from '@flotilla/wire';
import type { SecretValues } from '../fetch/credentials.ts';

export interface SecretStoreOptions {
  readonly path: string;
  readonly client: InternalClient;
  readonly operatorUrl: string;
  readonly log: Logger;
}

/** A job, or a destination of remote write. */
export interface SecretUser {
  readonly auth: JobAuth;
}

interface SecretsAnswer {
  readonly values: Readonly<Record<string, string>>;
}

/** A rotated secret is in use this long, at most, after the operator has it. */
const refreshMs = 10_000;
const retryMs = 5000;

export class SecretStore implements SecretValues {
  readonly #options: SecretStoreOptions;
  /** By `kind/namespace/name/key`. */
  #values = new Map<string, string>();
  #refs: readonly SecretRef[] = [];
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(options: SecretStoreOptions) {
    this.#options = options;
  }

  get({ kind, namespace, name, key }: SecretRef): string | undefined {
    return this.#values.get(`${kind}/${namespace}/${name}/${key}`);
  }

  /** What was persisted; nothing if the file is absent or damaged. */
  async load(): Promise<void> {
    try {
      const saved = JSON.parse(await readFile(this.#options.path, 'utf8')) as Record<string, string>;
      this.#values = new Map(Object.entries(saved).filter(([, value]) => typeof value === 'string'));
    } catch (err) {
      if (errorCode(err) !== 'ENOENT')
        this.#options.log.warn('Saved secrets are of no use', { path: this.#options.path });
    }
  }

  /** Fetches what these need, and keeps fetching it. Resolves after the first try, whatever became of it. */
  async require(users: readonly SecretUser[]): Promise<void> {
    this.#refs = secretRefs(users);
    await this.#refresh();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  async #refresh(): Promise<void> {
    clearTimeout(this.#timer);
    if (this.#refs.length === 0 || this.#stopped) return;
    const isDone = await this.#fetch(this.#refs);
    clearTimeout(this.#timer);
    if (!this.#stopped) this.#timer = setTimeout(() => void this.#refresh(), isDone ? refreshMs : retryMs);
  }

  /** Whether every value is there. Never rejects. */
  async #fetch(refs: readonly SecretRef[]): Promise<boolean> {
    const { client, operatorUrl, log } = this.#options;
    try {
      const answer = await client.postJson<SecretsAnswer>(`${operatorUrl}/assignment/v1/secrets`, { refs });
      const next = new Map(Object.entries(answer.values).map(([key, base64]) => [key, fromBase64(base64)]));
      await this.#replace(next);
      return refs.every((ref) => this.get(ref) !== undefined);
    } catch (err) {
      log.warn('Secrets were not fetched', { reason: errorText(err) });
      return false;
    }
  }

  async #replace(next: Map<string, string>): Promise<void> {
    const isSame =
      next.size === this.#values.size && [...next].every(([key, value]) => this.#values.get(key) === value);
    if (isSame) return;
    this.#values = next;
    await writeFileAtomic(this.#options.path, JSON.stringify(Object.fromEntries(next)), { mode: 0o600 });
  }
}

function fromBase64(text: string): string {
  return Buffer.from(text, 'base64').toString('utf8');
}

/** Every secret that jobs and destinations refer to, once. */
export function secretRefs(users: readonly SecretUser[]): SecretRef[] {
  const refs = new Map<string, SecretRef>();
  for (const { auth } of users) {
    const { basic, authorization, oauth2, tls, proxy } = auth;
    const sources = [
      basic?.username,
      basic?.password,
      authorization?.credentials,
      oauth2?.clientId,
      oauth2?.clientSecret,
      ...[proxy, oauth2?.proxy].flatMap((one) => one?.connectHeaders ?? []).flatMap(({ values }) => values),
      ...[tls, oauth2?.tls].flatMap((one) => [one?.ca, one?.cert, one?.key]),
    ];
    for (const source of sources) {
      const ref = secretOf(source);
      if (ref !== undefined) refs.set(`${ref.kind}/${ref.namespace}/${ref.name}/${ref.key}`, ref);
    }
  }
  return [...refs.values()];
}

function secretOf(source: CredentialSource | undefined): SecretRef | undefined {
  return source !== undefined && 'secret' in source ? source.secret : undefined;
}
