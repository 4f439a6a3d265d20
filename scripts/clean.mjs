// Removes what the build made; after deleting or renaming sources, so that no stale test runs.
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const { workspaces } = JSON.parse(readFileSync('package.json', 'utf8'));
for (const room of workspaces) {
  rmSync(join(room, 'dist'), { recursive: true, force: true });
  for (const name of readdirSync(room)) {
    if (name.endsWith('.tsbuildinfo')) rmSync(join(room, name));
  }
}
