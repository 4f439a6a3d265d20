// basic_auth_users: bcrypt, checked one at a time because each check costs tens of ms of CPU.
//
// Verdicts are cached under a hash of user, password and bcrypt hash, as Prometheus does. An unknown user costs
// the same comparison as a known one, so the time tells nothing. Passwords are never kept or logged.

import { createHash } from 'node:crypto';
import { compare } from 'bcryptjs';
import type { Request, RequestHandler } from 'express';
import { ApiError } from './api-error.ts';

const verdictsMax = 200;
const waitingMax = 32;

/** Lets pass who shows the password of one of `users`, or for whom `isTrusted` answers true. No users: everybody. */
export function basicAuth(
  users: () => ReadonlyMap<string, string>,
  isTrusted: (req: Request) => boolean,
): RequestHandler {
  const passwords = new PasswordChecker();
  return async (req, res, next) => {
    const current = users();
    if (current.size === 0 || isTrusted(req)) {
      next();
      return;
    }
    const login = parseBasic(req.headers.authorization);
    if (login !== undefined && (await passwords.check(current, login))) {
      next();
      return;
    }
    res.status(401).setHeader('WWW-Authenticate', 'Basic').type('text/plain').send('Unauthorized\n');
  };
}

interface Login {
  readonly user: string;
  readonly password: string;
}

function parseBasic(header: string | undefined): Login | undefined {
  const encoded = /^Basic +([A-Za-z0-9+/=]+) *$/i.exec(header ?? '')?.[1];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : { user: text.slice(0, colon), password: text.slice(colon + 1) };
}

class PasswordChecker {
  /** Apart, so that a flood of wrong passwords does not push the right ones out. */
  readonly #right = new Set<string>();
  readonly #wrong = new Set<string>();
  #turn: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  async check(users: ReadonlyMap<string, string>, { user, password }: Login): Promise<boolean> {
    const hash = users.get(user);
    const key = createHash('sha256')
      .update(JSON.stringify([user, password, hash]))
      .digest('base64');
    if (this.#right.has(key)) return true;
    if (this.#wrong.has(key)) return false;
    const someHash = users.values().next().value!;
    const isRight = (await this.#compare(password, hash ?? someHash)) && hash !== undefined;
    remember(isRight ? this.#right : this.#wrong, key);
    return isRight;
  }

  async #compare(password: string, hash: string): Promise<boolean> {
    if (this.#waiting >= waitingMax) {
      throw new ApiError(
        'unavailable',
        `basic auth: ${this.#waiting} logins waiting, want at most ${waitingMax}`,
      );
    }
    this.#waiting++;
    const verdict = this.#turn.then(() => compare(password, hash));
    this.#turn = verdict.catch(() => undefined);
    try {
      return await verdict;
    } finally {
      this.#waiting--;
    }
  }
}

function remember(verdicts: Set<string>, key: string): void {
  if (verdicts.size >= verdictsMax) verdicts.delete(verdicts.values().next().value!);
  verdicts.add(key);
}
