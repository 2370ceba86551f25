/**
 * What a person sees of `up`: one line a step, with its time. On a terminal the line of the step at work is alive; where
 * there is none, a step that takes long says so now and then.
 */
const liveEveryMs = 120
const wordEveryMs = 15_000
const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']

export class Steps {
  constructor(output = process.stdout) {
    this.output = output
    this.begun = performance.now()
    /** Name and milliseconds of every finished step, in order. */
    this.times = []
  }

  /**
   * Runs `work` as a step. It is given a function that shows how far it is, and may return a few words on what it did.
   * @template T
   * @param {string} name
   * @param {(progress: (words: string) => void) => T | Promise<T>} work
   * @returns {Promise<T>}
   */
  async step(name, work) {
    const begun = performance.now()
    let words = ''
    const seconds = () => `${((performance.now() - begun) / 1000).toFixed(1)} s`
    const stop = this.#watch(() => `${name.padEnd(22)} ${words}`.trimEnd(), seconds)
    try {
      const result = await work((now) => (words = now))
      stop()
      this.times.push({ name, ms: Math.round(performance.now() - begun) })
      this.#line('✓', name, typeof result === 'string' ? result : '', seconds())
      return result
    } catch (error) {
      stop()
      this.#line('✗', name, '', seconds())
      throw error
    }
  }

  say(text = '') {
    this.output.write(`${text}\n`)
  }

  #line(mark, name, words, time) {
    this.say(`${mark} ${name.padEnd(22)} ${words.padEnd(60)} ${time.padStart(8)}`)
  }

  #watch(text, seconds) {
    if (!this.output.isTTY) {
      const timer = setInterval(() => this.say(`  … ${text()} (${seconds()})`), wordEveryMs)
      return () => clearInterval(timer)
    }
    let frame = 0
    const draw = () => {
      const line = `${frames[frame++ % frames.length]} ${text()} ${seconds()}`
      this.output.write(`\r\x1b[2K${line.slice(0, (this.output.columns ?? 80) - 1)}`)
    }
    const timer = setInterval(draw, liveEveryMs)
    return () => {
      clearInterval(timer)
      this.output.write('\r\x1b[2K')
    }
  }
}
