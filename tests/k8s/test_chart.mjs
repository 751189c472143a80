// SPDX-License-Identifier: MIT
// The Helm chart: with its own values it is k8s/base, and with others what they say.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { chart, plain, templates } from './chart.mjs';
import { find, podOf } from './deployment.mjs';
import { helm, kubectl, overlays, parse, read, render, root } from './manifests.mjs';
import { check } from './types.mjs';

if (!helm || !kubectl) {
    console.log('1..0 # SKIP no helm or no kubectl runs here');
    process.exit(0);
}

const run = (values) => spawnSync(helm, ['template', 'todo', chart, '--namespace', 'todo-backend', '--values', '-'],
    { encoding: 'utf8', input: JSON.stringify(values), maxBuffer: 1 << 26 });

function template(values) {
    const { status, stdout, stderr } = run(values);
    assert.equal(status, 0, stderr);
    return parse(stdout, 'chart');
}

// Without what differs by design: hashes in names, the image's place and tag, the annotations in their place, the job's number.
function normal(object) {
    const text = JSON.stringify(object, (key, value) => {
        if (key === 'image') return value.replace(/:.*|^.*\//g, '');
        if (key === 'name' && typeof value === 'string') return plain(value).replace(/^(todo-backend-migrate)-1$/, '$1');
        if (key === 'annotations' && value['checksum/files']) return undefined;
        return value;
    });
    return JSON.parse(text);
}

test('its templates are what k8s/ comes to', () => {
    const wanted = templates();
    const folder = path.join(chart, 'templates');
    assert.deepEqual(fs.readdirSync(folder).sort(), Object.keys(wanted).sort());
    for (const [name, text] of Object.entries(wanted)) assert.equal(fs.readFileSync(path.join(folder, name), 'utf8'), text, name);
    const { status, stdout } = spawnSync(helm, ['lint', '--strict', chart], { encoding: 'utf8' });
    assert.equal(status, 0, stdout);
    const version = /version: '([\d.]+)'/.exec(fs.readFileSync(path.join(root, 'meson.build'), 'utf8'))[1];
    const [{ version: own, appVersion }] = parse(fs.readFileSync(path.join(chart, 'Chart.yaml'), 'utf8'), 'Chart.yaml');
    assert.deepEqual([own, appVersion], [version, version]);
});

test('with its own values it is k8s/base', () => {
    const key = ({ kind, metadata }) => `${kind} ${metadata.name}`;
    const sorted = (objects) => objects.map(normal).sort((a, b) => key(a).localeCompare(key(b)));
    assert.deepEqual(sorted(template({})), sorted(render(overlays[0]).filter(({ kind }) => kind !== 'Namespace')));
});

test('values arrive where they belong, and the objects are valid', () => {
    const egress = [{ to: [{ ipBlock: { cidr: '10.1.0.0/16' } }], ports: [{ protocol: 'TCP', port: 5432 }] }];
    const objects = template({
        image: { repository: 'registry.example.com/backplane', tag: '1.2.3' },
        replicas: 4,
        secretName: 'mine',
        environment: { TRUSTED_PROXIES: '10.0.0.0/8', DRAIN_DELAY: '7s' },
        resources: { requests: { cpu: '1', memory: '1Gi' } },
        ingress: { host: 'todo.example.com', tlsSecretName: 'tls', clusterIssuer: 'letsencrypt-prod' },
        autoscaling: { requestsPerSecond: 100 },
        webhooks: true,
        networkPolicy: { egress },
        monitoring: { enabled: true, release: 'prometheus' },
    });
    assert.deepEqual(check(objects.map((object) => ({ name: 'chart', object }))), []);
    const deployment = find(objects, 'Deployment', 'todo-backend');
    assert.equal(deployment.spec.replicas, 4);
    for (const pod of [podOf(deployment), podOf(find(objects, 'Job', 'todo-backend-migrate-1'))]) {
        assert.equal(pod.containers[0].image, 'registry.example.com/backplane:1.2.3');
        assert.equal(pod.volumes.find(({ secret }) => secret).secret.secretName, 'mine');
    }
    assert.deepEqual(podOf(deployment).containers[0].resources, { requests: { cpu: '1', memory: '1Gi' }, limits: { cpu: '500m', memory: '192Mi' } });
    const { data } = find(objects, 'ConfigMap', 'todo-backend-environment');
    assert.deepEqual([data.REPLICAS, data.TRUSTED_PROXIES, data.DRAIN_DELAY, data.PORT], ['4', '10.0.0.0/8', '7s', '3000']);
    assert.deepEqual(find(objects, 'Ingress', 'todo-backend').spec.tls, [{ hosts: ['todo.example.com'], secretName: 'tls' }]);
    const certificate = find(objects, 'Certificate', 'todo-backend').spec;
    assert.deepEqual([certificate.dnsNames, certificate.secretName, certificate.issuerRef.name], [['todo.example.com'], 'tls', 'letsencrypt-prod']);
    assert.equal(find(objects, 'HorizontalPodAutoscaler', 'todo-backend').spec.metrics[1].pods.target.averageValue, '100');
    assert.deepEqual(find(objects, 'NetworkPolicy', 'todo-backend-databases').spec.egress, egress);
    assert.equal(data.WEBHOOKS, 'true');
    const [{ metadata, spec }] = read('k8s/components/webhooks/networkpolicy.yaml');
    const policy = find(objects, 'NetworkPolicy', 'todo-backend-webhooks');
    assert.deepEqual([policy.metadata, policy.spec], [metadata, spec]);
    const [rules] = render(overlays[3]).filter(({ kind }) => kind === 'PrometheusRule');
    assert.deepEqual(find(objects, 'PrometheusRule', 'todo-backend').spec, rules.spec);
    assert.equal(find(objects, 'ServiceMonitor', 'todo-backend').metadata.labels.release, 'prometheus');
});

test('jobs in pods of their own are as in k8s/components/jobs', () => {
    const objects = template({ jobs: { deployment: true } });
    assert.deepEqual(check(objects.map((object) => ({ name: 'chart', object }))), []);
    const production = render(overlays[2]);
    for (const [kind, name] of [['Deployment', 'todo-backend-jobs'], ['Deployment', 'todo-backend'], ['Service', 'todo-backend-jobs'], ['NetworkPolicy', 'todo-backend-jobs-ingress']])
        assert.deepEqual(normal(find(objects, kind, name)), normal(find(production, kind, name)), name);
    assert.equal(find(objects, 'ConfigMap', 'todo-backend-environment').data.JOB_WORKERS, '0');
    const resources = { requests: { cpu: '1', memory: '1Gi' }, limits: { cpu: '1', memory: '1Gi' } };
    const autoscaling = { oldestSeconds: 30 };
    const more = template({ jobs: { deployment: true, replicas: 3, workers: 4, resources, autoscaling } });
    const { spec } = find(more, 'Deployment', 'todo-backend-jobs');
    const [container] = spec.template.spec.containers;
    assert.deepEqual([spec.replicas, container.env.find(({ name }) => name === 'JOB_WORKERS').value, container.resources], [3, '4', resources]);
    const scaled = find(more, 'HorizontalPodAutoscaler', 'todo-backend-jobs');
    const { metadata, spec: wanted } = read('k8s/components/jobs-age/hpa.yaml')[0];
    assert.deepEqual([scaled.metadata, scaled.spec], [metadata, { ...wanted, minReplicas: 3 }]);
    assert.equal(find(objects, 'HorizontalPodAutoscaler', 'todo-backend-jobs'), undefined);
});

test('values that mean nothing are refused', () => {
    for (const [values, complaint] of [
        [{ replica: 2 }, /Additional property replica is not allowed/],
        [{ ingress: { hosts: ['a'] } }, /Additional property hosts is not allowed/],
        [{ replicas: '3' }, /Expected: integer, given: string/],
        [{ jobs: { enabled: true } }, /Additional property enabled is not allowed/],
        [{ jobs: { deployment: true, workers: 17 } }, /jobs\.workers/],
        [{ environment: { 'not-a-name': '1' } }, /environment/],
        [{ ingress: { clusterIssuer: 'letsencrypt-prod' } }, /ingress\.clusterIssuer needs ingress\.tlsSecretName/],
    ]) {
        const { status, stderr } = run(values);
        assert.notEqual(status, 0, JSON.stringify(values));
        assert.match(stderr, complaint);
    }
});
