/** What a caller in this process may give: a property may be undefined instead of absent. */
export type Given<T> = { [Name in keyof T]: T[Name] | undefined };
