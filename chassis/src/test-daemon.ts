// For tests only: a daemon in a process of its own. --behaviour says how it goes wrong, if at all.

import { defineFlags } from './flag-spec.ts';
import { runMain, type MainContext } from './run-main.ts';
import { standardFlags } from './standard-flags.ts';
import { createHttpServer } from './http-server.ts';

const spec = defineFlags({
  ...standardFlags,
  behaviour: {
    type: 'string',
    default: 'good',
    choices: ['good', 'throw', 'crash', 'reject', 'bad-hook', 'late-hook', 'endless-hook', 'leave'],
    help: 'What to do after the start.',
  },
});

await runMain('demo', spec, async (context) => {
  const { config, log, metrics, onShutdown, shutdown } = context;
  const server = createHttpServer({ name: 'demo', config, log, metrics });
  onShutdown('first', () => log.info('First part stopped'));
  onShutdown('http', () => server.close());
  await server.listen();
  addHook(context);
  if (config.behaviour === 'throw') throw new Error('no disk', { cause: new Error('ENOSPC') });
  if (config.behaviour === 'crash') setImmediate(() => (undefined as unknown as () => void)());
  if (config.behaviour === 'reject') void Promise.reject(new Error('forgotten'));
  if (config.behaviour === 'leave') shutdown('done');
  log.info('Started');
});

function addHook({ config, onShutdown }: MainContext<typeof spec>): void {
  const never = (): Promise<void> => new Promise(() => undefined);
  if (config.behaviour === 'bad-hook') onShutdown('bad', () => Promise.reject(new Error('cannot stop')));
  if (config.behaviour === 'late-hook') onShutdown('late', never, 20);
  if (config.behaviour === 'endless-hook') onShutdown('endless', never, 60_000);
}
