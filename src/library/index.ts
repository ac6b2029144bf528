/** The public API of `import … from 'dynamic-toolset'`. docs/library.md describes it. */
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
