import type { Detector, Vocabulary } from '../model/detector.ts';
import type { Service } from '../model/service.ts';
import { wordsOf } from './words.ts';

/** Whether words contain a run of words. */
const hasRun = (words: readonly string[], run: readonly string[]): boolean =>
  words.some((_, start) => run.every((word, offset) => words[start + offset] === word));

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
  const texts = [
    service.name,
    service.namespace,
    labels['app.kubernetes.io/part-of'] ?? '',
    ...instance.map((key) => labels[key] ?? ''),
  ].map(wordsOf);
  const isOwn = (name: string): boolean => detector.type === name || detector.names.includes(name);
  return bundles.find(({ name }) => !isOwn(name) && texts.some((words) => hasRun(words, name.split('-'))))
    ?.title;
}
