/** The real HolmesGPT checks what our join makes of a person's toolsets, against a person's server and a tenant's. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { holmesPython } from '../../scripts/holmes-venv.ts';
import { recordingBroker } from './broker.ts';
import { type Case, casesOf, SECRET, USER } from './credential-cases.ts';
import { type Recorder, recordingServer } from './recorder.ts';

type State = Record<string, { readonly status: string; readonly error: string | null }>;

let persons: Recorder[] = [];
let tenants: Recorder[] = [];
let cases: Case[] = [];
let states: State[] = [];
let folder = '';

beforeAll(async () => {
  persons = [await recordingServer(), await recordingBroker()];
  tenants = [await recordingServer(), await recordingBroker()];
  const [person = '', personBroker = ''] = persons.map(({ address }) => address);
  const [tenant = '', tenantBroker = ''] = tenants.map(({ address }) => address);
  cases = casesOf({ person, tenant, personBroker, tenantBroker });
  folder = await mkdtemp(join(tmpdir(), 'dynamic-toolset-credentials-'));
  const list = await Promise.all(
    cases.map(async ({ document, calls, environment }, index) => {
      const path = join(folder, `${index}.json`);
      await writeFile(path, JSON.stringify(document));
      return { path, calls, environment };
    }),
  );
  await writeFile(join(folder, 'list'), JSON.stringify(list));
  const python = await holmesPython((line) => console.error(line));
  const { stdout } = await promisify(execFile)(
    python,
    [join(import.meta.dirname, 'checks.py'), join(folder, 'list')],
    { maxBuffer: 64 * 1024 * 1024, timeout: 10 * 60_000 },
  );
  states = JSON.parse(stdout.slice(stdout.indexOf('[{'))) as State[];
});
afterAll(async () => {
  for (const { close } of [...persons, ...tenants]) close();
  await rm(folder, { recursive: true, force: true });
});

/** What may not reach a tenant: the secret, as it is or in a login, and the user's name, which stands in a digest. */
const PERSONAL = [SECRET, USER, Buffer.from(`${USER}:${SECRET}`).toString('base64')];
const isPersonal = (request: string): boolean => PERSONAL.some((text) => request.includes(text));

/** All requests of a case to some servers. */
const requests = (servers: readonly Recorder[], { mark }: Case): string[] =>
  servers.flatMap(({ seen }) => seen.filter((request) => request.includes(mark)));

const names = (of: readonly Case[]): string[] => of.map(({ name }) => name);

describe('HolmesGPT calls both servers, and only the operator’s gets the operator’s credentials', () => {
  test("no tenant's server received any of them", () => {
    expect(tenants.flatMap(({ seen }) => seen).filter(isPersonal)).toEqual([]);
  });

  test('the tenant’s was called where it is in the toolset, and nowhere else', () => {
    const asked = cases.filter((each) => requests(tenants, each).length > 0);
    expect(names(asked)).toEqual(names(cases.filter(({ beside }) => beside)));
  });

  test('the operator’s received its credentials', () => {
    const sent = cases.filter((each) => requests(persons, each).some(isPersonal));
    expect(names(sent)).toEqual(names(cases.filter(({ received }) => received)));
  });

  test('the file has no other fault', () => {
    const wrong = cases.flatMap(({ name }, index) =>
      Object.values(states[index] ?? { none: { status: 'not loaded', error: null } }).map((each) => ({
        name,
        ...each,
      })),
    );
    expect(wrong.filter(({ status }) => status !== 'enabled')).toEqual([]);
  });
});
