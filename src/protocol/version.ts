/** The version of the package. The build writes it here from package.json; the sources have none. */
export const VERSION: string = '0.0.0';
