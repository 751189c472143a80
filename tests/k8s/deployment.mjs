// SPDX-License-Identifier: MIT
// A server started as a pod would be: with the files, the environment and the secrets that the manifests give it.
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

export const find = (objects, kind, name) => objects.find((object) => object.kind === kind && object.metadata.name === name);
// What kustomize generates has a hash behind its name.
export const generated = (objects, name) => objects.find((object) => object.kind === 'ConfigMap' && object.metadata.name.startsWith(`${name}-`));
export const podOf = (object) => object.spec.template.spec;

function freePort() {
    return new Promise((resolve) => {
        const server = net.createServer().listen(0, '127.0.0.1', () => {
            const { port } = server.address();
            server.close(() => resolve(port));
        });
    });
}

// Where the container's files are on this machine: every volume in a folder of its own.
function mount(objects, pod, container, secrets, folder) {
    const places = [];
    for (const { name, mountPath } of container.volumeMounts) {
        const volume = pod.volumes.find((candidate) => candidate.name === name);
        const place = path.join(folder, name);
        fs.mkdirSync(place, { recursive: true });
        if (volume.configMap) {
            const { data } = find(objects, 'ConfigMap', volume.configMap.name);
            for (const { key, path: file } of volume.configMap.items) {
                fs.mkdirSync(path.dirname(path.join(place, file)), { recursive: true });
                fs.writeFileSync(path.join(place, file), data[key]);
            }
        }
        for (const [key, text] of volume.secret ? Object.entries(secrets) : []) fs.writeFileSync(path.join(place, key), text);
        places.push([mountPath, place]);
    }
    return places;
}

// program: backplane; name: of the Deployment. Nothing listens but on 127.0.0.1, at ports that are free; each port of the manifest is the key of the one in its place.
export async function prepare(program, objects, name, secrets) {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'k8s-'));
    const pod = podOf(find(objects, 'Deployment', name));
    const [container] = pod.containers;
    const places = mount(objects, pod, container, secrets, folder);
    const ports = {};
    for (const { containerPort } of container.ports) ports[containerPort] = await freePort();
    const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => name === 'PATH' || name.endsWith('SAN_OPTIONS')));
    const own = Object.fromEntries((container.env ?? []).map((variable) => [variable.name, variable.value]));
    for (const [name, value] of Object.entries({ ...find(objects, 'ConfigMap', container.envFrom[0].configMapRef.name).data, ...own })) {
        const [from, to] = places.find(([prefix]) => value.startsWith(`${prefix}/`) || value === prefix) ?? ['', ''];
        environment[name] = to + value.slice(from.length).replace(/\b0\.0\.0\.0\b/g, '127.0.0.1').replace(/\b\d{4}$/, (port) => ports[port] ?? port);
    }
    const configuration = path.join(places.find(([prefix]) => prefix === '/etc/backplane')[1], 'backplane.cfg');
    const command = (args) => [...args, '-c', configuration];
    return {
        folder,
        environment,
        container,
        // GET; null: there is no answer.
        async get(port, target) {
            try {
                const reply = await fetch(`http://127.0.0.1:${ports[port]}${target}`, { headers: { connection: 'close' } });
                return { status: reply.status, text: await reply.text() };
            } catch {
                return null;
            }
        },
        url: (port) => `http://127.0.0.1:${ports[port]}`,
        run: (args) => spawnSync(program, command(args), { env: environment, encoding: 'utf8' }),
        start(args) {
            const log = path.join(folder, 'log');
            const file = fs.openSync(log, 'a');
            const child = spawn(program, command(args), { env: environment, stdio: ['ignore', file, file] });
            const ended = new Promise((resolve) => child.on('exit', (code, signal) => resolve(signal ?? code)));
            return { child, ended, log: () => fs.readFileSync(log, 'utf8') };
        },
        remove: () => fs.rmSync(folder, { recursive: true, force: true }),
    };
}

// Looks again and again until it holds.
export async function until(condition, what, seconds = 20) {
    const end = Date.now() + seconds * 1000;
    for (;;) {
        const value = await condition();
        if (value) return value;
        if (Date.now() > end) throw new Error(`not within ${seconds} s: ${what()}`);
        await pause(20);
    }
}
