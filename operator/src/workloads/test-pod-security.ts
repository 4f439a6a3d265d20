// The `restricted` Pod Security Standard, rule by rule, for tests.

import type { Tree } from '../cluster/test-trees.ts';

interface Container extends Tree {
  readonly name: string;
  readonly securityContext?: SecurityContext;
  readonly ports?: readonly { readonly hostPort?: number }[];
}

interface SecurityContext extends Tree {
  readonly capabilities?: { readonly add?: readonly string[]; readonly drop?: readonly string[] };
  readonly seccompProfile?: { readonly type?: string };
  readonly seLinuxOptions?: Tree;
  readonly windowsOptions?: Tree;
  readonly appArmorProfile?: { readonly type?: string };
}

const volumeTypes = new Set([
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'persistentVolumeClaim',
  'projected',
  'secret',
]);
const safeSysctls =
  /^(kernel\.shm_rmid_forced|net\.ipv4\.(ip_local_port_range|ip_unprivileged_port_start|tcp_\w+|ping_group_range|ip_local_reserved_ports))$/;
const seLinuxTypes = new Set<unknown>([
  undefined,
  '',
  'container_t',
  'container_init_t',
  'container_kvm_t',
  'container_engine_t',
]);
const seccompTypes = new Set<unknown>(['RuntimeDefault', 'Localhost']);
const handlers = ['livenessProbe', 'readinessProbe', 'startupProbe'];

/** What a PodSpec breaks; empty for one that passes. */
export function restrictedViolations(spec: Tree): string[] {
  const containers = ['initContainers', 'containers', 'ephemeralContainers'].flatMap(
    (list) => (spec[list] ?? []) as Container[],
  );
  const pod = (spec['securityContext'] ?? {}) as SecurityContext;
  return [
    ...['hostNetwork', 'hostPID', 'hostIPC'].filter((field) => spec[field] === true),
    ...((spec['volumes'] ?? []) as Tree[]).flatMap(volumeViolations),
    ...((pod['sysctls'] ?? []) as { name: string }[])
      .filter(({ name }) => !safeSysctls.test(name))
      .map(({ name }) => `sysctl ${name}`),
    ...contextViolations('pod', pod),
    ...containers.flatMap((container) => containerViolations(container, pod)),
  ];
}

function volumeViolations(volume: Tree): string[] {
  const types = Object.keys(volume).filter((key) => key !== 'name');
  return types.filter((type) => !volumeTypes.has(type)).map((type) => `volume ${type}`);
}

/** What both a pod and a container may say. */
function contextViolations(where: string, context: SecurityContext): string[] {
  const { seLinuxOptions: se = {}, windowsOptions, appArmorProfile, seccompProfile } = context;
  const found = {
    hostProcess: windowsOptions?.['hostProcess'] === true,
    seLinuxOptions: se['user'] !== undefined || se['role'] !== undefined || !seLinuxTypes.has(se['type']),
    appArmorProfile: appArmorProfile?.type === 'Unconfined',
    runAsUser: context['runAsUser'] === 0,
    runAsNonRoot: context['runAsNonRoot'] === false,
    seccompProfile: seccompProfile !== undefined && !seccompTypes.has(seccompProfile.type),
  };
  return Object.entries(found).flatMap(([rule, isBroken]) => (isBroken ? [`${where} ${rule}`] : []));
}

function containerViolations(container: Container, pod: SecurityContext): string[] {
  const { name, securityContext: own = {}, ports = [] } = container;
  const { capabilities, seccompProfile, privileged, procMount, allowPrivilegeEscalation } = own;
  const hosts = handlers.map(
    (field) => (container[field] as { httpGet?: Tree } | undefined)?.httpGet?.['host'],
  );
  const found = {
    privileged: privileged === true,
    procMount: procMount !== undefined && procMount !== 'Default',
    allowPrivilegeEscalation: allowPrivilegeEscalation !== false,
    drop: capabilities?.drop?.includes('ALL') !== true,
    add: capabilities?.add?.some((one) => one !== 'NET_BIND_SERVICE') === true,
    hostPort: ports.some(({ hostPort = 0 }) => hostPort !== 0),
    probeHost: hosts.some((host) => host !== undefined && host !== ''),
    seccompProfile: !seccompTypes.has((seccompProfile ?? pod.seccompProfile)?.type),
    runAsNonRoot: (own['runAsNonRoot'] ?? pod['runAsNonRoot']) !== true,
  };
  const broken = Object.entries(found).flatMap(([rule, isBroken]) => (isBroken ? [`${name} ${rule}`] : []));
  return [...broken, ...contextViolations(name, own)];
}
