import { expect, test } from 'vitest';
import { candidate } from '../../test/fixtures/unit/detection.ts';
import { service } from '../../test/fixtures/unit/service.ts';
import { handshakeRefusal, responseRefusal } from './client-certificate.ts';
import { ProbeFailure } from './fetch.ts';

const search = candidate(
  service('search', { namespace: 'shop', labels: { app: 'elasticsearch' }, ports: ['https:9200'] }),
);
const alert = (name: string): Error =>
  new Error(
    `write EPROTO 40DD:error:0A000410:SSL routines:ssl3_read_bytes:${name}:../deps/rec_layer_s3.c:918`,
  );

test.each([
  'ssl/tls alert handshake failure',
  'sslv3 alert bad certificate',
  'tlsv13 alert certificate required',
  'sslv3 alert certificate expired',
  'sslv3 alert certificate unknown',
  'tlsv1 alert unknown ca',
  'tlsv1 alert access denied',
])('the alert of a server that asked for a client certificate: %s', (text) => {
  const name = text.replace(/^.* alert /, '');
  const none = handshakeRefusal(alert(text), search, undefined);
  expect(none).toMatchObject({
    kind: 'tls',
    message: `the server requires a client certificate (TLS alert ${name})`,
    fix: 'write clientCertificateFile and clientKeyFile under shop/search in the setting certificates',
  });
  const refused = handshakeRefusal(alert(text), search, { clientFile: '/etc/client.crt' });
  expect(refused).toMatchObject({
    kind: 'tls',
    message: `the server refused the client certificate in /etc/client.crt (TLS alert ${name})`,
    fix: 'replace it, or correct the setting certificates',
  });
});

test.each([
  alert('ssl/tls alert internal error'),
  alert('tlsv1 alert protocol version'),
  new Error('read ECONNRESET'),
  new ProbeFailure('its TLS handshake ends without a certificate', 'tls'),
  new ProbeFailure('not ours: alert unknown ca', 'tls'),
])('other failures have other causes: %s', (error) => {
  expect(handshakeRefusal(error, search, undefined)).toBeUndefined();
});

test.each<[string, number, string, object | undefined, string | undefined]>([
  ['no certificate', 400, 'No required SSL certificate was sent', undefined, 'requires a client certificate'],
  [
    'a refused one',
    400,
    'The SSL certificate error',
    { clientFile: '/c' },
    'refused the client certificate in /c',
  ],
  [
    'a page about a certificate that was sent',
    400,
    'No required SSL certificate was sent',
    { clientFile: '/c' },
    undefined,
  ],
  ['another page', 400, 'Bad Request', undefined, undefined],
  ['another status', 200, 'No required SSL certificate was sent', undefined, undefined],
])('the page of nginx for %s', (_, status, title, given, message) => {
  const body = `<html>\r\n<head><title>400 ${title}</title></head>`;
  const refusal = responseRefusal({ status, headers: {}, body }, search, given);
  expect(refusal?.message.includes(message ?? '')).toBe(message === undefined ? undefined : true);
});
