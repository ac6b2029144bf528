/** Loaded into a process before all else, so that its heap is seen without garbage: collects it each second. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
setInterval(collect, 1_000).unref();
