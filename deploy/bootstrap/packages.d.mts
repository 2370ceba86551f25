/** The libraries among a package's dependencies, as `Depends` of its control file names them. */
export function librariesOf(depends: string): string[]
