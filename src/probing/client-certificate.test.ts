import { expect, test } from 'vitest';
import { candidate } from '../../test/fixtures/unit/detection.ts';
import { service } from '../../test/fixtures/unit/service.ts';
import { clientCertificateFailure } from './client-certificate.ts';
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
  const none = clientCertificateFailure(alert(text), search, undefined);
  expect(none).toMatchObject({
    kind: 'tls',
    message: `the server requires a client certificate (TLS alert ${name})`,
    fix: 'write clientCertificateFile and clientKeyFile under shop/search in the setting certificates',
  });
  const refused = clientCertificateFailure(alert(text), search, { clientFile: '/etc/client.crt' });
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
  expect(clientCertificateFailure(error, search, undefined)).toBeUndefined();
});
