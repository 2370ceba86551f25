import { Argument, type Command } from 'commander'
import { candidates } from '../completion/candidates.js'
import { completionScripts, shells, type Shell } from '../completion/scripts.js'
import type { CommandContext } from '../context.js'

export function addCompletionCommands(program: Command, context: CommandContext): void {
  program
    .command('completion')
    .description('Prints a script that teaches your shell to complete commands, options and names with Tab.')
    .addArgument(new Argument('<shell>', 'your shell').choices(shells))
    .addHelpText(
      'after',
      `
To have it in every new shell:
  bash   echo 'eval "$(nubo completion bash)"' >> ~/.bashrc
  zsh    echo 'eval "$(nubo completion zsh)"' >> ~/.zshrc
  fish   nubo completion fish > ~/.config/fish/completions/nubo.fish`,
    )
    .action((shell: Shell) => context.print(completionScripts[shell]))

  // What the scripts call: the words of the line up to the cursor, the last of them unfinished.
  program
    .command('__complete', { hidden: true })
    .argument('[words...]')
    .action(async (words: string[]) => {
      const found = await candidates(program, context, words)
      context.print(found.map(({ word, says }) => `${word}${says ? `\t${says}` : ''}\n`).join(''))
    })
}
