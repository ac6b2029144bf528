import type { Detector, Vocabulary } from '../model/detector.ts';
import type { Service } from '../model/service.ts';
import { wordsOf } from './words.ts';

/** The words of a text, so that a name of several words can be found in it. */
const wordsIn = (text: string): string => `-${wordsOf(text).join('-')}-`;

/**
 * The product that brings a backend for itself, according to the Service's name and namespace, and the labels that name its
 * installation. `undefined` if there is none, or the backend is that product itself.
 */
export function bundledWith(
  service: Service,
  detector: Detector,
  { bundles, instance }: Pick<Vocabulary, 'bundles' | 'instance'>,
): string | undefined {
  const { labels } = service;
  const words = [
    service.name,
    service.namespace,
    labels['app.kubernetes.io/part-of'] ?? '',
    ...instance.map((key) => labels[key] ?? ''),
  ]
    .map(wordsIn)
    .join(' ');
  const isOwn = (name: string): boolean => detector.type === name || detector.names.includes(name);
  return bundles.find(({ name }) => words.includes(`-${name}-`) && !isOwn(name))?.title;
}
