// node operator/dist/objects/crd/write-crds.js REPOSITORY: writes the CustomResourceDefinitions to crds/ and into the chart.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crdText } from './crd-text.ts';
import { crdFiles } from './custom-resources.ts';

const [repository] = process.argv.slice(2);
if (repository === undefined) throw new Error('write-crds: no folder, want that of the repository');
for (const { file, folders, crd } of crdFiles())
  for (const folder of folders) writeFileSync(join(repository, folder, file), crdText(crd));
