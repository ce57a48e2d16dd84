/** Written by scripts/build-page.js: the built page, each file by its path. */
export declare const FILES: Readonly<Record<string, string>>;
