import { expect, test } from 'vitest';
import { discovered } from '../../../test/fixtures/unit/detection.ts';
import { service } from '../../../test/fixtures/unit/service.ts';
import { discoveredTool } from '../../planning/tools.ts';
import { holmesDocument } from './toolsets.ts';

test('tools that are nowhere in the document are reported with their cause, and others are not', () => {
  const left = holmesDocument(
    [
      discovered(service('grafana', { labels: { 'app.kubernetes.io/name': 'grafana' }, ports: [3000] })),
      discovered(service('loki', { labels: { 'app.kubernetes.io/name': 'loki' }, ports: [3100] }), 'auth'),
      discovered(service('tempo', { labels: { 'app.kubernetes.io/name': 'tempo' }, ports: [3200] })),
    ].map(discoveredTool),
  ).omissions;
  expect(left.map(({ key, cause }) => [key, cause])).toEqual([
    ['monitoring/grafana', 'credentials'],
    ['monitoring/loki', 'credentials'],
  ]);
});
