/** Something that the person can mend: shown as one line that says what and what to do, without a stack. */
export class Refusal extends Error {}
