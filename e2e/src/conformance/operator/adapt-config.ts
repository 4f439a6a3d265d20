// The configuration that the Prometheus operator wrote, made to run outside the cluster: how to reach the API server, where
// mounted files are, what the pod's environment would fill in. Nothing is left out.

import { load } from 'js-yaml';

/** One entry of scrape_configs, as far as it is read here. */
export interface ScrapeConfigYaml {
  readonly job_name: string;
  readonly kubernetes_sd_configs?: readonly KubernetesSdYaml[];
  readonly [field: string]: unknown;
}

interface KubernetesSdYaml {
  readonly namespaces?: { readonly own_namespace?: boolean; readonly names?: readonly string[] | null };
  readonly [field: string]: unknown;
}

export interface PrometheusYaml {
  readonly global: Readonly<Record<string, unknown>>;
  readonly rule_files?: readonly string[];
  readonly scrape_configs: readonly ScrapeConfigYaml[];
}

export interface Surroundings {
  readonly kubeconfig: string;
  /** Namespace of the Prometheus object. */
  readonly namespace: string;
  /** Stands for /etc/prometheus. */
  readonly etcFolder: string;
}

/** Where a pod finds the token and the CA of its ServiceAccount. */
export const podSecrets = '/var/run/secrets/';
const environment: Readonly<Record<string, string>> = { POD_NAME: 'prometheus-oracle-0', SHARD: '0' };

export function adaptConfig(text: string, surroundings: Surroundings): PrometheusYaml {
  const filled = text
    .replace(/\$\((\w+)\)/g, (whole, name: string) => environment[name] ?? whole)
    .replaceAll('/etc/prometheus/', `${surroundings.etcFolder}/`)
    .replaceAll(podSecrets, `${surroundings.etcFolder}/secrets/`);
  const config = load(filled) as PrometheusYaml;
  return {
    ...config,
    scrape_configs: config.scrape_configs.map((scrape) => withAccess(scrape, surroundings)),
  };
}

function withAccess(scrape: ScrapeConfigYaml, surroundings: Surroundings): ScrapeConfigYaml {
  const { kubernetes_sd_configs: configs } = scrape;
  if (configs === undefined) return scrape;
  return { ...scrape, kubernetes_sd_configs: configs.map((config) => outside(config, surroundings)) };
}

/** A Prometheus that is not in a pod has no namespace of its own, and a kubeconfig in place of a token. */
function outside(config: KubernetesSdYaml, { kubeconfig, namespace }: Surroundings): KubernetesSdYaml {
  const { own_namespace: own = false, names } = config.namespaces ?? {};
  const namespaces = own ? [...(names ?? []), namespace] : names;
  return {
    ...config,
    kubeconfig_file: kubeconfig,
    ...(namespaces && { namespaces: { names: namespaces } }),
  };
}
