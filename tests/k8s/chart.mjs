// SPDX-License-Identifier: MIT
// The Helm chart's templates: the objects of k8s/, with values of the chart in the places that users change.
import path from 'node:path';
import { stringify } from 'yaml';
import { overlays, read, render, root } from './manifests.mjs';

export const chart = path.join(root, 'k8s/chart');

// A value that becomes {{ expression }}; nested: a whole object.
const value = (expression, nested = false) => `@@${nested ? 'toYaml ' : ''}${expression}@@`;
const when = (condition, text) => `{{- if ${condition} }}\n${text}{{- end }}\n`;

function print(object) {
    return stringify(object, { lineWidth: 0, version: '1.1' })
        .replace(/^( *)(.*?): ["']?@@toYaml (.*?)@@["']?$/gm, (_, indent, key, expression) =>
            `${indent}${key}:\n${indent}  {{- toYaml ${expression} | nindent ${indent.length + 2} }}`)
        .replace(/["']?@@(.*?)@@["']?/g, '{{ $1 }}');
}

// The files themselves are in the chart: k8s/chart/config is a link to config/.
function filesOf(data) {
    const { volumes } = render(overlays[0]).find(({ kind }) => kind === 'Deployment').spec.template.spec;
    const { items } = volumes.find(({ name }) => name === 'configuration').configMap;
    return Object.fromEntries(Object.keys(data).map((key) =>
        [key, value(`.Files.Get "config/${items.find((item) => item.key === key).path}" | toJson`)]));
}

// A hash in a name is how kustomize has pods replaced when a ConfigMap changes; here an annotation does it.
export const plain = (name) => name.replace(/-[a-z0-9]{10}$/, '');

function pod(object) {
    const { metadata, spec } = object.spec.template;
    const [container] = spec.containers;
    container.image = value('.Values.image.repository') + ':' + value('.Values.image.tag | default .Chart.AppVersion');
    container.envFrom[0].configMapRef.name = plain(container.envFrom[0].configMapRef.name);
    for (const { configMap, secret } of spec.volumes) {
        if (configMap) configMap.name = plain(configMap.name);
        if (secret) secret.secretName = value('.Values.secretName');
    }
    return { metadata, container };
}

const change = {
    Deployment(object) {
        const { metadata, container } = pod(object);
        metadata.annotations = {
            'checksum/environment': value('include (print $.Template.BasePath "/configmap-todo-backend-environment.yaml") . | sha256sum'),
            'checksum/files': value('include (print $.Template.BasePath "/configmap-todo-backend-files.yaml") . | sha256sum'),
        };
        const own = object.metadata.name === 'todo-backend-jobs' ? '.jobs' : '';
        object.spec.replicas = value(`.Values${own}.replicas`);
        container.resources = value(`.Values${own}.resources`, true);
        if (!own) metadata.labels['runs-jobs'] = value('not .Values.jobs.deployment | quote');
        else container.env.find(({ name }) => name === 'JOB_WORKERS').value = value('.Values.jobs.workers | quote');
        return print(object);
    },
    // A Job cannot be changed: each release has its own, and Helm removes the one before.
    Job(object) {
        pod(object);
        object.metadata.name += '-' + value('.Release.Revision');
        return print(object);
    },
    ConfigMap(object) {
        object.metadata.name = plain(object.metadata.name);
        if (object.metadata.name === 'todo-backend-files') return print({ ...object, data: filesOf(object.data) });
        const computed = { REPLICAS: '(toString .Values.replicas)', JOB_WORKERS: `(ternary "0" ${JSON.stringify(object.data.JOB_WORKERS)} .Values.jobs.deployment)`, WEBHOOKS: '(ternary "true" "" .Values.webhooks)' };
        const defaults = Object.entries(object.data).map(([name, text]) => `${JSON.stringify(name)} ${computed[name] ?? JSON.stringify(text)}`);
        delete object.data;
        return `${print(object)}data:\n{{- range $name, $value := mergeOverwrite (dict ${defaults.join(' ')}) .Values.environment }}\n  {{ $name }}: {{ $value | quote }}\n{{- end }}\n`;
    },
    Ingress(object) {
        object.spec.ingressClassName = value('.Values.ingress.className');
        object.spec.rules[0].host = value('.Values.ingress.host');
        const tls = { tls: [{ hosts: [value('.Values.ingress.host')], secretName: value('.Values.ingress.tlsSecretName') }] };
        return print(object) + when('.Values.ingress.tlsSecretName', print(tls).replace(/^/gm, '  ').replace(/ +$/, ''));
    },
    HorizontalPodAutoscaler(object) {
        const { metrics, ...spec } = object.spec;
        if (object.metadata.name === 'todo-backend-jobs') {
            object.spec.minReplicas = value('.Values.jobs.replicas');
            object.spec.maxReplicas = value('.Values.jobs.autoscaling.maxReplicas');
            metrics[0].pods.target.averageValue = value('.Values.jobs.autoscaling.oldestSeconds | quote');
            return when('.Values.jobs.autoscaling.oldestSeconds', print(object));
        }
        spec.minReplicas = value('.Values.autoscaling.minReplicas');
        spec.maxReplicas = value('.Values.autoscaling.maxReplicas');
        metrics[0].resource.target.averageUtilization = value('.Values.autoscaling.cpuPercent');
        metrics[1].pods.target.averageValue = value('.Values.autoscaling.requestsPerSecond | quote');
        const list = (metric) => print([metric]).replace(/^(?=.)/gm, '    ');
        return `${print({ ...object, spec })}  metrics:\n${list(metrics[0])}${when('.Values.autoscaling.requestsPerSecond', list(metrics[1]))}`;
    },
    Certificate(object) {
        object.spec.dnsNames = [value('.Values.ingress.host')];
        object.spec.secretName = value('required "ingress.clusterIssuer needs ingress.tlsSecretName" .Values.ingress.tlsSecretName');
        object.spec.issuerRef.name = value('.Values.ingress.clusterIssuer');
        return when('.Values.ingress.clusterIssuer', print(object));
    },
    NetworkPolicy(object) {
        if (object.metadata.name === 'acme-http01-solver') return when('.Values.ingress.clusterIssuer', print(object));
        if (object.metadata.name === 'todo-backend-webhooks') return when('.Values.webhooks', print(object));
        if (object.metadata.name !== 'todo-backend-databases') return print(object);
        object.spec.egress = value('.Values.networkPolicy.egress', true);
        return when('.Values.networkPolicy.egress', print(object));
    },
    ServiceMonitor: monitored,
    PrometheusRule: monitored,
};

function monitored(object) {
    object.metadata.labels.release = value('.Values.monitoring.release');
    // {{ in an alert's text is Prometheus' own.
    const text = print(object).replace(/\{\{ (\$labels.*?) \}\}/g, '{{ "{{ $1 }}" }}');
    return when('.Values.monitoring.enabled', text);
}

// { file name: text }
export function templates() {
    const [, , production, observability] = overlays.map(render);
    // Helm makes the namespace; a cluster's issuer belongs to no release; dashboards come with Grafana.
    const components = ['jobs-age/hpa', 'webhooks/networkpolicy'].flatMap((file) => read(`k8s/components/${file}.yaml`));
    const objects = [...production, ...components, ...observability].filter(({ kind, metadata }) =>
        !['Namespace', 'ClusterIssuer'].includes(kind) && !metadata.name.includes('dashboard'));
    const base = render(overlays[0]);
    return Object.fromEntries(objects.map((object) => {
        // As in k8s/base, but for what only an overlay has.
        const same = base.find(({ kind, metadata }) => kind === object.kind && plain(metadata.name) === plain(object.metadata.name));
        const source = object.kind === 'HorizontalPodAutoscaler' ? object : (same ?? object);
        const name = `${source.kind.toLowerCase()}-${plain(source.metadata.name)}.yaml`;
        source.metadata.namespace = value('.Release.Namespace');
        const head = '# SPDX-License-Identifier: MIT\n# Generated from k8s/ by generate-chart.mjs.\n';
        const jobs = source.metadata.name.startsWith('todo-backend-jobs');
        const text = (change[source.kind] ?? print)(source);
        return [name, head + (jobs ? when('.Values.jobs.deployment', text) : text)];
    }));
}
