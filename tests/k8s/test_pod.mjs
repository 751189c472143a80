// SPDX-License-Identifier: MIT
// The life of a pod: a real server with what the manifests give it, beside a real Postgres and Redis.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import test, { after } from 'node:test';
import { find, generated, podOf, prepare, until } from './deployment.mjs';
import { kubectl, read, render, root } from './manifests.mjs';

const { TEST_POSTGRES_URL, TEST_REDIS_URL, TEST_SERVER } = process.env;
if (!kubectl) {
    console.log('1..0 # SKIP no kubectl runs here');
    process.exit(0);
}
const secret = 'a-secret-that-is-never-said-0123456789';
const objects = render('k8s/overlays/local');
const [migrate] = podOf(find(objects, 'Job', 'todo-backend-migrate')).containers;

function newDatabase() {
    const { status, stderr } = spawnSync('psql', [TEST_POSTGRES_URL, '-qc', 'CREATE DATABASE pod'], { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    return TEST_POSTGRES_URL.replace(/\/[^/]*$/, '/pod');
}

const secrets = { JWT_SECRET: `${secret}\n`, DATABASE_URL: `${newDatabase()}\n`, REDIS_URL: TEST_REDIS_URL };
const pod = await prepare(TEST_SERVER, objects, 'todo-backend', secrets);
const { startupProbe, livenessProbe, readinessProbe } = pod.container;
const ask = ({ httpGet }) => pod.get(pod.container.ports.find(({ name }) => name === httpGet.port).containerPort, httpGet.path);
const server = pod.start(pod.container.args);
after(async () => {
    server.child.kill('SIGKILL');
    await server.ended;
    pod.remove();
});

// The gate of a rollout: a pod whose schema is missing is alive, so nobody restarts it, and not ready, so no old pod is stopped.
test('without its migrations it is started and alive, but not ready', async () => {
    await until(async () => (await ask(startupProbe))?.status === 200, server.log);
    assert.equal((await ask(livenessProbe)).status, 200);
    assert.equal((await ask(readinessProbe)).status, 503);
    assert.match(server.log(), /"event":"postgres.schema_behind"/);
});

test('the job migrates, and it becomes ready by itself', async () => {
    const first = pod.run(migrate.args);
    assert.equal(first.status, 0, first.stderr);
    const again = pod.run(migrate.args);
    assert.equal(again.status, 0, again.stderr);
    await until(async () => (await ask(readinessProbe))?.status === 200, server.log);
});

test('it serves, with secrets from files', async () => {
    const call = async (method, target, body, token) => {
        const reply = await fetch(`${pod.url(3000)}${target}`, {
            method, body: body && JSON.stringify(body),
            headers: { 'content-type': 'application/json', connection: 'close', ...(token && { authorization: `Bearer ${token}` }) },
        });
        return { status: reply.status, ...(await reply.json()) };
    };
    const account = { email: 'ada@example.com', password: 'Correct-horse-1' };
    assert.equal((await call('POST', '/api/v1/auth/sign-up', account)).status, 201);
    const { token } = await call('POST', '/api/v1/auth/login', account);
    assert.equal((await call('POST', '/api/v1/todos', { title: 'Try it' }, token)).status, 201);
    assert.equal((await call('GET', '/api/v1/todos', undefined, token)).data.meta.totalItems, 1);
    const printed = pod.run(['config', 'print']);
    for (const output of [server.log(), printed.stdout, printed.stderr]) assert.ok(!output.includes(secret));
});

test('metrics are on a port of their own, and have what alerts and dashboards ask for', async () => {
    assert.equal((await pod.get(3000, '/metrics')).status, 404);
    const { status, text } = await pod.get(9464, '/metrics');
    assert.equal(status, 200);
    const there = new Set([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].flatMap(([, name, type]) =>
        type === 'histogram' ? [`${name}_bucket`, `${name}_count`, `${name}_sum`] : [name]));
    const dashboards = path.join(root, 'docker/grafana/dashboards');
    const expressions = [
        ...read('k8s/overlays/observability/rules.yaml')[0].spec.groups.flatMap(({ rules }) => rules.map(({ expr }) => expr)),
        ...fs.readdirSync(dashboards).filter((name) => name.endsWith('.json')).flatMap((name) =>
            JSON.parse(fs.readFileSync(path.join(dashboards, name), 'utf8')).panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr))),
        ...['request-rate', 'jobs-age'].map((component) => read(`k8s/components/${component}/prometheus-adapter.yaml`)[0].rules.custom[0].seriesQuery),
    ];
    const asked = new Set(expressions.flatMap((expression) => [...expression.matchAll(/\b([a-z_]+_[a-z_]+)\{/g)].map(([, name]) => name)));
    assert.ok(asked.size > 10);
    // Those of others, of Prometheus itself, and of plugins that this pod does not load.
    const elsewhere = /^(kube_|scrape_|sqlite_|http_client_|backplane_webhook_)/;
    for (const name of asked) if (!elsewhere.test(name)) assert.ok(there.has(name), `${name} is not in /metrics`);
});

test('a pod for jobs runs them, and answers those who probe and scrape', async () => {
    const production = render('k8s/overlays/production');
    const jobs = await prepare(TEST_SERVER, production, 'todo-backend-jobs', secrets);
    const running = jobs.start(jobs.container.args);
    try {
        await until(async () => (await jobs.get(3000, jobs.container.readinessProbe.httpGet.path))?.status === 200, running.log);
        assert.match(running.log(), /\(1 worker, 2 for jobs, pid \d+\)/);
        assert.equal((await jobs.get(9464, '/metrics')).status, 200);
        running.child.kill('SIGTERM');
        assert.equal(await running.ended, 0);
    } finally {
        running.child.kill('SIGKILL');
        jobs.remove();
    }
    const { data } = generated(production, 'todo-backend-environment');
    assert.equal(data.JOB_WORKERS, '0');
    assert.match(server.log(), /\(\d+ workers?, 1 for jobs, pid \d+\)/);
});

test('it drains within its grace period, and serves until it is out of the service', async () => {
    const begun = Date.now();
    server.child.kill('SIGTERM');
    await until(async () => (await ask(readinessProbe))?.status === 503, server.log);
    // Those who have not noticed yet are still served.
    assert.equal((await ask(livenessProbe)).status, 200);
    assert.equal(await server.ended, 0);
    const took = (Date.now() - begun) / 1000;
    assert.ok(took >= 5 && took < podOf(find(objects, 'Deployment', 'todo-backend')).terminationGracePeriodSeconds, `${took} s`);
});
