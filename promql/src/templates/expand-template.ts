// Labels and annotations of alerts: Go templates with Prometheus's preamble.

import { checkNames } from './check-template.ts';
import { executeTemplate } from './execute-template.ts';
import { Float, ValueMap } from './format-value.ts';
import type { Value } from './format-value.ts';
import { parseTemplate } from './parse-template.ts';
import { labelsValue, templateFunctions } from './template-functions.ts';
import type { TemplateEnvironment } from './template-functions.ts';

export interface AlertData {
  readonly labels: Readonly<Record<string, string>>;
  readonly externalLabels: Readonly<Record<string, string>>;
  readonly value: number;
}

const preamble =
  '{{$labels := .Labels}}{{$externalLabels := .ExternalLabels}}{{$externalURL := .ExternalURL}}{{$value := .Value}}';

/** Known to the check of a template, which runs none of them. */
const functionNames: ReadonlySet<string> = new Set([
  ...templateFunctions({ externalUrl: '', query: async () => [], nowMs: () => 0 }).keys(),
  ...['and', 'or'],
]);

/** Throws TemplateError when the text is no template, or names a function or variable that is not there. */
export function checkTemplate(text: string): void {
  checkNames(parseTemplate(preamble + text), functionNames);
}

/** Expands one label or annotation. A failure becomes its text, as in Prometheus: an alert is better than none. */
export async function expandTemplate(
  name: string,
  text: string,
  data: AlertData,
  environment: TemplateEnvironment,
): Promise<string> {
  if (!text.includes('{{')) return text;
  try {
    const dot = new ValueMap(
      new Map<string, Value>([
        ['Labels', labelsValue(data.labels)],
        ['ExternalLabels', labelsValue(data.externalLabels)],
        ['ExternalURL', environment.externalUrl],
        ['Value', new Float(data.value)],
      ]),
      undefined,
    );
    return await executeTemplate(name, parseTemplate(preamble + text), dot, templateFunctions(environment));
  } catch (error) {
    return `<error expanding template: error executing template ${name}: ${(error as Error).message}>`;
  }
}
