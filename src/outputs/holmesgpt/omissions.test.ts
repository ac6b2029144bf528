import { expect, test } from 'vitest';
import { discovered } from '../../../test/fixtures/unit/detection.ts';
import { service } from '../../../test/fixtures/unit/service.ts';
import { discoveredTool } from '../../planning/tools.ts';
import { holmesDocument } from './toolsets.ts';

test('tools that are nowhere in the document are reported with their cause, and others are not', () => {
  const { omissions: left, notes } = holmesDocument(
    [
      discovered(service('grafana', { labels: { 'app.kubernetes.io/name': 'grafana' }, ports: [3000] })),
      discovered(service('loki', { labels: { 'app.kubernetes.io/name': 'loki' }, ports: [3100] }), 'auth'),
      discovered(service('tempo', { labels: { 'app.kubernetes.io/name': 'tempo' }, ports: [3200] })),
    ].map(discoveredTool),
  );
  expect(left.map(({ key, cause }) => [key, cause])).toEqual([
    ['monitoring/grafana', 'credentials'],
    ['monitoring/loki', 'credentials'],
  ]);
  const fix = 'name variables of the agent for it, under monitoring/grafana in the setting credentials';
  expect(left[0]?.fix).toBe(fix);
  expect(notes[0]?.fix).toBe(`it is in toolset.json; ${fix}`);
});

test('no credentials apply to a backend of another cluster, so none are suggested', () => {
  const grafana = discovered(
    service('grafana', { labels: { 'app.kubernetes.io/name': 'grafana' }, ports: [3000], cluster: 'east' }),
  );
  const { omissions, notes } = holmesDocument([discoveredTool(grafana)]);
  expect([omissions[0]?.fix, notes[0]?.fix]).toEqual([undefined, 'it is in toolset.json']);
});
