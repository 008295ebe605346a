/** A size of batches and a depth of the pipeline that do not follow the load. */
export interface FixedSetting {
  readonly commandsMax: number;
  readonly batchesMax: number;
}

const commandsMaxima = [1, 4, 16, 64, 256, 1024, 4096] as const;
const batchesMaxima = [1, 4, 16] as const;

/**
 * The settings to be tried with so many clients. A cap that the clients cannot reach all together never binds, so
 * that of those only the lowest is tried.
 */
export function fixedSettings(clients: number): FixedSetting[] {
  const distinct = (caps: readonly number[]) => caps.filter((_, at) => at === 0 || caps[at - 1]! < clients);
  return distinct(commandsMaxima).flatMap(commandsMax =>
    distinct(batchesMaxima).map(batchesMax => ({ commandsMax, batchesMax })),
  );
}

export function nameOf(setting: FixedSetting | null): string {
  return setting === null ? "adaptive" : `batch ${setting.commandsMax}, pipeline ${setting.batchesMax}`;
}
