import type { Problem } from '../model/discovery.ts';
import { addressedService, type Overrides, type ToolOverride } from '../model/overrides.ts';
import { serviceKey } from '../model/service.ts';

type Entry = readonly [key: string, override: ToolOverride];

/** What counts if both forms of a Service's key have an approval. See `approvalsIn`. */
function whatCounts(entries: readonly Entry[]): string {
  if (entries.some(([, { approved }]) => approved === false)) return 'approved: false wins';
  const lists = entries.filter(([, { approvedTools }]) => approvedTools !== undefined);
  const last = lists.length < 2 ? undefined : lists.at(-1)?.[0];
  return `both approve it${last === undefined ? '' : `, and the approvedTools of ${last} win`}`;
}

/** Notes about Services with an approval under both forms of their key. */
export function approvalConflicts({ tools }: Overrides): Problem[] {
  const entries = Object.entries(tools).flatMap((entry) => {
    const address = entry[1].approved === undefined ? undefined : addressedService(entry[0]);
    return address === undefined ? [] : [{ service: serviceKey(address), entry }];
  });
  return [...Map.groupBy(entries, ({ service }) => service).values()].flatMap((several) =>
    several.length < 2
      ? []
      : [
          {
            where: `overrides.yaml, tools ${several.map(({ entry: [key] }) => key).join(', ')}`,
            what: `address one Service, so ${whatCounts(several.map(({ entry }) => entry))}`,
            fix: 'merge them under one key',
          },
        ],
  );
}
