import { dirname, join } from 'node:path'

/** The folder of the clone: three levels above deploy/src/installation and deploy/dist/installation alike. */
export const repositoryDirectory = dirname(dirname(dirname(import.meta.dirname)))

/** `.nubo` of the clone, or another folder for a second installation of it, as the suites make one. */
export const dataDirectory = process.env['NUBO_DATA_FOLDER'] ?? join(repositoryDirectory, '.nubo')

/** Where an installation keeps what it is and has. */
export class DataFolder {
  constructor(readonly path = dataDirectory) {}

  get installation() {
    return join(this.path, 'installation.json')
  }

  get clouds() {
    return join(this.path, 'clouds.yaml')
  }

  /** A folder of this name. `toolchain` is only what was fetched; all others are data. */
  folder(name: 'config' | 'keys' | 'logs' | 'run' | 'postgres' | 'redis' | 'images' | 'hosts' | 'guest-image' | 'toolchain') {
    return join(this.path, name)
  }
}
