import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const FOLDER = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));

/**
 * Reads a file of Swagger UI. The build puts a module in this one's place that reads it beside the program.
 * @param name of a list of our own, never from a request
 */
export function pageFile(name: string): Promise<string> {
  return readFile(join(FOLDER, name), 'utf8');
}
