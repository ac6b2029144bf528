import { describe, expect, test } from 'vitest';
import { baseUrl, connectTo, listenAddress } from '../../src/config/setting-texts.ts';
import { portFault } from '../../src/model/port-fault.ts';
import { readOverrides } from '../../src/outputs/read-overrides.ts';

describe('a port that is out of range is the fault that is named', () => {
  test.each([
    'http://x:99999',
    'https://a.example.com:65536/path',
    'tcp://[::1]:70000',
    'http://x:99999?a=b',
  ])('%s', (url) => {
    expect(URL.canParse(url)).toBe(false);
    expect(portFault(url)).toBe('has a port that is out of range; ports are from 1 to 65535');
  });

  test.each(['http://x:65535', 'http://x/a:99999', 'http://[1:99999:2]:80', 'x:99999', ''])(
    'other texts have another fault or none: %s',
    (text) => expect(portFault(text)).toBeUndefined(),
  );

  test('in overrides and in settings', () => {
    const read = readOverrides('tools: {a/b: {endpoint: "http://x:99999"}}');
    expect(JSON.stringify(read)).toContain('a/b.endpoint: has a port that is out of range');
    const what = expect.stringContaining('port that is out of range');
    expect(baseUrl.read('http://x:99999')).toMatchObject({ what });
    expect(listenAddress.read(':99999')).toMatchObject({ what });
    expect(connectTo.read('a:1:b:99999')).toMatchObject({ what });
  });
});
