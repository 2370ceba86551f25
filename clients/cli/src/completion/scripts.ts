export const shells = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof shells)[number]

/**
 * What each shell must run. All three only pass the words on to `nubo __complete` and show what it prints: a candidate a
 * line, a tab and a description behind it, or `:files` where the shell's own completion of file names is wanted.
 */
export const completionScripts: Record<Shell, string> = {
  bash: `_nubo() {
  local candidate description
  local -a words=("\${COMP_WORDS[@]:1:COMP_CWORD}")
  COMPREPLY=()
  while IFS=$'\\t' read -r candidate description; do
    if [[ $candidate == :files ]]; then
      compopt -o default 2>/dev/null
      COMPREPLY=()
      return
    fi
    COMPREPLY+=("$(printf '%q' "$candidate")")
  done < <("\${COMP_WORDS[0]}" __complete -- "\${words[@]}" 2>/dev/null)
}
complete -F _nubo nubo
`,
  zsh: `#compdef nubo
_nubo() {
  local line
  local -a lines described
  lines=("\${(@f)$("\${words[1]}" __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ "\${lines[1]}" == :files ]]; then
    _files
    return
  fi
  for line in "\${lines[@]}"; do
    [[ -n "$line" ]] || continue
    if [[ "$line" == *$'\\t'* ]]; then
      described+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
    else
      described+=("\${line//:/\\\\:}")
    fi
  done
  _describe 'nubo' described
}
if [[ "\${funcstack[1]}" == _nubo ]]; then
  _nubo "$@"
else
  compdef _nubo nubo
fi
`,
  fish: `function __nubo_complete
  set -l words (commandline -opc)
  set -l current (commandline -ct)
  for line in ($words[1] __complete -- $words[2..-1] "$current" 2>/dev/null)
    if test "$line" = :files
      __fish_complete_path "$current"
    else
      printf '%s\\n' $line
    end
  end
end
complete -c nubo -f -a '(__nubo_complete)'
`,
}
