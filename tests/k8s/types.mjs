// SPDX-License-Identifier: MIT
// Whether objects are what Kubernetes accepts: a misspelt or misplaced key, a missing one, a value of another type are errors. The types are
// those that are generated from the API's own description; the compiler compares an object with them.
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const here = path.dirname(fileURLToPath(import.meta.url));

// Kinds that no package describes.
const own = {
    'kind.x-k8s.io/v1alpha4/Cluster': `{ apiVersion: string; kind: string; networking?: { podSubnet?: string; serviceSubnet?: string };
        nodes?: { role: 'control-plane' | 'worker'; image?: string; labels?: { [name: string]: string };
            extraPortMappings?: { containerPort: number; hostPort: number; listenAddress?: string; protocol?: 'TCP' | 'UDP' }[] }[] }`,
};

function typeOf({ apiVersion, kind }) {
    const key = `${apiVersion}/${kind}`;
    if (own[key]) return own[key];
    const operator = { 'cert-manager.io': 'cert-manager', 'monitoring.coreos.com': 'prometheus-operator' }[apiVersion.split('/')[0]];
    if (operator) return `import('@kubernetes-models/${operator}/${apiVersion}/${kind}').I${kind}`;
    const group = apiVersion.includes('/') ? apiVersion.replace(/\..*\//, '/') : `core/${apiVersion}`;
    return `import('kubernetes-types/${group}').${kind}`;
}

// objects: [{ name, object }]. What is wrong, a line each.
export function check(objects) {
    const file = path.join(here, 'objects.ts');
    const texts = objects.map(({ object }, index) =>
        `const object${index}: ${typeOf(object).replace(/\s+/g, ' ')} = ${JSON.stringify(object, null, 1)};\n`);
    const ends = [];
    texts.reduce((sum, text, index) => (ends[index] = sum + text.length), 0);
    const options = { strict: true, noEmit: true, skipLibCheck: true, types: [], module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler };
    const host = ts.createCompilerHost(options);
    const { getSourceFile, fileExists } = host;
    host.fileExists = (name) => name === file || fileExists(name);
    host.getSourceFile = (name, ...rest) =>
        name === file ? ts.createSourceFile(name, texts.join(''), ts.ScriptTarget.ESNext, true) : getSourceFile(name, ...rest);
    const program = ts.createProgram([file], options, host);
    return ts.getPreEmitDiagnostics(program).map(({ start, messageText }) => {
        const which = ends.findIndex((end) => start < end);
        const text = ts.flattenDiagnosticMessageText(messageText, ' ').replace(/\s+/g, ' ');
        const { name, object } = objects[which] ?? { name: 'objects', object: {} };
        return `${name}: ${object.kind} ${object.metadata?.name ?? ''}: ${text}`;
    });
}
