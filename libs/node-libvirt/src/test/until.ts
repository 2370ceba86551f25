/** Waits until `holds`, looking again each time other work has been done. Gives up after `timeoutMs`. */
export async function until(holds: () => boolean | Promise<boolean>, timeoutMs = 60_000): Promise<void> {
  const giveUpMs = performance.now() + timeoutMs
  while (!(await holds())) {
    if (performance.now() > giveUpMs) throw new Error(`still not so after ${timeoutMs} ms: ${holds}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
