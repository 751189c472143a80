// SPDX-License-Identifier: MIT
// usage: lint.mjs [FILE...]   Renders every kustomization and checks each object strictly; with FILEs, those instead. tests/lint/run calls it.
import { kubectl, overlays, parse, read, render } from './manifests.mjs';
import { check } from './types.mjs';
import fs from 'node:fs';

const named = (name, objects) => objects.map((object) => ({ name, object }));
const problems = [];
let objects = [];
if (process.argv.length > 2) {
    objects = process.argv.slice(2).flatMap((file) => named(file, parse(fs.readFileSync(file, 'utf8'), file)));
} else {
    // What kustomize does not read.
    for (const file of ['k8s/base/secret.template.yaml', 'k8s/overlays/local/kind.yaml']) objects.push(...named(file, read(file)));
    if (!kubectl) console.log('skipped: no kubectl runs here, so the overlays are not rendered');
    for (const folder of kubectl ? overlays : []) {
        try {
            objects.push(...named(folder, render(folder)));
        } catch (error) {
            problems.push(error.message);
        }
    }
}
problems.push(...check(objects));
for (const problem of problems) console.log(problem);
if (!problems.length) console.log(`${objects.length} objects are fine`);
process.exit(problems.length ? 1 : 0);
