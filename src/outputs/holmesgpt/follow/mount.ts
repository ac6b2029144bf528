import type { ConfigMapFiles, Mount, PodFiles } from '../../../model/pod-files.ts';
import { withoutTrailing } from '../../../model/trailing.ts';

/** The file that HolmesGPT reads by default. Source: HolmesGPT 0.45.0, `definitions.py`. */
const DEFAULT_LOCATION = '/etc/holmes/config/custom_toolset.yaml';

/** The variable that overrides the path. Source: the same file. */
const LOCATION = 'CUSTOM_TOOLSET_LOCATION';

/** The volume's name in HolmesGPT's own chart. Source: `holmes.yaml` of the chart. */
const VOLUME = 'custom-toolsets-configmap';

/** The data key of the file. */
const KEY = 'custom_toolset.yaml';

/** The source of HolmesGPT's file, or why it is unknown. */
export type ToolsetMount =
  /** `frozen`: it is mounted as a single file, which Kubernetes never updates in a running Pod. */
  { readonly configMap: string; readonly frozen: boolean } | { readonly what: string; readonly fix: string };

const REMEDY = `mount a ConfigMap as the folder of ${DEFAULT_LOCATION}`;

/** A file's path within a mount; `undefined` if it is outside. */
function within(mount: Mount, path: string): string | undefined {
  const base = withoutTrailing(mount.mountPath ?? '', '/');
  if (base === '') return undefined;
  if (path === base) return '';
  return path.startsWith(`${base}/`) ? path.slice(base.length + 1) : undefined;
}

/** The volume, the file's name in it, and whether the file never changes in a running Pod. */
interface Place {
  readonly volume: string;
  readonly file: string;
  readonly frozen: boolean;
}

function placeOf(pod: PodFiles): Place | undefined {
  const { containers = [], volumes = [] } = pod;
  const all = containers.flatMap((container) => {
    const override = container.env?.find(({ name }) => name === LOCATION)?.value;
    return (container.volumeMounts ?? []).map((mount) => ({ mount, override }));
  });
  const override = all.some((each) => each.override !== undefined);
  const candidates = all
    .filter((each) => !override || each.override !== undefined)
    .flatMap(({ mount, override: location = DEFAULT_LOCATION }) => {
      const rest = within(mount, location);
      return rest === undefined ? [] : [{ mount, rest }];
    })
    // The innermost mount wins.
    .sort((a, b) => (b.mount.mountPath ?? '').length - (a.mount.mountPath ?? '').length);
  const [first] = candidates;
  if (first !== undefined) {
    const { mount, rest } = first;
    const sub = mount.subPath ?? mount.subPathExpr ?? '';
    const file = [sub, rest].filter((part) => part !== '').join('/');
    return { volume: mount.name ?? '', file, frozen: sub !== '' };
  }
  if (override || !volumes.some(({ name }) => name === VOLUME)) return undefined;
  return { volume: VOLUME, file: KEY, frozen: false };
}

/** The key of a ConfigMap that becomes the file; `undefined` if none does. */
function keyFor({ items }: ConfigMapFiles, file: string): string | undefined {
  if (items === undefined || items.length === 0) return file;
  return items.find(({ path }) => path === file)?.key;
}

/** The ConfigMap from which HolmesGPT's Pods read `custom_toolset.yaml`. */
export function toolsetMount(pod: PodFiles): ToolsetMount {
  const place = placeOf(pod);
  if (place === undefined)
    return { what: 'has no ConfigMap where HolmesGPT reads custom_toolset.yaml', fix: REMEDY };
  const volume = pod.volumes?.find(({ name }) => name === place.volume);
  const sources =
    volume?.configMap === undefined
      ? (volume?.projected?.sources ?? []).flatMap(({ configMap }) => configMap ?? [])
      : [volume.configMap];
  if (sources.length === 0)
    return {
      what: `reads custom_toolset.yaml from the volume ${place.volume}, which is not a ConfigMap`,
      fix: REMEDY,
    };
  const named = sources.filter(({ items = [] }) => items.some(({ path }) => path === place.file));
  const fitting = named.length > 0 ? named : sources.filter(({ items = [] }) => items.length === 0);
  const [source, other] = fitting;
  if (source?.name === undefined || source.name === '' || keyFor(source, place.file) !== KEY)
    return {
      what: `has the volume ${place.volume}, which does not give the key ${KEY} as the file that HolmesGPT reads`,
      fix: `give that key under the name ${KEY}, or mount the whole ConfigMap`,
    };
  if (other !== undefined)
    return {
      what: `has the volume ${place.volume}, where more than one ConfigMap may give ${KEY}`,
      fix: 'list the keys of each under items',
    };
  return { configMap: source.name, frozen: place.frozen };
}
