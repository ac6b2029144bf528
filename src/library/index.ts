/** The library: what `import … from 'dynamic-toolset'` gives. All of it is described in docs/library.md. */
export { detect } from './detect.ts';
export { InputError } from './input-error.ts';
export { render } from './render.ts';
export type {
  Backend,
  Certainty,
  DetectOptions,
  DetectResult,
  DocumentName,
  Evidence,
  Fault,
  Inputs,
  Problem,
  RenderOptions,
  RenderResult,
  ServiceObject,
  ServiceObjectList,
} from './types.ts';
