import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const FOLDER = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));

/**
 * Reads a file of Swagger UI. The build replaces this module with one that reads the file beside the program.
 * @param name one of our own list, never from a request
 */
export function pageFile(name: string): Promise<Buffer> {
  return readFile(join(FOLDER, name));
}
