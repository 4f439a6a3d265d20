// node operator/dist/objects/crd/write-crds.js FOLDER: writes the CustomResourceDefinitions there.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crdText } from './crd-text.ts';
import { crdFiles } from './custom-resources.ts';

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('write-crds: no folder, want one');
for (const { file, crd } of crdFiles()) writeFileSync(join(folder, file), crdText(crd));
