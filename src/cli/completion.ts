import type { Shell } from './choices.ts';
import type { CliContext } from './cli-context.ts';
import { EXIT } from './exit.ts';

/** The completion scripts. Each one runs `dynamic-toolset __complete WORDS` to get the candidates. */
const SCRIPTS: Readonly<Record<Shell, string>> = {
  bash: String.raw`# Completion of dynamic-toolset for bash.
_dynamic_toolset() {
  local line directive=0
  COMPREPLY=()
  while IFS= read -r line; do
    case $line in
      :*) directive=${'$'}{line#:} ;;
      *) COMPREPLY+=("${'$'}{line%%$'\t'*}") ;;
    esac
  done < <("${'$'}{COMP_WORDS[0]}" __complete "${'$'}{COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  case $directive in
    4) compopt +o default ;;
    16) compopt +o default -o dirnames ;;
  esac 2>/dev/null
}
complete -o default -F _dynamic_toolset dynamic-toolset
`,
  zsh: String.raw`#compdef dynamic-toolset
# Completion of dynamic-toolset for zsh.
_dynamic_toolset() {
  local line directive=0
  local -a candidates
  for line in "${'$'}{(@f)$("${'$'}{words[1]}" __complete "${'$'}{(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    if [[ $line == :* ]]; then
      directive=${'$'}{line#:}
    elif [[ $line == *$'\t'* ]]; then
      candidates+=("${'$'}{line%%$'\t'*}:${'$'}{line#*$'\t'}")
    elif [[ -n $line ]]; then
      candidates+=("$line")
    fi
  done
  compset -P '--*='
  if (( ${'$'}#candidates )); then
    _describe -V dynamic-toolset candidates
  elif [[ $directive == 16 ]]; then
    _files -/
  elif [[ $directive == 0 ]]; then
    _files
  fi
}
if [[ ${'$'}{funcstack[1]} == _dynamic* ]]; then
  _dynamic_toolset "$@"
else
  compdef _dynamic_toolset dynamic-toolset
fi
`,
  fish: `# Completion of dynamic-toolset for fish.
function __dynamic_toolset_candidates
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l lines ($words[1] __complete $words[2..-1] $current 2>/dev/null)
    set -l flag (string match -r -- '^--[^=]+=' $current)
    for line in $lines
        if not string match -q -- ':*' $line
            echo "$flag$line"
        else if test $line = :16
            __fish_complete_directories $current
        else if test $line = :0
            __fish_complete_path $current
        end
    end
end
complete -c dynamic-toolset -f -a '(__dynamic_toolset_candidates)'
`,
};

/** `completion`: prints the completion script of a shell. @returns the exit code */
export function completionCommand(shell: Shell, cli: CliContext): number {
  cli.output.result.write(SCRIPTS[shell]);
  return EXIT.ok;
}
