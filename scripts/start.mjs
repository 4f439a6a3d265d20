// npm start: installs, builds, and brings up the fleet of examples/local. Arguments go to `flotilla up`.
import { build } from './build.mjs';
import { nodeBinary, run } from './setup.mjs';

await build();
process.exit(await run(nodeBinary(), ['cli/dist/main.js', 'up', 'examples/local', ...process.argv.slice(2)]));
