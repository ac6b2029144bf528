import { runChild } from '../test/cluster/child.ts';
import type { Lab } from './lab.ts';
import { serviceObject } from './objects.ts';
import type { Row } from './report.ts';
import { benchServices } from './services.ts';
import { median } from './statistics.ts';

const SERVICES = 100;

async function time(args: readonly string[]): Promise<number> {
  const started = performance.now();
  const { code, tail } = await runChild(process.execPath, args);
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}:\n${tail.join('\n')}`);
  return performance.now() - started;
}

/** Measures the time from start to exit of the built program, compared with a Node.js that does nothing. */
export async function start(lab: Lab): Promise<Row[]> {
  const program = await lab.program();
  const items = benchServices(SERVICES).map(serviceObject);
  const file = await lab.file('services.json', JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
  const yaml = await lab.file(
    'services.yaml',
    items.map((item) => `---\n${JSON.stringify(item)}\n`).join(''),
  );
  const commands = {
    floor: ['-e', '0'],
    discover: [program, 'discover', '-f', file],
    yaml: [program, 'discover', '-f', yaml],
    version: [program, '--version'],
  };
  const times = {
    floor: [] as number[],
    discover: [] as number[],
    yaml: [] as number[],
    version: [] as number[],
  };
  const names = Object.keys(commands) as (keyof typeof commands)[];
  // Once to fill the file system cache; then in turn, so that other load on the machine affects all of them alike.
  for (const name of names) await time(commands[name]);
  for (let sample = 0; sample < lab.options.samples; sample++)
    for (const name of names) times[name].push(await time(commands[name]));
  const floor = { what: 'node -e 0', value: median(times.floor) };
  const unit = 'ms';
  return [
    {
      what: `discover -f, ${SERVICES} Services as one JSON list`,
      value: median(times.discover),
      unit,
      floor,
      goal: { ratio: 4 },
      note: `median of ${lab.options.samples}`,
    },
    {
      what: `discover -f, ${SERVICES} Services as YAML documents`,
      value: median(times.yaml),
      unit,
      floor,
      goal: { ratio: 4 },
    },
    { what: '--version', value: median(times.version), unit, floor },
  ];
}
