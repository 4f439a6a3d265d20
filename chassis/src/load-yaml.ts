import { loadAll, YAMLException } from 'js-yaml';

/**
 * The value of a YAML document; {} for an empty one.
 *
 * Errors name line and reason, and leave out the text itself, which js-yaml would quote: it may hold secrets.
 */
export function loadYaml(source: string): unknown {
  try {
    const documents = loadAll(source);
    if (documents.length > 1) throw new Error(`got ${documents.length} documents, want one`);
    return documents[0] ?? {};
  } catch (err) {
    if (!(err instanceof YAMLException)) throw err;
    // oxlint-disable-next-line eslint/preserve-caught-error -- the cause quotes the text
    throw new Error(`line ${(err.mark?.line ?? 0) + 1}: ${err.reason}`);
  }
}
