import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { cliContext } from '../../test/fixtures/unit/cli.ts';
import { createProgram } from './program.ts';

const prometheus = (namespace: string): object => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'prometheus', namespace, labels: { app: 'prometheus' } },
  spec: { selector: { app: 'prometheus' }, ports: [{ name: 'http', port: 9090 }] },
});

/** The messages of a command that reads these objects from standard input. */
async function told(line: string, items: readonly object[]): Promise<string> {
  const stdin = Readable.from([JSON.stringify({ apiVersion: 'v1', kind: 'List', items })]);
  const { cli, written } = cliContext({ stdin });
  await createProgram(cli, () => {}).parseAsync([...line.split(' '), '-f', '-'], { from: 'user' });
  return written.messages;
}

const SEVERAL = [prometheus('shop'), prometheus('pay')];

describe.each(['discover', 'generate'])('%s', (command) => {
  test('names the namespaces of manifests if none of them was meant', async () => {
    const messages = await told(`${command} -n shopp`, SEVERAL);
    expect(messages).toContain(
      'warning: standard input has no Services in namespace shopp, only in pay, shop; did you mean shop?\n',
    );
    expect(messages).toContain('No backends found among 0 Services in standard input.\n');
    expect(messages).not.toContain('No object of kind Service was read');
  });

  test('names them also if another one that was named is there', async () => {
    const messages = await told(`${command} -n pay,elsewhere`, SEVERAL);
    expect(messages).toContain(
      'warning: standard input has no Services in namespace elsewhere, only in pay, shop; choose another with -n\n',
    );
    expect(messages).not.toContain('No backends found');
  });

  test('names only a few of very many', async () => {
    const many = Array.from({ length: 40 }, (_, n) => prometheus(`n${n}`));
    expect(await told(`${command} -n elsewhere`, many)).toMatch(
      /, only in n0, n1(, n\d+){10}, …; choose another/,
    );
  });

  test('says that there is no Service at all only if there is none', async () => {
    const messages = await told(`${command} -n shop`, [{ ...prometheus('shop'), kind: 'Deployment' }]);
    expect(messages).toContain('No object of kind Service was read');
    expect(messages).not.toContain('warning');
    expect(await told(`${command} -n shop`, SEVERAL)).not.toMatch(/there is no|No object/);
  });
});

test('explain names them too', async () => {
  await expect(told('explain shopp/prometheus', SEVERAL)).rejects.toThrow(
    'there is no Service shopp/prometheus in standard input; the namespace shopp has none, but there are Services of pay, shop; did you mean shop?',
  );
});
