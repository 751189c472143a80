// SPDX-License-Identifier: MIT
// What the manifests promise each other, the configuration and the documents.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { find, generated, podOf } from './deployment.mjs';
import { helm, kubectl, overlays, read, render, renderWith, root } from './manifests.mjs';
import { check } from './types.mjs';

if (!kubectl) {
    console.log('1..0 # SKIP no kubectl runs here');
    process.exit(0);
}
const [base, local, production, observability] = overlays.map(render);
const seconds = (text) => Number(/^(\d+)s$/.exec(text)[1]);
const files = (folder, pattern) =>
    fs.readdirSync(path.join(root, folder)).filter((name) => pattern.test(name)).map((name) => `${folder}/${name}`);
const text = (name) => fs.readFileSync(path.join(root, name), 'utf8');
const configuration = ['config', 'config/profiles', 'config/plugins', 'config/resources'].flatMap((folder) => files(folder, /\.cfg$/));
// Every name in ${NAME}, ${NAME:-…}, when = "NAME" and unless = "NAME", but not in comments.
const known = new Set(configuration.flatMap((name) =>
    [...text(name).replace(/#.*/g, '').matchAll(/\$\{([A-Z_]+)(?=[}:])|(?:when|unless) = "([A-Z_ ]+)"/g)].flatMap((match) => match[1] ?? match[2].split(' '))));
const isKnown = (name) => known.has(name) || known.has(name.replace(/_FILE$/, ''));

test('names and values are those that users know', () => {
    const deployment = find(base, 'Deployment', 'todo-backend');
    assert.equal(find(base, 'Namespace', 'todo-backend').metadata.labels['pod-security.kubernetes.io/enforce'], 'restricted');
    assert.equal(deployment.spec.replicas, 3);
    assert.equal(deployment.spec.template.metadata.labels.app, 'todo-backend');
    assert.deepEqual(deployment.spec.strategy.rollingUpdate, { maxUnavailable: 0, maxSurge: 1 });
    const { minReplicas, maxReplicas, metrics } = find(base, 'HorizontalPodAutoscaler', 'todo-backend').spec;
    assert.deepEqual([minReplicas, maxReplicas, metrics[0].resource.target.averageUtilization], [2, 4, 50]);
    assert.equal(find(production, 'HorizontalPodAutoscaler', 'todo-backend').spec.metrics[1].pods.metric.name, 'http_server_requests_per_second');
    assert.equal(find(local, 'Ingress', 'todo-backend').spec.rules[0].host, 'todo.local');
    assert.equal(find(production, 'Certificate', 'todo-backend').spec.issuerRef.name, 'letsencrypt-prod');
    assert.equal(find(production, 'ClusterIssuer', 'letsencrypt-prod').metadata.namespace, undefined);
    const { rules, tls } = find(production, 'Ingress', 'todo-backend').spec;
    assert.deepEqual([rules[0].host], tls[0].hosts);
    assert.deepEqual(tls[0].hosts, find(production, 'Certificate', 'todo-backend').spec.dnsNames);
    assert.equal(tls[0].secretName, find(production, 'Certificate', 'todo-backend').spec.secretName);
});

test('ports, probes and selectors lead from the ingress to the container', () => {
    for (const objects of [local, production]) {
        const deployment = find(objects, 'Deployment', 'todo-backend');
        const [container] = podOf(deployment).containers;
        const ports = Object.fromEntries(container.ports.map(({ name, containerPort }) => [name, containerPort]));
        const { data } = generated(objects, 'todo-backend-environment');
        assert.equal(String(ports.http), data.PORT);
        assert.equal(`0.0.0.0:${ports.metrics}`, data.METRICS_LISTEN);
        assert.equal(data.HOST, '0.0.0.0');
        for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe']) assert.equal(container[probe].httpGet.port, 'http');
        assert.deepEqual(['startupProbe', 'livenessProbe', 'readinessProbe'].map((probe) => container[probe].httpGet.path),
            ['/health/live', '/health/live', '/health/ready']);
        const service = find(objects, 'Service', 'todo-backend');
        assert.deepEqual(service.spec.ports.map(({ name, port, targetPort }) => [name, port, targetPort]),
            [['http', 80, 'http'], ['metrics', 9464, 'metrics']]);
        assert.deepEqual(service.spec.selector, deployment.spec.selector.matchLabels);
        const { backend } = find(objects, 'Ingress', 'todo-backend').spec.rules[0].http.paths[0];
        assert.deepEqual(backend.service, { name: service.metadata.name, port: { name: 'http' } });
        for (const kind of ['Service', 'PodDisruptionBudget']) {
            const { selector } = find(objects, kind, 'todo-backend').spec;
            const labels = deployment.spec.template.metadata.labels;
            for (const [name, value] of Object.entries(selector.matchLabels ?? selector)) assert.equal(labels[name], value, kind);
            // Nor does it take the pods of migrations or jobs for servers.
            for (const { metadata, spec } of objects.filter((object) => /^todo-backend-/.test(object.metadata.name) && ['Deployment', 'Job'].includes(object.kind)))
                assert.ok(Object.entries(selector.matchLabels ?? selector).some(([name, value]) => spec.template.metadata.labels[name] !== value), `${kind}: ${metadata.name}`);
        }
    }
    const monitor = find(observability, 'ServiceMonitor', 'todo-backend').spec;
    assert.equal(monitor.endpoints[0].port, 'metrics');
    assert.deepEqual(monitor.selector.matchLabels, { app: find(base, 'Service', 'todo-backend').metadata.labels.app });
});

test('jobs run in each replica, or in pods of their own', () => {
    const workers = (objects) => generated(objects, 'todo-backend-environment').data.JOB_WORKERS;
    const said = (object) => object.spec.template.metadata.labels['runs-jobs'];
    for (const objects of [base, local]) {
        assert.deepEqual([workers(objects), said(find(objects, 'Deployment', 'todo-backend'))], ['1', 'true']);
        assert.equal(find(objects, 'Deployment', 'todo-backend-jobs'), undefined);
    }
    const server = find(production, 'Deployment', 'todo-backend'), jobs = find(production, 'Deployment', 'todo-backend-jobs');
    assert.deepEqual([workers(production), said(server), said(jobs)], ['0', 'false', 'true']);
    const [{ env, ...container }] = podOf(jobs).containers;
    const environment = { ...generated(production, 'todo-backend-environment').data, ...Object.fromEntries(env.map(({ name, value }) => [name, value])) };
    for (const { name } of env) assert.ok(isKnown(name), `${name} of jobs means nothing to config/`);
    assert.ok(Number(environment.JOB_WORKERS) > 0 && environment.BACKPLANE_WORKERS === '1');
    // Whatever else it has is as in the pods that serve.
    const { containers, terminationGracePeriodSeconds, topologySpreadConstraints, ...pod } = podOf(jobs);
    const other = podOf(server);
    for (const field of Object.keys(container)) assert.deepEqual(container[field], other.containers[0][field], field);
    for (const field of Object.keys(pod)) assert.deepEqual(pod[field], other[field], field);
    assert.deepEqual(Object.keys(podOf(jobs)), Object.keys(other));
    assert.equal(JSON.stringify(topologySpreadConstraints).replaceAll('"jobs"', '"server"'), JSON.stringify(other.topologySpreadConstraints));
    assert.deepEqual({ ...jobs.spec, template: 0, selector: 0, replicas: 0 }, { ...server.spec, template: 0, selector: 0, replicas: 0 });
    assert.deepEqual(jobs.spec.selector.matchLabels, { app: 'todo-backend', 'app.kubernetes.io/component': 'jobs' });
    // A second of the server's own, and some for the runtime.
    assert.ok(terminationGracePeriodSeconds >= seconds(environment.DRAIN_DELAY) + seconds(environment.DRAIN_TIMEOUT) + 3);
    // Scraped as the others are, under the same name.
    const service = find(production, 'Service', 'todo-backend-jobs');
    assert.deepEqual(service.spec, { clusterIP: 'None', selector: jobs.spec.selector.matchLabels, ports: [{ name: 'metrics', port: 9464, targetPort: 'metrics' }] });
    const monitor = find(observability, 'ServiceMonitor', 'todo-backend').spec;
    assert.equal(service.metadata.labels[Object.keys(monitor.selector.matchLabels)[0]], Object.values(monitor.selector.matchLabels)[0]);
    for (const name of ['todo-backend', 'todo-backend-jobs']) assert.equal(find(production, 'Service', name).metadata.labels[monitor.jobLabel], 'todo-backend');
    assert.deepEqual(monitor.endpoints[0].relabelings,
        [{ sourceLabels: ['__meta_kubernetes_pod_label_app_kubernetes_io_component'], targetLabel: 'component' }]);
});

test('pods for jobs are scaled by the oldest job, where that is asked for', () => {
    const objects = renderWith('k8s/overlays/production', 'k8s/components/jobs-age');
    assert.deepEqual(check(objects.map((object) => ({ name: 'jobs-age', object }))), []);
    assert.equal(objects.length, production.length + 1);
    const { scaleTargetRef, minReplicas, metrics } = find(objects, 'HorizontalPodAutoscaler', 'todo-backend-jobs').spec;
    const { apiVersion, kind, metadata, spec } = find(production, 'Deployment', scaleTargetRef.name);
    assert.deepEqual(scaleTargetRef, { apiVersion, kind, name: metadata.name });
    assert.equal(minReplicas, spec.replicas);
    const [rule] = read('k8s/components/jobs-age/prometheus-adapter.yaml')[0].rules.custom;
    assert.equal(metrics[0].pods.metric.name, rule.name.as);
    assert.ok(text('k8s/overlays/production/kustomization.yaml').includes('\n  # - ../../components/jobs-age  #'));
});

test('a pod has time to drain', () => {
    const { data } = generated(base, 'todo-backend-environment');
    const deployment = find(base, 'Deployment', 'todo-backend');
    const container = podOf(deployment).containers[0];
    assert.equal(data.DRAIN_DELAY, '5s');
    assert.equal(container.lifecycle, undefined);
    // A second of the server's own, and some for the runtime.
    assert.ok(podOf(deployment).terminationGracePeriodSeconds >= seconds(data.DRAIN_DELAY) + seconds(data.DRAIN_TIMEOUT) + 3);
    assert.equal(data.REPLICAS, String(deployment.spec.replicas));
});

test('migrations run with what the server runs with', () => {
    for (const objects of [local, production]) {
        const server = podOf(find(objects, 'Deployment', 'todo-backend')), job = podOf(find(objects, 'Job', 'todo-backend-migrate'));
        for (const field of ['image', 'imagePullPolicy', 'envFrom', 'volumeMounts', 'securityContext'])
            assert.deepEqual(job.containers[0][field], server.containers[0][field], field);
        assert.deepEqual(job.volumes, server.volumes);
        assert.match(server.containers[0].image, /^[a-z./-]*backplane:[a-z0-9.-]+$/);
    }
});

test('every configuration file is mounted where the others look for it', () => {
    const { data } = generated(base, 'todo-backend-files');
    const mounted = podOf(find(base, 'Deployment', 'todo-backend')).volumes.find(({ name }) => name === 'configuration').configMap.items;
    const development = ['profiles/dev.cfg', 'profiles/development.cfg'];
    assert.deepEqual(mounted.map((item) => item.path).filter((file) => file.endsWith('.cfg')).sort(),
        configuration.map((name) => name.slice('config/'.length)).filter((name) => !development.includes(name)).sort());
    // A folder that is included must be there, even when nothing is in it.
    for (const [, folder] of text('config/backplane.cfg').matchAll(/"(\w+)\/\*\.cfg"/g))
        assert.ok(mounted.some((item) => item.path.startsWith(`${folder}/`)), folder);
    for (const { key, path: file } of mounted) assert.equal(data[key], text(`config/${file}`));
});

test('names of the environment agree', () => {
    const documented = text('docs/configuration.md');
    for (const name of known) assert.ok(documented.includes(`\`${name}\``), `${name} is not in docs/configuration.md`);
    for (const objects of [local, production])
        for (const name of Object.keys(generated(objects, 'todo-backend-environment').data)) assert.ok(isKnown(name), `${name} in k8s/ means nothing to config/`);
    const table = /## The environment\n([\s\S]*?)(?=\n## |$)/.exec(documented)[1];
    for (const [, cell] of table.matchAll(/^\| (`[^|]*) \|/gm))
        for (const [, name] of cell.matchAll(/`([A-Z_]+)`/g)) assert.ok(isKnown(name), `${name} in docs/configuration.md means nothing to config/`);
    for (const [, name] of text('docs/deploying.md').matchAll(/`([A-Z]+_[A-Z_]+)(?:=[^`]*)?`/g)) assert.ok(isKnown(name), `${name} in docs/deploying.md means nothing to config/`);
    for (const name of fs.existsSync(path.join(root, 'docker')) ? files('docker', /^compose.*\.ya?ml$/) : []) {
        for (const [service, { image = '', build, environment = {} }] of Object.entries(read(name)[0].services ?? {})) {
            if (!build && !/backplane/.test(image)) continue;
            const names = Array.isArray(environment) ? environment.map((entry) => entry.split('=')[0]) : Object.keys(environment);
            for (const variable of names) assert.ok(isKnown(variable), `${variable} of ${service} in ${name} means nothing to config/`);
        }
    }
});

test('secrets are mounted from the keys of the template', () => {
    const { metadata, stringData } = read('k8s/base/secret.template.yaml')[0];
    const pod = podOf(find(base, 'Deployment', 'todo-backend'));
    const volume = pod.volumes.find(({ secret }) => secret);
    const { mountPath } = pod.containers[0].volumeMounts.find(({ name }) => name === volume.name);
    assert.equal(volume.secret.secretName, metadata.name);
    const { data } = generated(base, 'todo-backend-environment');
    const mounted = Object.entries(data).filter(([name]) => name.endsWith('_FILE'));
    assert.deepEqual(mounted.map(([name, file]) => [name, file]), Object.keys(stringData).map((key) => [`${key}_FILE`, `${mountPath}/${key}`]).sort());
    for (const objects of [local, production]) assert.equal(objects.filter(({ kind }) => kind === 'Secret').length, 0);
});

test('every pod satisfies the restricted policy', () => {
    for (const objects of [local, production]) {
        for (const object of objects.filter(({ kind }) => ['Deployment', 'StatefulSet', 'Job'].includes(kind))) {
            const name = object.metadata.name, pod = podOf(object);
            assert.equal(pod.securityContext.runAsNonRoot, true, name);
            assert.ok(pod.securityContext.runAsUser > 0, name);
            assert.equal(pod.securityContext.seccompProfile.type, 'RuntimeDefault', name);
            assert.equal(pod.automountServiceAccountToken, false, name);
            assert.equal(pod.enableServiceLinks, false, name);
            for (const container of [...pod.containers, ...(pod.initContainers ?? [])]) {
                assert.deepEqual(container.securityContext, { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } });
                assert.ok(container.resources.limits.memory && container.resources.requests.cpu, name);
            }
            for (const volume of pod.volumes) assert.ok(volume.configMap || volume.secret || volume.emptyDir || volume.projected, volume.name);
        }
    }
});

test('policies let through what is needed', () => {
    for (const objects of [local, production]) {
        const policies = objects.filter(({ kind }) => kind === 'NetworkPolicy');
        const all = find(objects, 'NetworkPolicy', 'default-deny').spec;
        assert.deepEqual([all.podSelector, all.policyTypes.sort(), all.ingress, all.egress], [{}, ['Egress', 'Ingress'], undefined, undefined]);
        const ports = policies.flatMap(({ spec }) => spec.egress ?? []).flatMap((rule) => rule.ports.map(({ port }) => port));
        assert.deepEqual(ports.map((port) => ({ postgres: 5432, redis: 6379 })[port] ?? port).sort(), [4318, 465, 53, 53, 5432, 587, 6379].sort());
        for (const rule of policies.flatMap(({ spec }) => [...(spec.egress ?? []), ...(spec.ingress ?? [])]))
            assert.ok((rule.to ?? rule.from)?.length > 0, 'a rule without a peer lets in everybody');
        // Whoever has a label of the app may talk to the databases: the server and its migrations.
        for (const name of ['todo-backend-databases', 'todo-backend-egress'])
            assert.deepEqual(find(objects, 'NetworkPolicy', name).spec.podSelector.matchLabels, { app: 'todo-backend' });
    }
    const { policyTypes, ingress } = find(production, 'NetworkPolicy', 'todo-backend-jobs-ingress').spec;
    assert.deepEqual([policyTypes, ingress], [['Ingress'], [find(base, 'NetworkPolicy', 'todo-backend-ingress').spec.ingress[1]]]);
});

test('who runs jobs reaches the internet, and nothing within that http_client would not', () => {
    const objects = renderWith('k8s/overlays/production', 'k8s/components/webhooks');
    assert.deepEqual(check(objects.map((object) => ({ name: 'webhooks', object }))), []);
    assert.equal(generated(objects, 'todo-backend-environment').data.WEBHOOKS, 'true');
    assert.equal(generated(production, 'todo-backend-environment').data.WEBHOOKS, '');
    assert.equal(find(production, 'NetworkPolicy', 'todo-backend-webhooks'), undefined);
    assert.ok(text('k8s/overlays/production/kustomization.yaml').includes('\n  # - ../../components/webhooks  #'));
    const guard = text('plugins/http_client/guard.c');
    for (const [name, ports] of [['todo-backend-mail', [465, 587]], ['todo-backend-webhooks', [443]]]) {
        const { podSelector, egress } = find(objects, 'NetworkPolicy', name).spec;
        assert.deepEqual(podSelector.matchLabels, { app: 'todo-backend', 'runs-jobs': 'true' });
        assert.deepEqual(egress[0].ports, ports.map((port) => ({ protocol: 'TCP', port })));
        const [v4, v6] = egress[0].to.map(({ ipBlock }) => ipBlock);
        for (const network of [...v4.except, v6.cidr]) assert.ok(guard.includes(`"${network}"`), network);
        assert.equal(v4.cidr, '0.0.0.0/0');
        for (const network of ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '169.254.0.0/16']) assert.ok(v4.except.includes(network), network);
    }
});

test('a misspelt key is refused', () => {
    const [deployment] = structuredClone(base).filter(({ kind }) => kind === 'Deployment');
    deployment.spec.template.spec.containers[0].readinesProbe = {};
    const [monitor] = structuredClone(observability).filter(({ kind }) => kind === 'ServiceMonitor');
    monitor.spec.endpoints[0].intervall = '1s';
    const objects = [deployment, monitor, { ...find(base, 'Service', 'todo-backend'), sepc: 1 }].map((object) => ({ name: 'x', object }));
    const problems = check(objects);
    assert.equal(problems.length, 3, problems.join('\n'));
    assert.match(problems[0], /^x: Deployment todo-backend: .*readinesProbe.*/);
    assert.match(problems[1], /^x: ServiceMonitor todo-backend: .*intervall/);
    assert.match(problems[2], /^x: Service todo-backend: .*sepc/);
    const folder = fs.mkdtempSync('/tmp/k8s-misspelt-');
    fs.writeFileSync(`${folder}/kustomization.yaml`, 'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresource: []\n');
    const { status, stderr } = spawnSync(kubectl, ['kustomize', folder], { encoding: 'utf8' });
    fs.rmSync(folder, { recursive: true });
    assert.notEqual(status, 0);
    assert.match(stderr, /unknown field "resource"/);
});

test('the commands of docs/deploying.md are right, as far as that can be seen without a cluster', () => {
    const blocks = [...text('docs/deploying.md').matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block]) => block);
    assert.ok(blocks.length > 10);
    const environment = { PATH: process.env.PATH, HOME: '/nonexistent', postgres_password: 'p', redis_password: 'r' };
    const shell = (script, ...options) => spawnSync('sh', [...options, '-c', script], { cwd: root, env: environment, encoding: 'utf8' });
    const program = `'${kubectl}' --server=http://127.0.0.1:1`;
    const secrets = {};
    for (const block of blocks) {
        assert.equal(shell(block, '-n').status, 0, block);
        for (const line of block.split('\n')) {
            for (const [, file] of line.matchAll(/ (?:-k|-f|--config) ([^ ]+)/g))
                assert.ok(file.startsWith('https://') || fs.existsSync(path.join(root, file)), line);
            for (const [, kind, name] of line.matchAll(/-n todo-backend .*\b(deployment|job|hpa|certificate)[/ ](todo-[a-z-]+)/g))
                assert.ok([...local, ...production].some((object) => object.metadata.name === name && (object.kind.toLowerCase() === kind || kind === 'hpa')), line);
            if (line.startsWith('sed -i ')) {
                const { status, stdout } = shell(line.replace('sed -i', 'sed'));
                assert.equal(status, 0, line);
                assert.notEqual(stdout, text(line.split(' ').at(-1)), line);
            }
            if (line.startsWith('helm upgrade --install ')) {
                const { status, stderr } = shell(line.replace('helm upgrade --install', `'${helm}' template`));
                assert.equal(status, 0, stderr);
            }
            if (/ create secret /.test(line)) {
                const { status, stdout, stderr } = shell(`${line.replace('kubectl', `'${kubectl}'`)} --dry-run=client -o json`);
                assert.equal(status, 0, stderr);
                const { metadata, data } = JSON.parse(stdout);
                assert.equal(metadata.namespace, 'todo-backend');
                secrets[metadata.name] = Object.keys(data);
            } else if (line.startsWith('kubectl ') && !line.includes('https://')) {
                const { status, stderr } = shell(line.replace('kubectl', program));
                assert.notEqual(status, 0, line);
                assert.match(stderr, /127\.0\.0\.1:1( was refused|: connect: connection refused)/, line);
            }
        }
    }
    assert.deepEqual(secrets['todo-backend-secrets'], Object.keys(read('k8s/base/secret.template.yaml')[0].stringData).sort());
    // Every other Secret is of a StatefulSet of local, and each of its keys is a file that its pod names.
    for (const { metadata, spec } of local.filter(({ kind }) => kind === 'StatefulSet')) {
        const [container] = spec.template.spec.containers;
        const { name, secret } = spec.template.spec.volumes.find((volume) => volume.secret);
        const { mountPath } = container.volumeMounts.find((mount) => mount.name === name);
        const said = [...(container.command ?? []), ...(container.env ?? []).map(({ value }) => value)];
        assert.ok(secrets[secret.secretName].every((key) => said.includes(`${mountPath}/${key}`)), metadata.name);
    }
});
