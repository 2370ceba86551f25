export interface StepTime {
  name: string
  ms: number
}

/** What a person sees of `up`: one line a step, with its time. */
export class Steps {
  constructor(output?: NodeJS.WriteStream)
  readonly times: StepTime[]
  /** Runs `work` as a step; it may show how far it is, and return a few words on what it did. */
  step<T>(name: string, work: (progress: (words: string) => void) => T | Promise<T>): Promise<T>
  say(text?: string): void
}
