import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Projects by how much of their time their tests wait, most first. */
const ORDER = ['cluster', 'contract', 'processes', 'unit-isolated', 'unit'];

/**
 * Begins with the files that wait for processes, and fills up with those that compute: a long wait that began last
 * would be waited for with idle processors.
 */
export class WaitingFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.toSorted((a, b) => ORDER.indexOf(a.project.name) - ORDER.indexOf(b.project.name));
  }
}
