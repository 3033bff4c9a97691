import type { AnyVerb, VerbOption } from './verb.js';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** What can follow the words typed so far. */
interface Place {
  /** the verb's words so far: '', 'client', 'client add' */
  readonly typed: string;
  readonly words: readonly string[];
}

/**
 * A completion script made from the table of verbs. It completes verbs, options and the few arguments that have choices;
 * it starts nothing.
 * @param globals options that every verb takes
 */
export function completionScript(shell: Shell, verbs: readonly AnyVerb[], globals: readonly VerbOption[]): string {
  const places = placesOf(verbs, globals);
  const options = [...verbs.flatMap((verb) => verb.options), ...globals];
  const taking = [...new Set(options.filter(({ flags }) => flags.includes('<')).map(longName))];
  return { bash, zsh, fish }[shell](places, taking);
}

const longName = ({ flags }: VerbOption): string => flags.split(/[ ,]/)[0] ?? '';

function placesOf(verbs: readonly AnyVerb[], globals: readonly VerbOption[]): Place[] {
  const common = [...globals.map(longName), '--help'];
  const paths = verbs.map(({ name }) => name.split(' '));
  const firsts = [...new Set(paths.flatMap(([first = '']) => first))];
  const secondsOf = (group: string) => paths.flatMap(([first, second]) => (first === group && second ? second : []));
  return [
    { typed: '', words: [...firsts, ...common] },
    ...firsts.map((group) => ({ typed: group, words: secondsOf(group) })).filter(({ words }) => words.length > 0),
    ...verbs.map(({ name, argument, options }) => ({
      typed: name,
      words: [...(argument?.choices ?? []), ...options.map(longName), ...common],
    })),
  ];
}

const bash = (
  places: readonly Place[],
  taking: readonly string[],
): string => `# portcullis completion for bash: source it, or put it into ~/.bash_completion
_portcullis() {
  local verb='' word i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    case $word in
      ${taking.join(' | ')}) ((i++)) ;;
      -*) ;;
      *) verb+="\${verb:+ }$word" ;;
    esac
  done
  case $verb in
${places.map(({ typed, words }) => `    '${typed}') word='${words.join(' ')}' ;;`).join('\n')}
    *) word='' ;;
  esac
  COMPREPLY=($(compgen -W "$word" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _portcullis portcullis`;

const zsh = (places: readonly Place[], taking: readonly string[]): string => `#compdef portcullis
# portcullis completion for zsh: source it after compinit
_portcullis() {
  local verb='' word
  local -i i
  for ((i = 2; i < CURRENT; i++)); do
    word=\${words[i]}
    case $word in
      (${taking.join('|')}) ((i++)) ;;
      (-*) ;;
      (*) verb+="\${verb:+ }$word" ;;
    esac
  done
  case $verb in
${places.map(({ typed, words }) => `    ('${typed}') compadd -- ${words.join(' ')} ;;`).join('\n')}
    (*) _files ;;
  esac
}
compdef _portcullis portcullis`;

const fish = (
  places: readonly Place[],
  taking: readonly string[],
): string => `# portcullis completion for fish: put it into ~/.config/fish/completions/portcullis.fish
function __portcullis_verb
    set -l verb
    set -l skip 0
    set -l words (commandline -opc)
    set -e words[1]
    for word in $words
        if test $skip = 1
            set skip 0
        else if contains -- $word ${taking.join(' ')}
            set skip 1
        else if not string match -q -- '-*' $word
            set -a verb $word
        end
    end
    test "$verb" = "$argv[1]"
end
${places
  .map(({ typed, words }) => `complete -c portcullis -f -n '__portcullis_verb "${typed}"' -a '${words.join(' ')}'`)
  .join('\n')}`;
