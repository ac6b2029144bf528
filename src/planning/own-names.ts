import { addressedService, type Overrides } from '../model/overrides.ts';
import { defaultName } from '../model/service.ts';

/** The published name of a user's own tool: `service.namespace` for both forms of a Service's key. */
export function ownName(key: string): string {
  const address = addressedService(key);
  return address === undefined ? key : defaultName(address);
}

/** The names of tools whose URL is from overrides. */
export const ownNames = ({ tools }: Overrides): ReadonlySet<string> =>
  new Set(
    Object.keys(tools)
      .filter((key) => tools[key]?.endpoint !== undefined)
      .map(ownName),
  );
