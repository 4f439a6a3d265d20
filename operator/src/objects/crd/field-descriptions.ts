export function fieldDescription(_name: string, _path: readonly string[]): string | undefined {
  return undefined;
}
