import { DockerfileParser, type JSONInstruction } from 'dockerfile-ast';

/** One instruction of an image recipe, `COPY` with what stands behind it. */
export interface Step {
  readonly keyword: string;
  /** All behind the keyword but flags, on one line. */
  readonly text: string;
  readonly flags: Readonly<Record<string, string>>;
  /** The words, of the JSON form where that is used. */
  readonly words: readonly string[];
  readonly isJson: boolean;
}

/** The stages of an image recipe, each from its FROM to the next; what stands before the first is left out. */
export function stagesOf(recipe: string): readonly (readonly Step[])[] {
  const stages: Step[][] = [];
  for (const instruction of DockerfileParser.parse(recipe).getInstructions()) {
    const keyword = instruction.getKeyword();
    if (keyword === 'FROM') stages.push([]);
    const json = 'getJSONStrings' in instruction ? (instruction as JSONInstruction).getJSONStrings() : [];
    const flags = 'getFlags' in instruction ? (instruction as JSONInstruction).getFlags() : [];
    stages.at(-1)?.push({
      keyword,
      text: (instruction.getArgumentsContent() ?? '').replace(/^(?:--\S+\s+)+/, '').replace(/\\\n\s*/g, ''),
      flags: Object.fromEntries(flags.map((flag) => [flag.getName(), flag.getValue() ?? ''])),
      words:
        json.length > 0
          ? json.map((word) => JSON.parse(word.getValue()) as string)
          : instruction.getArguments().map((word) => word.getValue()),
      isJson: json.length > 0,
    });
  }
  return stages;
}
