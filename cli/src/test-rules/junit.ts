// The results of tests as JUnit XML, as promtool writes it.

export interface JunitCase {
  readonly name: string;
  readonly failures: readonly string[];
  /** '' for none. */
  readonly error: string;
}

export interface JunitSuite {
  readonly name: string;
  /** Whether the file was read, and its cases run. */
  readonly timestamp: string;
  readonly cases: readonly JunitCase[];
}

/** One element `testsuites`, on one line. */
export function junitXml(suites: readonly JunitSuite[]): string {
  return `<testsuites>${suites.map(suiteXml).join('')}</testsuites>`;
}

function suiteXml({ name, timestamp, cases }: JunitSuite): string {
  const failures = cases.reduce((sum, one) => sum + one.failures.length, 0);
  const errors = cases.filter(({ error }) => error !== '').length;
  const counts = `tests="${cases.length}" failures="${failures}" errors="${errors}" skipped="0"`;
  return `<testsuite name="${escape(name)}" ${counts} timestamp="${timestamp}">${cases.map(caseXml).join('')}</testsuite>`;
}

function caseXml({ name, failures, error }: JunitCase): string {
  const parts = failures.map((failure) => `<failure>${escape(failure)}</failure>`);
  if (error !== '') parts.push(`<error>${escape(error)}</error>`);
  return `<testcase name="${escape(name)}">${parts.join('')}</testcase>`;
}

const escapes: Readonly<Record<string, string>> = {
  '"': '&#34;',
  "'": '&#39;',
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '\t': '&#x9;',
  '\n': '&#xA;',
  '\r': '&#xD;',
};

function escape(text: string): string {
  return text.replaceAll(/["'&<>\t\n\r]/g, (character) => escapes[character] ?? character);
}
