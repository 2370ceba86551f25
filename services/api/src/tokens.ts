/** The one connection to PostgreSQL: a `Database`. */
export { DATABASE } from '@nubo/control-plane'
