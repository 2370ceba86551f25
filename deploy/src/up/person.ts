/** The person behind sudo, as the bootstrap saw them. */
export function person(): { uid: number; gid: number } {
  const [uid, gid] = (process.env['NUBO_PERSON'] ?? `${process.getuid!()}:${process.getgid!()}`).split(':').map(Number)
  return { uid: uid!, gid: gid! }
}
