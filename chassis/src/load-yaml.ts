import { load, YAMLException } from 'js-yaml';

/**
 * The value of a YAML document; {} for an empty one.
 *
 * Errors name line and reason, and leave out the text itself, which js-yaml would quote: it may hold secrets.
 */
export function loadYaml(source: string): unknown {
  if (source.trim() === '') return {};
  try {
    return load(source) ?? {};
  } catch (err) {
    if (!(err instanceof YAMLException)) throw err;
    // eslint-disable-next-line preserve-caught-error
    throw new Error(`line ${(err.mark?.line ?? 0) + 1}: ${err.reason}`);
  }
}
