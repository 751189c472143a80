// SPDX-License-Identifier: MIT
// usage: node k8s/generate-chart.mjs [--check]   Writes k8s/chart/templates from what the kustomizations in k8s/ come to, with values in some places; --check
// writes nothing, and says what is out of date. Needs npm ci in tests/k8s, which ./dev lint has done.
import fs from 'node:fs';
import path from 'node:path';
import { chart, templates } from '../tests/k8s/chart.mjs';
import { kubectl } from '../tests/k8s/manifests.mjs';

if (!kubectl) {
    console.log('skipped: no kubectl runs here, so the chart is not compared with k8s/');
    process.exit(0);
}
const check = process.argv[2] === '--check';
const folder = path.join(chart, 'templates');
const wanted = templates();
const there = fs.existsSync(folder) ? fs.readdirSync(folder) : [];
const stale = [
    ...there.filter((name) => !(name in wanted)),
    ...Object.keys(wanted).filter((name) => !there.includes(name) || fs.readFileSync(path.join(folder, name), 'utf8') !== wanted[name]),
];
for (const name of stale) {
    if (check) console.log(`k8s/chart/templates/${name} is not what k8s/ comes to: run node k8s/generate-chart.mjs`);
    else if (name in wanted) fs.writeFileSync(path.join(folder, name), wanted[name]);
    else fs.rmSync(path.join(folder, name));
}
process.exit(check && stale.length ? 1 : 0);
