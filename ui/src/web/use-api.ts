// A resource of the API as a hook: loading, error with retry, optional refresh.

import { useEffect, useState } from 'preact/hooks';
import { getApi } from './api.ts';
import type { Answer } from './api.ts';

export interface Resource<T> {
  readonly answer: Answer<T> | undefined;
  readonly error: string;
  readonly reload: () => void;
}

/** Loads a path, again every `refreshMs` unless that is 0. The last good answer stays while a reload fails. */
export function useApi<T>(path: string, refreshMs: number): Resource<T> {
  const [answer, setAnswer] = useState<Answer<T>>();
  const [error, setError] = useState('');
  const [round, setRound] = useState(0);
  useEffect(() => {
    const stopping = new AbortController();
    getApi<T>(path, {}, stopping.signal).then(
      (loaded) => {
        setAnswer(loaded);
        setError('');
      },
      (cause: unknown) => {
        if (!stopping.signal.aborted) setError(cause instanceof Error ? cause.message : String(cause));
      },
    );
    const timer = refreshMs > 0 ? setTimeout(() => setRound((now) => now + 1), refreshMs) : undefined;
    return () => {
      stopping.abort();
      clearTimeout(timer);
    };
  }, [path, refreshMs, round]);
  return { answer, error, reload: () => setRound((now) => now + 1) };
}
