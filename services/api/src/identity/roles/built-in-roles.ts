/** The roles that policies ask for, highest first: each carries those after it. They can be neither renamed nor deleted. */
export const builtInRoles = ['admin', 'manager', 'member', 'reader'] as const

export const isBuiltIn = (name: string): boolean => (builtInRoles as readonly string[]).includes(name)
