// Templates as Prometheus expands them; the expected texts are those of Go's text/template and fmt.

import { describe, expect, test } from '@jest/globals';
import { checkTemplate, expandTemplate } from './expand-template.ts';

const samples = [
  { labels: { instance: 'b:9100', job: 'x' }, value: 2 },
  { labels: { instance: 'a:9100', job: 'x' }, value: 1.5 },
];
const environment = {
  externalUrl: 'http://flotilla.example/p',
  query: async () => samples,
  nowMs: () => 1_700_000_000_000,
};
const data = {
  labels: { instance: 'a:9100', job: 'node' },
  externalLabels: { cluster: 'eu' },
  value: 1234.5,
};

async function check(text: string, want: string, value = data.value): Promise<void> {
  expect(await expandTemplate('__alert_A', text, { ...data, value }, environment)).toBe(want);
}

describe('expandTemplate', () => {
  test('values and labels', async () => {
    await check('plain', 'plain');
    await check('{{ $value }}', '1234.5');
    await check('{{ .Value }}', '1234.5');
    await check('{{ $labels.instance }} of {{ .Labels.job }}', 'a:9100 of node');
    await check('[{{ $labels.missing }}]', '[]');
    await check('{{ $externalLabels.cluster }} {{ $externalURL }}', 'eu http://flotilla.example/p');
    await check('{{ $labels }}', 'map[instance:a:9100 job:node]');
    await check('{{ $value }}', '1e+21', 1e21);
    await check('{{ $value }}', '+Inf', Infinity);
  });

  test('actions', async () => {
    await check('{{ if eq $labels.job "node" }}yes{{ else }}no{{ end }}', 'yes');
    await check(
      '{{ if gt $value 2000.0 }}high{{ else if gt $value 1000.0 }}mid{{ else }}low{{ end }}',
      'mid',
    );
    await check('{{ with $labels.missing }}x{{ else }}none{{ end }}', 'none');
    await check('a {{- " b " -}} c', 'a b c');
    await check('{{/* nothing */}}x', 'x');
    await check('{{ $x := 1 }}{{ $x = 2 }}{{ $x }}', '2');
    await check('{{ define "t" }}<{{ . }}>{{ end }}{{ template "t" $labels.job }}', '<node>');
    await check(
      '{{ range $i, $s := query "up" }}{{ $i }}={{ $s.Labels.instance }} {{ end }}',
      '0=b:9100 1=a:9100 ',
    );
    await check('{{ range query "up" | sortByLabel "instance" }}{{ .Value }};{{ end }}', '1.5;2;');
    await check(
      '{{ range query "up" }}{{ if eq .Value 2.0 }}{{ continue }}{{ end }}{{ .Value }}{{ end }}',
      '1.5',
    );
    await check('{{ and $labels.job "b" }} {{ or "" "c" }} {{ not true }}', 'b c false');
  });

  test('samples', async () => {
    await check('{{ query "up" | first | value }}', '2');
    await check('{{ with query "up" }}{{ . | first | label "instance" }}{{ end }}', 'b:9100');
    await check('{{ len (query "up") }}', '2');
  });

  test('humanize', async () => {
    await check('{{ humanize $value }}', '1.234k', 1234);
    await check('{{ $value | humanize }}', '0', 0);
    await check('{{ $value | humanize }}', '1m', 0.001);
    await check('{{ $value | humanize1024 }}', '1ki', 1024);
    await check('{{ $value | humanizeDuration }}', '1h 1m 1s', 3661);
    await check('{{ $value | humanizeDuration }}', '1d 0h 0m 0s', 86_400);
    await check('{{ $value | humanizeDuration }}', '2.1ms', 0.0021);
    await check('{{ $value | humanizePercentage }}', '12.34%', 0.1234);
    await check('{{ $value | humanizeTimestamp }}', '2023-11-14 22:13:20 +0000 UTC', 1_700_000_000);
  });

  test('printf', async () => {
    await check(
      '{{ printf "%.2f|%5.1f|%d|%s|%q|%v|%%" $value 1.25 7 "x" "y" true }}',
      '1234.50|  1.2|7|x|"y"|true|%',
    );
    await check('{{ printf "%g %e" 1.5 1500.0 }}', '1.5 1.500000e+03');
    await check('{{ printf "%.1f %.0f %.2e %.3g" 0.25 2.5 1.125 1.0625 }}', '0.2 2 1.12e+00 1.06');
    await check('{{ printf "%05d %-4s|" 42 "ab" }}', '00042 ab  |');
    await check('{{ printf "%d" "x" }}', '%!d(string=x)');
    await check('{{ printf "%s" }}', '%!s(MISSING)');
  });

  test('text', async () => {
    await check('{{ "hello world" | title }} {{ toUpper "a" }} {{ toLower "B" }}', 'Hello World A b');
    await check(
      '{{ stripPort "a.b:80" }} {{ stripDomain "a.b.c:80" }} {{ stripDomain "10.0.0.1:80" }}',
      'a.b a:80 10.0.0.1:80',
    );
    await check('{{ reReplaceAll "a(.)" "<$1>" "xabyac" }}', 'x<b>y<c>');
    await check('{{ match "b.d" "abcde" }}', 'true');
    await check('{{ "up > 0" | tableLink }}', '/graph?g0.expr=up+%3E+0&g0.tab=1');
    await check('{{ parseDuration "1h" }} {{ pathPrefix }} {{ urlQueryEscape "a b" }}', '3600 /p a+b');
  });

  test('what fails says so in place of the text', async () => {
    const fails = async (text: string, want: string): Promise<void> => {
      const got = await expandTemplate('__alert_A', text, data, environment);
      expect(got).toMatch(/^<error expanding template: /);
      expect(got).toContain(want);
    };
    await fails('{{ gt $value 80 }}', 'incompatible types for comparison');
    await fails('{{ nope }}', 'function "nope" not defined');
    await fails('{{ $x }}', 'undefined variable');
    await fails('{{ query "up" | value }}', 'want a sample');
    await fails('{{ first .Labels }}', 'want a list of samples');
    await fails(
      '{{ define "t" }}{{ template "t" }}{{ end }}{{ template "t" }}',
      'exceeded maximum template depth',
    );
    await fails('{{ range $i := 99999 }}{{ range $j := 99999 }}x{{ end }}{{ end }}', 'steps');
  });
});

test('checkTemplate refuses what does not parse, with the line', () => {
  const refuses = (text: string, want: string) => expect(() => checkTemplate(text)).toThrow(want);
  refuses('{{ if }}', 'missing value');
  refuses('a\n{{ $labels.x', 'line 2: unclosed action');
  refuses('{{ if true }}x', 'unexpected EOF');
  refuses('{{ end }}', 'unexpected {{end}}');
  refuses('{{ "x }}', 'unexpected');
  refuses('{{ nope }}', 'function "nope" not defined');
  refuses('{{ if (nope 1) }}{{ end }}', 'function "nope" not defined');
  refuses('{{ define "t" }}{{ nope }}{{ end }}', 'function "nope" not defined');
  refuses('{{ $x }}', 'undefined variable "$x"');
  refuses('{{ if $x := 1 }}{{ end }}{{ $x }}', 'undefined variable "$x"');
  refuses('{{ $x = 1 }}', 'undefined variable "$x"');
});

test('checkTemplate takes names that are there', () => {
  const takes = (text: string) => expect(() => checkTemplate(text)).not.toThrow();
  takes('{{ $labels.job }} {{ $externalURL }} {{ $value | humanize }} {{ $.Value }}');
  takes(
    '{{ range $i, $s := query "up" }}{{ $i }}{{ with $y := $s }}{{ $y }}{{ else }}{{ $y }}{{ end }}{{ end }}',
  );
  takes('{{ if and true (or false (first (query "up"))) }}{{ $x := 1 }}{{ $x = 2 }}{{ $x }}{{ end }}');
});
