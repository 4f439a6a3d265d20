// What a system's API says of the cases beside samples: metadata of their metrics, and exemplars.

import { originMark } from './mutations.ts';
import { exemplarKey, seriesKey } from './real-prometheus.ts';
import type { ExemplarsAnswer } from './real-prometheus.ts';

/** What is said of a case. */
export interface Said {
  /** [metric, type, help, unit] as JSON. */
  readonly metadata: readonly string[];
  readonly exemplars: readonly SaidExemplar[];
}

export interface SaidExemplar {
  readonly series: string;
  /** Series, labels, value and time. */
  readonly line: string;
  /** It stood in the page at another series than it is said of. */
  readonly isForeign: boolean;
}

interface MetadataAnswer {
  readonly data: readonly (Readonly<Record<'metric' | 'type' | 'help' | 'unit', string>> & {
    readonly target: Readonly<Record<string, string>>;
  })[];
}

export async function whatIsSaid(url: string, cases: number): Promise<Said[]> {
  const get = async (path: string): Promise<unknown> => (await fetch(`${url}/api/v1/${path}`)).json();
  const found = Array.from({ length: cases }, () => ({
    metadata: [] as string[],
    exemplars: [] as SaidExemplar[],
  }));
  const metadata = (await get('targets/metadata')) as MetadataAnswer;
  for (const { target, metric, type, help, unit } of metadata.data)
    found[Number(target['case'])]!.metadata.push(JSON.stringify([metric, type, help, unit]));
  const selector = encodeURIComponent('{case!=""}');
  const exemplars = (await get(`query_exemplars?query=${selector}`)) as ExemplarsAnswer;
  for (const one of exemplars.data)
    found[Number(one.seriesLabels['case'])]!.exemplars.push(...exemplarsOf(one));
  return found;
}

function exemplarsOf({ seriesLabels, exemplars }: ExemplarsAnswer['data'][number]): SaidExemplar[] {
  const series = seriesKey(seriesLabels);
  const mark = originMark(labelsOfPage(seriesLabels));
  return exemplars.map(({ labels, value, timestamp }) => ({
    series,
    line: `${series} ${exemplarKey(labels, value, Math.round(timestamp * 1000))}`,
    isForeign: labels['of'] !== undefined && labels['of'] !== mark,
  }));
}

/** Those of the line, without those of the target. */
function labelsOfPage(labels: Readonly<Record<string, string>>): Record<string, string> {
  const own = Object.entries(labels).filter(([name]) => !['case', 'instance', 'job', 'le'].includes(name));
  return Object.fromEntries(
    own.map(([name, value]) => [
      name.replace(/^exported_(?=(instance|job)$)/, ''),
      name === '__name__' ? value.replace(/_bucket$/, '') : value,
    ]),
  );
}
