// /debug/pprof: CPU and heap profiles of this process, its workers included. What Go has and we have not (goroutines, locks, threads) is an empty profile.

import { Router } from '@flotilla/chassis';
import type { Request, Response } from '@flotilla/chassis';
import type { QueryWorkers } from '../workers/query-workers.ts';
import { encodeProfile } from './profile-encoder.ts';
import type { StackProfile } from './profile-encoder.ts';
import { takeProfile } from './thread-profiles.ts';
import type { ProfileKind } from './thread-profiles.ts';

const secondsDefault = { profile: 30, heap: 1 } as const;
const secondsMax = 120;
const empty = ['allocs', 'block', 'goroutine', 'mutex', 'threadcreate'];

export function pprofRoutes(workers: QueryWorkers): Router {
  const router = Router();
  const one = onlyOne(async (kind, seconds) => {
    const [own, others] = await Promise.all([takeProfile(kind, seconds), workers.profiles(kind, seconds)]);
    return { ...own, samples: [own, ...others].flatMap(({ samples }) => samples) };
  });
  router.get('/profile', one('profile'));
  router.get('/heap', one('heap'));
  for (const name of empty) {
    const types = [{ type: name, unit: 'count' }];
    router.get(`/${name}`, (_request, response) =>
      send(response, name, { types, samples: [], timeMs: Date.now(), durationMs: 0 }),
    );
  }
  return router;
}

type Take = (kind: ProfileKind, seconds: number) => Promise<StackProfile>;
type Handler = (request: Request, response: Response) => Promise<void>;

/** One profile at a time: each slows the process down. */
function onlyOne(take: Take): (kind: ProfileKind) => Handler {
  let busy = false;
  return (kind) => async (request, response) => {
    if (busy) {
      response.status(500).type('text/plain').send('Could not enable profiling: profiling already in use\n');
      return;
    }
    busy = true;
    try {
      const asked = Number(request.query['seconds'] ?? secondsDefault[kind]);
      const seconds = asked > 0 ? Math.min(asked, secondsMax) : secondsDefault[kind];
      send(response, kind, await take(kind, seconds));
    } finally {
      busy = false;
    }
  };
}

function send(response: Response, name: string, profile: StackProfile): void {
  response.setHeader('Content-Type', 'application/octet-stream');
  response.setHeader('Content-Disposition', `attachment; filename="${name}"`);
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.end(encodeProfile(profile));
}
