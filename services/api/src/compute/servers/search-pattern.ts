/** A back reference, or the beginning of a look-around, in PostgreSQL's regular expressions. */
const costly = /\\[1-9]|\(\?(?:[=!]|<[=!])/
const longestCharacters = 255

/**
 * Whether a list may be searched by this regular expression. Without back references and look-arounds PostgreSQL reads a text
 * once; with them one text of 255 characters can keep it busy for hours, and a handful of such searches all its connections.
 */
export function isSearchable(pattern: string): boolean {
  // An escaped backslash escapes nothing.
  return pattern.length <= longestCharacters && !costly.test(pattern.replaceAll('\\\\', ' '))
}
