import { expect, test } from 'vitest';
import type { PodFiles } from '../../../model/pod-files.ts';
import { toolsetMount } from './mount.ts';

const chart: PodFiles = {
  volumes: [
    { name: 'other', configMap: { name: 'other' } },
    { name: 'custom-toolsets-configmap', configMap: { name: 'my-toolsets' } },
  ],
  containers: [{ volumeMounts: [{ name: 'custom-toolsets-configmap', mountPath: '/etc/holmes/config' }] }],
};
const pod = (
  volume: object,
  mount: object = { mountPath: '/etc/holmes/config/' },
  env?: object[],
): PodFiles => ({
  volumes: [{ name: 'v', ...volume }],
  containers: [
    { volumeMounts: [{ name: 'x', mountPath: '/tmp' }] },
    { volumeMounts: [{ name: 'v', ...mount }], ...(env === undefined ? {} : { env }) },
  ],
});
const LOCATION = { name: 'CUSTOM_TOOLSET_LOCATION', value: '/own/custom_toolset.yaml' };

test.each<[string, PodFiles, string, boolean]>([
  ['as the chart does', chart, 'my-toolsets', false],
  ['the volume by its name, where no mount fits', { volumes: chart.volumes ?? [] }, 'my-toolsets', false],
  ['another volume in that folder', pod({ configMap: { name: 'c' } }), 'c', false],
  [
    'its key listed',
    pod({ configMap: { name: 'c', items: [{ key: 'custom_toolset.yaml', path: 'custom_toolset.yaml' }] } }),
    'c',
    false,
  ],
  ['projected', pod({ projected: { sources: [{}, { configMap: { name: 'p' } }] } }), 'p', false],
  [
    'projected with others that list keys',
    pod({
      projected: {
        sources: [
          { configMap: { name: 'p', items: [{ key: 'a', path: 'a' }] } },
          { configMap: { name: 'q', items: [{ key: 'custom_toolset.yaml', path: 'custom_toolset.yaml' }] } },
        ],
      },
    }),
    'q',
    false,
  ],
  [
    'a single file',
    pod(
      { configMap: { name: 'c' } },
      { mountPath: '/etc/holmes/config/custom_toolset.yaml', subPath: 'custom_toolset.yaml' },
    ),
    'c',
    true,
  ],
  [
    'the path from its environment',
    pod({ configMap: { name: 'c' } }, { mountPath: '/own' }, [LOCATION]),
    'c',
    false,
  ],
])('%s', (_, files, configMap, frozen) => {
  expect(toolsetMount(files)).toEqual({ configMap, frozen });
});

test.each<[string, PodFiles, RegExp]>([
  ['nothing at all', {}, /no ConfigMap where HolmesGPT reads/],
  ['a Secret', pod({ secret: { secretName: 's' } }), /not a ConfigMap/],
  [
    'another key',
    pod({ configMap: { name: 'c', items: [{ key: 'a', path: 'custom_toolset.yaml' }] } }),
    /key custom_toolset\.yaml/,
  ],
  [
    'its key is not listed',
    pod({ configMap: { name: 'c', items: [{ key: 'a', path: 'a' }] } }),
    /key custom_toolset\.yaml/,
  ],
  [
    'two ConfigMaps that may have it',
    pod({ projected: { sources: [{ configMap: { name: 'a' } }, { configMap: { name: 'b' } }] } }),
    /more than one/,
  ],
  [
    'the chart’s volume, with another path in its environment',
    { ...chart, containers: [{ env: [LOCATION], volumeMounts: chart.containers?.[0]?.volumeMounts ?? [] }] },
    /no ConfigMap/,
  ],
])('%s is not supported, with the reason', (_, files, what) => {
  const mount = toolsetMount(files);
  expect('what' in mount ? `${mount.what}` : mount).toMatch(what);
});
