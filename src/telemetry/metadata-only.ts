import type { Plan } from '../model/published.ts';

/** Whether a publication changed no document, but only labels, annotations or owners. */
export const isMetadataOnly = ({ action, changes }: Plan): boolean =>
  action === 'update' && !changes.some((change) => change.startsWith('data '));
